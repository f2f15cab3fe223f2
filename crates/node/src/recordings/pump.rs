//! One recording's thread: what its tap brings goes into the recorder.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use taoyao_media::{Media, TapItem, TapPlan};
use taoyao_ortc::control::RoomName;
use taoyao_ortc::{MediaKind, ProducerId, RecordCharge, RecordEnd, RtpParameters};
use taoyao_record::{Feed, RecordingId, RecordingPlan, TrackPlan};
use taoyao_types::limits::RECORDER_QUEUE_MAX;

use super::{Studio, path_of};

/// How long the SFU has to say what the producers are.
const TAP_WAIT: Duration = Duration::from_secs(5);

/// What is to be recorded.
pub(super) struct Pump {
    pub(super) studio: Arc<Studio>,
    pub(super) id: RecordingId,
    pub(super) room: RoomName,
    pub(super) member: String,
    pub(super) producers: Vec<ProducerId>,
    pub(super) charge: RecordCharge,
    pub(super) is_whole_room: bool,
}

impl Pump {
    pub(super) fn spawn(self) -> std::io::Result<()> {
        std::thread::Builder::new().name("record-tap".to_owned()).spawn(move || self.watched()).map(drop)
    }

    /// A thread that dies is told as the recorder's failure: the recording would be empty from here on.
    fn watched(self) {
        let (studio, id) = (Arc::clone(&self.studio), self.id.clone());
        if catch_unwind(AssertUnwindSafe(|| self.run())).is_err()
            && !studio.recorder.stop(&id, RecordEnd::RecorderFailed)
        {
            studio.booth.refuse(&id, "the recorder failed; see the node's log".to_owned());
        }
    }

    /// Until the recording or the room ends. A member who sends nothing for a while may send again.
    fn run(self) {
        let Studio { recorder, booth } = &*self.studio;
        let (sink, items) = sync_channel(RECORDER_QUEUE_MAX);
        let plan = TapPlan { room: self.room.clone(), producers: self.producers.clone(), sink };
        let tap = booth.media.tap(plan);
        let more = booth.table.tapped(&self.id, tap);
        if !more.is_empty() {
            booth.media.widen_tap(&self.room, tap, more);
        }
        let tracks = self.tracks(&items);
        if tracks.is_empty() && !self.is_whole_room {
            return self.refuse("the producers have ended, or the room has too many taps".to_owned());
        }
        let plan = RecordingPlan {
            id: self.id.clone(),
            room: self.room.to_string(),
            member: self.member.clone(),
            is_whole_room: self.is_whole_room,
            holder: self.charge.holder.clone(),
            partition: self.charge.partition.clone(),
            tracks,
        };
        let feed = match recorder.start(plan, Media::now()) {
            Ok(feed) => feed,
            Err(error) => return self.refuse(error.to_string()),
        };
        let (begun, end) = booth.table.started(&self.id, path_of(&self.id));
        booth.say(begun);
        if end.is_none() {
            self.feed_all(&feed, &items);
        }
        booth.table.count_dropped(feed.dropped_packets());
        // A tap that ends before its recording has lost its room.
        recorder.stop(&self.id, end.unwrap_or(RecordEnd::MediaLost));
    }

    /// What the SFU says of each producer, before it sends any of their packets.
    fn tracks(&self, items: &Receiver<TapItem>) -> Vec<TrackPlan> {
        let until = Instant::now() + TAP_WAIT;
        let mut tracks = Vec::new();
        for _ in &self.producers {
            match items.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(TapItem::Stream { producer, rtp }) => tracks.extend(self.track_of(producer, &rtp)),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        tracks
    }

    fn refuse(&self, why: String) {
        tracing::warn!(recording = %self.id, room = %self.room, member = self.member, why, "nothing is recorded");
        self.studio.booth.table.count_refused();
        self.studio.booth.refuse(&self.id, why);
    }

    fn feed_all(&self, feed: &Feed, items: &Receiver<TapItem>) {
        // The tap ends with its room, or with the recording.
        for item in items {
            match item {
                TapItem::Packet { producer, at, packet } => {
                    feed.packet(producer, at.mono, Bytes::from(packet))
                }
                TapItem::Report { producer, at, ntp, rtp } => feed.report(producer, at.mono, ntp, rtp),
                TapItem::Stream { producer, rtp } => {
                    self.track_of(producer, &rtp).into_iter().for_each(|track| feed.add_track(track))
                }
                TapItem::Ended { producer } => feed.end_track(producer),
                // Silence is no end.
                TapItem::Paused { .. } => {}
            }
        }
    }

    /// None for streams of no codec, which the SFU does not send.
    fn track_of(&self, producer: ProducerId, rtp: &RtpParameters) -> Option<TrackPlan> {
        let codec = rtp.codecs.first()?;
        let is_audio = codec.mime_type.to_ascii_lowercase().starts_with("audio/");
        let kind = if is_audio { MediaKind::Audio } else { MediaKind::Video };
        let label = self.studio.booth.table.label(&self.id, producer);
        // The SFU's reports speak of one clock for all streams, whatever their senders call theirs.
        Some(TrackPlan::of_codec(producer, kind, label, codec))
    }
}
