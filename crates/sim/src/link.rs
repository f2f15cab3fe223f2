//! A simulated link: ordered lanes that delay, hold what a short cut caught, and lose what a broken one had.

use std::collections::{BTreeMap, VecDeque};

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
    /// What is on its way, each lane in its order.
    lanes: BTreeMap<(NodeId, Lane), VecDeque<Flight>>,
    /// Arrivals that a cut prevented; they happen when it heals, if nobody has given up by then.
    held: Vec<(NodeId, Lane)>,
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
            lanes: BTreeMap::new(),
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

    /// Puts a frame on its way; returns when it arrives: never before the one that left before it on its lane.
    pub(crate) fn depart(&mut self, flight: Flight, wanted: Instant) -> Instant {
        let way = (flight.to, flight.lane);
        self.lanes.entry(way).or_default().push_back(flight);
        let last = self.last.entry(way).or_default();
        *last = wanted.max(*last);
        *last
    }

    /// The next frame of a lane arrives, unless the link is cut.
    pub(crate) fn arrive(&mut self, to: NodeId, lane: Lane) -> Option<Flight> {
        if self.is_cut {
            self.held.push((to, lane));
            return None;
        }
        self.lanes.get_mut(&(to, lane))?.pop_front()
    }

    /// The arrivals that the cut prevented.
    pub(crate) fn release(&mut self) -> Vec<(NodeId, Lane)> {
        std::mem::take(&mut self.held)
    }
}
