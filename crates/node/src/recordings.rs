//! The node's recorder, if the topology gives it one: between signalling, which says what to record, and the SFU, whose
//! packets are recorded.
//!
//! The driver only notes what is asked. A thread of each recording's own reads its tap and starts, feeds and ends it; the
//! recorder bounds how many there are.

mod answers;
mod keys;
mod pump;
mod table;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use taoyao_media::Media;
use taoyao_ortc::{ProducerId, RecordAct, RecordCommand, Recorded, Refused};
use taoyao_record::{OpenError, Recorder, RecorderConfig, RecorderEvent, RecordingId};
use taoyao_topology::{Node as Place, Recordings as Settings, WhenFull};
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

/// Why a node's recorder does not start. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum RecordingsError {
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error("{0}; check `recordings` of the node in the topology")]
    Open(#[from] OpenError),
}

/// The way to the recorder. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Recordings(Option<Arc<Studio>>);

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
        place: &Place,
        forwarder: &Forwarder,
    ) -> Result<(Self, Option<RecorderEvents>), RecordingsError> {
        let (Some(settings), Some(media)) = (&place.recordings, forwarder.media()) else {
            return Ok((Self::default(), None));
        };
        let config = config_of(settings)?;
        let (said, received) = unbounded_channel();
        let booth = Arc::new(Booth { media: Arc::clone(media), table: Table::default(), said });
        let listening = Arc::clone(&booth);
        let recorder = Recorder::open(&config, move |event| listening.hear(event))?;
        Ok((Self(Some(Arc::new(Studio { recorder, booth }))), Some(received)))
    }

    /// Has a command carried out; what cannot be, as there is no recorder, comes back at once.
    pub(crate) fn send(&self, now: Now, command: RecordCommand) -> Option<Recorded> {
        let RecordCommand { room, member, number, act } = command;
        match (&self.0, act) {
            (None, _) if number == 0 => None,
            (None, _) => {
                Some(Recorded { room, member, number, result: Err(Refused::SwitchedOff("recorder")) })
            }
            (Some(studio), RecordAct::Start { producers }) => {
                let id = new_id(now.wall);
                studio.booth.table.begin(id.clone(), room.clone(), member.clone(), number);
                let producers = producers.into_iter().map(|(id, _)| id).collect();
                let pump = pump::Pump { studio: Arc::clone(studio), id: id.clone(), room, member, producers };
                if let Err(error) = pump.spawn() {
                    studio.booth.refuse(&id, format!("the recording has no thread: {error}"));
                }
                None
            }
            (Some(studio), RecordAct::Add { producers }) => {
                let producers: Vec<ProducerId> = producers.into_iter().map(|(id, _)| id).collect();
                if let Some(tap) = studio.booth.table.widen(&room, &member, &producers) {
                    studio.booth.media.widen_tap(&room, tap, producers);
                }
                None
            }
            (Some(studio), RecordAct::Stop) => match studio.booth.table.stop(&room, &member, number) {
                None if number == 0 => None,
                None => Some(Recorded { room, member, number, result: Ok(None) }),
                // One that is only being started finds out when it has been.
                Some(id) => {
                    studio.recorder.stop(&id);
                    None
                }
            },
        }
    }

    pub(crate) fn stats(&self) -> RecordingStats {
        let Some(studio) = &self.0 else { return RecordingStats::default() };
        studio.booth.table.stats(&studio.recorder)
    }

    /// Keeps the recordings within their bounds, for ever.
    pub(crate) async fn tidy(self) {
        let Some(studio) = self.0 else { return };
        loop {
            studio.recorder.tidy(wall_now()).await;
            tokio::time::sleep(TIDY_EVERY).await;
        }
    }

    /// Ends all recordings and waits for their files.
    pub(crate) async fn close(&self) {
        let Some(studio) = self.0.clone() else { return };
        if let Err(error) = tokio::task::spawn_blocking(move || studio.recorder.close()).await {
            tracing::error!(%error, "the recordings were not ended in order");
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
                tracing::info!(
                    recording = %entry.id, member = entry.member, bytes = entry.bytes,
                    duration_ms = entry.duration_ms, reason = entry.reason, "a recording has ended"
                );
                let Some(ended) = self.table.end(&entry.id) else { return };
                if let Some(tap) = ended.tap {
                    self.media.untap(&ended.room, tap);
                }
                self.say(ended.told(Ok(Some(path_of(&entry.id)))));
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
        let command =
            |number| RecordCommand { room: "r".into(), member: "m".into(), number, act: RecordAct::Stop };
        let told = recordings.send(Now::default(), command(7)).unwrap();
        assert_eq!((told.number, told.result), (7, Err(Refused::SwitchedOff("recorder"))));
        assert_eq!(recordings.send(Now::default(), command(0)), None);
    }
}
