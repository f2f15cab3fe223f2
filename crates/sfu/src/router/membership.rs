//! Transports, producers and consumers come and go.

use taoyao_ortc::negotiate;
use taoyao_ortc::{ConsumerId, MediaKind, ProducerId, Refused, RtpCapabilities, RtpParameters};
use taoyao_types::Instant;
use taoyao_types::limits::{MEMBER_PRODUCERS_MAX, ROOM_CONSUMERS_MAX};

use super::consumer::Consumer;
use super::producer::Producer;
use super::transport::{Incoming, Transport};
use super::{Consumed, Router, TransportKey, TransportSetup};

impl Router {
    /// A peer of the room. A transport that is already there under this key is removed first.
    pub fn add_transport(&mut self, key: TransportKey, setup: TransportSetup) {
        self.remove_transport(key);
        let now = self.latest;
        let own_ssrc = self.random_ssrc();
        let initial = self.config.initial_outgoing_bitrate;
        let index = self.transports.insert(Transport::new(now, key, setup, own_ssrc, initial));
        self.keys.insert(key, index);
        self.agenda.set(index, now);
        self.wake = self.wake.min(now);
    }

    /// Whether packets can be sent; nothing is sent before.
    pub fn set_connected(&mut self, now: Instant, key: TransportKey, is_connected: bool) {
        let Some(&index) = self.keys.get(&key) else { return };
        let transport = &mut self.transports[index];
        if transport.is_connected == is_connected {
            return;
        }
        transport.is_connected = is_connected;
        for at in transport.consumers.clone() {
            self.begin(now, at);
        }
        for at in self.transports[index].producers.clone() {
            self.poll_key_frames(now, at);
        }
        self.make_ready(index);
    }

    /// Whether anything is produced on it.
    pub fn produces(&self, key: TransportKey) -> bool {
        self.keys.get(&key).is_some_and(|&index| !self.transports[index].producers.is_empty())
    }

    /// Closes its producers and consumers.
    pub fn remove_transport(&mut self, key: TransportKey) {
        let Some(index) = self.keys.remove(&key) else { return };
        for at in self.transports[index].producers.clone() {
            self.remove_producer(at);
        }
        for at in self.transports[index].consumers.clone() {
            self.remove_consumer(at);
        }
        self.ready.retain(|ready| *ready != index);
        self.agenda.remove(index);
        self.transports.remove(index);
    }

    /// A new producer; the answer is what its consumers will say of themselves: `simple`, `simulcast` or `svc`.
    ///
    /// # Errors
    /// Unknown transport, a taken id or SSRC, parameters that make no sense, or too many producers.
    pub fn produce(
        &mut self,
        now: Instant,
        key: TransportKey,
        producer: ProducerId,
        kind: MediaKind,
        rtp: &RtpParameters,
        is_paused: bool,
    ) -> Result<&'static str, Refused> {
        let index = *self.keys.get(&key).ok_or(Refused::Unknown("transport"))?;
        if self.producer_ids.contains_key(&producer) {
            return Err(Refused::Invalid(format!("there is a producer {producer} already")));
        }
        if self.transports[index].producers.len() >= MEMBER_PRODUCERS_MAX {
            return Err(Refused::Full(format!("a transport has at most {MEMBER_PRODUCERS_MAX} producers")));
        }
        let mut made = Producer::new(producer, index, kind, rtp, is_paused)?;
        if self.transports[index].setup.is_mirror {
            made.feedback.keep_key_frames();
        }
        let consumer_type = made.consumable.consumer_type;
        self.check_ssrcs(index, &made)?;
        let at = self.producers.insert(made);
        self.enter_ssrcs(index, at);
        self.transports[index].producers.push(at);
        self.producer_ids.insert(producer, at);
        if kind == MediaKind::Audio {
            self.speakers.add(now, at);
        }
        Ok(consumer_type)
    }

    /// Closes its consumers with it.
    pub fn close_producer(&mut self, producer: ProducerId) {
        if let Some(&at) = self.producer_ids.get(&producer) {
            self.remove_producer(at);
        }
    }

    /// A new consumer, paused until [`Router::pause_consumer`] lets it go on.
    ///
    /// # Errors
    /// Unknown transport or producer, a taken id, a codec that the terminal cannot receive, or too many consumers.
    pub fn consume(
        &mut self,
        now: Instant,
        key: TransportKey,
        consumer: ConsumerId,
        producer: ProducerId,
        capabilities: &RtpCapabilities,
    ) -> Result<Consumed, Refused> {
        let index = *self.keys.get(&key).ok_or(Refused::Unknown("transport"))?;
        let from = *self.producer_ids.get(&producer).ok_or(Refused::Unknown("producer"))?;
        if self.consumer_ids.contains_key(&consumer) {
            return Err(Refused::Invalid(format!("there is a consumer {consumer} already")));
        }
        if self.consumers.len() >= ROOM_CONSUMERS_MAX {
            return Err(Refused::Full(format!("a room has at most {ROOM_CONSUMERS_MAX} consumers")));
        }
        let ssrc = self.free_ssrc(index);
        let mid = self.transports[index].next_mid();
        let rtp = negotiate::consume(&self.producers[from].consumable, capabilities, &mid, ssrc)?;
        let start = self.random.next();
        let made = Consumer::new(consumer, index, (from, &self.producers[from]), rtp.clone(), start);
        let ssrcs = [Some(made.ssrc), made.rtx_ssrc];
        let at = self.consumers.insert(made);
        for ssrc in ssrcs.into_iter().flatten() {
            self.transports[index].outgoing.insert(ssrc, at);
        }
        self.transports[index].consumers.push(at);
        let producer = &mut self.producers[from];
        producer.consumers.push(at);
        self.consumer_ids.insert(consumer, at);
        self.agenda.bring_forward(index, now);
        self.wake = self.wake.min(now);
        let consumer_type = producer.consumable.consumer_type;
        Ok(Consumed { consumer_type, rtp, is_producer_paused: producer.is_paused })
    }

    pub fn close_consumer(&mut self, consumer: ConsumerId) {
        if let Some(&at) = self.consumer_ids.get(&consumer) {
            self.remove_consumer(at);
        }
    }

    fn remove_producer(&mut self, at: usize) {
        for consumer in self.producers[at].consumers.clone() {
            self.remove_consumer(consumer);
        }
        let producer = self.producers.remove(at);
        let transport = &mut self.transports[producer.transport];
        transport.incoming.remove_all(|incoming| incoming.producer == at);
        transport.producers.retain(|other| *other != at);
        self.dirty.retain(|other| *other != at);
        self.speakers.remove(at);
        self.producer_ids.remove(&producer.id);
    }

    fn remove_consumer(&mut self, at: usize) {
        let consumer = self.consumers.remove(at);
        let transport = &mut self.transports[consumer.transport];
        transport.outgoing.remove_all(|other| *other == at);
        transport.consumers.retain(|other| *other != at);
        transport.waiting.retain(|other| *other != at);
        self.producers[consumer.producer].consumers.retain(|other| *other != at);
        self.consumer_ids.remove(&consumer.id);
    }

    fn check_ssrcs(&self, index: usize, made: &Producer) -> Result<(), Refused> {
        let told = made.streams.iter().flat_map(|stream| [stream.ssrc, stream.rtx_ssrc]).flatten();
        let mut own: Vec<u32> = told.collect();
        own.sort_unstable();
        let is_twice = own.windows(2).any(|pair| pair[0] == pair[1]);
        let taken = own.iter().find(|ssrc| self.transports[index].incoming.get(**ssrc).is_some());
        match taken {
            None if !is_twice => Ok(()),
            Some(ssrc) => Err(Refused::Invalid(format!("SSRC {ssrc} is in use by another producer"))),
            None => Err(Refused::Invalid("two streams of the producer have one SSRC".to_owned())),
        }
    }

    fn enter_ssrcs(&mut self, index: usize, producer: usize) {
        let table = &mut self.transports[index].incoming;
        for (at, stream) in self.producers[producer].streams.iter().enumerate() {
            for (ssrc, is_rtx) in [(stream.ssrc, false), (stream.rtx_ssrc, true)] {
                if let Some(ssrc) = ssrc {
                    table.insert(ssrc, Incoming { producer, stream: at, is_rtx });
                }
            }
        }
    }

    /// Not used on this transport, and neither is the one that follows.
    fn free_ssrc(&mut self, index: usize) -> u32 {
        loop {
            let ssrc = self.random_ssrc() & !1;
            let transport = &self.transports[index];
            let is_free = |ssrc| transport.outgoing.get(ssrc).is_none() && transport.own_ssrc != ssrc;
            if is_free(ssrc) && is_free(ssrc + 1) {
                return ssrc;
            }
        }
    }

    /// Never 0: in reports that means nobody.
    fn random_ssrc(&mut self) -> u32 {
        const PROBATOR: u32 = 1_234;
        loop {
            let ssrc = (self.random.next() >> 32) as u32;
            if ssrc > PROBATOR {
                return ssrc;
            }
        }
    }
}
