//! All numbers of a worker at one moment, for metrics and operators.

use taoyao_types::Now;

use super::room::Room;
use super::{Ledger, Worker};
use crate::stats::{RoomStats, TransportStats, WorkerStats};

impl Worker {
    pub(super) fn snapshot(&self, now: Now, ledger: &Ledger) -> WorkerStats {
        WorkerStats {
            index: self.index,
            address: Some(self.udp.address()),
            restarts: ledger.restarts,
            traffic: self.traffic,
            rooms: self.rooms.iter().map(|(index, room)| self.room_snapshot(now, index, room)).collect(),
        }
    }

    fn room_snapshot(&self, now: Now, index: usize, room: &Room) -> RoomStats {
        let of_transport = |(id, key): (&_, &u32)| TransportStats {
            transport: *id,
            stats: self.transport_stats(now, index, *key),
        };
        let of_producer = |id: &_| room.router.producer_stats(now, *id).map(|stats| (*id, stats));
        let of_consumer = |id: &_| room.router.consumer_stats(now, *id).map(|stats| (*id, stats));
        let real = room.producers.keys().filter(|id| !room.mirrors.producers.contains_key(id));
        RoomStats {
            name: room.name.clone(),
            mirrors: room.mirrors.producers.len(),
            transports: room.transports.iter().map(of_transport).collect(),
            producers: real.filter_map(of_producer).collect(),
            consumers: room.consumers.keys().filter_map(of_consumer).collect(),
            dropped_by_taps: room.taps.values().map(|tap| tap.dropped).sum(),
        }
    }
}
