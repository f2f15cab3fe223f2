//! The sending end of one link.

use std::fmt;
use std::sync::atomic::{AtomicU16, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use quinn::{Connection, VarInt};
use taoyao_types::{NodeId, NodeName, limits::FRAME_BYTES_MAX};
use taoyao_wire::link::hello::{CloseCode, Refusal};
use taoyao_wire::link::lane::STREAM_LANES;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::frame::LENGTH_BYTES;
use crate::heartbeat;
use crate::{Lane, LaneClass, LinkNo};

/// Why a frame was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    #[error("the link is down")]
    Down,
    /// A mistake of the caller: the peer would close the link for it.
    #[error("a frame of {bytes} bytes; 1 to {FRAME_BYTES_MAX} are allowed")]
    Size { bytes: usize },
    /// A mistake of the caller.
    #[error("there is no lane {lane:?}")]
    NoLane { lane: Lane },
}

/// Sends over one link and tells how it is doing. Cheap to clone; a clone outlives the link and then refuses.
#[derive(Clone)]
pub struct LinkHandle(Arc<Shared>);

/// What the tasks of a link and its handles have in common.
struct Shared {
    number: LinkNo,
    peer: NodeId,
    name: NodeName,
    signal: Connection,
    bulk: Connection,
    queues: [UnboundedSender<Bytes>; STREAM_LANES],
    /// Bytes that wait per class, lengths included.
    waiting: [AtomicUsize; LaneClass::ALL.len()],
    /// One bit for each lane whose stream the peer has opened.
    opened: AtomicU16,
    datagrams_dropped: AtomicU64,
    /// The last heartbeat's way there and back; 0 before the first.
    echo_us: AtomicU64,
    since: Instant,
    closing: OnceLock<Refusal>,
}

/// How a link is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkStats {
    pub up_for: Duration,
    /// There and back by the last heartbeat's echo. Until there is one, QUIC's estimate, which on a quiet link holds
    /// the time that the peer waits before it acknowledges.
    pub rtt: Duration,
    pub signal: PathStats,
    pub bulk: PathStats,
    /// Bytes that wait for QUIC to take them, by class.
    pub queued_control_bytes: usize,
    pub queued_signal_bytes: usize,
    pub queued_directory_bytes: usize,
    pub queued_broadcast_bytes: usize,
    pub queued_bulk_bytes: usize,
    /// Datagrams that were too large for one packet, or that the peer does not take.
    pub datagrams_dropped: u64,
}

/// How one of a link's connections is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathStats {
    pub rtt: Duration,
    /// Bytes that may be in flight.
    pub cwnd: u64,
    /// The largest UDP payload in use, bytes.
    pub mtu: u16,
    pub sent_bytes: u64,
    pub received_bytes: u64,
    pub sent_packets: u64,
    pub lost_packets: u64,
}

impl LinkHandle {
    pub(crate) fn new(
        number: LinkNo,
        name: NodeName,
        signal: Connection,
        bulk: Connection,
    ) -> (Self, Vec<UnboundedReceiver<Bytes>>) {
        let mut receivers = Vec::with_capacity(STREAM_LANES);
        let queues = std::array::from_fn(|_| {
            let (sender, receiver) = unbounded_channel();
            receivers.push(receiver);
            sender
        });
        let shared = Shared {
            number,
            peer: NodeId::of(&name),
            name,
            signal,
            bulk,
            queues,
            waiting: Default::default(),
            opened: AtomicU16::new(0),
            datagrams_dropped: AtomicU64::new(0),
            echo_us: AtomicU64::new(0),
            since: tokio::time::Instant::now().into_std(),
            closing: OnceLock::new(),
        };
        (Self(Arc::new(shared)), receivers)
    }

    pub fn number(&self) -> LinkNo {
        self.0.number
    }

    pub fn peer(&self) -> NodeId {
        self.0.peer
    }

    pub fn peer_name(&self) -> &NodeName {
        &self.0.name
    }

    /// Puts a frame in line and returns at once. There is no bound here: the caller looks at
    /// [`LinkHandle::queued_bytes`] and decides what gives way.
    ///
    /// A datagram that fits no packet is dropped and counted, as the network would drop it.
    pub fn send(&self, lane: Lane, frame: Bytes) -> Result<(), SendError> {
        if frame.is_empty() || frame.len() > FRAME_BYTES_MAX {
            return Err(SendError::Size { bytes: frame.len() });
        }
        let (Some(index), Some(class)) = (lane.index(), lane.class()) else {
            return self.send_datagram(lane, &frame);
        };
        let bytes = frame.len() + LENGTH_BYTES;
        let waiting = &self.0.waiting[class.index()];
        waiting.fetch_add(bytes, Relaxed);
        self.0.queues[index].send(frame).map_err(|_| {
            waiting.fetch_sub(bytes, Relaxed);
            SendError::Down
        })
    }

    /// Bytes of this class that wait for QUIC to take them, each frame's length included; 0 once the link is down.
    pub fn queued_bytes(&self, class: LaneClass) -> usize {
        if self.0.queues[0].is_closed() {
            return 0;
        }
        self.0.waiting[class.index()].load(Relaxed)
    }

    pub fn stats(&self) -> LinkStats {
        LinkStats {
            up_for: tokio::time::Instant::now().into_std().saturating_duration_since(self.0.since),
            rtt: self.rtt(),
            signal: PathStats::of(&self.0.signal),
            bulk: PathStats::of(&self.0.bulk),
            queued_control_bytes: self.queued_bytes(LaneClass::Control),
            queued_signal_bytes: self.queued_bytes(LaneClass::Signals),
            queued_directory_bytes: self.queued_bytes(LaneClass::Directory),
            queued_broadcast_bytes: self.queued_bytes(LaneClass::Broadcasts),
            queued_bulk_bytes: self.queued_bytes(LaneClass::Bulk),
            datagrams_dropped: self.0.datagrams_dropped.load(Relaxed),
        }
    }

    fn rtt(&self) -> Duration {
        match self.0.echo_us.load(Relaxed) {
            0 => self.0.signal.rtt(),
            echo => Duration::from_micros(echo),
        }
    }

    /// How long ago the link came up, in microseconds: what heartbeats are stamped with.
    pub(crate) fn age_us(&self) -> u64 {
        let age = tokio::time::Instant::now().into_std().saturating_duration_since(self.0.since);
        u64::try_from(age.as_micros()).unwrap_or(u64::MAX)
    }

    /// The peer sent a heartbeat's stamp back.
    pub(crate) fn echoed(&self, stamp_us: u64) {
        self.0.echo_us.store(self.age_us().saturating_sub(stamp_us).max(1), Relaxed);
    }

    /// Closes the link; the peer is told. What still waits is lost. A dialler dials again.
    pub fn close(&self, code: CloseCode, reason: &str) {
        let refusal = Refusal::new(code, reason);
        let (code, reason) = (close_number(refusal.code), refusal.reason.clone());
        // Only the first reason counts; a later one changes nothing for the peer either.
        let _first = self.0.closing.set(refusal);
        self.0.signal.close(code, reason.as_bytes());
        self.0.bulk.close(code, reason.as_bytes());
    }

    /// Why this end closed the link, if it did.
    pub(crate) fn closing(&self) -> Option<&Refusal> {
        self.0.closing.get()
    }

    pub(crate) fn signal(&self) -> &Connection {
        &self.0.signal
    }

    pub(crate) fn bulk(&self) -> &Connection {
        &self.0.bulk
    }

    /// Counts bytes as taken by QUIC; returns what still waits in the class.
    pub(crate) fn taken(&self, class: LaneClass, bytes: usize) -> usize {
        self.0.waiting[class.index()].fetch_sub(bytes, Relaxed).saturating_sub(bytes)
    }

    /// Whether this is the first stream that the peer opened for the lane.
    pub(crate) fn claim(&self, lane: Lane) -> bool {
        let bit = lane.index().map_or(0, |index| 1 << index);
        self.0.opened.fetch_or(bit, Relaxed) & bit == 0
    }

    fn send_datagram(&self, lane: Lane, frame: &[u8]) -> Result<(), SendError> {
        if lane != Lane::Datagram {
            return Err(SendError::NoLane { lane });
        }
        let mut packet = BytesMut::with_capacity(1 + frame.len());
        packet.put_u8(heartbeat::FRAME);
        packet.extend_from_slice(frame);
        match self.0.signal.send_datagram(packet.freeze()) {
            Ok(()) => Ok(()),
            Err(quinn::SendDatagramError::ConnectionLost(_)) => Err(SendError::Down),
            Err(_) => {
                self.0.datagrams_dropped.fetch_add(1, Relaxed);
                Ok(())
            }
        }
    }
}

impl fmt::Debug for LinkHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinkHandle({} #{})", self.0.name, self.0.number.0)
    }
}

impl PathStats {
    fn of(connection: &Connection) -> Self {
        let stats = connection.stats();
        Self {
            rtt: stats.path.rtt,
            cwnd: stats.path.cwnd,
            mtu: stats.path.current_mtu,
            sent_bytes: stats.udp_tx.bytes,
            received_bytes: stats.udp_rx.bytes,
            sent_packets: stats.path.sent_packets,
            lost_packets: stats.path.lost_packets,
        }
    }
}

pub(crate) fn close_number(code: CloseCode) -> VarInt {
    VarInt::from_u32(code as u32)
}
