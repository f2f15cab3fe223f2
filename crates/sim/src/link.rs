//! A simulated link: ordered lanes that delay, hold what a short cut caught, and lose what a broken one had.

use std::collections::BTreeMap;

use bytes::Bytes;
use taoyao_types::{Instant, NodeId};
use taoyao_wire::link::Lane;

/// The link between a child and its parent, as both ends see it.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) child: NodeId,
    pub(crate) parent: NodeId,
    pub(crate) is_cut: bool,
    /// The child is dialling.
    pub(crate) is_dialling: bool,
    /// Counts connections; a frame belongs to one.
    pub(crate) generation: u64,
    /// The connection that each end believes in.
    pub(crate) child_sees: Option<u64>,
    pub(crate) parent_sees: Option<u64>,
    /// When the last frame of each lane arrives, so that the next one arrives after it.
    last: BTreeMap<(NodeId, Lane), Instant>,
    /// What a cut caught on its way; it goes on when the cut heals before anyone gives up.
    pub(crate) held: Vec<Flight>,
}

/// A frame on its way.
#[derive(Debug, Clone)]
pub(crate) struct Flight {
    pub(crate) to: NodeId,
    pub(crate) generation: u64,
    pub(crate) lane: Lane,
    pub(crate) frame: Bytes,
}

impl Link {
    pub(crate) fn new(child: NodeId, parent: NodeId) -> Self {
        Self {
            child,
            parent,
            is_cut: false,
            is_dialling: false,
            generation: 0,
            child_sees: None,
            parent_sees: None,
            last: BTreeMap::new(),
            held: Vec::new(),
        }
    }

    pub(crate) fn other(&self, end: NodeId) -> NodeId {
        if end == self.child { self.parent } else { self.child }
    }

    pub(crate) fn seen_by(&self, end: NodeId) -> Option<u64> {
        if end == self.child { self.child_sees } else { self.parent_sees }
    }

    pub(crate) fn set_seen(&mut self, end: NodeId, generation: Option<u64>) {
        if end == self.child {
            self.child_sees = generation;
        } else {
            self.parent_sees = generation;
        }
    }

    /// When a frame that leaves now arrives: never before the one that left before it on the same lane.
    pub(crate) fn arrival(&mut self, to: NodeId, lane: Lane, wanted: Instant) -> Instant {
        let last = self.last.entry((to, lane)).or_default();
        *last = wanted.max(*last);
        *last
    }

    /// A connection ends: what was on its way is lost.
    pub(crate) fn forget_flights(&mut self, generation: u64) {
        self.held.retain(|flight| flight.generation != generation);
    }
}
