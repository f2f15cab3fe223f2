//! One transport as its worker knows it: whose it is, and what it speaks.

use taoyao_ortc::{ProducerId, TransportId};
use taoyao_sfu::ice::RemoteAddress;
use taoyao_types::{Instant, limits};

use super::plain::Plain;
use super::timers::Armed;
use crate::peer::Peer;
use crate::placement::MirrorId;
use crate::tap::TapId;

pub(crate) struct Transport {
    pub(crate) id: TransportId,
    /// The room's slot.
    pub(crate) room: usize,
    pub(crate) kind: Kind,
    pub(crate) armed: Armed,
    pub(crate) is_dirty: bool,
    pub(crate) counts: Counts,
    /// Mirrors of its producers at other workers, by worker.
    pub(crate) mirrors: Vec<PassedOn>,
}

/// A producer whose packets go to a mirror, too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PassedOn {
    pub(crate) producer: ProducerId,
    pub(crate) to: usize,
    pub(crate) mirror: MirrorId,
    /// By its streams, a bit each: whose clocks it was told of.
    pub(crate) clocks_told: u32,
}

impl PassedOn {
    /// Whether it is to be told what this stream's clock means; true once.
    pub(crate) fn wants_clock(&mut self, stream: usize) -> bool {
        let bit = u32::try_from(stream).ok().and_then(|stream| 1_u32.checked_shl(stream)).unwrap_or_default();
        let is_new = bit & !self.clocks_told != 0;
        self.clocks_told |= bit;
        is_new
    }
}

/// Whole datagrams, whatever is in them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
}

pub(crate) enum Kind {
    WebRtc(Box<WebRtc>),
    Plain(Box<Plain>),
    /// Leads into this process.
    Tap(TapId),
    /// Stands for a transport of the same room at another worker.
    Mirror,
}

pub(crate) struct WebRtc {
    pub(crate) made: Instant,
    pub(crate) peer: Peer,
    /// Ours, that lead here: the newest last. After a restart two are valid.
    pub(crate) ufrags: Vec<String>,
    /// Addresses in the worker's table that lead here, the oldest first.
    pub(crate) reached: Vec<RemoteAddress>,
    pub(crate) has_sctp: bool,
}

/// The transport that has waited for longest for a first valid check, of those that have waited for as long as that may take:
/// clients make transports to use them some day, and may keep them while there is room, but not from others.
pub(crate) fn longest_unreached<'a>(
    now: Instant,
    transports: impl Iterator<Item = (usize, &'a Transport)>,
) -> Option<usize> {
    let waited = transports.filter_map(|(key, transport)| match &transport.kind {
        Kind::WebRtc(webrtc) if webrtc.peer.selected().is_none() => Some((webrtc.made, key)),
        Kind::WebRtc(_) | Kind::Plain(_) | Kind::Tap(_) | Kind::Mirror => None,
    });
    let long = waited.filter(|(made, _)| now.since(*made) >= limits::ICE_FIRST_CHECK_MAX);
    long.min().map(|(_, key)| key)
}

impl Transport {
    pub(crate) fn new(id: TransportId, room: usize, kind: Kind) -> Self {
        Self {
            id,
            room,
            kind,
            armed: Armed::default(),
            is_dirty: false,
            counts: Counts::default(),
            mirrors: Vec::new(),
        }
    }

    pub(crate) fn webrtc(&mut self) -> Option<&mut WebRtc> {
        match &mut self.kind {
            Kind::WebRtc(webrtc) => Some(webrtc),
            Kind::Plain(_) | Kind::Tap(_) | Kind::Mirror => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use taoyao_ortc::IceParameters;

    use super::*;
    use crate::peer::{Certificate, PeerSetup};

    #[test]
    fn who_was_never_reached_makes_room_after_a_minute_the_oldest_first() {
        let certificate = Certificate::generate().unwrap();
        let transport = |made: u64| {
            let ice = IceParameters {
                username_fragment: "sfu".to_owned(),
                password: "secret".to_owned(),
                ice_lite: true,
            };
            let setup = PeerSetup { ice, certificate: certificate.clone(), sctp: None };
            let made = Instant(made);
            let peer = Peer::new(made, setup);
            let webrtc = WebRtc { made, peer, ufrags: Vec::new(), reached: Vec::new(), has_sctp: false };
            Transport::new(TransportId::of_random(1), 0, Kind::WebRtc(Box::new(webrtc)))
        };
        let all = [transport(3_000_000), transport(1_000_000), transport(2_000_000)];
        let oldest = |now| longest_unreached(now, all.iter().enumerate());
        let minute = Instant(1_000_000) + limits::ICE_FIRST_CHECK_MAX;
        assert_eq!(oldest(Instant(minute.0 - 1)), None);
        assert_eq!(oldest(minute), Some(1));
        assert_eq!(oldest(minute + Duration::from_secs(600)), Some(1));
    }
}
