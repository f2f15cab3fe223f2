//! One neighbour of this node in the tree: its role, its link, and how far the two directories agree.

use taoyao_types::{Instant, NodeEpoch, NodeId, NodeName, limits};
use taoyao_wire::link::Lane;

use crate::downstream::Downstream;
use crate::upstream::Upstream;

/// A neighbour that the topology names. There is one for each, with or without a link.
#[derive(Debug)]
pub struct Neighbour {
    pub id: NodeId,
    pub name: NodeName,
    pub side: Side,
    /// The neighbour's life, while a link to it is up.
    pub link: Option<NodeEpoch>,
    /// When the link was lost, until its records were withdrawn.
    pub lost_at: Option<Instant>,
    /// Why there is no link.
    pub reason: String,
    pub queued: Queued,
}

/// What a neighbour is to this node, and the state of the directory between the two.
#[derive(Debug)]
pub enum Side {
    Parent(Upstream),
    Child(Downstream),
}

/// Bytes that were given to a link and that it has not sent. Counted here as they are given; the driver corrects
/// the counts by what the link says.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Queued {
    /// On the control, urgent and shard lanes.
    pub signals: usize,
    pub directory: usize,
    pub broadcasts: usize,
    pub bulk: usize,
}

impl Queued {
    /// The count in which a lane's bytes are; none for datagrams, which never wait.
    pub fn on(&mut self, lane: Lane) -> Option<&mut usize> {
        match lane {
            Lane::Control | Lane::Urgent | Lane::Shard(_) => Some(&mut self.signals),
            Lane::Directory => Some(&mut self.directory),
            Lane::Broadcast => Some(&mut self.broadcasts),
            Lane::Bulk => Some(&mut self.bulk),
            Lane::Datagram => None,
        }
    }
}

/// What is told of a neighbour to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeighbourStatus {
    pub id: NodeId,
    pub name: NodeName,
    pub is_parent: bool,
    pub is_up: bool,
    /// Both sides agree that the child's directory is in the parent's.
    pub is_synced: bool,
    pub reason: String,
    pub queued: Queued,
}

impl Neighbour {
    pub fn parent(id: NodeId, name: NodeName) -> Self {
        Self::new(id, name, Side::Parent(Upstream::default()))
    }

    pub fn child(id: NodeId, name: NodeName) -> Self {
        Self::new(id, name, Side::Child(Downstream::default()))
    }

    fn new(id: NodeId, name: NodeName, side: Side) -> Self {
        let reason = "no link since this node started".to_owned();
        Self { id, name, side, link: None, lost_at: None, reason, queued: Queued::default() }
    }

    pub fn is_up(&self) -> bool {
        self.link.is_some()
    }

    pub fn is_parent(&self) -> bool {
        matches!(self.side, Side::Parent(_))
    }

    pub fn is_synced(&self) -> bool {
        self.is_up()
            && match &self.side {
                Side::Parent(upstream) => upstream.is_complete(),
                Side::Child(downstream) => downstream.is_complete(),
            }
    }

    /// Whether so much waits on a lane, and on those that are counted with it, that no more may be given to it.
    pub fn is_full(&self, lane: Lane) -> bool {
        let mut queued = self.queued;
        queued.on(lane).is_some_and(|bytes| *bytes > limits::LINK_QUEUE_BYTES_MAX)
    }

    pub fn status(&self) -> NeighbourStatus {
        NeighbourStatus {
            id: self.id,
            name: self.name.clone(),
            is_parent: self.is_parent(),
            is_up: self.is_up(),
            is_synced: self.is_synced(),
            reason: self.reason.clone(),
            queued: self.queued,
        }
    }
}
