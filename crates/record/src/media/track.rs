//! One track of a recording: its packets in, its frames with their places in the file out.

use std::time::Duration;

use bytes::Bytes;
use taoyao_types::Instant;

use crate::media::assemble::{Assembler, Whole};
use crate::media::codec::{Codec, Description};
use crate::media::reorder::{Ordered, Reorder};
use crate::media::rtp::Rtp;
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
    ssrc: Option<u32>,
    reorder: Reorder,
    assembler: Assembler,
    timeline: Timeline,
    last: Option<Micros>,
    needs_key: NeedsKey,
    pub(crate) lost_packets: u64,
    /// Whole frames that were left out because they need one that is missing.
    left_out: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NeedsKey {
    /// Nothing can be decoded, and nothing is known, before the first.
    First,
    Since(Instant),
    No,
}

impl Track {
    pub(crate) fn new(codec: Codec, plan: TrackPlan) -> Self {
        Self {
            codec,
            ssrc: None,
            reorder: Reorder::default(),
            assembler: Assembler::new(codec),
            timeline: Timeline::new(plan.clock_rate),
            last: None,
            needs_key: if codec.is_video() { NeedsKey::First } else { NeedsKey::No },
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
            self.reorder = Reorder::default();
            self.assembler = Assembler::new(self.codec);
            self.timeline = Timeline::new(self.plan.clock_rate);
            self.wait_for_key(arrival);
        }
        self.ssrc = Some(rtp.ssrc);
        self.reorder.push(arrival, rtp);
    }

    /// The frames that are complete by now; `began` is when the recording began.
    pub(crate) fn frames(&mut self, now: Instant, began: Instant) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(ordered) = self.reorder.pop(now) {
            self.take(&ordered, began, &mut frames);
        }
        frames
    }

    /// The frames that are left when nothing more comes.
    pub(crate) fn end(&mut self, began: Instant) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(ordered) = self.reorder.drain() {
            self.take(&ordered, began, &mut frames);
        }
        frames
    }

    fn take(&mut self, ordered: &Ordered, began: Instant, frames: &mut Vec<Frame>) {
        self.lost_packets += ordered.lost;
        let mut wholes = Vec::new();
        self.assembler.push(ordered, &mut wholes);
        if self.assembler.take_loss() && self.codec.is_video() {
            self.wait_for_key(ordered.arrival);
        }
        for whole in wholes {
            frames.extend(self.frame(whole, ordered.arrival, began));
        }
    }

    fn frame(&mut self, whole: Whole, arrival: Instant, began: Instant) -> Option<Frame> {
        let is_key = !self.codec.is_video() || whole.description.is_some();
        if !is_key && !self.is_wanted(arrival) {
            self.left_out += 1;
            return None;
        }
        self.needs_key = NeedsKey::No;
        let place = self.timeline.place(whole.timestamp, micros_between(began, arrival));
        // Players want each frame later than the one before it, whatever was corrected.
        let at = place.max(self.last.map_or(0, |last| last + 1_000));
        self.last = Some(at);
        let description = if self.codec.is_video() { whole.description } else { Some(self.sound()) };
        Some(Frame { at, is_key, bytes: whole.bytes, description })
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
