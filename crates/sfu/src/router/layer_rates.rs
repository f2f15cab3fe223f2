//! How many bits each layer of a stream takes.

use std::time::Duration;

use taoyao_types::Instant;

use super::layers::LayerPair;
use crate::codec::Facts;
use crate::stream::Rate;

/// Bitrates by (spatial, temporal) layer; what lies above the last of them counts as of it.
///
/// They decide who gets which layers, so they must not jump: pictures count over some seconds, and key frames, which are
/// large and come because somebody changes layers, over many.
#[derive(Debug, Default)]
pub(super) struct LayerRates {
    rates: [[Rate<PICTURES_US>; Self::TEMPORAL]; Self::SPATIAL],
    key_frames: [Rate<KEY_FRAMES_US>; Self::SPATIAL],
    /// Timestamp of the latest key frame.
    key_frame: Option<u32>,
    /// When the stream began to flow, and its last packet.
    flowing: Option<(Instant, Instant)>,
    /// The highest layers that were seen.
    pub(super) seen: (u8, u8),
}

/// Tenths of how long pictures and key frames count, in microseconds.
const PICTURES_US: u64 = 250_000;
const KEY_FRAMES_US: u64 = 1_000_000;
/// After a silence of this much a stream has no past.
const SILENCE: Duration = Duration::from_secs(1);
/// What came in less time than this says little; after the longer one it says what a stream takes.
const SPAN_MIN_US: u64 = 200_000;
const KNOWN: Duration = Duration::from_millis(300);

impl LayerRates {
    pub(super) const SPATIAL: usize = 4;
    pub(super) const TEMPORAL: usize = 4;

    pub(super) fn add(&mut self, now: Instant, facts: &Facts, timestamp: u32, bytes: usize) {
        let spatial = usize::from(facts.spatial).min(Self::SPATIAL - 1);
        let temporal = usize::from(facts.temporal).min(Self::TEMPORAL - 1);
        self.flow(now);
        if facts.is_key {
            self.key_frame = Some(timestamp);
        }
        if self.key_frame == Some(timestamp) {
            self.key_frames[spatial].add(now, bytes);
        } else {
            self.rates[spatial][temporal].add(now, bytes);
        }
        // Both were bounded just now.
        self.seen = (self.seen.0.max(spatial as u8), self.seen.1.max(temporal as u8));
    }

    /// All layers up to these together, in bits per second.
    pub(super) fn up_to(&self, now: Instant, layers: LayerPair) -> u64 {
        let Some((began, _)) = self.flowing else { return 0 };
        let (spatial, temporal) = (usize::from(layers.spatial) + 1, usize::from(layers.temporal) + 1);
        let rates = self.rates.iter().take(spatial).flat_map(|rates| rates.iter().take(temporal));
        let pictures: u64 = rates.map(|rate| rate.recent_bytes(now)).sum();
        let key_frames: u64 = self.key_frames.iter().take(spatial).map(|rate| rate.recent_bytes(now)).sum();
        let age_us = (now.since(began).as_micros() as u64).max(SPAN_MIN_US);
        let per_second = |bytes: u64, span_us: u64| 8 * bytes * 1_000_000 / span_us;
        per_second(pictures, Rate::<PICTURES_US>::span_us(now).min(age_us))
            + per_second(key_frames, Rate::<KEY_FRAMES_US>::span_us(now))
    }

    /// Whether the stream has flowed for long enough to say what it takes.
    pub(super) fn is_known(&self, now: Instant) -> bool {
        self.flowing.is_some_and(|(began, _)| now.since(began) >= KNOWN)
    }

    fn flow(&mut self, now: Instant) {
        let began = self.flowing.filter(|(_, last)| now.since(*last) < SILENCE).map(|(began, _)| began);
        if began.is_none() {
            *self = Self { seen: self.seen, ..Self::default() };
        }
        self.flowing = Some((began.unwrap_or(now), now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOWER: LayerPair = LayerPair { spatial: 0, temporal: 0 };

    /// Pictures of 1,000 bytes, 20 a second, of two temporal layers by turns; the first is a key frame ten times as large.
    fn run(rates: &mut LayerRates, from_ms: u64, pictures: u32) -> Instant {
        let mut now = Instant(1_000 * from_ms);
        for picture in 0..pictures {
            now = Instant(1_000 * (from_ms + 50 * u64::from(picture)));
            let facts = Facts { is_key: picture == 0, temporal: (picture % 2) as u8, ..Facts::default() };
            rates.add(now, &facts, 4_500 * picture, if picture == 0 { 10_000 } else { 1_000 });
        }
        now
    }

    #[test]
    fn layers_add_up_from_the_first_moment_on() {
        for pictures in [10, 30, 400] {
            let mut rates = LayerRates::default();
            let now = run(&mut rates, 7_000, pictures);
            let (lower, all) = (rates.up_to(now, LOWER), rates.up_to(now, LayerPair::ALL));
            assert!((70_000..100_000).contains(&lower), "{lower} after {pictures}");
            assert!((150_000..190_000).contains(&all), "{all} after {pictures}");
        }
    }

    #[test]
    fn a_key_frame_hardly_counts_and_silence_forgets() {
        let mut rates = LayerRates::default();
        let now = run(&mut rates, 0, 100);
        let before = rates.up_to(now, LayerPair::ALL);
        rates.add(now, &Facts { is_key: true, ..Facts::default() }, 7, 20_000);
        assert!(rates.up_to(now, LayerPair::ALL) < before + 20_000);
        let now = run(&mut rates, 9_000, 10);
        assert!(rates.up_to(now, LayerPair::ALL) < 190_000, "{}", rates.up_to(now, LayerPair::ALL));
    }
}
