//! One room as its worker knows it: the router, and what of the room is where.

use std::collections::BTreeMap;

use taoyao_ortc::control::RoomName;
use taoyao_ortc::{ConsumerId, ProducerId, TransportId};
use taoyao_sfu::Router;

use super::data::DataChannels;
use super::tap::Tap;
use super::timers::Armed;
use crate::placement::MirrorId;
use crate::tap::TapId;

pub(crate) struct Room {
    pub(crate) name: RoomName,
    pub(crate) router: Router,
    /// Slots in the worker's table.
    pub(crate) transports: BTreeMap<TransportId, u32>,
    /// Producers of media with their transports.
    pub(crate) producers: BTreeMap<ProducerId, u32>,
    pub(crate) consumers: BTreeMap<ConsumerId, Consumer>,
    pub(crate) data: DataChannels,
    pub(crate) taps: BTreeMap<TapId, Tap>,
    pub(crate) mirrors: Mirrors,
    pub(crate) armed: Armed,
    pub(crate) is_touched: bool,
}

/// What of the room is really at other workers.
#[derive(Default)]
pub(crate) struct Mirrors {
    /// Slots of mirrors by the transports that they stand for.
    pub(crate) transports: BTreeMap<TransportId, u32>,
    pub(crate) producers: BTreeMap<ProducerId, MirrorId>,
}

/// A consumer of media.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Consumer {
    pub(crate) transport: u32,
    pub(crate) producer: ProducerId,
}

impl Room {
    pub(crate) fn new(name: RoomName, router: Router) -> Self {
        Self {
            name,
            router,
            transports: BTreeMap::new(),
            producers: BTreeMap::new(),
            consumers: BTreeMap::new(),
            data: DataChannels::default(),
            taps: BTreeMap::new(),
            mirrors: Mirrors::default(),
            armed: Armed::default(),
            is_touched: false,
        }
    }

    /// Closes a producer of media and all that consume it.
    pub(crate) fn close_producer(&mut self, producer: ProducerId) {
        self.router.close_producer(producer);
        self.producers.remove(&producer);
        self.consumers.retain(|_, consumer| consumer.producer != producer);
        self.end_taps_of(producer);
    }

    /// Forgets what was on a transport, in the router and here.
    pub(crate) fn remove_transport(&mut self, key: u32) {
        let gone: Vec<ProducerId> =
            self.producers.iter().filter(|(_, owner)| **owner == key).map(|(id, _)| *id).collect();
        for producer in gone {
            self.close_producer(producer);
        }
        self.router.remove_transport(taoyao_sfu::TransportKey(key));
        self.consumers.retain(|_, consumer| consumer.transport != key);
        self.transports.retain(|_, owner| *owner != key);
        self.mirrors.transports.retain(|_, owner| *owner != key);
        self.data.remove_transport(key);
    }
}
