//! The estimate that follows from delays, for both directions: what a link carries before its queue grows.

use std::time::Duration;

use taoyao_types::Instant;

use super::aimd::Aimd;
use super::groups::Groups;
use super::standing::Standing;
use super::throughput::Throughput;
use super::trend::{Trend, Usage};

#[derive(Debug)]
pub(super) struct DelayBased {
    groups: Groups,
    trend: Trend,
    standing: Standing,
    throughput: Throughput,
    aimd: Aimd,
    is_over: bool,
}

impl DelayBased {
    pub(super) fn new(now: Instant, bitrate: f64) -> DelayBased {
        DelayBased {
            groups: Groups::default(),
            trend: Trend::default(),
            standing: Standing::default(),
            throughput: Throughput::default(),
            aimd: Aimd::new(now, bitrate),
            is_over: false,
        }
    }

    /// Times are of two clocks, which need not agree.
    pub(super) fn handle_packet(&mut self, sent_us: i64, arrival_us: i64, bytes: u32) {
        self.throughput.handle_arrival(arrival_us, bytes);
        if let Some(step) = self.groups.handle_packet(sent_us, arrival_us) {
            self.trend.handle_step(step);
            self.standing.handle_delay(step.at_us, self.trend.delay_ms());
            self.is_over |= self.trend.usage() == Usage::Over;
        }
    }

    /// After the packets of one feedback, or from time to time.
    pub(super) fn update(&mut self, now: Instant, round_trip: Duration, is_app_limited: bool) {
        let usage = if std::mem::take(&mut self.is_over) { Usage::Over } else { self.trend.usage() };
        // What grew while little was sent, and has gone by itself, was a hiccup.
        let is_hiccup = is_app_limited && self.standing.is_empty();
        let usage = if usage == Usage::Over && is_hiccup { Usage::Normal } else { usage };
        self.aimd.update(now, usage, self.throughput.bitrate(), round_trip, is_app_limited);
    }

    /// Packets are being lost: if the queue is long, it overflows.
    pub(super) fn handle_losses(&mut self) {
        self.is_over |= self.standing.is_long();
    }

    pub(super) fn bitrate(&self) -> f64 {
        self.aimd.bitrate()
    }

    /// What arrives now.
    pub(super) fn received(&self) -> Option<f64> {
        self.throughput.bitrate()
    }

    pub(super) fn set_bitrate(&mut self, now: Instant, bitrate: f64) {
        self.aimd.set_bitrate(now, bitrate);
    }

    pub(super) fn is_overused(&self) -> bool {
        self.trend.usage() == Usage::Over
    }

    pub(super) fn decreased(&self) -> Option<Instant> {
        self.aimd.decreased()
    }
}
