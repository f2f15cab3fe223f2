//! One WebRTC transport's protocols without its socket: ICE, DTLS, SRTP and SCTP behind one `handle`, one `poll`.
//!
//! The owner of the socket finds the peer of a datagram (by the source address once [`PeerEvent::Reached`] told it, by
//! [`taoyao_sfu::ice::ufrag_of`] before), hands it to [`Peer::handle_datagram`], and afterwards polls transmits and events
//! until there are none. Media is opened and sealed in the caller's buffer; nothing is allocated for it.

pub mod certificate;
pub mod srtp;

use bytes::Bytes;
use taoyao_ortc::transport::{
    DtlsParameters, DtlsRole, IceParameters, NumStreams, SctpStreamParameters, SrtpSuite,
};
use taoyao_sfu::ice::RemoteAddress;
use taoyao_types::Instant;

pub use certificate::Certificate;

/// Bytes that sealing adds behind a packet at most (AEAD tag, SRTCP index). A buffer needs so many more than its packet.
pub const SEAL_BYTES_MAX: usize = 32;

/// The stack of one transport.
pub struct Peer {}

/// What a peer is made of.
pub struct PeerSetup {
    /// Our user name fragment and password.
    pub ice: IceParameters,
    pub certificate: Certificate,
    /// Data channels, if wanted.
    pub sctp: Option<NumStreams>,
}

/// What a datagram was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerInput {
    /// An RTP packet of so many bytes, now in plain at the beginning of the buffer.
    Rtp(usize),
    /// A compound RTCP packet of so many bytes, now in plain at the beginning of the buffer.
    Rtcp(usize),
    /// Of ICE, DTLS or SCTP, or refused and counted. Poll transmits, events and the timeout.
    Consumed,
}

/// A datagram that is to be sent, at the beginning of the caller's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerTransmit {
    pub to: RemoteAddress,
    pub len: usize,
}

/// What the owner of a peer has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerEvent {
    /// A valid check came from here: datagrams of this address are this peer's.
    Reached(RemoteAddress),
    /// The address is no longer this peer's.
    Left(RemoteAddress),
    /// DTLS is up and the certificate is the one that was announced: media may flow.
    Connected { suite: SrtpSuite },
    /// Messages may be sent.
    ChannelsOpen,
    /// A message of a data channel, whole.
    Message { stream: u16, ppid: u32, bytes: Bytes },
    /// The peer has closed this data channel.
    StreamClosed { stream: u16 },
    /// Over and done with; nothing follows.
    Closed(CloseReason),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    #[error("the peer closed its end")]
    PeerClosed,
    #[error("the peer was not heard of for too long")]
    ConsentLost,
    #[error("the DTLS handshake failed")]
    HandshakeFailed,
    #[error("the peer's certificate is not the one that was announced")]
    WrongCertificate,
}

/// Why a peer's DTLS parameters were not taken. The peer's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    #[error(
        "none of the fingerprints can be checked: send one of sha-1, sha-224, sha-256, sha-384 or sha-512"
    )]
    NoFingerprint,
    #[error("the transport is connected already: make a new one")]
    Twice,
}

/// Why a message was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    #[error("the transport has no data channels, or they are not open yet")]
    NotOpen,
    #[error("the message is longer than what the peer takes")]
    TooLong,
    #[error("too much waits for this peer: it reads too slowly")]
    Full,
    #[error("the stream's number is beyond what was agreed on")]
    NoSuchStream,
}

/// Numbers for `status` and metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PeerStats {
    /// `new`, `connected`, `completed` or `disconnected`, as mediasoup calls them.
    pub ice_state: &'static str,
    /// `new`, `connecting`, `connected`, `failed` or `closed`.
    pub dtls_state: &'static str,
    /// `new`, `connecting`, `connected`, `closed`; none without data channels.
    pub sctp_state: Option<&'static str>,
    pub selected: Option<RemoteAddress>,
    pub suite: Option<SrtpSuite>,
    /// Datagrams that were none of ours, broken, forged or repeated.
    pub refused: u64,
}

impl Peer {
    /// A peer that waits for checks; its DTLS waits for [`Self::connect`].
    pub fn new(_now: Instant, _setup: PeerSetup) -> Peer {
        Peer {}
    }

    /// What the peer said of its certificate and its role. `Auto` and `Client` make us the server.
    /// Returns our role.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub fn connect(&mut self, _now: Instant, _remote: &DtlsParameters) -> Result<DtlsRole, ConnectError> {
        Err(ConnectError::NoFingerprint)
    }

    /// New credentials; the old ones are valid until the new ones are used (RFC 8445, section 9).
    pub fn restart_ice(&mut self, _ice: IceParameters) {}

    /// Takes one datagram (of TCP: one frame's content).
    pub fn handle_datagram(
        &mut self,
        _now: Instant,
        _from: RemoteAddress,
        _datagram: &mut [u8],
    ) -> PeerInput {
        PeerInput::Consumed
    }

    /// The next datagram of ICE, DTLS or SCTP. `buffer` holds at least 1,500 bytes.
    pub fn poll_transmit(&mut self, _now: Instant, _buffer: &mut [u8]) -> Option<PeerTransmit> {
        None
    }

    pub fn poll_event(&mut self) -> Option<PeerEvent> {
        None
    }

    /// When [`Self::handle_timeout`] is to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    pub fn handle_timeout(&mut self, _now: Instant) {}

    /// Where media goes; none before a pair is nominated.
    pub fn selected(&self) -> Option<RemoteAddress> {
        None
    }

    /// Whether media can be sealed.
    pub fn is_connected(&self) -> bool {
        false
    }

    /// Seals the RTP packet in the first `len` bytes in place; returns the sealed length. None if not connected or if the
    /// buffer has fewer than [`SEAL_BYTES_MAX`] bytes behind it.
    pub fn seal_rtp(&mut self, _buffer: &mut [u8], _len: usize) -> Option<usize> {
        None
    }

    /// As [`Self::seal_rtp`], of a compound RTCP packet.
    pub fn seal_rtcp(&mut self, _buffer: &mut [u8], _len: usize) -> Option<usize> {
        None
    }

    /// How messages of this stream are to be sent. Both ends call it with the same number (negotiated channels).
    ///
    /// # Errors
    /// [`MessageError::NoSuchStream`] beyond the agreed number of streams, [`MessageError::NotOpen`] without SCTP.
    pub fn open_stream(&mut self, _now: Instant, _stream: &SctpStreamParameters) -> Result<(), MessageError> {
        Err(MessageError::NotOpen)
    }

    /// Resets the stream (RFC 6525).
    pub fn close_stream(&mut self, _now: Instant, _stream: u16) {}

    /// Queues a message. `ppid` is one of RFC 8831, section 8 (51 string, 53 binary, 56 and 57 empty ones).
    ///
    /// # Errors
    /// See [`MessageError`]; the message is lost.
    pub fn send_message(
        &mut self,
        _now: Instant,
        _stream: u16,
        _ppid: u32,
        _bytes: &Bytes,
    ) -> Result<(), MessageError> {
        Err(MessageError::NotOpen)
    }

    /// Says goodbye (`close_notify`); poll transmits once more.
    pub fn close(&mut self, _now: Instant) {}

    pub fn stats(&self) -> PeerStats {
        PeerStats::default()
    }
}
