//! The ordered streams of a link and which of them yields to which.

use taoyao_types::limits;

/// One ordered way between two neighbours. Different lanes do not wait for each other; nothing is promised about
/// the order between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Hello, resume, interest: first in line.
    Control,
    /// What must overtake a directory in motion: moved and refused sessions.
    Urgent,
    /// Signals, spread by (source, target); below [`limits::SHARDS`].
    Shard(u8),
    /// Directory changes.
    Directory,
    /// Broadcasts to a partition, apart from all other signals so that a long one holds up nobody's call.
    Broadcast,
    /// Snapshots and long lists, on a connection of their own.
    Bulk,
    /// Telemetry and heartbeats: may be lost.
    Datagram,
}

/// What is bounded and reported together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LaneClass {
    Control,
    /// [`Lane::Urgent`] and all shards.
    Signals,
    Directory,
    Broadcasts,
    Bulk,
}

/// How many lanes are streams: all but datagrams.
pub const STREAM_LANES: usize = 5 + limits::SHARDS as usize;

const DIRECTORY: u8 = 1;
const URGENT: u8 = 2;
const BULK: u8 = 3;
const BROADCAST: u8 = 4;
const SHARD_0: u8 = 16;

impl Lane {
    /// All lanes that are streams, in the order of [`Lane::index`].
    pub fn streams() -> impl Iterator<Item = Lane> {
        [Lane::Control, Lane::Urgent, Lane::Directory, Lane::Bulk, Lane::Broadcast]
            .into_iter()
            .chain((0..limits::SHARDS).map(Lane::Shard))
    }

    /// The lane's place among [`STREAM_LANES`]; `None` for datagrams and for a shard that does not exist.
    pub fn index(self) -> Option<usize> {
        match self {
            Lane::Control => Some(0),
            Lane::Urgent => Some(1),
            Lane::Directory => Some(2),
            Lane::Bulk => Some(3),
            Lane::Broadcast => Some(4),
            Lane::Shard(shard) if shard < limits::SHARDS => Some(5 + usize::from(shard)),
            Lane::Shard(_) | Lane::Datagram => None,
        }
    }

    /// The class in which the lane's waiting bytes are counted; `None` for datagrams, which never wait.
    pub fn class(self) -> Option<LaneClass> {
        match self {
            Lane::Control => Some(LaneClass::Control),
            Lane::Urgent | Lane::Shard(_) => Some(LaneClass::Signals),
            Lane::Directory => Some(LaneClass::Directory),
            Lane::Broadcast => Some(LaneClass::Broadcasts),
            Lane::Bulk => Some(LaneClass::Bulk),
            Lane::Datagram => None,
        }
    }

    /// quinn sends streams of a higher number first.
    pub fn priority(self) -> i32 {
        match self {
            Lane::Control => 4,
            Lane::Urgent => 3,
            Lane::Shard(_) => 2,
            Lane::Directory => 1,
            Lane::Broadcast | Lane::Bulk | Lane::Datagram => 0,
        }
    }

    /// The first byte of the lane's one-way stream. Control has none: it is the connection's only two-way stream.
    pub fn mark(self) -> u8 {
        match self {
            Lane::Directory => DIRECTORY,
            Lane::Urgent => URGENT,
            Lane::Bulk => BULK,
            Lane::Broadcast => BROADCAST,
            Lane::Shard(shard) => SHARD_0 + shard,
            Lane::Control | Lane::Datagram => 0,
        }
    }

    pub fn of_mark(mark: u8) -> Option<Self> {
        match mark {
            DIRECTORY => Some(Lane::Directory),
            URGENT => Some(Lane::Urgent),
            BULK => Some(Lane::Bulk),
            BROADCAST => Some(Lane::Broadcast),
            SHARD_0.. if mark - SHARD_0 < limits::SHARDS => Some(Lane::Shard(mark - SHARD_0)),
            _ => None,
        }
    }
}

impl LaneClass {
    pub const ALL: [Self; 5] = [Self::Control, Self::Signals, Self::Directory, Self::Broadcasts, Self::Bulk];

    pub fn index(self) -> usize {
        self as usize
    }

    /// Whether the caller hears when everything that waited in this class has been sent: the two that are paced by it.
    pub fn tells_when_drained(self) -> bool {
        matches!(self, Self::Directory | Self::Bulk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stream_lane_has_its_own_index_and_mark() {
        let lanes: Vec<Lane> = Lane::streams().collect();
        assert_eq!(lanes.len(), STREAM_LANES);
        for (index, lane) in lanes.into_iter().enumerate() {
            assert_eq!(lane.index(), Some(index));
            if lane != Lane::Control {
                assert_eq!(Lane::of_mark(lane.mark()), Some(lane));
            }
        }
        assert_eq!(Lane::of_mark(0), None);
        assert_eq!(Lane::of_mark(SHARD_0 + limits::SHARDS), None);
        assert_eq!(Lane::Shard(limits::SHARDS).index(), None);
    }
}
