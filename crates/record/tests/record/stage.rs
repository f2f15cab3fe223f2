//! A recorder in a folder of its own, and senders whose packets take their time.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use taoyao_ortc::{MediaKind, ProducerId, RecordEnd};
use taoyao_record::{
    Entry, Feed, Recorder, RecorderConfig, RecorderEvent, RecordingId, RecordingPlan, StartError, TrackPlan,
};
use taoyao_types::{Instant, Now, Wall};

use crate::source::{Sent, Source};

/// Reached by failures only.
const PATIENCE: Duration = Duration::from_secs(60);
/// The sender's wall clock when its streams begin, in seconds since 1900.
const SENDER_BEGAN: u64 = 3_900_000_000;

pub(crate) struct Stage {
    pub(crate) recorder: Recorder,
    pub(crate) folder: PathBuf,
    events: Receiver<RecorderEvent>,
    /// How often key frames have been asked for, before what was waited for.
    asked: Cell<usize>,
    _kept: tempfile::TempDir,
}

/// One stream on its way.
pub(crate) struct Stream {
    pub(crate) producer: ProducerId,
    pub(crate) packets: Vec<Sent>,
    pub(crate) plan: TrackPlan,
    /// What the way takes.
    pub(crate) delay_us: u64,
    /// How long it says nothing of its clock.
    pub(crate) silent_us: u64,
}

impl Stage {
    pub(crate) fn new(configure: impl FnOnce(&mut RecorderConfig)) -> Self {
        Self::with(configure, |_| {})
    }

    /// `listen` hears all events first, on the recordings' own threads.
    pub(crate) fn with(
        configure: impl FnOnce(&mut RecorderConfig),
        listen: impl Fn(&RecorderEvent) + Send + Sync + 'static,
    ) -> Self {
        let kept = tempfile::tempdir().unwrap();
        let folder = kept.path().join("recordings");
        let mut config = RecorderConfig::in_folder(&folder);
        configure(&mut config);
        let (told, events) = channel();
        let hear = move |event| {
            listen(&event);
            drop(told.send(event));
        };
        let recorder = Recorder::open(&config, hear).unwrap();
        Self { recorder, folder, events, asked: Cell::new(0), _kept: kept }
    }

    pub(crate) fn start(&self, name: &str, streams: &[&Stream], wall_ms: u64) -> Feed {
        self.start_as(plan(name, streams), wall_ms).unwrap()
    }

    pub(crate) fn start_as(&self, plan: RecordingPlan, wall_ms: u64) -> Result<Feed, StartError> {
        self.recorder.start(plan, Now { mono: Instant(0), wall: Wall(wall_ms) })
    }

    /// Stops it and waits for its entry.
    pub(crate) fn stop(&self, name: &str) -> Entry {
        assert!(self.recorder.stop(&id(name), RecordEnd::Stopped));
        self.ended()
    }

    pub(crate) fn ended(&self) -> Entry {
        loop {
            match self.events.recv_timeout(PATIENCE).unwrap() {
                RecorderEvent::Ended(entry) => return *entry,
                RecorderEvent::KeyFrameWanted { .. } => self.asked.set(self.asked.get() + 1),
            }
        }
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.get()
    }

    pub(crate) fn path(&self, entry: &Entry) -> PathBuf {
        self.folder.join(&entry.file)
    }
}

impl Stream {
    pub(crate) fn new(number: u128, source: &Source) -> Self {
        let kind = if source.mime_type.starts_with("audio") { MediaKind::Audio } else { MediaKind::Video };
        let payload_type = 96 + number as u8;
        // Both numbers wrap within the first second.
        let packets = source.packets(payload_type, number as u32, 65_500, u32::MAX - 20_000);
        let producer = ProducerId::of_random(number);
        let plan = TrackPlan {
            producer,
            kind,
            label: String::new(),
            parameter_sets: String::new(),
            mime_type: source.mime_type.to_owned(),
            clock_rate: source.clock_rate,
            channels: (kind == MediaKind::Audio).then_some(2),
            payload_type,
            cname: None,
        };
        Self { producer, packets, plan, delay_us: 0, silent_us: 0 }
    }

    /// The same stream without its packets.
    pub(crate) fn clone_silent(&self) -> Self {
        let (producer, plan) = (self.producer, self.plan.clone());
        Self { producer, packets: Vec::new(), plan, delay_us: self.delay_us, silent_us: self.silent_us }
    }
}

/// Sends all packets in the order of their arrival, with sender reports at the beginning and each second, unless the sender
/// does not report yet.
pub(crate) fn play(feed: &Feed, streams: &[&Stream]) {
    let mut order: Vec<(u64, &Stream, &Sent)> = streams
        .iter()
        .flat_map(|stream| {
            stream.packets.iter().map(move |sent| (sent.taken_us + stream.delay_us, *stream, sent))
        })
        .collect();
    order.sort_by_key(|(arrival, _, _)| *arrival);
    let mut reported = std::collections::BTreeMap::new();
    for (arrival, stream, sent) in order {
        let second = sent.taken_us / 1_000_000;
        let reports = sent.taken_us >= stream.silent_us;
        if reports && reported.insert(stream.producer, second) != Some(second) {
            let ntp = (SENDER_BEGAN << 32)
                + (u64::try_from((u128::from(sent.taken_us) << 32) / 1_000_000).unwrap());
            feed.report(stream.producer, Instant(arrival), ntp, sent.timestamp);
        }
        put(feed, stream, arrival, sent);
    }
}

/// Waits while the queue is long: these streams are not sent in real time.
fn put(feed: &Feed, stream: &Stream, arrival: u64, sent: &Sent) {
    let before = feed.dropped_packets();
    feed.packet(stream.producer, Instant(arrival), sent.bytes.clone());
    if feed.dropped_packets() > before {
        panic!("the queue takes more than a test has");
    }
}

pub(crate) fn plan(name: &str, streams: &[&Stream]) -> RecordingPlan {
    let tracks = streams.iter().map(|stream| stream.plan.clone()).collect();
    RecordingPlan {
        id: id(name),
        room: "room".into(),
        member: "web-1@sh".into(),
        is_whole_room: false,
        holder: "ann".into(),
        partition: "sh".into(),
        tracks,
    }
}

pub(crate) fn id(name: &str) -> RecordingId {
    name.parse().unwrap()
}
