//! What ends with what, and who is told (reference sections 5.7, 5.8 and 5.10).

use taoyao_ortc::{Act, ConsumerId, ProducerId, RecordEnd, TransportId};
use taoyao_types::TerminalName;
use taoyao_wire::link::StreamKind;
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::media::{of_consumer, of_producer, of_transport};

use super::studio::{Closed, Studio};
use crate::room::hosted::{Room, Said};

impl Room {
    pub(super) fn close_transport(&mut self, id: TransportId) -> Vec<Said> {
        let mut said = vec![self.order(Act::CloseTransport { transport: id })];
        said.extend(self.transport_gone(id));
        said
    }

    /// The same where the SFU has closed it.
    pub(super) fn transport_gone(&mut self, id: TransportId) -> Vec<Said> {
        let closed = self.studio.as_mut().map(|studio| studio.close_transport(id)).unwrap_or_default();
        self.tell_closed(closed)
    }

    pub(super) fn close_producer(&mut self, id: ProducerId) -> Vec<Said> {
        let Some(studio) = &mut self.studio else { return Vec::new() };
        let is_data = studio.producer(id).is_some_and(|producer| producer.kind == StreamKind::Data);
        let closed = studio.close_producer(id);
        let act = match is_data {
            true => Act::CloseDataProducer { producer: id },
            false => Act::CloseProducer { producer: id },
        };
        let mut said = vec![self.order(act)];
        said.extend(self.tell_closed(closed));
        said
    }

    pub(super) fn close_consumer(&mut self, id: ConsumerId) -> Vec<Said> {
        let Some(studio) = &mut self.studio else { return Vec::new() };
        let is_data = studio.consumer(id).is_some_and(|consumer| consumer.kind == StreamKind::Data);
        let closed = studio.close_consumer(id);
        let act = match is_data {
            true => Act::CloseDataConsumer { consumer: id },
            false => Act::CloseConsumer { consumer: id },
        };
        let mut said = vec![self.order(act)];
        said.extend(self.tell_closed(closed));
        said
    }

    /// A member leaves, and with it all that it sent and received. The others are told; the member does not listen any more.
    pub(in crate::room) fn drop_media_of(&mut self, name: &TerminalName) -> Vec<Said> {
        let Some(studio) = &mut self.studio else { return Vec::new() };
        let transports = studio.transports_of(name);
        let mut closed = Vec::new();
        for transport in &transports {
            closed.extend(studio.close_transport(*transport));
        }
        let desk = studio.remove_desk(name);
        closed.retain(|closed| closed.owner() != name);
        let orders = transports.into_iter().map(|transport| Act::CloseTransport { transport });
        let mut said: Vec<Said> = orders.map(|act| self.order(act)).collect();
        if let Some(desk) = desk {
            said.extend(self.left_while_recorded(name, &desk.recording));
        }
        said.extend(self.tell_closed(closed));
        said
    }

    /// The room ends.
    pub(in crate::room) fn close_media(&mut self) -> Vec<Said> {
        let mut said = self.stop_recordings(RecordEnd::RoomClosed);
        let Some(studio) = &mut self.studio else { return said };
        let closed = studio.close_all();
        said.push(self.order(Act::CloseRoom));
        said.extend(self.tell_closed(closed));
        said
    }

    /// What its transports had, to be given back.
    pub(super) fn freed(&mut self) -> Vec<Said> {
        let freed = self.studio.as_mut().map(Studio::take_freed).unwrap_or_default();
        freed.into_iter().map(Said::Freed).collect()
    }

    fn tell_closed(&mut self, closed: Vec<Closed>) -> Vec<Said> {
        let mut said = self.freed();
        for closed in closed {
            let (signal, body) = closed.told_in(&self.id);
            said.extend(self.push(closed.owner(), signal, body));
        }
        said
    }
}

impl Closed {
    fn owner(&self) -> &TerminalName {
        match self {
            Self::Consumer(_, owner, _) | Self::Producer(_, owner, _) | Self::Transport(_, owner) => owner,
        }
    }

    fn told_in(&self, room: &str) -> (Signal, String) {
        match self {
            Self::Consumer(id, _, StreamKind::Data) => {
                (Signal::MediaDataConsumerClose, of_consumer(room, id))
            }
            Self::Consumer(id, ..) => (Signal::MediaConsumerClose, of_consumer(room, id)),
            Self::Producer(id, _, StreamKind::Data) => {
                (Signal::MediaDataProducerClose, of_producer(room, id))
            }
            Self::Producer(id, ..) => (Signal::MediaProducerClose, of_producer(room, id)),
            Self::Transport(id, _) => (Signal::MediaTransportClose, of_transport(room, id)),
        }
    }
}
