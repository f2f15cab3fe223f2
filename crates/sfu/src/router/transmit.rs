//! What leaves: feedback first, then the packets of one consumer after the other.

use taoyao_ortc::MediaKind;
use taoyao_types::{Instant, Now};

use super::forward::Sending;
use super::{Router, Transmit, TransmitKind};

/// Of a large packet, where many wait.
const PACKET_BYTES: usize = 1_200;

impl Router {
    /// Writes the next packet into `buffer` (at least 1,500 bytes; the caller leaves room behind it for the SRTP tag). All
    /// waiting packets of one transport follow each other, and in them those of one consumer.
    pub fn poll_transmit(&mut self, now: Now, buffer: &mut [u8]) -> Option<Transmit> {
        self.spread();
        while let Some(&index) = self.ready.front() {
            let transport = &mut self.transports[index];
            let to = transport.key;
            if !transport.is_connected {
                transport.feedback.clear();
            } else if let Some(len) = transport.feedback.take(buffer) {
                return Some(Transmit { to, len, kind: TransmitKind::Rtcp });
            } else if let Some(len) = self.next_media(now, index, buffer) {
                return Some(Transmit { to, len, kind: TransmitKind::Rtp });
            }
            self.ready.pop_front();
            self.transports[index].is_ready = false;
        }
        None
    }

    /// Tells the consumers of producers with new packets that there are some.
    fn spread(&mut self) {
        while let Some(index) = self.dirty.pop() {
            let producer = &mut self.producers[index];
            producer.is_dirty = false;
            for &index in &producer.consumers {
                let consumer = &mut self.consumers[index];
                if consumer.is_paused || consumer.is_waiting {
                    continue;
                }
                consumer.is_waiting = true;
                let transport = &mut self.transports[consumer.transport];
                // Sound does not wait behind pictures.
                match consumer.kind {
                    MediaKind::Audio => transport.waiting.push_front(index),
                    MediaKind::Video => transport.waiting.push_back(index),
                }
                if !transport.is_ready {
                    transport.is_ready = true;
                    self.ready.push_back(consumer.transport);
                }
            }
        }
    }

    fn next_media(&mut self, now: Now, index: usize, buffer: &mut [u8]) -> Option<usize> {
        let transport = &mut self.transports[index];
        while let Some(&waiting) = transport.waiting.front() {
            let consumer = &mut self.consumers[waiting];
            if consumer.kind == MediaKind::Video && !transport.line.may_send(now.mono) {
                self.wait_for_pace(now.mono, index);
                return None;
            }
            let producer = &self.producers[consumer.producer];
            let send_time = abs_send_time(now.mono);
            let mut sending = Sending { now: now.mono, send_time, line: &mut transport.line };
            if !consumer.is_paused
                && let Some(length) = consumer.write_next(producer, &mut sending, buffer)
            {
                return Some(length);
            }
            consumer.is_waiting = false;
            transport.waiting.pop_front();
            if let Some(changed) = consumer.poll_layers() {
                self.events.push_back(changed);
            }
        }
        self.next_padding(now.mono, abs_send_time(now.mono), index, buffer)
    }

    /// Whatever the estimate says, what waits leaves in time.
    fn wait_for_pace(&mut self, now: Instant, index: usize) {
        let transport = &mut self.transports[index];
        let consumers = transport.waiting.iter().map(|at| &self.consumers[*at]);
        let packets: u64 =
            consumers.map(|consumer| consumer.packets_waiting(&self.producers[consumer.producer])).sum();
        let control = transport.line.control.as_mut();
        let due = control.map(|control| {
            control.pacer.handle_queue(now, packets as usize * PACKET_BYTES);
            let probe = control.estimator.poll_probe();
            probe.into_iter().fold(control.pacer.poll_timeout(), Instant::min)
        });
        if let Some(due) = due {
            self.agenda.bring_forward(index, due);
            self.wake_by(Some(due));
        }
    }

    /// The transport has something to send.
    pub(super) fn make_ready(&mut self, index: usize) {
        let transport = &mut self.transports[index];
        if !transport.is_ready && (!transport.feedback.is_empty() || !transport.waiting.is_empty()) {
            transport.is_ready = true;
            self.ready.push_back(index);
        }
    }
}

/// Seconds as 6.18 fixed point; the clock's beginning does not matter.
fn abs_send_time(now: Instant) -> u32 {
    /// After so many microseconds the numbers begin anew.
    const CIRCLE_US: u64 = 64_000_000;
    (((now.0 % CIRCLE_US) << 18) / 1_000_000) as u32
}
