//! One transport of a room: what it sends, what it is sent, and what waits for it.

use std::collections::VecDeque;

use taoyao_types::Instant;

use super::line::Line;
use super::outbox::Outbox;
use super::surface::{TransportKey, TransportSetup};
use crate::congestion::{Arrivals, Policer, ReceiveEstimator};
use crate::stream::Rate;

#[derive(Debug)]
pub(super) struct Transport {
    pub(super) key: TransportKey,
    pub(super) setup: TransportSetup,
    pub(super) is_connected: bool,
    /// The SSRC of our own feedback.
    pub(super) own_ssrc: u32,
    pub(super) producers: Vec<usize>,
    pub(super) consumers: Vec<usize>,
    pub(super) incoming: SsrcTable<Incoming>,
    pub(super) outgoing: SsrcTable<usize>,
    mids: u32,
    /// Of packets that carry transport-wide numbers.
    pub(super) arrivals: Arrivals,
    pub(super) feedback: Outbox,
    /// Consumers that have something to send.
    pub(super) waiting: VecDeque<usize>,
    /// Whether it stands in the router's queue.
    pub(super) is_ready: bool,
    pub(super) line: Line,
    pub(super) received: Rate,
    pub(super) next_report: Instant,
    pub(super) next_allocation: Instant,
    /// `this node's wall clock − the sender's`, in microseconds, one for all its streams: they stay in step.
    pub(super) clock_offset_us: Option<i64>,
    /// For senders that cannot estimate themselves.
    pub(super) estimate: Option<ReceiveEstimator>,
    /// None where nothing bounds what comes.
    pub(super) policer: Option<Policer>,
}

/// Which stream of which producer an SSRC is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Incoming {
    pub(super) producer: usize,
    pub(super) stream: usize,
    pub(super) is_rtx: bool,
}

impl Transport {
    pub(super) fn new(
        now: Instant,
        key: TransportKey,
        setup: TransportSetup,
        own_ssrc: u32,
        initial_bitrate: u64,
    ) -> Self {
        Self {
            key,
            setup,
            is_connected: false,
            own_ssrc,
            producers: Vec::new(),
            consumers: Vec::new(),
            incoming: SsrcTable::default(),
            outgoing: SsrcTable::default(),
            mids: 0,
            arrivals: Arrivals::new(now),
            feedback: Outbox::default(),
            waiting: VecDeque::new(),
            is_ready: false,
            line: Line::new(now, &setup, initial_bitrate),
            received: Rate::default(),
            next_report: now,
            next_allocation: now,
            clock_offset_us: None,
            estimate: None,
            policer: setup.max_incoming_bitrate.map(|rate| Policer::new(now, rate)),
        }
    }
}

impl Transport {
    /// When feedback on what the peer sends is due.
    pub(super) fn incoming_due(&self) -> Option<Instant> {
        let estimate = self.estimate.as_ref().and_then(ReceiveEstimator::poll_timeout);
        [self.arrivals.poll_timeout(), estimate].into_iter().flatten().min()
    }

    /// A name for the next consumer that none before it had.
    pub(super) fn next_mid(&mut self) -> String {
        let mid = self.mids.to_string();
        self.mids += 1;
        mid
    }
}

/// What SSRCs stand for; a handful, looked up for every packet.
#[derive(Debug)]
pub(super) struct SsrcTable<T> {
    /// Sorted by SSRC.
    entries: Vec<(u32, T)>,
}

impl<T> Default for SsrcTable<T> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<T: Copy> SsrcTable<T> {
    pub(super) fn get(&self, ssrc: u32) -> Option<T> {
        let at = self.entries.binary_search_by_key(&ssrc, |(known, _)| *known).ok()?;
        self.entries.get(at).map(|(_, value)| *value)
    }

    /// False if the SSRC is taken.
    pub(super) fn insert(&mut self, ssrc: u32, value: T) -> bool {
        match self.entries.binary_search_by_key(&ssrc, |(known, _)| *known) {
            Ok(_) => false,
            Err(at) => {
                self.entries.insert(at, (ssrc, value));
                true
            }
        }
    }

    pub(super) fn remove(&mut self, ssrc: u32) {
        self.entries.retain(|(known, _)| *known != ssrc);
    }

    pub(super) fn remove_all(&mut self, is_meant: impl Fn(&T) -> bool) {
        self.entries.retain(|(_, value)| !is_meant(value));
    }
}
