//! When the frames of one track are decoded.
//!
//! RTP says when a picture is shown, and brings pictures in the order in which they are decoded. Where both orders differ
//! (B-frames), the n-th picture is decoded at the n-th of the moments at which pictures are shown: the pace is then even,
//! and no picture is moved.

use std::collections::{BTreeSet, VecDeque};

use crate::media::timeline::Micros;
use crate::media::track::Frame;

/// Pictures that are looked at ahead to find the order of what is shown. Encoders hold back fewer.
const LOOK_AHEAD: usize = 8;
/// Two frames of a track are at least so far apart.
const STEP_MIN: Micros = 1_000;
/// How long a frame lasts of which it is not known.
const FIRST_DURATION: Micros = 20_000;
/// What follows a longer gap tells nothing of the frames' pace.
const GAP: Micros = 500_000;

#[derive(Debug)]
pub(crate) struct DecodeOrder {
    look_ahead: usize,
    waiting: VecDeque<Frame>,
    /// When those that wait are shown, no two at once.
    shown: BTreeSet<Micros>,
    /// When the last one that has left is decoded.
    last: Option<Micros>,
    newest: Option<Micros>,
    duration: Micros,
}

/// A frame whose turn is known.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) frame: Frame,
    pub(crate) decoded_at: Micros,
    /// Until the next is decoded.
    pub(crate) duration: Micros,
}

impl DecodeOrder {
    pub(crate) fn new(reorders: bool) -> Self {
        Self {
            look_ahead: if reorders { LOOK_AHEAD } else { 0 },
            waiting: VecDeque::new(),
            shown: BTreeSet::new(),
            last: None,
            newest: None,
            duration: FIRST_DURATION,
        }
    }

    pub(crate) fn push(&mut self, mut frame: Frame) {
        if self.look_ahead == 0 {
            frame.at = frame.at.max(self.newest.map_or(0, |newest| newest + STEP_MIN));
        }
        while !self.shown.insert(frame.at) {
            frame.at += STEP_MIN;
        }
        self.newest = self.newest.max(Some(frame.at));
        self.waiting.push_back(frame);
    }

    /// The next frame, once it is known how long it lasts.
    pub(crate) fn pop(&mut self) -> Option<Placed> {
        if self.waiting.len() > self.look_ahead + 1 { self.take() } else { None }
    }

    /// The next frame, though nothing more may come.
    pub(crate) fn drain(&mut self) -> Option<Placed> {
        self.take()
    }

    /// When the newest frame is shown.
    pub(crate) fn newest(&self) -> Option<Micros> {
        self.newest
    }

    fn take(&mut self) -> Option<Placed> {
        let frame = self.waiting.pop_front()?;
        let decoded_at = self.next_turn().unwrap_or(frame.at);
        self.last = Some(decoded_at);
        let mut duration = self.duration;
        if let Some(next) = self.shown.first().copied().filter(|_| !self.waiting.is_empty()) {
            duration = (next - decoded_at).max(STEP_MIN);
            if duration < GAP {
                self.duration = duration;
            }
        }
        Some(Placed { frame, decoded_at, duration })
    }

    fn next_turn(&mut self) -> Option<Micros> {
        let first = self.shown.pop_first()?;
        Some(first.max(self.last.map_or(0, |last| last + STEP_MIN)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn decoded(reorders: bool, shown: &[Micros]) -> Vec<(Micros, Micros, Micros)> {
        let mut order = DecodeOrder::new(reorders);
        let mut placed = Vec::new();
        for &at in shown {
            order.push(Frame { at, is_key: false, bytes: Bytes::new(), description: None });
            placed.extend(order.pop());
        }
        placed.extend(std::iter::from_fn(|| order.drain()));
        placed.iter().map(|one| (one.frame.at, one.decoded_at, one.duration)).collect()
    }

    #[test]
    fn pictures_that_are_shown_in_another_order_are_decoded_evenly_and_not_moved() {
        let shown =
            [0, 120_000, 40_000, 80_000, 240_000, 160_000, 200_000, 280_000, 320_000, 360_000, 400_000];
        let placed = decoded(true, &shown);
        assert_eq!(placed.iter().map(|one| one.0).collect::<Vec<_>>(), shown);
        for (number, (_, decoded_at, duration)) in placed.iter().enumerate() {
            assert_eq!((*decoded_at, *duration), (40_000 * number as i64, 40_000), "{number}");
        }
    }

    #[test]
    fn others_are_decoded_when_they_are_shown_and_each_later_than_the_one_before() {
        assert_eq!(
            decoded(false, &[0, 40_000, 39_000, 100_000]),
            [(0, 0, 40_000), (40_000, 40_000, 1_000), (41_000, 41_000, 59_000), (100_000, 100_000, 59_000)]
        );
    }
}
