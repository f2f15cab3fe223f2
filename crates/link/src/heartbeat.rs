//! Datagrams of a link: heartbeats, which show that both directions work, and single frames.
//!
//! QUIC's own time-out sees that nothing arrives. It does not see that nothing of ours arrives there; therefore a
//! heartbeat carries how many packets its sender has received, and a count that stands still ends the link.

use std::time::{Duration, Instant};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use quinn::Connection;
use taoyao_types::limits::{HEARTBEAT, LINK_DEAD_AFTER};
use taoyao_wire::link::hello::CloseCode;
use tokio::sync::mpsc::Sender;
use tokio::time::MissedTickBehavior;

use crate::{Ending, Lane, LinkEvent, LinkHandle, explain};

/// First byte of a datagram that is a heartbeat.
const BEAT: u8 = 0;
/// First byte of a datagram that carries one frame.
pub(crate) const FRAME: u8 = 1;
/// Frames handed on together at most.
const BATCH: usize = 64;

/// Sends heartbeats until the link is down.
pub(crate) async fn send_beats(link: LinkHandle) -> Ending {
    let mut ticks = tokio::time::interval(HEARTBEAT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let mut beat = BytesMut::with_capacity(9);
        beat.put_u8(BEAT);
        beat.put_u64(link.signal().stats().udp_rx.datagrams);
        if let Err(quinn::SendDatagramError::ConnectionLost(error)) =
            link.signal().send_datagram(beat.freeze())
        {
            return explain::lost(&error);
        }
    }
}

/// Reads heartbeats and single frames until the link is down.
pub(crate) async fn read_datagrams(link: LinkHandle, events: Sender<LinkEvent>) -> Ending {
    let mut hearing = Hearing::default();
    loop {
        let mut next = match link.signal().read_datagram().await {
            Ok(datagram) => Some(datagram),
            Err(error) => return explain::lost(&error),
        };
        let mut frames = Vec::new();
        while let Some(datagram) = next {
            if !hearing.take(datagram, tokio::time::Instant::now().into_std(), &mut frames) {
                return explain::here(CloseCode::Unheard, unheard());
            }
            next = if frames.len() < BATCH { at_once(link.signal()).await } else { None };
        }
        if !frames.is_empty() {
            let event =
                LinkEvent::Frames { peer: link.peer(), link: link.number(), lane: Lane::Datagram, frames };
            if events.send(event).await.is_err() {
                return explain::here(CloseCode::Ended, "the node no longer listens to its links");
            }
        }
    }
}

/// A datagram that is here already.
async fn at_once(connection: &Connection) -> Option<Bytes> {
    tokio::select! {
        biased;
        datagram = connection.read_datagram() => datagram.ok(),
        () = std::future::ready(()) => None,
    }
}

fn unheard() -> String {
    let seconds = LINK_DEAD_AFTER.as_secs();
    format!("the peer is heard, but has received nothing from this node for {seconds} s")
}

/// Whether the peer hears us, by what its heartbeats count.
#[derive(Debug, Default)]
struct Hearing {
    /// The peer's last count, and when it last changed.
    last: Option<(u64, Instant)>,
}

impl Hearing {
    /// Takes a datagram in; false once the peer has heard nothing for too long. Datagrams of unknown kinds are from
    /// newer nodes and are skipped.
    fn take(&mut self, mut datagram: Bytes, now: Instant, frames: &mut Vec<Bytes>) -> bool {
        match datagram.try_get_u8() {
            Ok(FRAME) => frames.push(datagram),
            Ok(BEAT) => {
                if let Ok(count) = datagram.try_get_u64() {
                    return self.beat(count, now) < LINK_DEAD_AFTER;
                }
            }
            _ => {}
        }
        true
    }

    /// For how long the peer's count has stood still.
    fn beat(&mut self, count: u64, now: Instant) -> Duration {
        match self.last {
            Some((last, since)) if last >= count => now.saturating_duration_since(since),
            _ => {
                self.last = Some((count, now));
                Duration::ZERO
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat(count: u64) -> Bytes {
        [&[BEAT][..], &count.to_be_bytes()].concat().into()
    }

    #[test]
    fn a_count_that_stands_still_ends_the_link_and_one_that_moves_does_not() {
        let start = Instant::now();
        let (mut hearing, mut frames) = (Hearing::default(), Vec::new());
        assert!(hearing.take(beat(7), start, &mut frames));
        let almost = start + LINK_DEAD_AFTER - HEARTBEAT;
        assert!(hearing.take(beat(7), almost, &mut frames));
        assert!(hearing.take(beat(8), almost, &mut frames));
        assert!(hearing.take(beat(8), start + LINK_DEAD_AFTER, &mut frames), "it moved since");
        assert!(!hearing.take(beat(8), almost + LINK_DEAD_AFTER, &mut frames));
    }

    #[test]
    fn frames_pass_and_unknown_or_short_datagrams_are_skipped() {
        let (mut hearing, mut frames) = (Hearing::default(), Vec::new());
        for datagram in [&[][..], &[BEAT, 1, 2], &[99, 1], &[FRAME, 5, 6]] {
            assert!(hearing.take(Bytes::copy_from_slice(datagram), Instant::now(), &mut frames));
        }
        assert_eq!(frames, [Bytes::from_static(&[5, 6])]);
    }
}
