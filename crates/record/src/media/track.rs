//! One track of a recording: its packets in, its frames with their places in the file out.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use taoyao_types::Instant;
use taoyao_types::limits::{RECORDER_HOLD_BYTES_MAX, RECORDER_HOLD_MAX};

use crate::media::assemble::{Assembler, Whole};
use crate::media::codec::{Codec, Description};
use crate::media::reorder::{Ordered, Reorder};
use crate::media::rtp::Rtp;
use crate::media::stillness::{STEP, Shift, Stillness};
use crate::media::timeline::{Micros, Report, SenderClocks, Timeline};
use crate::plan::TrackPlan;

/// Without a key frame for this long after a loss, what comes is written all the same: a picture with faults is better
/// than none.
const KEY_FRAME_WAIT: Duration = Duration::from_secs(2);

/// One frame of one track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) at: Micros,
    pub(crate) is_key: bool,
    pub(crate) bytes: Bytes,
    /// Of key frames of video, and of each packet of sound.
    pub(crate) description: Option<Description>,
}

#[derive(Debug)]
pub(crate) struct Track {
    codec: Codec,
    plan: TrackPlan,
    /// When the recording began.
    began: Instant,
    ssrc: Option<u32>,
    reorder: Reorder,
    assembler: Assembler,
    timeline: Timeline,
    stillness: Stillness,
    /// The timestamp of the newest frame.
    heard: Option<u32>,
    /// What lies too early of that which is held.
    shift: Option<Shift>,
    held: Held,
    /// Frames with a place that nobody has fetched.
    placed: Vec<Frame>,
    last: Option<Micros>,
    needs_key: NeedsKey,
    /// Pictures may be decoded in another order than they are shown in.
    reorders: bool,
    pub(crate) lost_packets: u64,
    /// Whole frames that were left out because they need one that is missing.
    left_out: u64,
}

/// Frames that have no place yet.
#[derive(Debug, Default)]
struct Held {
    frames: VecDeque<(Whole, Instant)>,
    bytes: usize,
    /// Since the first of them, or of those before.
    since: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NeedsKey {
    /// Nothing can be decoded, and nothing is known, before the first.
    First,
    Since(Instant),
    No,
}

impl Track {
    /// Of a recording that began at `began`.
    pub(crate) fn new(codec: Codec, plan: TrackPlan, began: Instant) -> Self {
        Self {
            codec,
            began,
            ssrc: None,
            reorder: Reorder::default(),
            assembler: Assembler::new(codec, &plan.parameter_sets),
            timeline: Timeline::new(plan.clock_rate),
            stillness: Stillness::default(),
            heard: None,
            shift: None,
            held: Held::default(),
            placed: Vec::new(),
            last: None,
            needs_key: if codec.is_video() { NeedsKey::First } else { NeedsKey::No },
            reorders: false,
            lost_packets: 0,
            left_out: 0,
            plan,
        }
    }

    pub(crate) fn dropped_frames(&self) -> u64 {
        self.assembler.dropped() + self.left_out
    }

    pub(crate) fn needs_key_frame(&self) -> bool {
        self.needs_key != NeedsKey::No
    }

    pub(crate) fn report(&mut self, clocks: &mut SenderClocks, report: Report, arrival: Micros) {
        self.timeline.report(clocks, self.plan.cname.as_deref(), report, arrival);
    }

    /// Takes a packet; what is not RTP of this track is passed over.
    pub(crate) fn push(&mut self, arrival: Instant, bytes: &Bytes) {
        let Some(rtp) = Rtp::read(bytes).filter(|rtp| rtp.payload_type == self.plan.payload_type) else {
            return;
        };
        if self.ssrc.is_some_and(|ssrc| ssrc != rtp.ssrc) {
            // Another stream in the place of the first: nothing that was said of that one holds.
            self.placed = self.frames();
            self.held = Held::default();
            self.reorder = Reorder::default();
            self.timeline = Timeline::new(self.plan.clock_rate);
            self.begin_anew(arrival);
        }
        self.ssrc = Some(rtp.ssrc);
        self.reorder.push(arrival, rtp);
    }

    fn begin_anew(&mut self, now: Instant) {
        self.assembler = Assembler::new(self.codec, &self.plan.parameter_sets);
        (self.stillness, self.shift) = (Stillness::default(), None);
        self.wait_for_key(now);
    }

    /// Puts together what is complete by now.
    pub(crate) fn advance(&mut self, now: Instant) {
        while let Some(ordered) = self.reorder.pop(now) {
            self.take(&ordered);
        }
        let shift = self.stillness.verdict(micros_between(self.began, now), false);
        self.shift = self.shift.or(shift);
    }

    /// Whether it is not known yet where its newest frames belong.
    pub(crate) fn is_waiting(&self, now: Instant) -> bool {
        let is_open = self.stillness.is_open() && self.held.bytes <= RECORDER_HOLD_BYTES_MAX;
        is_open || self.awaits_report(now)
    }

    /// Whether its sender may still say where its frames belong. A guess that is in the file cannot be mended.
    fn awaits_report(&self, now: Instant) -> bool {
        let Some(since) = self.held.since.filter(|_| !self.held.frames.is_empty()) else { return false };
        let has_patience = now.since(since) < RECORDER_HOLD_MAX && self.held.bytes <= RECORDER_HOLD_BYTES_MAX;
        has_patience && !self.timeline.is_told()
    }

    /// The frames that are complete.
    pub(crate) fn frames(&mut self) -> Vec<Frame> {
        self.held.bytes = 0;
        let mut frames = std::mem::take(&mut self.placed);
        let held = std::mem::take(&mut self.held.frames);
        frames.extend(held.into_iter().filter_map(|(whole, arrival)| self.place(whole, arrival)));
        frames
    }

    /// The frames that are left when nothing more comes.
    pub(crate) fn end(&mut self) -> Vec<Frame> {
        while let Some(ordered) = self.reorder.drain() {
            self.take(&ordered);
        }
        let shift = self.stillness.verdict(0, true);
        self.shift = self.shift.or(shift);
        self.frames()
    }

    fn take(&mut self, ordered: &Ordered) {
        self.lost_packets += ordered.lost;
        if ordered.begins_anew {
            self.follow_restart(ordered);
        }
        let mut wholes = Vec::new();
        self.assembler.push(ordered, &mut wholes);
        if self.assembler.take_loss() && self.codec.is_video() {
            self.wait_for_key(ordered.arrival);
        }
        for whole in wholes {
            self.hold(whole, ordered.arrival);
        }
    }

    /// The sender has begun anew: its pictures do not go on, and neither, perhaps, does its clock.
    fn follow_restart(&mut self, ordered: &Ordered) {
        let arrival = micros_between(self.began, ordered.arrival);
        let expected = self.timeline.expected(ordered.rtp.timestamp);
        self.placed = self.frames();
        if expected.is_none_or(|expected| (expected - arrival).abs() > STEP) {
            self.timeline.begin_anew();
        }
        self.begin_anew(ordered.arrival);
    }

    fn hold(&mut self, whole: Whole, arrival: Instant) {
        if !self.is_key(&whole) && !self.is_wanted(arrival) {
            self.left_out += 1;
            return;
        }
        self.needs_key = NeedsKey::No;
        let before = self.heard.replace(whole.timestamp).unwrap_or(whole.timestamp);
        let span = self.timeline.span(before, whole.timestamp);
        self.stillness.note(micros_between(self.began, arrival), span);
        self.held.since.get_or_insert(arrival);
        self.held.bytes += whole.bytes.len();
        self.held.frames.push_back((whole, arrival));
    }

    /// None for sound from before the recording. A picture from then is needed to decode the next: all of them lie at the
    /// beginning, where the last one is seen.
    fn place(&mut self, whole: Whole, arrival: Instant) -> Option<Frame> {
        let arrived = micros_between(self.began, arrival);
        if let Some(Shift { by, .. }) = self.shift.take_if(|shift| arrived >= shift.since) {
            // Unless the sender has told meanwhile how its clock stands now.
            let early = self.timeline.expected(whole.timestamp).map_or(0, |expected| arrived - expected);
            if early >= STEP {
                self.timeline.shift(by.min(early), arrived);
            }
        }
        let place = self.timeline.place(whole.timestamp, arrived);
        if place < 0 && !self.codec.is_video() {
            return None;
        }
        let is_key = self.is_key(&whole);
        if let Some(description) = &whole.description {
            self.reorders = description.reorders();
        }
        // Players want each frame later than the one before it, whatever was corrected; but pictures that are decoded early
        // are shown late.
        let least = self.last.filter(|_| !self.reorders).map_or(0, |last| last + 1_000);
        let at = place.max(least);
        self.last = Some(at);
        let description = if self.codec.is_video() { whole.description } else { Some(self.sound()) };
        Some(Frame { at, is_key, bytes: whole.bytes, description })
    }

    fn is_key(&self, whole: &Whole) -> bool {
        !self.codec.is_video() || whole.description.is_some()
    }

    fn is_wanted(&self, now: Instant) -> bool {
        match self.needs_key {
            NeedsKey::No => true,
            NeedsKey::First => false,
            NeedsKey::Since(since) => now.since(since) > KEY_FRAME_WAIT,
        }
    }

    fn wait_for_key(&mut self, now: Instant) {
        if self.codec.is_video() && self.needs_key == NeedsKey::No {
            self.needs_key = NeedsKey::Since(now);
        }
    }

    fn sound(&self) -> Description {
        let channels = self.plan.channels.unwrap_or(1).clamp(1, 2);
        match self.codec {
            Codec::Pcmu => Description::Pcm { is_mu_law: true, channels, rate: self.plan.clock_rate },
            Codec::Pcma => Description::Pcm { is_mu_law: false, channels, rate: self.plan.clock_rate },
            _ => Description::Opus { channels },
        }
    }
}

/// Negative if `to` is before `from`.
pub(crate) fn micros_between(from: Instant, to: Instant) -> Micros {
    let span = |micros: u64| Micros::try_from(micros).unwrap_or(Micros::MAX);
    if to >= from { span(to.0 - from.0) } else { -span(from.0 - to.0) }
}
