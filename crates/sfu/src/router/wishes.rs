//! What is asked of producers and consumers while they live: pauses, layers, priorities, key frames.

use taoyao_ortc::{ConsumerId, ProducerId};
use taoyao_types::Instant;

use super::Router;
use super::layers::LayerPair;

impl Router {
    /// Packets of a paused producer are received, but not forwarded.
    pub fn pause_producer(&mut self, now: Instant, producer: ProducerId, is_paused: bool) {
        let Some(&at) = self.producer_ids.get(&producer) else { return };
        let producer = &mut self.producers[at];
        if std::mem::replace(&mut producer.is_paused, is_paused) == is_paused {
            return;
        }
        for consumer in producer.consumers.clone() {
            self.begin(now, consumer);
        }
    }

    /// A consumer that goes on asks for a key frame.
    pub fn pause_consumer(&mut self, now: Instant, consumer: ConsumerId, is_paused: bool) {
        let Some(&at) = self.consumer_ids.get(&consumer) else { return };
        let consumer = &mut self.consumers[at];
        if std::mem::replace(&mut consumer.is_paused, is_paused) == is_paused {
            return;
        }
        self.begin(now, at);
    }

    /// Upper bounds, from 0; without a temporal layer all of them.
    pub fn prefer_layers(&mut self, now: Instant, consumer: ConsumerId, spatial: u8, temporal: Option<u8>) {
        let Some(&at) = self.consumer_ids.get(&consumer) else { return };
        self.consumers[at].preferred = LayerPair { spatial, temporal: temporal.unwrap_or(u8::MAX) };
        self.reallocate(now, self.consumers[at].transport, true);
    }

    /// 1 (default) to 255; consumers of a higher priority get their layers first.
    pub fn prioritise(&mut self, now: Instant, consumer: ConsumerId, priority: u8) {
        let Some(&at) = self.consumer_ids.get(&consumer) else { return };
        self.consumers[at].priority = priority.max(1);
        self.reallocate(now, self.consumers[at].transport, true);
    }

    pub fn request_key_frame(&mut self, now: Instant, consumer: ConsumerId) {
        if let Some(&at) = self.consumer_ids.get(&consumer) {
            self.want_key_frame(now, at);
        }
    }

    /// Something changed by which a consumer may have to begin, or to end: what it was sent lies behind it.
    pub(super) fn begin(&mut self, now: Instant, at: usize) {
        let consumer = &mut self.consumers[at];
        consumer.source = super::consumer::Source::default();
        consumer.resend.clear();
        let index = consumer.transport;
        self.reallocate(now, index, true);
        self.want_key_frame(now, at);
    }

    /// Of the stream that a consumer waits for, or else is sent.
    pub(super) fn want_key_frame(&mut self, now: Instant, at: usize) {
        let consumer = &self.consumers[at];
        let producer = &mut self.producers[consumer.producer];
        let is_idle = consumer.is_paused || producer.is_paused || !producer.codec.has_key_frames();
        let wanted = consumer.source.target.or(consumer.source.current);
        let Some(stream) = wanted.filter(|_| !is_idle).and_then(|at| producer.streams.get_mut(at)) else {
            return;
        };
        stream.key_frames.want();
        let producer = consumer.producer;
        self.poll_key_frames(now, producer);
    }

    /// Asks a producer for the key frames that are due.
    pub(super) fn poll_key_frames(&mut self, now: Instant, at: usize) {
        let producer = &mut self.producers[at];
        let index = producer.transport;
        let transport = &mut self.transports[index];
        let feedback = producer.feedback;
        let mut wake = None;
        for stream in &mut producer.streams {
            // Before its first packet there is nobody to ask.
            let Some(ssrc) = stream.ssrc.filter(|_| transport.is_connected) else { continue };
            if stream.key_frames.poll(now) {
                let own = transport.own_ssrc;
                if feedback.has_pli || !feedback.has_fir {
                    stream.counts.plis += 1;
                    transport.feedback.add(|writer| writer.pli(own, ssrc));
                } else {
                    stream.counts.firs += 1;
                    stream.fir_number = stream.fir_number.wrapping_add(1);
                    transport.feedback.add(|writer| writer.fir(own, ssrc, stream.fir_number));
                }
            }
            wake = [wake, stream.key_frames.due()].into_iter().flatten().min();
        }
        self.wake_by(wake);
        self.make_ready(index);
    }
}
