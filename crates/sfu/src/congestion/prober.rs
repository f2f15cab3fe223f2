//! Looks for bitrate that is there and not used: at the start, after a fall, and while more is wanted than is known of.

use std::time::Duration;

use taoyao_types::Instant;

use super::cluster::{Cluster, Measure};

/// The first probes, in multiples of the first estimate.
const FIRST: [f64; 2] = [3.0, 6.0];
/// Later ones.
const STEP: f64 = 2.0;
/// A probe that found this part of what it tried is followed by a faster one.
const FOUND: f64 = 0.7;
/// More than is wanted need not be found; a little more, since results are rounded down.
const BEYOND: f64 = 1.25;
/// Between probes that found something, and between those that did not: who sends all that may be sent notices without
/// probes where there is more.
const INTERVAL: Duration = Duration::from_secs(5);
const INTERVAL_LIMITED: Duration = Duration::from_secs(6);
const INTERVAL_MAX: Duration = Duration::from_secs(10);
/// After the first growing queue, or many losses.
const PAUSE: Duration = Duration::from_secs(2);
/// An estimate that fell below this part while little was sent may have fallen by chance: by a hiccup of either end, where
/// what arrived said nothing of what could have. Soon after, this part of what it was is tried.
const FELL: f64 = 0.66;
const REGAINED: f64 = 0.85;
/// Not over and over: who falls again within this is believed.
const REGAIN_INTERVAL: Duration = Duration::from_secs(5);
/// Who had nothing to pad with is asked again after this.
const AGAIN: Duration = Duration::from_millis(5);
/// Probes whose arrivals are awaited at once.
const AWAITED: usize = 4;

#[derive(Debug)]
pub(super) struct Prober {
    next_id: u32,
    planned: [Option<f64>; 2],
    active: Option<Cluster>,
    /// When padding was asked for, while none has been sent since.
    unanswered: Option<Instant>,
    awaited: [Measure; AWAITED],
    result: Option<f64>,
    /// What the latest probe tried, and the estimate at that time.
    tried: f64,
    before: f64,
    next: Instant,
    interval: Duration,
    /// What was known before the estimate fell, and is to be tried again.
    fallen_from: Option<f64>,
    regained: Option<Instant>,
}

/// What is known, and what could be sent if there were no bounds; in bit/s.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    pub(super) bitrate: f64,
    pub(super) wanted: f64,
    /// Whether less is sent than could be.
    pub(super) is_limited: bool,
}

impl Need {
    fn is_there(self) -> bool {
        self.wanted > self.bitrate
    }
}

impl Prober {
    pub(super) fn new(now: Instant, start: f64, max: f64) -> Prober {
        Prober {
            next_id: 0,
            planned: FIRST.map(|factor| Some((factor * start).min(max))),
            active: None,
            unanswered: None,
            awaited: [Measure::default(); AWAITED],
            result: None,
            tried: start,
            before: start,
            next: now + INTERVAL,
            interval: INTERVAL,
            fallen_from: None,
            regained: None,
        }
    }

    /// Whether a packet of the running probe is due.
    pub(super) fn wants_packet(&self, now: Instant) -> bool {
        self.active.is_some_and(|cluster| cluster.due() <= now)
    }

    /// Bytes of padding that belong on the wire now; ask again after each packet.
    pub(super) fn poll_padding(&mut self, now: Instant, need: Need) -> Option<usize> {
        if self.active.is_some_and(|cluster| cluster.is_expired(now)) {
            self.active = None;
        }
        self.activate(now, need);
        let cluster = self.active?;
        if cluster.due() > now {
            return None;
        }
        self.unanswered = Some(now);
        Some(cluster.packet_bytes())
    }

    /// Whether no probe is under way or planned: asked for with every frame of every receiver.
    pub(super) fn is_idle(&self) -> bool {
        self.active.is_none() && self.planned.iter().all(Option::is_none)
    }

    pub(super) fn poll_timeout(&self, need: Need) -> Option<Instant> {
        let is_planned = need.is_there() && self.planned.iter().any(Option::is_some);
        let again = self.unanswered.map_or(Instant(0), |asked| asked + AGAIN);
        self.active.map(|cluster| cluster.due().max(again)).or(is_planned.then_some(Instant(0)))
    }

    /// Which probe the packet is part of; 0: none.
    pub(super) fn handle_sent(&mut self, now: Instant, bytes: usize) -> u32 {
        let Some(cluster) = &mut self.active else { return 0 };
        cluster.handle_sent(now, bytes);
        self.unanswered = None;
        let id = cluster.id;
        if cluster.is_complete(now) {
            self.active = None;
        }
        id
    }

    pub(super) fn handle_arrival(&mut self, cluster: u32, sent_us: i64, arrival_us: i64, bytes: u32) {
        let awaited = self.awaited.iter_mut().find(|measure| cluster != 0 && measure.id == cluster);
        let measured = awaited.and_then(|measure| measure.handle_arrival(sent_us, arrival_us, bytes));
        self.result = measured.or(self.result);
    }

    /// The bitrate that a probe has just found.
    pub(super) fn poll_result(&mut self) -> Option<f64> {
        self.result.take()
    }

    /// Plans the next probe. `found`: the result that the estimate has just taken up. `is_calm`: no queue grows, and little
    /// is lost.
    pub(super) fn update(&mut self, now: Instant, need: Need, is_calm: bool, found: Option<f64>) {
        if !is_calm {
            self.planned = [None; 2];
            self.next = self.next.max(now + PAUSE);
            return;
        }
        let is_planned = self.active.is_some() || self.planned.iter().any(Option::is_some);
        if is_planned || !need.is_there() {
            return;
        }
        if let Some(before) = self.fallen_from.take().filter(|before| REGAINED * before > need.bitrate) {
            self.plan(now, need);
            self.planned[0] = Some(REGAINED * before);
        } else if found.is_some_and(|found| found > FOUND * self.tried) {
            self.plan(now, need);
        } else if now >= self.next {
            let was_in_vain = need.bitrate < 1.1 * self.before;
            self.interval = match (was_in_vain, need.is_limited) {
                (false, _) => INTERVAL,
                (true, true) => INTERVAL_LIMITED,
                (true, false) => INTERVAL_MAX,
            };
            self.plan(now, need);
        }
    }

    /// The estimate fell from `before`.
    pub(super) fn handle_decrease(&mut self, now: Instant, before: f64, need: Need) {
        let is_again = self.regained.is_some_and(|last| now.since(last) < REGAIN_INTERVAL);
        if need.is_limited && !is_again && need.bitrate < FELL * before {
            self.fallen_from = Some(before);
            self.regained = Some(now);
        }
    }

    fn plan(&mut self, now: Instant, need: Need) {
        self.planned[0] = Some(STEP * need.bitrate);
        self.before = need.bitrate;
        self.next = now + self.interval;
    }

    /// What is planned waits until more is wanted than is known of.
    fn activate(&mut self, now: Instant, need: Need) {
        if self.active.is_some() || !need.is_there() {
            return;
        }
        let Some(planned) = self.planned.iter_mut().find_map(Option::take) else { return };
        self.tried = planned.min(BEYOND * need.wanted);
        self.next_id = self.next_id.wrapping_add(1).max(1);
        let cluster = Cluster::new(now, self.next_id, self.tried);
        self.awaited[self.next_id as usize % AWAITED] = Measure::of(&cluster);
        self.active = Some(cluster);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MUCH: Need = Need { bitrate: 600_000.0, wanted: 1e8, is_limited: false };

    /// Sends one probe over a link that carries `capacity`, and returns what it found and how long it took to send.
    fn probe(prober: &mut Prober, from_us: u64, capacity: f64) -> (Option<f64>, u64) {
        let (mut now, mut free_us, mut sent) = (from_us, 0.0_f64, Vec::new());
        loop {
            if let Some(bytes) = prober.poll_padding(Instant(now), MUCH) {
                let id = prober.handle_sent(Instant(now), bytes);
                free_us = free_us.max(now as f64) + (bytes * 8) as f64 * 1e6 / capacity;
                sent.push((id, now as i64, free_us as i64, bytes as u32));
                if prober.active.is_none() {
                    break;
                }
            }
            now += 250;
        }
        for (id, sent_us, arrival_us, bytes) in sent {
            prober.handle_arrival(id, sent_us, arrival_us, bytes);
        }
        (prober.poll_result(), now - from_us)
    }

    #[test]
    fn a_probe_finds_what_it_tries_or_what_the_link_carries() {
        let mut prober = Prober::new(Instant(0), 600_000.0, 1e8);
        let (found, took_us) = probe(&mut prober, 0, 1e8);
        assert!(found.is_some_and(|found| (1_600_000.0..1_850_000.0).contains(&found)), "{found:?}");
        assert!((10_000..60_000).contains(&took_us), "{took_us}");
        let (found, _) = probe(&mut prober, 100_000, 2_000_000.0);
        assert!(found.is_some_and(|found| (1_800_000.0..2_000_000.0).contains(&found)), "{found:?}");
        assert_eq!(prober.poll_padding(Instant(200_000), MUCH), None, "no more is planned");
    }

    #[test]
    fn what_was_found_is_tried_twice_over_and_no_more_than_is_wanted() {
        let mut prober = Prober::new(Instant(0), 500_000.0, 1e8);
        prober.planned = [None; 2];
        let need = Need { bitrate: 2.5e6, wanted: 3e6, ..MUCH };
        prober.update(Instant(1), need, true, Some(2.5e6));
        assert_eq!(prober.planned[0], Some(5e6));
        assert!(prober.poll_padding(Instant(1), need).is_some());
        assert_eq!(prober.active.map(|cluster| cluster.bitrate), Some(3.75e6));
        (prober.active, prober.planned) = (None, [None; 2]);
        prober.update(Instant(1), Need { bitrate: 3e6, ..need }, true, Some(3e6));
        assert_eq!(prober.planned, [None; 2], "nothing more is wanted");
    }

    #[test]
    fn nothing_is_probed_until_it_is_wanted() {
        let mut prober = Prober::new(Instant(0), 500_000.0, 1e8);
        let little = Need { bitrate: 500_000.0, wanted: 64_000.0, ..MUCH };
        assert_eq!((prober.poll_padding(Instant(1), little), prober.poll_timeout(little)), (None, None));
        assert!(prober.poll_timeout(MUCH).is_some() && prober.poll_padding(Instant(2), MUCH).is_some());
        assert_eq!(prober.poll_timeout(MUCH), Some(Instant(2) + AGAIN), "not over and over at once");
    }

    #[test]
    fn a_growing_queue_stops_probes() {
        let mut prober = Prober::new(Instant(0), 500_000.0, 1e8);
        prober.update(Instant(1), MUCH, false, None);
        assert_eq!(prober.poll_padding(Instant(2), MUCH), None);
        prober.update(Instant(10_000_000), MUCH, true, None);
        assert!(prober.poll_padding(Instant(10_000_000), MUCH).is_some());
    }
    #[test]
    fn an_estimate_that_fell_while_little_was_sent_is_tried_again() {
        let mut prober = Prober::new(Instant(0), 500_000.0, 1e8);
        prober.planned = [None; 2];
        let need = Need { bitrate: 300_000.0, wanted: 3e6, is_limited: true };
        prober.handle_decrease(Instant(1), 2e6, need);
        prober.update(Instant(2), need, false, None);
        assert_eq!(prober.planned, [None; 2], "not before there is calm");
        prober.update(Instant(3), need, true, None);
        assert_eq!(prober.planned[0], Some(1.7e6));
        prober.planned = [None; 2];
        prober.handle_decrease(Instant(1_000_000), 2e6, need);
        prober.update(Instant(2_000_000), need, true, None);
        assert_eq!(prober.planned, [None; 2], "who falls again is believed");
    }
}
