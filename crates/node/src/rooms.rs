//! Tells operators of the node's rooms: what the machine knows of members, joined with the media forwarder's numbers.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use taoyao_core::{MemberView, RoomView};
use taoyao_media::{RoomStats, WorkerStats};
use taoyao_ortc::{Stat, StatValue};
use taoyao_topology::Topology;
use taoyao_types::NodeId;

use crate::desk::name_of;
use crate::report::{MediaReport, MemberReport, RoomDetails, RoomMedia, RoomReport};

/// What the forwarder carries, by room.
pub(crate) struct Carried<'s>(BTreeMap<&'s str, &'s RoomStats>);

impl<'s> Carried<'s> {
    pub(crate) fn by(workers: &'s [WorkerStats]) -> Self {
        let rooms = workers.iter().flat_map(|worker| &worker.rooms);
        Self(rooms.map(|room| (room.name.as_ref(), room)).collect())
    }

    /// One room in short.
    pub(crate) fn report(&self, room: &RoomView) -> RoomReport {
        RoomReport {
            room: room.id.clone(),
            name: room.name.clone(),
            owner: room.owner.clone(),
            members: room.members.len() as u64,
            is_locked: room.is_locked,
            media: self.0.get(room.id.as_str()).map(|room| summed(room)).unwrap_or_default(),
        }
    }

    /// One room with all that is in it.
    pub(crate) fn details(
        &self,
        topology: &Topology,
        own: NodeId,
        (room, members): &(RoomView, Vec<MemberView>),
    ) -> RoomDetails {
        let stats = self.0.get(room.id.as_str()).map(|room| by_id(room)).unwrap_or_default();
        let people = members.iter().map(|member| report_member(topology, &stats, member));
        RoomDetails { node: name_of(topology, own), room: self.report(room), people: people.collect() }
    }
}

fn summed(room: &RoomStats) -> RoomMedia {
    let bps = |name: &str| {
        let of = |stat: &Stat| match stat.get(name) {
            Some(StatValue::Count(bps)) => *bps,
            Some(StatValue::Number(bps)) => *bps as u64,
            _ => 0,
        };
        room.transports.iter().flat_map(|transport| &transport.stats).map(of).sum()
    };
    RoomMedia {
        transports: room.transports.len() as u64,
        producers: room.producers.len() as u64,
        consumers: room.consumers.len() as u64,
        received_bps: bps("recvBitrate"),
        sent_bps: bps("sendBitrate"),
    }
}

/// The statistics of everything in a room by its id.
fn by_id(room: &RoomStats) -> BTreeMap<String, &[Stat]> {
    let transports = room.transports.iter().map(|of| (of.transport.to_string(), of.stats.as_slice()));
    let producers = room.producers.iter().map(|(id, stats)| (id.to_string(), stats.as_slice()));
    let consumers = room.consumers.iter().map(|(id, stats)| (id.to_string(), stats.as_slice()));
    transports.chain(producers).chain(consumers).collect()
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
