//! One frame of a link: a signal with a decoded header and an opaque body, or a message of the directory's upkeep.
//!
//! Layout: one byte that names the format, then for a signal two bytes of header length (big-endian), the header
//! (msgpack array), and the body as it is; for upkeep one msgpack value. The length of the whole frame is the
//! stream's business. Transit nodes decode and rewrite the header only.

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use taoyao_types::{NodeEpoch, NodeId, PartitionId, SignalId, TerminalKey, limits};

use super::header;
use super::sync::Sync;
use crate::Class;

const SIGNAL: u8 = 0x51;
const SYNC: u8 = 0x52;

/// A frame that the peer should not have sent; the link that carried it is closed with this text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    #[error("a frame of {bytes} bytes; at most {max} are allowed")]
    Size { bytes: usize, max: usize },
    #[error("a frame of unknown format {0:#04x}; does the peer speak a newer protocol?")]
    Format(u8),
    #[error("a frame that ends early")]
    Truncated,
    #[error("a header that cannot be read: {0}")]
    Header(String),
    #[error("a directory message that cannot be read: {0}")]
    Sync(String),
    #[error("a body that cannot be read: {0}")]
    Body(String),
}

/// A decoded frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    Signal(Header, Bytes),
    Sync(Sync),
}

/// What a signal is to its way through the mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Kind {
    /// Wants an answer before its time is up.
    Request = 0,
    /// The answer to a request; travels back along the request's path.
    Answer = 1,
    /// For one terminal or node, unanswered.
    Event = 2,
    /// For many; copied once per link.
    Multicast = 3,
}

/// Where a signal goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    Terminal(TerminalKey),
    Node(NodeId),
    /// Every terminal of the partition: all nodes that own or serve it.
    Members(PartitionId),
    /// Every node whose terminals watch the partition.
    Watchers(PartitionId),
}

/// What every hop reads of a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub kind: Kind,
    pub class: Class,
    /// Hops that are left.
    pub ttl: u8,
    /// 0 for the first try of a request, then counting; the id stays.
    pub attempt: u8,
    /// Milliseconds that are left for the answer; each hop subtracts what it used.
    pub remaining_ms: u32,
    pub id: SignalId,
    pub target: Target,
    /// Where order is kept: signals of one source to one target share a stream.
    pub source: TerminalKey,
    /// The hops so far, when the signal is traced.
    pub path: Option<Vec<Hop>>,
    /// Fields of newer versions (msgpack), forwarded as they are.
    pub extra: Bytes,
}

/// One node that a traced signal passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    pub node: NodeId,
    /// On an answer: how long the rest of the way there and back took, seen from this node; 0 on a request.
    pub round_trip_us: u64,
}

impl Header {
    /// A header at the start of its way.
    pub fn new(kind: Kind, class: Class, id: SignalId, target: Target, source: TerminalKey) -> Self {
        let remaining_ms = u32::try_from(limits::REQUEST_TIMEOUT.as_millis()).unwrap_or(u32::MAX);
        let extra = Bytes::new();
        Self {
            kind,
            class,
            ttl: limits::TTL,
            attempt: 0,
            remaining_ms,
            id,
            target,
            source,
            path: None,
            extra,
        }
    }

    /// Which of the link's ordered streams carries this signal.
    pub fn shard(&self) -> u8 {
        let target = match self.target {
            Target::Terminal(key) => key.spread(),
            Target::Node(node) => u64::from(node.0),
            Target::Members(partition) | Target::Watchers(partition) => u64::from(partition.0),
        };
        let mixed = (self.source.spread() ^ target.rotate_left(17)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 56) as u8 % limits::SHARDS
    }
}

impl Frame {
    /// Reads a frame; the body of a signal is a slice of `bytes`, not a copy.
    pub fn decode(bytes: Bytes) -> Result<Frame, BadFrame> {
        if bytes.len() > limits::FRAME_BYTES_MAX {
            return Err(BadFrame::Size { bytes: bytes.len(), max: limits::FRAME_BYTES_MAX });
        }
        match bytes.first() {
            Some(&SIGNAL) => decode_signal(bytes),
            Some(&SYNC) => {
                let sync = rmp_serde::from_slice(&bytes[1..]).map_err(|e| BadFrame::Sync(e.to_string()))?;
                Ok(Frame::Sync(sync))
            }
            Some(&other) => Err(BadFrame::Format(other)),
            None => Err(BadFrame::Truncated),
        }
    }
}

fn decode_signal(bytes: Bytes) -> Result<Frame, BadFrame> {
    let (Some(&high), Some(&low)) = (bytes.get(1), bytes.get(2)) else { return Err(BadFrame::Truncated) };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > limits::FRAME_HEADER_BYTES_MAX {
        return Err(BadFrame::Size { bytes: length, max: limits::FRAME_HEADER_BYTES_MAX });
    }
    let header = bytes.get(3..3 + length).ok_or(BadFrame::Truncated)?;
    let header = header::read(header)?;
    Ok(Frame::Signal(header, bytes.slice(3 + length..)))
}

/// Writes a signal: a new header in front of a body that is copied once, as it is.
pub fn encode_signal(header: &Header, body: &[u8]) -> Bytes {
    header::write(header, |head| {
        let length = u16::try_from(head.len()).expect("a header is within FRAME_HEADER_BYTES_MAX");
        // Exactly as large as it will be: only then does it become `Bytes` without another allocation.
        let mut frame = Vec::with_capacity(3 + head.len() + body.len());
        frame.push(SIGNAL);
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(head);
        frame.extend_from_slice(body);
        frame.into()
    })
}

/// Writes a message of the directory's upkeep.
pub fn encode_sync(sync: &Sync) -> Bytes {
    let mut writer = BytesMut::with_capacity(64).writer();
    writer.get_mut().put_u8(SYNC);
    rmp_serde::encode::write(&mut writer, sync).expect("a directory message always encodes into memory");
    writer.into_inner().freeze()
}

/// The id of a signal that has none of its own yet; used by tests and tools.
pub fn signal_id(origin: u32, epoch: u32, count: u64) -> SignalId {
    SignalId { origin: NodeId(origin), epoch: NodeEpoch(epoch), count }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        let key = TerminalKey::synthetic(PartitionId(7), 1);
        let id = signal_id(1, 2, 3);
        Header::new(Kind::Request, Class::Request, id, Target::Terminal(key), TerminalKey::FIRST)
    }

    #[test]
    fn a_signal_comes_back_as_it_was_sent() {
        let key = TerminalKey::synthetic(PartitionId(7), 1);
        let targets = [
            Target::Terminal(key),
            Target::Node(NodeId(9)),
            Target::Members(PartitionId(7)),
            Target::Watchers(PartitionId(8)),
        ];
        for target in targets {
            let path = Some(vec![Hop { node: NodeId(1), round_trip_us: 5 }]);
            let header = Header { target, path, extra: Bytes::from_static(b"\x81\x01\x02"), ..header() };
            let frame = encode_signal(&header, b"body");
            assert_eq!(Frame::decode(frame), Ok(Frame::Signal(header, Bytes::from_static(b"body"))));
        }
    }

    #[test]
    fn every_prefix_of_a_frame_is_refused_or_read_without_a_panic() {
        let frame = encode_signal(&header(), b"");
        for end in 0..frame.len() {
            assert!(Frame::decode(frame.slice(..end)).is_err(), "prefix of {end} bytes");
        }
    }

    #[test]
    fn faults_are_named() {
        assert_eq!(Frame::decode(Bytes::from_static(b"\x99")), Err(BadFrame::Format(0x99)));
        assert_eq!(Frame::decode(Bytes::new()), Err(BadFrame::Truncated));
        let huge = Bytes::from(vec![SIGNAL; limits::FRAME_BYTES_MAX + 1]);
        assert!(matches!(Frame::decode(huge), Err(BadFrame::Size { .. })));
        let long_header = Bytes::from_static(&[SIGNAL, 0xff, 0xff, 0]);
        assert!(matches!(Frame::decode(long_header), Err(BadFrame::Size { .. })));
    }

    #[test]
    fn a_pair_keeps_its_shard_and_pairs_spread() {
        let mut seen = std::collections::BTreeSet::new();
        for bits in 0..64 {
            let target = Target::Terminal(TerminalKey::synthetic(PartitionId(7), bits));
            let header = Header { target, ..header() };
            assert_eq!(header.shard(), header.clone().shard());
            seen.insert(header.shard());
        }
        assert_eq!(seen.len(), usize::from(limits::SHARDS));
    }
}
