//! Streams that stop, and go on, while their producer lives: browsers stop sending the large one of several where the processor or the
//! way does not suffice, and say nothing.

use std::time::Duration;

use taoyao_types::Instant;

use super::Router;
use super::producer::Producer;

/// A stream that lies this far behind another one of its producer has stopped. All of them together may well be silent
/// for longer: of a picture that does not change there is little to send.
const STOPPED: Duration = Duration::from_millis(800);

impl Router {
    /// Media came in a stream of this producer: it flows, and others may be found to have stopped.
    pub(super) fn watch_flow(&mut self, now: Instant, producer: usize, stream: usize) {
        if self.producers[producer].note_flow(now, stream) {
            self.offer_anew(now, producer);
        }
    }

    /// The producer says that the stream ends (RFC 3550, section 6.6). Should something come all the same, it goes on.
    pub(super) fn end_flow(&mut self, now: Instant, producer: usize, stream: usize) {
        let stream = &mut self.producers[producer].streams[stream];
        if std::mem::replace(&mut stream.is_flowing, false) {
            self.offer_anew(now, producer);
        }
    }

    /// Whether the sound of this one is among those that are forwarded. Who is heard again goes on without a gap: nothing
    /// was lost.
    pub(super) fn set_heard(&mut self, producer: usize, is_heard: bool) {
        let Some(from) = self.producers.get_mut(producer) else { return };
        if std::mem::replace(&mut from.is_heard, is_heard) || !is_heard {
            return;
        }
        for &consumer in &from.consumers {
            let source = &mut self.consumers[consumer].source;
            let target = source.target.filter(|_| source.current.is_some());
            if let Some(stream) = target.and_then(|target| from.streams.get(target)) {
                source.current = None;
                source.target_cursor = stream.store.head();
            }
        }
    }

    /// Other streams of the producer can be had than before. Not at once for those whose layers were chosen just now: a
    /// producer may say so as often as it likes.
    fn offer_anew(&mut self, now: Instant, producer: usize) {
        for consumer in self.producers[producer].consumers.clone() {
            let transport = self.consumers[consumer].transport;
            self.reallocate(now, transport, false);
        }
    }
}

impl Producer {
    /// Whether a stream stopped or goes on.
    fn note_flow(&mut self, now: Instant, at: usize) -> bool {
        let mut has_changed = !std::mem::replace(&mut self.streams[at].is_flowing, true);
        for stream in &mut self.streams {
            let has_stopped = stream.receive.last_arrival.is_some_and(|last| now.since(last) > STOPPED);
            if has_stopped && std::mem::replace(&mut stream.is_flowing, false) {
                has_changed = true;
            }
        }
        has_changed
    }
}
