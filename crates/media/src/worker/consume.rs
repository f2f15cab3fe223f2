//! Commands about producers and consumers of media: what the router does, and what the worker keeps of it.

use taoyao_ortc::control::{Act, Refused, Reply};
use taoyao_ortc::{ConsumerId, ProducerId};
use taoyao_sfu::TransportKey;
use taoyao_types::Now;

use super::Worker;
use super::room::Consumer;

impl Worker {
    pub(super) fn act_on_media(&mut self, now: Now, room: usize, act: Act) -> Result<Reply, Refused> {
        match act {
            Act::Produce { transport, producer, kind, rtp, is_paused } => {
                let key = self.key_of(room, transport)?;
                let room = &mut self.rooms[room];
                let consumer_type =
                    room.router.produce(now.mono, TransportKey(key), producer, kind, &rtp, is_paused)?;
                room.producers.insert(producer, key);
                Ok(Reply::Produced { consumer_type })
            }
            Act::Consume { transport, consumer, producer, capabilities } => {
                let key = self.key_of(room, transport)?;
                let room = &mut self.rooms[room];
                let consumed =
                    room.router.consume(now.mono, TransportKey(key), consumer, producer, &capabilities)?;
                room.consumers.insert(consumer, Consumer { transport: key, producer });
                Ok(Reply::Consumed {
                    consumer_type: consumed.consumer_type,
                    rtp: consumed.rtp,
                    is_producer_paused: consumed.is_producer_paused,
                })
            }
            Act::PauseProducer { producer, is_paused } => {
                self.known_producer(room, producer)?;
                self.rooms[room].router.pause_producer(now.mono, producer, is_paused);
                self.rooms[room].pause_taps_of(producer, is_paused);
                Ok(Reply::Done)
            }
            Act::CloseProducer { producer } => {
                self.known_producer(room, producer)?;
                self.rooms[room].close_producer(producer);
                Ok(Reply::Done)
            }
            other => self.act_on_consumer(now, room, &other),
        }
    }

    fn act_on_consumer(&mut self, now: Now, room: usize, act: &Act) -> Result<Reply, Refused> {
        let (Act::PauseConsumer { consumer, .. }
        | Act::CloseConsumer { consumer }
        | Act::PreferLayers { consumer, .. }
        | Act::Prioritise { consumer, .. }
        | Act::RequestKeyFrame { consumer }) = *act
        else {
            return Err(Refused::Unsupported("this worker does not know the command".to_owned()));
        };
        self.known_consumer(room, consumer)?;
        let room = &mut self.rooms[room];
        let router = &mut room.router;
        match *act {
            Act::PauseConsumer { is_paused, .. } => router.pause_consumer(now.mono, consumer, is_paused),
            Act::PreferLayers { spatial, temporal, .. } => {
                router.prefer_layers(now.mono, consumer, spatial, temporal);
            }
            Act::Prioritise { priority, .. } => router.prioritise(now.mono, consumer, priority),
            Act::RequestKeyFrame { .. } => router.request_key_frame(now.mono, consumer),
            _ => {
                router.close_consumer(consumer);
                room.consumers.remove(&consumer);
            }
        }
        Ok(Reply::Done)
    }

    fn known_producer(&self, room: usize, producer: ProducerId) -> Result<(), Refused> {
        let is_known = self.rooms[room].producers.contains_key(&producer);
        if is_known { Ok(()) } else { Err(Refused::Unknown("producer")) }
    }

    fn known_consumer(&self, room: usize, consumer: ConsumerId) -> Result<(), Refused> {
        let is_known = self.rooms[room].consumers.contains_key(&consumer);
        if is_known { Ok(()) } else { Err(Refused::Unknown("consumer")) }
    }
}
