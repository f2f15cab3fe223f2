//! Our last flight, sent again until the peer has answered.
//!
//! `rtc-dtls` has a timer of its own, but forgets it when it hears a repeated or incomplete flight; when both ends repeat at
//! the same pace, a lost flight is then never sent again. What is sent here is the datagrams as they were: a receiver that
//! had them drops them as replayed, and only one that lacks them takes them.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::BytesMut;
use taoyao_types::Instant;

pub(super) struct Repeat {
    flight: Vec<BytesMut>,
    at: Option<Instant>,
    pause: Duration,
}

/// Browsers begin at 50 ms; a round trip of a quarter of a second is rare.
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(2);

impl Repeat {
    pub(super) fn new() -> Repeat {
        Repeat { flight: Vec::new(), at: None, pause: PAUSE_MIN }
    }

    /// These datagrams are the newest flight.
    pub(super) fn keep(&mut self, now: Instant, flight: Vec<BytesMut>) {
        if !flight.is_empty() {
            *self = Repeat { flight, at: Some(now + PAUSE_MIN), pause: PAUSE_MIN };
        }
    }

    /// The handshake is over.
    pub(super) fn stop(&mut self) {
        *self = Repeat::new();
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.at
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, outgoing: &mut VecDeque<BytesMut>) {
        if self.at.is_some_and(|at| at <= now) {
            outgoing.extend(self.flight.iter().cloned());
            self.pause = PAUSE_MAX.min(2 * self.pause);
            self.at = Some(now + self.pause);
        }
    }
}
