//! Data channels: messages of one transport's stream go to the streams that consume it, as they are.

use std::collections::BTreeMap;

use bytes::Bytes;
use taoyao_ortc::control::{Act, Refused, Reply};
use taoyao_ortc::{ConsumerId, ProducerId, SctpStreamParameters, Stat};
use taoyao_types::{Now, limits};

use super::Worker;
use super::transport::Kind;

/// The data channels of one room.
#[derive(Default)]
pub(crate) struct DataChannels {
    producers: BTreeMap<ProducerId, DataProducer>,
    consumers: BTreeMap<ConsumerId, DataConsumer>,
    /// Producers by the transport and the stream that their messages come on.
    by_stream: BTreeMap<(u32, u16), ProducerId>,
    /// By transport: where to look for the next free stream.
    next_streams: BTreeMap<u32, u16>,
}

struct DataProducer {
    transport: u32,
    stream: SctpStreamParameters,
    label: String,
    protocol: String,
    consumers: Vec<ConsumerId>,
    counts: Messages,
}

struct DataConsumer {
    transport: u32,
    stream: SctpStreamParameters,
    producer: ProducerId,
    label: String,
    protocol: String,
    counts: Messages,
}

#[derive(Default)]
struct Messages {
    count: u64,
    bytes: u64,
}

impl DataChannels {
    /// Forgets what was on a transport, and what consumed it.
    pub(crate) fn remove_transport(&mut self, key: u32) {
        self.next_streams.remove(&key);
        let gone: Vec<ProducerId> =
            self.producers.iter().filter(|(_, one)| one.transport == key).map(|(id, _)| *id).collect();
        for producer in gone {
            self.remove_producer(producer);
        }
        let gone: Vec<ConsumerId> =
            self.consumers.iter().filter(|(_, one)| one.transport == key).map(|(id, _)| *id).collect();
        for consumer in gone {
            self.remove_consumer(consumer);
        }
    }

    /// False: it is there already.
    pub(crate) fn produce(
        &mut self,
        id: ProducerId,
        transport: u32,
        stream: SctpStreamParameters,
        (label, protocol): (String, String),
    ) -> bool {
        if self.producers.contains_key(&id) || self.by_stream.contains_key(&(transport, stream.stream_id)) {
            return false;
        }
        self.by_stream.insert((transport, stream.stream_id), id);
        let (consumers, counts) = (Vec::new(), Messages::default());
        self.producers.insert(id, DataProducer { transport, stream, label, protocol, consumers, counts });
        true
    }

    pub(crate) fn transport_of(&self, id: ProducerId) -> Option<u32> {
        self.producers.get(&id).map(|producer| producer.transport)
    }

    /// Returns the streams that are free now.
    fn remove_producer(&mut self, id: ProducerId) -> Vec<(u32, u16)> {
        let Some(producer) = self.producers.remove(&id) else { return Vec::new() };
        let stream = (producer.transport, producer.stream.stream_id);
        self.by_stream.remove(&stream);
        let mut freed = vec![stream];
        for consumer in producer.consumers {
            freed.extend(self.consumers.remove(&consumer).map(|one| (one.transport, one.stream.stream_id)));
        }
        freed
    }

    fn remove_consumer(&mut self, id: ConsumerId) -> Option<(u32, u16)> {
        let consumer = self.consumers.remove(&id)?;
        if let Some(producer) = self.producers.get_mut(&consumer.producer) {
            producer.consumers.retain(|one| *one != id);
        }
        Some((consumer.transport, consumer.stream.stream_id))
    }

    fn is_full(&self) -> bool {
        self.producers.len() + self.consumers.len() >= limits::MEDIA_DATA_PER_ROOM_MAX
    }

    /// The next stream of a transport that nothing uses, of so many. All others come before one that was used: its reset may be
    /// under way, and until both ends have seen it nothing arrives on it.
    fn free_stream(&mut self, key: u32, streams: u16) -> Option<u16> {
        let mut used: Vec<u16> = self
            .consumers
            .values()
            .filter(|one| one.transport == key)
            .map(|one| one.stream.stream_id)
            .chain(self.by_stream.range((key, 0)..=(key, u16::MAX)).map(|((_, stream), _)| *stream))
            .collect();
        used.sort_unstable();
        let next = self.next_streams.get(&key).copied().unwrap_or(0).min(streams);
        let free = (next..streams).chain(0..next).find(|stream| used.binary_search(stream).is_err())?;
        self.next_streams.insert(key, free + 1);
        Some(free)
    }

    /// In mediasoup's shape (reference section 6.5).
    pub(crate) fn producer_stats(&self, now: Now, id: ProducerId) -> Option<Vec<Stat>> {
        let producer = self.producers.get(&id)?;
        let stat = Stat::default()
            .with("type", "data-producer")
            .with("timestamp", now.wall.0)
            .with("label", producer.label.as_str())
            .with("protocol", producer.protocol.as_str())
            .with("messagesReceived", producer.counts.count)
            .with("bytesReceived", producer.counts.bytes);
        Some(vec![stat])
    }

    /// In mediasoup's shape (reference section 6.5).
    pub(crate) fn consumer_stats(&self, now: Now, id: ConsumerId) -> Option<Vec<Stat>> {
        let consumer = self.consumers.get(&id)?;
        let stat = Stat::default()
            .with("type", "data-consumer")
            .with("timestamp", now.wall.0)
            .with("label", consumer.label.as_str())
            .with("protocol", consumer.protocol.as_str())
            .with("messagesSent", consumer.counts.count)
            .with("bytesSent", consumer.counts.bytes);
        Some(vec![stat])
    }

    /// Streams of a transport, producers' and consumers'.
    fn streams_of(&self, key: u32) -> Vec<SctpStreamParameters> {
        let produced = self.producers.values().filter(|one| one.transport == key).map(|one| one.stream);
        let consumed = self.consumers.values().filter(|one| one.transport == key).map(|one| one.stream);
        produced.chain(consumed).collect()
    }
}

impl Messages {
    fn count(&mut self, bytes: usize) {
        self.count += 1;
        self.bytes += bytes as u64;
    }
}

impl Worker {
    pub(super) fn act_on_data(&mut self, now: Now, room: usize, act: Act) -> Result<Reply, Refused> {
        match act {
            Act::ProduceData { transport, producer, stream, label, protocol } => {
                let key = self.data_transport(room, transport)?;
                let data = &mut self.rooms[room].data;
                if data.is_full() {
                    return Err(Refused::Full("the room has as many data channels as it may".to_owned()));
                }
                if !data.produce(producer, key, stream, (label, protocol)) {
                    let why = "this data producer or its stream is there already";
                    return Err(Refused::Invalid(why.to_owned()));
                }
                self.open_streams(now, key);
                Ok(Reply::Done)
            }
            Act::ConsumeData { transport, consumer, producer } => {
                let key = self.data_transport(room, transport)?;
                self.consume_data(now, room, key, consumer, producer)
            }
            Act::CloseDataProducer { producer } => {
                let freed = self.rooms[room].data.remove_producer(producer);
                if freed.is_empty() {
                    return Err(Refused::Unknown("data producer"));
                }
                for (key, stream) in freed {
                    self.close_stream(now, key, stream);
                }
                Ok(Reply::Done)
            }
            Act::CloseDataConsumer { consumer } => {
                let freed = self.rooms[room].data.remove_consumer(consumer);
                let (key, stream) = freed.ok_or(Refused::Unknown("data consumer"))?;
                self.close_stream(now, key, stream);
                Ok(Reply::Done)
            }
            _ => Err(Refused::Unsupported("this worker does not know the command".to_owned())),
        }
    }

    fn data_transport(&self, room: usize, id: taoyao_ortc::TransportId) -> Result<u32, Refused> {
        let key = self.key_of(room, id)?;
        match &self.transports[key as usize].kind {
            Kind::WebRtc(webrtc) if webrtc.has_sctp => Ok(key),
            _ => Err(Refused::Unsupported("this transport was made without data channels".to_owned())),
        }
    }

    fn consume_data(
        &mut self,
        now: Now,
        room: usize,
        key: u32,
        consumer: ConsumerId,
        producer: ProducerId,
    ) -> Result<Reply, Refused> {
        let transport = self.transports.get_mut(key as usize);
        let streams = transport.and_then(|one| one.webrtc()).map_or(0, |webrtc| webrtc.peer.streams_max());
        let data = &mut self.rooms[room].data;
        if data.consumers.contains_key(&consumer) {
            return Err(Refused::Invalid("there is a data consumer with this id".to_owned()));
        }
        if data.is_full() {
            return Err(Refused::Full("the room has as many data channels as it may".to_owned()));
        }
        let stream_id = data
            .free_stream(key, streams)
            .ok_or_else(|| Refused::Full("the transport has as many data channels as it may".to_owned()))?;
        let of = data.producers.get_mut(&producer).ok_or(Refused::Unknown("data producer"))?;
        of.consumers.push(consumer);
        let stream = SctpStreamParameters { stream_id, ..of.stream };
        let (label, protocol) = (of.label.clone(), of.protocol.clone());
        let made = DataConsumer {
            transport: key,
            stream,
            producer,
            label: label.clone(),
            protocol: protocol.clone(),
            counts: Messages::default(),
        };
        data.consumers.insert(consumer, made);
        self.open_streams(now, key);
        Ok(Reply::DataConsumed { stream, label, protocol })
    }

    /// Tells the peer of all its streams; those it knows already are as they were.
    pub(super) fn open_streams(&mut self, now: Now, key: u32) {
        let Some(transport) = self.transports.get_mut(key as usize) else { return };
        let streams = self.rooms[transport.room].data.streams_of(key);
        let Some(webrtc) = transport.webrtc() else { return };
        for stream in streams {
            // Before the channels are open this is done again.
            webrtc.peer.open_stream(now.mono, &stream).ok();
        }
        self.soil(key);
    }

    fn close_stream(&mut self, now: Now, key: u32, stream: u16) {
        if let Some(webrtc) = self.transports.get_mut(key as usize).and_then(|one| one.webrtc()) {
            webrtc.peer.close_stream(now.mono, stream);
        }
        self.soil(key);
    }

    /// A message came: its consumers get it. One that reads too slowly loses it, and nobody else does.
    pub(super) fn pass_on(&mut self, now: Now, key: u32, stream: u16, ppid: u32, bytes: &Bytes) {
        let Some(room) = self.transports.get(key as usize).map(|transport| transport.room) else { return };
        let data = &mut self.rooms[room].data;
        let Some(&id) = data.by_stream.get(&(key, stream)) else { return };
        let Some(producer) = data.producers.get_mut(&id) else { return };
        producer.counts.count(bytes.len());
        if let Some(transport) = self.transports.get(key as usize) {
            self.spread.pass_message(&transport.mirrors, id, (ppid, bytes), &mut self.traffic);
        }
        for id in &producer.consumers {
            let Some(consumer) = data.consumers.get_mut(id) else { continue };
            let Some(transport) = self.transports.get_mut(consumer.transport as usize) else { continue };
            let Some(webrtc) = transport.webrtc() else { continue };
            if webrtc.peer.send_message(now.mono, consumer.stream.stream_id, ppid, bytes).is_ok() {
                consumer.counts.count(bytes.len());
            }
            if !std::mem::replace(&mut transport.is_dirty, true) {
                self.dirty.push(consumer.transport);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_was_freed_is_the_last_to_be_used_again() {
        let mut data = DataChannels::default();
        let taken = |data: &mut DataChannels| data.free_stream(7, 3);
        assert_eq!([taken(&mut data), taken(&mut data), taken(&mut data)], [Some(0), Some(1), Some(2)]);
        assert_eq!(taken(&mut data), Some(0), "all the others had their turn");
        assert_eq!(data.free_stream(8, 3), Some(0), "each transport has its own");
        data.by_stream.insert((7, 1), ProducerId::of_random(7));
        assert_eq!(taken(&mut data), Some(2), "what is in use is left out");
        assert_eq!(data.free_stream(9, 0), None);
        data.remove_transport(7);
        assert!(!data.next_streams.contains_key(&7));
    }
}
