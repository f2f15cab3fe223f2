//! The sending side of a transport: what is known of the way, and what every packet takes from it.

use taoyao_types::Instant;

use super::surface::TransportSetup;
use crate::congestion::{Estimator, EstimatorConfig, Pacer};
use crate::stream::Rate;

#[derive(Debug)]
pub(super) struct Line {
    pub(super) sent: Rate,
    /// Of transports with congestion control.
    pub(super) control: Option<Control>,
}

/// How much may be sent, and how fast.
#[derive(Debug)]
pub(super) struct Control {
    pub(super) estimator: Estimator,
    pub(super) pacer: Pacer,
    max: u64,
    /// Whether the peer tells anything by which the estimate can be trusted.
    is_told: bool,
}

/// Below this, in bits per second, not even sound gets through.
const BITRATE_MIN: u64 = 30_000;
/// Without a bound of the operator's.
const BITRATE_MAX: u64 = 100_000_000;

impl Line {
    pub(super) fn new(now: Instant, setup: &TransportSetup, initial_bitrate: u64) -> Self {
        let control = setup.has_congestion_control.then(|| {
            let max = setup.max_outgoing_bitrate.unwrap_or(BITRATE_MAX).max(BITRATE_MIN);
            let start = initial_bitrate.clamp(BITRATE_MIN, max);
            Control {
                estimator: Estimator::new(now, EstimatorConfig { start, min: BITRATE_MIN, max }),
                pacer: Pacer::new(now, start),
                max,
                is_told: false,
            }
        });
        Self { sent: Rate::default(), control }
    }

    /// A packet goes out; the answer is its transport-wide number.
    pub(super) fn handle_sent(&mut self, now: Instant, bytes: usize, has_transport_cc: bool) -> u16 {
        self.sent.add(now, bytes);
        let Some(control) = &mut self.control else { return 0 };
        control.pacer.handle_sent(now, bytes);
        if has_transport_cc { control.estimator.handle_sent(now, bytes) } else { 0 }
    }

    /// Whether video may leave now: by the pace, or because a probe wants to be faster.
    pub(super) fn may_send(&mut self, now: Instant) -> bool {
        self.control.as_mut().is_none_or(|control| {
            !control.is_told || control.pacer.may_send(now) || control.estimator.wants_packet(now)
        })
    }

    /// What may be sent all in all, in bits per second.
    pub(super) fn available(&self) -> Option<u64> {
        let control = self.control.as_ref()?;
        Some(control.estimator.bitrate().min(control.max))
    }
}

impl Control {
    /// After anything that may have changed the estimate.
    pub(super) fn settle(&mut self, now: Instant) {
        self.is_told = true;
        self.pacer.handle_bitrate(now, self.estimator.bitrate());
    }
}
