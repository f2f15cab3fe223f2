//! The first words on a link: who is there, in which life, speaking which versions; and the numbers with which a
//! link is refused or closed.
//!
//! A hello is a msgpack map with named fields, so that a newer node may add fields and an older one skips them.

use serde::{Deserialize, Serialize};
use taoyao_types::{NodeEpoch, NodeId, limits};

/// The newest link protocol that this build speaks.
pub const PROTOCOL_MAX: u16 = 1;
/// The oldest link protocol that this build speaks.
pub const PROTOCOL_MIN: u16 = 1;

/// Which of a link's two connections a hello belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectionKind {
    /// Signals, directory changes, heartbeats.
    Signal,
    /// Snapshots and whatever else is large and may wait.
    Bulk,
}

/// What each end says first on each connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub protocol_min: u16,
    pub protocol_max: u16,
    pub node: NodeId,
    pub epoch: NodeEpoch,
    /// The generation of the topology that the node runs with.
    pub generation: u64,
    /// The dialler's count of dials in this life: joins a link's two connections and orders its links.
    /// The accepting end repeats it.
    pub dial: u64,
    pub kind: ConnectionKind,
    /// What the node can do beyond the protocol's version, as a bit set; unknown bits are ignored.
    /// No bit is given yet. Bit 0 is kept for resync by digest.
    #[serde(default)]
    pub features: u64,
}

/// A hello that cannot be read; the peer's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadHello {
    #[error("a hello of {bytes} bytes; at most {max} are allowed")]
    Size { bytes: usize, max: usize },
    #[error("a hello that cannot be read: {0}")]
    Form(String),
    #[error(
        "no common protocol version: the peer speaks {theirs_min} to {theirs_max}, this node {ours_min} to {ours_max}"
    )]
    Version { theirs_min: u16, theirs_max: u16, ours_min: u16, ours_max: u16 },
}

impl Hello {
    pub fn encode(&self) -> Vec<u8> {
        rmp_serde::to_vec_named(self).expect("integers and a unit variant always encode")
    }

    /// Reads a hello of at most [`limits::HELLO_BYTES_MAX`] bytes; unknown fields are skipped.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadHello> {
        if bytes.len() > limits::HELLO_BYTES_MAX {
            return Err(BadHello::Size { bytes: bytes.len(), max: limits::HELLO_BYTES_MAX });
        }
        rmp_serde::from_slice(bytes).map_err(|e| BadHello::Form(e.to_string()))
    }

    /// The newest protocol that both ends speak.
    pub fn common_protocol(&self) -> Result<u16, BadHello> {
        let newest = self.protocol_max.min(PROTOCOL_MAX);
        if newest < self.protocol_min.max(PROTOCOL_MIN) {
            return Err(BadHello::Version {
                theirs_min: self.protocol_min,
                theirs_max: self.protocol_max,
                ours_min: PROTOCOL_MIN,
                ours_max: PROTOCOL_MAX,
            });
        }
        Ok(newest)
    }
}

/// Why a link is refused or closed: QUIC's application error code. The numbers never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum CloseCode {
    /// No reason was given (QUIC sends it when a process ends without a word).
    Unspecified = 0,
    /// The node stops.
    Shutdown = 1,
    /// The certificate's identity is not in the topology, or is no identity.
    UnknownNode = 2,
    /// The node is in the topology, but must not dial this one.
    WrongRole = 3,
    /// The hello names another node than the certificate.
    Identity = 4,
    /// No protocol version in common.
    Version = 5,
    /// A hello that cannot be read, or none in time.
    Hello = 6,
    /// A link of the same node that is as new or newer is up.
    Duplicate = 7,
    /// A newer link of the same node has taken over.
    Replaced = 8,
    /// A frame or stream that the protocol does not allow.
    Frame = 9,
    /// The link's other connection is gone.
    Twin = 10,
    /// The peer can be heard but does not hear.
    Unheard = 11,
    /// More connections at once than this node takes.
    Busy = 12,
    /// The node's own machinery or its operator ended the link.
    Ended = 13,
    /// Nothing was heard, or the peer has restarted. Never sent: there is nobody to send it to.
    Lost = 14,
    /// The TLS handshake failed. Never sent: TLS has told the other end.
    Handshake = 15,
    /// A number that this build does not know.
    Unknown = u32::MAX,
}

impl CloseCode {
    const ALL: [Self; 16] = [
        Self::Unspecified,
        Self::Shutdown,
        Self::UnknownNode,
        Self::WrongRole,
        Self::Identity,
        Self::Version,
        Self::Hello,
        Self::Duplicate,
        Self::Replaced,
        Self::Frame,
        Self::Twin,
        Self::Unheard,
        Self::Busy,
        Self::Ended,
        Self::Lost,
        Self::Handshake,
    ];

    pub fn from_number(number: u64) -> Self {
        Self::ALL.into_iter().find(|code| u64::from(*code as u32) == number).unwrap_or(Self::Unknown)
    }
}

/// Why a link was refused or closed, as one end tells the other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    pub code: CloseCode,
    pub reason: String,
}

impl Refusal {
    /// The reason is cut to [`limits::REASON_BYTES_MAX`], so that it fits one packet.
    pub fn new(code: CloseCode, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        reason.truncate(reason.floor_char_boundary(limits::REASON_BYTES_MAX));
        Self { code, reason }
    }

    /// What a peer gave as reason; made safe to print.
    pub fn from_peer(code: u64, reason: &[u8]) -> Self {
        let start = &reason[..reason.len().min(limits::REASON_BYTES_MAX)];
        let text = String::from_utf8_lossy(start).replace(char::is_control, " ");
        let code = CloseCode::from_number(code);
        Self { code, reason: if text.is_empty() { "no reason given".to_owned() } else { text } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello() -> Hello {
        Hello {
            protocol_min: PROTOCOL_MIN,
            protocol_max: PROTOCOL_MAX,
            node: NodeId(7),
            epoch: NodeEpoch(3),
            generation: 9,
            dial: 2,
            kind: ConnectionKind::Bulk,
            features: 5,
        }
    }

    #[test]
    fn a_hello_reads_back_as_it_was_written() {
        assert_eq!(Hello::decode(&hello().encode()), Ok(hello()));
    }

    #[test]
    fn fields_of_newer_nodes_are_skipped() {
        #[derive(Serialize)]
        struct Newer {
            protocol_min: u16,
            protocol_max: u16,
            node: NodeId,
            color: &'static str,
            epoch: NodeEpoch,
            generation: u64,
            dial: u64,
            kind: ConnectionKind,
            features: u64,
            shapes: Vec<u8>,
        }
        let newer = Newer {
            protocol_min: 1,
            protocol_max: 9,
            node: NodeId(7),
            color: "red",
            epoch: NodeEpoch(3),
            generation: 9,
            dial: 2,
            kind: ConnectionKind::Bulk,
            features: 5,
            shapes: vec![1, 2],
        };
        let read = Hello::decode(&rmp_serde::to_vec_named(&newer).unwrap()).unwrap();
        assert_eq!(read, Hello { protocol_max: 9, ..hello() });
        assert_eq!(read.common_protocol(), Ok(PROTOCOL_MAX));
    }

    #[test]
    fn garbage_and_oversize_are_told_apart() {
        assert!(matches!(Hello::decode(b"\xc1garbage"), Err(BadHello::Form(_))));
        assert!(matches!(Hello::decode(&[]), Err(BadHello::Form(_))));
        let large = vec![0; limits::HELLO_BYTES_MAX + 1];
        assert!(matches!(Hello::decode(&large), Err(BadHello::Size { .. })));
    }

    #[test]
    fn ranges_without_overlap_have_no_protocol() {
        let newer = Hello { protocol_min: PROTOCOL_MAX + 1, protocol_max: PROTOCOL_MAX + 2, ..hello() };
        assert!(matches!(newer.common_protocol(), Err(BadHello::Version { .. })));
        let upside_down = Hello { protocol_min: 5, protocol_max: 1, ..hello() };
        assert!(upside_down.common_protocol().is_err());
    }

    #[test]
    fn every_close_code_is_found_by_its_number() {
        for code in CloseCode::ALL {
            assert_eq!(CloseCode::from_number(u64::from(code as u32)), code);
        }
        assert_eq!(CloseCode::from_number(77), CloseCode::Unknown);
    }

    #[test]
    fn a_peers_reason_is_cut_and_cleaned() {
        let refusal = Refusal::from_peer(3, b"a\nb\x1b[31m");
        assert_eq!((refusal.code, refusal.reason.as_str()), (CloseCode::WrongRole, "a b [31m"));
        let long = Refusal::new(CloseCode::Frame, "\u{20ac}".repeat(1000));
        assert!(long.reason.len() <= limits::REASON_BYTES_MAX);
        assert_eq!(Refusal::from_peer(0, &[0xff; 5000]).reason.chars().count(), limits::REASON_BYTES_MAX);
    }
}
