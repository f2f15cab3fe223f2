//! How many bits each layer of a stream takes.

use taoyao_types::Instant;

use super::layers::LayerPair;
use crate::codec::Facts;
use crate::stream::Rate;

/// Bitrates by (spatial, temporal) layer; what lies above the last of them counts as of it.
#[derive(Debug, Default)]
pub(super) struct LayerRates {
    rates: [[Rate; Self::TEMPORAL]; Self::SPATIAL],
    /// The highest layers that were seen.
    pub(super) seen: (u8, u8),
}

impl LayerRates {
    pub(super) const SPATIAL: usize = 4;
    pub(super) const TEMPORAL: usize = 4;

    pub(super) fn add(&mut self, now: Instant, facts: &Facts, bytes: usize) {
        let spatial = usize::from(facts.spatial).min(Self::SPATIAL - 1);
        let temporal = usize::from(facts.temporal).min(Self::TEMPORAL - 1);
        self.rates[spatial][temporal].add(now, bytes);
        // Both were bounded just now.
        self.seen = (self.seen.0.max(spatial as u8), self.seen.1.max(temporal as u8));
    }

    /// All layers up to these together, in bits per second.
    pub(super) fn up_to(&self, now: Instant, layers: LayerPair) -> u64 {
        let spatial = self.rates.iter().take(usize::from(layers.spatial) + 1);
        let within = spatial.flat_map(|temporal| temporal.iter().take(usize::from(layers.temporal) + 1));
        within.map(|rate| rate.bits_per_second(now)).sum()
    }
}
