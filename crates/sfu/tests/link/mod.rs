//! A link with a queue: packets leave at its capacity, after its delay; some are lost, some are late.

use std::time::Duration;

use taoyao_types::Instant;

/// Capacity from a moment on, in bit/s.
pub(crate) type Capacity = &'static [(u64, f64)];

#[derive(Debug, Clone)]
pub(crate) struct LinkConfig {
    /// (from second, bit/s), rising.
    pub(crate) capacity: Capacity,
    pub(crate) delay: Duration,
    /// What waits longer than this is dropped at the tail.
    pub(crate) queue: Duration,
    /// Each packet is lost with this probability.
    pub(crate) loss: f64,
    /// Every so often, everything is lost for so long.
    pub(crate) bursts: Option<(Duration, Duration)>,
    /// Every so often, everything stands still for so long.
    pub(crate) stalls: Option<(Duration, Duration)>,
    /// Each packet is late by up to this; they stay in order.
    pub(crate) jitter: Duration,
    /// Others send at this constant bitrate through the same queue, from and to these seconds.
    pub(crate) cross: Option<(f64, u64, u64)>,
}

impl LinkConfig {
    pub(crate) fn new(capacity: Capacity) -> LinkConfig {
        LinkConfig {
            capacity,
            delay: Duration::from_millis(25),
            queue: Duration::from_millis(300),
            loss: 0.0,
            bursts: None,
            stalls: None,
            jitter: Duration::ZERO,
            cross: None,
        }
    }

    pub(crate) fn capacity_at(&self, now: Instant) -> f64 {
        let second = now.0 / 1_000_000;
        let step = self.capacity.iter().rev().find(|(from, _)| *from <= second);
        step.expect("the capacity is known from second 0").1
    }

    /// What others leave.
    pub(crate) fn share_at(&self, now: Instant) -> f64 {
        self.capacity_at(now) - self.cross_at(now)
    }

    fn cross_at(&self, now: Instant) -> f64 {
        let second = now.0 / 1_000_000;
        self.cross.filter(|(_, from, to)| (*from..*to).contains(&second)).map_or(0.0, |(bitrate, ..)| bitrate)
    }
}

pub(crate) struct Link {
    config: LinkConfig,
    rng: fastrand::Rng,
    backlog_bits: f64,
    updated: Instant,
    last_arrival: Instant,
}

impl Link {
    pub(crate) fn new(config: LinkConfig, seed: u64) -> Link {
        let rng = fastrand::Rng::with_seed(seed);
        Link { config, rng, backlog_bits: 0.0, updated: Instant(0), last_arrival: Instant(0) }
    }

    /// When the packet arrives, if it does.
    pub(crate) fn send(&mut self, now: Instant, bytes: usize) -> Option<Instant> {
        self.drain(now);
        let capacity = self.config.capacity_at(now);
        let bits = (bytes * 8) as f64;
        if (self.backlog_bits + bits) / capacity > self.config.queue.as_secs_f64() {
            return None;
        }
        self.backlog_bits += bits;
        if self.is_lost(now) {
            return None;
        }
        let queued = Duration::from_secs_f64(self.backlog_bits / capacity);
        let late = self.config.jitter.mul_f64(self.rng.f64());
        let arrival = now + queued + self.config.delay + late;
        self.last_arrival = self.last_arrival.max(arrival + self.stands_for(arrival));
        Some(self.last_arrival)
    }

    pub(crate) fn queue(&mut self, now: Instant) -> Duration {
        self.drain(now);
        Duration::from_secs_f64(self.backlog_bits / self.config.capacity_at(now))
    }

    /// How much longer it stands still at this moment.
    fn stands_for(&self, at: Instant) -> Duration {
        let Some((every, span)) = self.config.stalls else { return Duration::ZERO };
        let left = every - Duration::from_micros(at.0 % every.as_micros() as u64);
        if left <= span { left } else { Duration::ZERO }
    }

    fn drain(&mut self, now: Instant) {
        let elapsed = now.since(self.updated).as_secs_f64();
        self.updated = now;
        let net = self.config.share_at(now) * elapsed;
        let full = self.config.capacity_at(now) * self.config.queue.as_secs_f64();
        self.backlog_bits = (self.backlog_bits - net).clamp(0.0, full.max(self.backlog_bits - net));
    }

    fn is_lost(&mut self, now: Instant) -> bool {
        let in_burst = self.config.bursts.is_some_and(|(every, span)| {
            let every_us = every.as_micros() as u64;
            now.0 % every_us >= every_us - span.as_micros() as u64
        });
        in_burst || self.rng.f64() < self.config.loss
    }
}
