//! Datagrams of a link: heartbeats, which show that both directions work, and single frames.
//!
//! QUIC's own time-out sees that nothing arrives. It does not see that nothing of ours arrives there; therefore a
//! heartbeat carries how many packets its sender has received, and a count that stands still ends the link. It also
//! carries a stamp that the peer sends straight back, which measures the way there and back.

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
/// First byte of a datagram that sends a heartbeat's stamp back.
const ECHO: u8 = 2;
/// Frames handed on together at most.
const BATCH: usize = 64;

/// Sends heartbeats until the link is down.
pub(crate) async fn send_beats(link: LinkHandle) -> Ending {
    let mut ticks = tokio::time::interval(HEARTBEAT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let mut beat = BytesMut::with_capacity(17);
        beat.put_u8(BEAT);
        beat.put_u64(link.signal().stats().udp_rx.datagrams);
        beat.put_u64(link.age_us());
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
            match hearing.take(datagram, tokio::time::Instant::now().into_std(), &mut frames) {
                Heard::Nothing => {}
                Heard::Beat { stamp } => send_back(&link, stamp),
                Heard::Echo { stamp } => link.echoed(stamp),
                Heard::Deafness => return explain::here(CloseCode::Unheard, unheard()),
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

/// An echo that cannot be sent is one measurement less.
fn send_back(link: &LinkHandle, stamp: u64) {
    let mut echo = BytesMut::with_capacity(9);
    echo.put_u8(ECHO);
    echo.put_u64(stamp);
    if let Err(error) = link.signal().send_datagram(echo.freeze()) {
        tracing::trace!(%error, "no echo");
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

/// What a datagram asks for besides its frame.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Nothing,
    Beat {
        stamp: u64,
    },
    Echo {
        stamp: u64,
    },
    /// The peer has heard nothing of this node for too long.
    Deafness,
}

/// Whether the peer hears us, by what its heartbeats count.
#[derive(Debug, Default)]
struct Hearing {
    /// The peer's last count, and when it last changed.
    last: Option<(u64, Instant)>,
}

impl Hearing {
    /// Takes a datagram in. Those of unknown kinds are from newer nodes and are skipped.
    fn take(&mut self, mut datagram: Bytes, now: Instant, frames: &mut Vec<Bytes>) -> Heard {
        match datagram.try_get_u8() {
            Ok(FRAME) => frames.push(datagram),
            Ok(BEAT) => {
                let Ok(count) = datagram.try_get_u64() else { return Heard::Nothing };
                if self.beat(count, now) >= LINK_DEAD_AFTER {
                    return Heard::Deafness;
                }
                return datagram.try_get_u64().map_or(Heard::Nothing, |stamp| Heard::Beat { stamp });
            }
            Ok(ECHO) => return datagram.try_get_u64().map_or(Heard::Nothing, |stamp| Heard::Echo { stamp }),
            _ => {}
        }
        Heard::Nothing
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
        let mut heard = |count, at| hearing.take(beat(count), at, &mut frames);
        assert_eq!(heard(7, start), Heard::Nothing);
        let almost = start + LINK_DEAD_AFTER - HEARTBEAT;
        assert_eq!(heard(7, almost), Heard::Nothing);
        assert_eq!(heard(8, almost), Heard::Nothing);
        assert_eq!(heard(8, start + LINK_DEAD_AFTER), Heard::Nothing, "it moved since");
        assert_eq!(heard(8, almost + LINK_DEAD_AFTER), Heard::Deafness);
    }

    #[test]
    fn a_stamp_is_sent_back_and_taken_in() {
        let (mut hearing, mut frames) = (Hearing::default(), Vec::new());
        let stamp = 77u64;
        let stamped: Bytes = [&beat(1)[..], &stamp.to_be_bytes()].concat().into();
        assert_eq!(hearing.take(stamped, Instant::now(), &mut frames), Heard::Beat { stamp });
        let echo: Bytes = [&[ECHO][..], &stamp.to_be_bytes()].concat().into();
        assert_eq!(hearing.take(echo, Instant::now(), &mut frames), Heard::Echo { stamp });
    }

    #[test]
    fn frames_pass_and_unknown_or_short_datagrams_are_skipped() {
        let (mut hearing, mut frames) = (Hearing::default(), Vec::new());
        for datagram in [&[][..], &[BEAT, 1, 2], &[99, 1], &[FRAME, 5, 6]] {
            let heard = hearing.take(Bytes::copy_from_slice(datagram), Instant::now(), &mut frames);
            assert_eq!(heard, Heard::Nothing);
        }
        assert_eq!(frames, [Bytes::from_static(&[5, 6])]);
    }
}
