//! The node's recorder, if the topology gives it one: between signalling, which says what to record, and the SFU, whose
//! packets are recorded.
//!
//! The driver only notes what is asked. A thread of each recording's own reads its tap and starts, feeds and ends it; the
//! recorder bounds how many there are.

mod answers;
mod keys;
mod pump;
mod table;
mod told;

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use taoyao_media::Media;
use taoyao_ortc::{RecordAct, RecordCommand, RecordEnd, Recorded, Refused, RoomName};
use taoyao_record::{Entry, Recorder, RecorderConfig, RecorderEvent, RecordingId};
use taoyao_topology::{KeepFree, Node, Recordings as Settings, WhenFull};
use taoyao_types::{Now, Wall};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use self::keys::KeysError;
pub(crate) use self::table::RecordingStats;
use self::table::Table;
use crate::clock::wall_now;
use crate::forwarder::Forwarder;

/// What the recorder says. Unbounded because its threads may not wait; it answers, and tells of each end once.
pub(crate) type RecorderEvents = UnboundedReceiver<Recorded>;

/// How often what is too old or too much is deleted, and failed uploads are tried again.
const TIDY_EVERY: Duration = Duration::from_secs(300);
/// How often a folder is tried that could not be used.
const OPEN_EVERY: Duration = Duration::from_secs(60);
/// What terminals are told then; why is for operators.
const OUT_OF_ORDER: &str =
    "the recorder of this node is out of order; its operator finds why in `taoyao recordings`";

/// Why a node with this recorder does not start. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum RecordingsError {
    #[error(transparent)]
    Keys(#[from] KeysError),
}

/// The way to the recorder. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Recordings(Option<Arc<Place>>);

/// Where a recorder is, or should be. A folder that cannot be used (a full disk, a share that is not mounted) is no reason
/// for a node not to run: it says so, refuses to record, and tries again.
struct Place {
    config: RecorderConfig,
    booth: Arc<Booth>,
    studio: OnceLock<Arc<Studio>>,
    fault: Mutex<String>,
}

/// What the driver, the recordings' threads and the recorder share.
struct Studio {
    recorder: Recorder,
    booth: Arc<Booth>,
}

/// What needs no recorder: the recorder itself tells it of its events.
struct Booth {
    media: Arc<Media>,
    table: Table,
    said: UnboundedSender<Recorded>,
}

impl fmt::Debug for Recordings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recordings").field(&self.0.is_some()).finish()
    }
}

impl Recordings {
    /// Opens the recorder of a node that has one: reads its index, and the keys of its bucket.
    pub(crate) fn open(
        place: &Node,
        forwarder: &Forwarder,
    ) -> Result<(Self, Option<RecorderEvents>), RecordingsError> {
        let (Some(settings), Some(media)) = (&place.recordings, forwarder.media()) else {
            return Ok((Self::default(), None));
        };
        let (said, received) = unbounded_channel();
        let booth = Arc::new(Booth { media: Arc::clone(media), table: Table::default(), said });
        let config = config_of(settings)?;
        let place = Place { config, booth, studio: OnceLock::new(), fault: Mutex::default() };
        place.try_open();
        Ok((Self(Some(Arc::new(place))), Some(received)))
    }

    /// Has a command carried out; what cannot be, as there is no recorder, comes back at once.
    pub(crate) fn send(&self, now: Now, command: RecordCommand) -> Option<Recorded> {
        let studio = match &self.0 {
            None => return refused(command, Refused::SwitchedOff("recorder")),
            Some(place) => match place.studio.get() {
                None => return refused(command, Refused::Full(OUT_OF_ORDER.to_owned())),
                Some(studio) => studio,
            },
        };
        let RecordCommand { room, member, number, act } = &command;
        match act {
            RecordAct::Start { sources, charge, is_whole_room } => {
                let id = new_id(now.wall);
                studio.booth.table.begin(id.clone(), &command, sources);
                let pump = pump::Pump {
                    studio: Arc::clone(studio),
                    id: id.clone(),
                    room: RoomName::clone(room),
                    member: member.clone(),
                    producers: sources.iter().map(|source| source.producer).collect(),
                    charge: charge.clone(),
                    is_whole_room: *is_whole_room,
                };
                if let Err(error) = pump.spawn() {
                    studio.booth.refuse(&id, format!("the recording has no thread: {error}"));
                }
                None
            }
            RecordAct::Add { sources } => {
                if let Some(tap) = studio.booth.table.widen(room, member, sources) {
                    let producers = sources.iter().map(|source| source.producer).collect();
                    studio.booth.media.widen_tap(room, tap, producers);
                }
                None
            }
            RecordAct::Stop { end } => match studio.booth.table.stop(room, member, *number, *end) {
                None => nothing_to_end(command),
                // One that is only being started finds out when it has been.
                Some(id) => {
                    studio.recorder.stop(&id, *end);
                    None
                }
            },
        }
    }

    pub(crate) fn stats(&self) -> RecordingStats {
        let Some(place) = &self.0 else { return RecordingStats::default() };
        place.booth.table.stats(place.studio.get().map(|studio| &studio.recorder))
    }

    /// Why there is no recorder where there should be one.
    pub(crate) fn fault(&self) -> Option<String> {
        let place = self.0.as_ref().filter(|place| place.studio.get().is_none())?;
        Some(place.fault.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn studio(&self) -> Option<&Arc<Studio>> {
        self.0.as_ref()?.studio.get()
    }

    /// Keeps the recordings within their bounds, for ever, and opens a recorder that could not be opened before.
    pub(crate) async fn tidy(self) {
        let Some(place) = self.0 else { return };
        loop {
            match place.studio.get() {
                Some(studio) => studio.recorder.tidy(wall_now()).await,
                None => {
                    let again = Arc::clone(&place);
                    if let Err(error) = tokio::task::spawn_blocking(move || again.try_open()).await {
                        tracing::error!(%error, "the recorder was not opened");
                    }
                }
            }
            tokio::time::sleep(if place.studio.get().is_some() { TIDY_EVERY } else { OPEN_EVERY }).await;
        }
    }

    /// Ends all recordings and waits for their files.
    pub(crate) async fn close(&self) {
        let Some(studio) = self.studio().cloned() else { return };
        if let Err(error) = tokio::task::spawn_blocking(move || studio.recorder.close()).await {
            tracing::error!(%error, "the recordings were not ended in order");
        }
    }
}

impl Place {
    fn try_open(&self) {
        let listening = Arc::clone(&self.booth);
        match Recorder::open(&self.config, move |event| listening.hear(event)) {
            Ok(recorder) => {
                let studio = Studio { recorder, booth: Arc::clone(&self.booth) };
                let _opened_before = self.studio.set(Arc::new(studio)).is_err();
            }
            Err(error) => {
                tracing::error!(
                    %error, "this node records nothing; check `recordings` of the node in the topology, and its disk"
                );
                *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = error.to_string();
            }
        }
    }
}

impl Booth {
    /// On a recording's own thread.
    fn hear(&self, event: RecorderEvent) {
        match event {
            RecorderEvent::KeyFrameWanted { id, producer } => {
                if let Some((room, tap)) = self.table.tap_of(&id) {
                    self.media.request_key_frame(&room, tap, producer);
                }
            }
            RecorderEvent::Ended(entry) => {
                let end = entry.end.unwrap_or(RecordEnd::RecorderFailed);
                log_end(&entry, end);
                self.table.count_ended(end);
                let Some(ended) = self.table.end(&entry.id) else { return };
                if let Some(tap) = ended.tap {
                    self.media.untap(&ended.room, tap);
                }
                self.say(ended.told(Ok(Some(path_of(&entry.id))), end));
            }
        }
    }

    /// A recording that was to begin does not.
    fn refuse(&self, id: &RecordingId, why: String) {
        let Some(ended) = self.table.end(id) else { return };
        if let Some(tap) = ended.tap {
            self.media.untap(&ended.room, tap);
        }
        for recorded in ended.refused(&Refused::Full(why)) {
            self.say(Some(recorded));
        }
    }

    fn say(&self, recorded: Option<Recorded>) {
        if let Some(recorded) = recorded {
            // Nobody listens any more once the node has ended.
            let _ended = self.said.send(recorded).is_err();
        }
    }
}

fn refused(command: RecordCommand, why: Refused) -> Option<Recorded> {
    let RecordCommand { room, member, number, .. } = command;
    (number != 0).then_some(Recorded { room, member, number, recording: number, result: Err(why), end: None })
}

fn nothing_to_end(command: RecordCommand) -> Option<Recorded> {
    let RecordCommand { room, member, number, .. } = command;
    (number != 0).then_some(Recorded { room, member, number, recording: 0, result: Ok(None), end: None })
}

fn log_end(entry: &Entry, end: RecordEnd) {
    let Entry { id, member, bytes, duration_ms, reason, .. } = entry;
    let (end_name, reason) = (end.name(), reason.as_deref().unwrap_or_default());
    if end.is_failure() {
        tracing::error!(recording = %id, member, bytes, duration_ms, end = end_name, reason, "a recording has failed");
    } else {
        tracing::info!(recording = %id, member, bytes, duration_ms, end = end_name, "a recording has ended");
    }
}

/// Where the REST interface has a recording; what terminals are told.
fn path_of(id: &RecordingId) -> String {
    format!("/recordings/media/{id}")
}

/// The moment, so that files sort, and enough chance that nobody guesses it.
fn new_id(now: Wall) -> RecordingId {
    let at = jiff::Timestamp::from_millisecond(i64::try_from(now.0).unwrap_or(i64::MAX)).unwrap_or_default();
    let chance = getrandom::u64().unwrap_or_default();
    format!("{}-{chance:016x}", at.strftime("%Y%m%dT%H%M%S")).parse().expect("digits, letters and dashes")
}

fn config_of(settings: &Settings) -> Result<RecorderConfig, KeysError> {
    Ok(RecorderConfig {
        folder: settings.dir.clone(),
        bucket: settings.bucket.as_ref().map(keys::bucket).transpose()?,
        bytes_max: settings.bytes_max,
        account_bytes_max: settings.account_bytes_max,
        partition_bytes_max: settings.partition_bytes_max.unwrap_or(settings.bytes_max),
        keep_free: match settings.keep_free {
            KeepFree::Bytes(bytes) => taoyao_record::KeepFree::Bytes(bytes),
            KeepFree::Percent(percent) => taoyao_record::KeepFree::Percent(percent),
        },
        time_max: Duration::from_secs(u64::from(settings.hours_max) * 3_600),
        when_full: match settings.when_full {
            WhenFull::DeleteOldest => taoyao_record::WhenFull::DeleteOldest,
            WhenFull::Refuse => taoyao_record::WhenFull::Refuse,
        },
        age_max: settings.days_max.map(|days| Duration::from_secs(u64::from(days) * 86_400)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_begin_with_their_moment_and_are_never_the_same() {
        let (one, other) = (new_id(Wall(1_700_000_000_000)), new_id(Wall(1_700_000_000_000)));
        assert!(one.as_str().starts_with("20231114T221320-"), "{one}");
        assert_ne!(one, other);
    }

    #[test]
    fn a_node_without_a_recorder_says_so_to_whoever_waits() {
        let recordings = Recordings::default();
        let command = |number| {
            let act = RecordAct::Stop { end: RecordEnd::Stopped };
            RecordCommand { room: "r".into(), member: "m".into(), number, act }
        };
        let told = recordings.send(Now::default(), command(7)).unwrap();
        assert_eq!((told.number, told.result), (7, Err(Refused::SwitchedOff("recorder"))));
        assert_eq!(recordings.send(Now::default(), command(0)), None);
    }
}
