//! What is due by the clock: feedback, repeated requests, reports, probes, who speaks.

use std::time::Duration;

use taoyao_types::{Instant, Now};

use super::Router;

/// Nothing waits longer than this for its turn, in a room where nothing happens.
const IDLE: Duration = Duration::from_millis(500);
/// Reports are sent about once a second (RFC 3550 allows it where bandwidth does).
const REPORT_MS: u64 = 800;
const REPORT_SPREAD_MS: u64 = 400;

impl Router {
    pub fn handle_timeout(&mut self, now: Now) {
        if now.mono < self.wake {
            return;
        }
        self.latest = now.mono;
        self.wake = now.mono + IDLE;
        for at in 0..self.producers.capacity() {
            if self.producers.contains(at) {
                self.tend_producer(now.mono, at);
            }
        }
        let mut from = 0;
        while let Some(index) = self.agenda.next_due(now.mono, from) {
            self.tend_transport(now, index);
            from = index + 1;
        }
        self.wake_by(self.agenda.earliest());
        self.listen_to_speakers(now.mono);
    }

    fn tend_producer(&mut self, now: Instant, at: usize) {
        let producer = &self.producers[at];
        let transport = producer.transport;
        for stream in 0..producer.streams.len() {
            if self.producers[at].streams[stream].nacks.missing() > 0 {
                self.poll_missing(now, transport, at, stream);
            }
        }
        self.poll_key_frames(now, at);
    }

    fn tend_transport(&mut self, now: Now, index: usize) {
        self.tell_arrivals(now.mono, index);
        self.tell_estimate(now.mono, index);
        let transport = &mut self.transports[index];
        if let Some(control) = &mut transport.line.control {
            control.estimator.handle_timeout(now.mono);
            control.pacer.handle_bitrate(now.mono, control.estimator.bitrate());
        }
        if transport.next_report <= now.mono {
            let pause = Duration::from_millis(REPORT_MS + self.random.next() % REPORT_SPREAD_MS);
            let transport = &mut self.transports[index];
            transport.next_report = now.mono + pause;
            if transport.is_connected {
                self.report(now, index);
                self.score(now.mono, index);
                self.reallocate(now.mono, index, true);
            }
        }
        self.make_ready(index);
        let transport = &mut self.transports[index];
        let control = transport.line.control.as_mut();
        let wants_padding = control.and_then(|control| control.estimator.poll_padding(now.mono)).is_some();
        if wants_padding && !std::mem::replace(&mut transport.is_ready, true) {
            self.ready.push_back(index);
        }
        self.plan(index);
    }

    /// Notes when the transport is to be tended next. Called after anything by which that may become earlier.
    pub(super) fn plan(&mut self, index: usize) {
        let transport = &self.transports[index];
        let control = transport.line.control.as_ref();
        let estimator = control.and_then(|control| control.estimator.poll_timeout());
        let paced = control.filter(|_| !transport.waiting.is_empty()).map(|c| c.pacer.poll_timeout());
        let due = [estimator, paced, transport.incoming_due()].into_iter().flatten();
        let due = due.fold(transport.next_report, Instant::min);
        self.agenda.set(index, due);
        self.wake_by(Some(due));
    }

    /// Transport-wide feedback for what the peer sends.
    fn tell_arrivals(&mut self, now: Instant, index: usize) {
        let transport = &mut self.transports[index];
        if transport.arrivals.poll_timeout().is_none_or(|due| due > now) {
            return;
        }
        let media = transport.producers.first().and_then(|at| self.producers[*at].streams.first()?.ssrc);
        let (own, media) = (transport.own_ssrc, media.unwrap_or_default());
        let arrivals = &mut transport.arrivals;
        loop {
            let mut has_told = false;
            transport.feedback.add(|writer| {
                has_told = arrivals.poll_feedback(now, own, media, writer)?;
                Ok(())
            });
            if !has_told {
                break;
            }
        }
    }

    /// What a sender that cannot measure its way may send.
    fn tell_estimate(&mut self, now: Instant, index: usize) {
        let transport = &mut self.transports[index];
        let Some(bitrate) = transport.estimate.as_mut().and_then(|estimate| estimate.poll_remb(now)) else {
            return;
        };
        let streams = transport.producers.iter().flat_map(|at| &self.producers[*at].streams);
        let sources: Vec<u32> = streams.filter_map(|stream| stream.ssrc).collect();
        let own = transport.own_ssrc;
        transport.feedback.add(|writer| writer.remb(own, bitrate, &sources));
    }

    fn listen_to_speakers(&mut self, now: Instant) {
        let producers = &self.producers;
        let heard = self.speakers.handle_timeout(now, |at| producers.get(at).map(|producer| producer.id));
        self.events.extend(heard.into_iter().filter(|_| !self.config.is_branch));
        for at in self.speakers.poll_changes() {
            let is_heard = self.speakers.is_heard(at);
            self.set_heard(at, is_heard);
        }
        self.wake_by(Some(self.speakers.poll_timeout()));
    }
}
