//! One room's media: packets of producers in, packets for consumers out, and the feedback between them.

mod surface;

pub use surface::{Consumed, RouterConfig, Transmit, TransmitKind, TransportKey, TransportSetup};

use taoyao_ortc::{
    ConsumerId, Happening, MediaKind, ProducerId, Refused, RtpCapabilities, RtpParameters, Stat,
};
use taoyao_types::{Instant, Now};

/// One room's router. Time, randomness (`seed`) and packets are arguments; it does no IO.
#[derive(Debug)]
pub struct Router {
    config: RouterConfig,
}

impl Router {
    pub fn new(seed: u64, now: Instant, config: RouterConfig) -> Self {
        let _ = (seed, now);
        Self { config }
    }

    /// A peer of the room. A transport that is already there under this key is removed first.
    pub fn add_transport(&mut self, key: TransportKey, setup: TransportSetup) {
        let _ = (key, setup, &self.config);
    }

    /// Whether packets can be sent; nothing is sent before.
    pub fn set_connected(&mut self, now: Instant, key: TransportKey, is_connected: bool) {
        let _ = (now, key, is_connected);
    }

    /// Closes its producers and consumers.
    pub fn remove_transport(&mut self, key: TransportKey) {
        let _ = key;
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
        let _ = (now, key, producer, kind, rtp, is_paused);
        Err(Refused::Unknown("transport"))
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
        let _ = (now, key, consumer, producer, capabilities);
        Err(Refused::Unknown("transport"))
    }

    /// Packets of a paused producer are received, but not forwarded.
    pub fn pause_producer(&mut self, now: Instant, producer: ProducerId, is_paused: bool) {
        let _ = (now, producer, is_paused);
    }

    /// Closes its consumers with it.
    pub fn close_producer(&mut self, producer: ProducerId) {
        let _ = producer;
    }

    /// A consumer that goes on asks for a key frame.
    pub fn pause_consumer(&mut self, now: Instant, consumer: ConsumerId, is_paused: bool) {
        let _ = (now, consumer, is_paused);
    }

    pub fn close_consumer(&mut self, consumer: ConsumerId) {
        let _ = consumer;
    }

    /// Upper bounds, from 0; without a temporal layer all of them.
    pub fn prefer_layers(&mut self, now: Instant, consumer: ConsumerId, spatial: u8, temporal: Option<u8>) {
        let _ = (now, consumer, spatial, temporal);
    }

    /// 1 (default) to 255; consumers of a higher priority get their layers first.
    pub fn prioritise(&mut self, now: Instant, consumer: ConsumerId, priority: u8) {
        let _ = (now, consumer, priority);
    }

    pub fn request_key_frame(&mut self, now: Instant, consumer: ConsumerId) {
        let _ = (now, consumer);
    }

    /// The RTP part of a transport's statistics; the caller adds addresses, ICE and DTLS.
    pub fn transport_stats(&self, now: Now, key: TransportKey) -> Option<Vec<Stat>> {
        let _ = (now, key);
        None
    }

    /// One `inbound-rtp` for each stream.
    pub fn producer_stats(&self, now: Now, producer: ProducerId) -> Option<Vec<Stat>> {
        let _ = (now, producer);
        None
    }

    /// One `outbound-rtp` and the `inbound-rtp` of the producer's stream that is being sent.
    pub fn consumer_stats(&self, now: Now, consumer: ConsumerId) -> Option<Vec<Stat>> {
        let _ = (now, consumer);
        None
    }

    /// A decrypted RTP packet.
    pub fn handle_rtp(&mut self, now: Instant, from: TransportKey, packet: &[u8]) {
        let _ = (now, from, packet);
    }

    /// A decrypted RTCP packet, compound or not.
    pub fn handle_rtcp(&mut self, now: Now, from: TransportKey, packet: &[u8]) {
        let _ = (now, from, packet);
    }

    pub fn handle_timeout(&mut self, now: Now) {
        let _ = now;
    }

    /// When [`Router::handle_timeout`] is to be called at the latest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// Writes the next packet into `buffer` (at least 1,500 bytes; 32 bytes behind it are left for the SRTP tag). All
    /// waiting packets of one transport follow each other, and in them those of one consumer.
    pub fn poll_transmit(&mut self, now: Now, buffer: &mut [u8]) -> Option<Transmit> {
        let _ = (now, buffer);
        None
    }

    pub fn poll_event(&mut self) -> Option<Happening> {
        None
    }
}
