//! One transport as its worker knows it: whose it is, and what it speaks.

use taoyao_ortc::{ProducerId, TransportId};
use taoyao_sfu::ice::RemoteAddress;

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
    pub(crate) peer: Peer,
    /// Ours, that lead here: the newest last. After a restart two are valid.
    pub(crate) ufrags: Vec<String>,
    /// Addresses in the worker's table that lead here, the oldest first.
    pub(crate) reached: Vec<RemoteAddress>,
    pub(crate) has_sctp: bool,
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
