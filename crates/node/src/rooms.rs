//! Tells operators of the node's rooms: what the machine knows of members, joined with the media forwarder's numbers.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use taoyao_core::{MemberView, RoomView};
use taoyao_media::{RoomStats, WorkerStats};
use taoyao_ortc::Stat;
use taoyao_topology::Topology;
use taoyao_types::NodeId;

use crate::desk::name_of;
use crate::report::{MediaReport, MemberReport, RoomDetails, RoomMedia, RoomReport};

/// What the forwarder carries: of each room its parts at the workers.
pub(crate) struct Carried<'s>(BTreeMap<&'s str, Vec<&'s RoomStats>>);

impl<'s> Carried<'s> {
    pub(crate) fn by(workers: &'s [WorkerStats]) -> Self {
        let mut rooms: BTreeMap<&str, Vec<&RoomStats>> = BTreeMap::new();
        for part in workers.iter().flat_map(|worker| &worker.rooms) {
            rooms.entry(part.name.as_ref()).or_default().push(part);
        }
        Self(rooms)
    }

    /// Each room with its parts, by name.
    pub(crate) fn rooms(&self) -> impl Iterator<Item = (&'s str, &[&'s RoomStats])> {
        self.0.iter().map(|(name, parts)| (*name, parts.as_slice()))
    }

    /// One room in short.
    pub(crate) fn report(&self, room: &RoomView) -> RoomReport {
        RoomReport {
            room: room.id.clone(),
            name: room.name.clone(),
            owner: room.owner.clone(),
            members: room.members.len() as u64,
            is_locked: room.is_locked,
            media: summed(self.parts(&room.id)),
        }
    }

    /// One room with all that is in it.
    pub(crate) fn details(
        &self,
        topology: &Topology,
        own: NodeId,
        (room, members): &(RoomView, Vec<MemberView>),
    ) -> RoomDetails {
        let stats = by_id(self.parts(&room.id));
        let people = members.iter().map(|member| report_member(topology, &stats, member));
        RoomDetails { node: name_of(topology, own), room: self.report(room), people: people.collect() }
    }

    fn parts(&self, room: &str) -> &[&'s RoomStats] {
        self.0.get(room).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The room is the sum of its parts.
pub(crate) fn summed(parts: &[&RoomStats]) -> RoomMedia {
    let count = |of: fn(&RoomStats) -> usize| parts.iter().map(|part| of(part) as u64).sum();
    let bps = |name: &str| {
        let transports = parts.iter().flat_map(|part| &part.transports);
        let stats = transports.flat_map(|transport| &transport.stats);
        stats.map(|stat| stat.number(name).unwrap_or_default() as u64).sum()
    };
    RoomMedia {
        transports: count(|part| part.transports.len()),
        producers: count(|part| part.producers.len()),
        consumers: count(|part| part.consumers.len()),
        received_bps: bps("rtpRecvBitrate"),
        sent_bps: bps("rtpSendBitrate"),
    }
}

/// What of a room has statistics of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Transport,
    Producer,
    Consumer,
}

/// Everything of a part that has statistics, with its id.
pub(crate) fn flows(part: &RoomStats) -> impl Iterator<Item = (Flow, String, &[Stat])> {
    let RoomStats { transports, producers, consumers, .. } = part;
    let transports =
        transports.iter().map(|of| (Flow::Transport, of.transport.to_string(), of.stats.as_slice()));
    let producers = producers.iter().map(|(id, stats)| (Flow::Producer, id.to_string(), stats.as_slice()));
    let consumers = consumers.iter().map(|(id, stats)| (Flow::Consumer, id.to_string(), stats.as_slice()));
    transports.chain(producers).chain(consumers)
}

/// The statistics of everything in a room by its id.
fn by_id<'s>(parts: &[&'s RoomStats]) -> BTreeMap<String, &'s [Stat]> {
    parts.iter().flat_map(|part| flows(part)).map(|(_, id, stats)| (id, stats)).collect()
}

fn report_member(
    topology: &Topology,
    stats: &BTreeMap<String, &[Stat]>,
    member: &MemberView,
) -> MemberReport {
    let report = |id: String| MediaReport {
        stats: stats.get(&id).map(|stats| stats.iter().map(to_json).collect()).unwrap_or_default(),
        id,
    };
    MemberReport {
        terminal: member.name.clone(),
        node: name_of(topology, member.node),
        transports: member.transports.iter().map(ToString::to_string).map(report).collect(),
        producers: member.producers.iter().map(ToString::to_string).map(report).collect(),
        consumers: member.consumers.iter().map(ToString::to_string).map(report).collect(),
    }
}

fn to_json(stat: &impl Serialize) -> Value {
    serde_json::to_value(stat).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use taoyao_media::TransportStats;
    use taoyao_ortc::TransportId;

    use super::*;

    fn part(name: &str, transport: u128, bps: u64) -> WorkerStats {
        let stats = vec![Stat::default().with("rtpSendBitrate", bps).with("type", "webrtc-transport")];
        let room = RoomStats {
            name: name.into(),
            mirrors: 3,
            transports: vec![TransportStats { transport: TransportId::of_random(transport), stats }],
            producers: Vec::new(),
            consumers: Vec::new(),
            dropped_by_taps: 0,
        };
        WorkerStats { rooms: vec![room], ..WorkerStats::default() }
    }

    #[test]
    fn a_room_at_several_workers_is_the_sum_of_its_parts() {
        let workers = [part("wide", 1, 100), part("narrow", 2, 7), part("wide", 3, 200)];
        let carried = Carried::by(&workers);
        let wide = summed(carried.parts("wide"));
        assert_eq!((wide.transports, wide.sent_bps, wide.producers), (2, 300, 0), "mirrors do not count");
        assert_eq!(by_id(carried.parts("wide")).len(), 2);
        assert_eq!(summed(carried.parts("nowhere")), RoomMedia::default());
    }
}
