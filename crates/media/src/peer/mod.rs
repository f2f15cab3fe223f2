//! One WebRTC transport's protocols without its socket: ICE, DTLS, SRTP and SCTP behind one `handle`, one `poll`.
//!
//! The owner of the socket finds the peer of a datagram (by the source address once [`PeerEvent::Reached`] told it, by
//! [`taoyao_sfu::ice::ufrag_of`] before), hands it to [`Peer::handle_datagram`], and afterwards polls transmits and events
//! until there are none. Media is opened and sealed in the caller's buffer; nothing is allocated for it.

pub mod certificate;
pub mod client;
mod dtls;
pub mod sctp;
pub mod srtp;
mod stack;
mod time;

use std::collections::VecDeque;

use bytes::Bytes;
use taoyao_ortc::transport::{
    DtlsParameters, DtlsRole, Fingerprint, IceParameters, NumStreams, SctpStreamParameters, SrtpSuite,
};
use taoyao_sfu::ice::stun::{self, ANSWER_BYTES_MAX};
use taoyao_sfu::ice::{Agent, IceState, RemoteAddress};
use taoyao_types::Instant;
use taoyao_types::limits::{ICE_ANSWERS_MAX, ICE_FIRST_CHECK_MAX};

pub use certificate::Certificate;
pub use client::Client;
pub use sctp::{BINARY, BINARY_EMPTY, STRING, STRING_EMPTY};

use stack::Stack;

/// Bytes that sealing adds behind a packet at most (AEAD tag, SRTCP index). A buffer needs so many more than its packet.
pub const SEAL_BYTES_MAX: usize = 32;

/// The stack of one transport.
pub struct Peer {
    ice: Agent,
    answers: VecDeque<Answer>,
    /// Our role and the peer's fingerprints, from [`Peer::connect`] until there is an address to begin with.
    waiting: Option<(DtlsRole, Vec<Fingerprint>)>,
    is_told: bool,
    /// From [`Peer::connect`] until the first valid check. Before it nobody is late: a terminal makes a transport to receive
    /// on and connects it when there is something to receive.
    reach_by: Option<Instant>,
    stack: Stack,
    events: VecDeque<PeerEvent>,
}

/// An answer to a check, on its way.
struct Answer {
    to: RemoteAddress,
    len: usize,
    bytes: [u8; ANSWER_BYTES_MAX],
}

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
    /// The peer has opened a data channel by itself (RFC 8832).
    StreamOpened { stream: SctpStreamParameters, label: String, protocol: String },
    /// The peer has closed this data channel.
    StreamClosed { stream: u16 },
    /// Over and done with; nothing follows.
    Closed(CloseReason),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    #[error("the peer closed its end")]
    PeerClosed,
    #[error("the peer was not heard of for too long")]
    ConsentLost,
    #[error(
        "no valid ICE check came: the addresses or the port of media that the peer was told are not reachable for it"
    )]
    NeverReached,
    #[error(
        "no packet came from the peer of plain RTP: send from the terminal's own address, or name it as remoteIp"
    )]
    NothingCame,
    #[error("the DTLS handshake failed: {why}")]
    HandshakeFailed { why: String },
    #[error("the peer's certificate is not the one that was announced")]
    WrongCertificate,
}

impl CloseReason {
    /// Whether it never came to anything, which somebody has to mend: the others are how connections end.
    pub fn is_failure(&self) -> bool {
        match self {
            Self::NeverReached
            | Self::NothingCame
            | Self::HandshakeFailed { .. }
            | Self::WrongCertificate => true,
            Self::PeerClosed | Self::ConsentLost => false,
        }
    }
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
    pub fn new(_now: Instant, setup: PeerSetup) -> Peer {
        Peer {
            ice: Agent::new(&setup.ice),
            answers: VecDeque::new(),
            waiting: None,
            is_told: false,
            reach_by: None,
            stack: Stack::new(setup.certificate, setup.sctp, false),
            events: VecDeque::new(),
        }
    }

    /// Says whose it is in all that the libraries below log; nobody's without it.
    pub fn log_as(&mut self, span: tracing::Span) {
        self.stack.span = span;
    }

    /// What the peer said of its certificate and its role. `Auto` and `Client` make us the server.
    /// Returns our role.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub fn connect(&mut self, now: Instant, remote: &DtlsParameters) -> Result<DtlsRole, ConnectError> {
        if self.is_told {
            return Err(ConnectError::Twice);
        }
        let fingerprints = dtls::fingerprint::usable(&remote.fingerprints);
        if fingerprints.is_empty() {
            return Err(ConnectError::NoFingerprint);
        }
        let role = match remote.role {
            DtlsRole::Auto | DtlsRole::Client => DtlsRole::Server,
            DtlsRole::Server => DtlsRole::Client,
        };
        self.is_told = true;
        self.reach_by = self.ice.selected().is_none().then(|| now + ICE_FIRST_CHECK_MAX);
        self.waiting = Some((role, fingerprints));
        self.start_if_ready(now);
        Ok(role)
    }

    /// New credentials; the old ones are valid until the new ones are used (RFC 8445, section 9). Returns the user name
    /// fragment that is valid no longer, if this is not the first restart in a row.
    pub fn restart_ice(&mut self, ice: IceParameters) -> Option<String> {
        self.ice.restart(&ice)
    }

    /// Takes one datagram (of TCP: one frame's content).
    pub fn handle_datagram(&mut self, now: Instant, from: RemoteAddress, datagram: &mut [u8]) -> PeerInput {
        if stun::is_stun(datagram) {
            self.handle_check(now, from, datagram);
            return PeerInput::Consumed;
        }
        if !self.ice.knows(from) {
            self.stack.refused += 1;
            return PeerInput::Consumed;
        }
        self.stack.handle(now, datagram)
    }

    /// The next datagram of ICE, DTLS or SCTP. `buffer` holds at least 1,500 bytes.
    pub fn poll_transmit(&mut self, _now: Instant, buffer: &mut [u8]) -> Option<PeerTransmit> {
        if let Some(answer) = self.answers.pop_front() {
            buffer[..answer.len].copy_from_slice(&answer.bytes[..answer.len]);
            return Some(PeerTransmit { to: answer.to, len: answer.len });
        }
        let to = self.ice.selected()?;
        let datagram = self.stack.poll_transmit()?;
        buffer.get_mut(..datagram.len())?.copy_from_slice(&datagram);
        Some(PeerTransmit { to, len: datagram.len() })
    }

    pub fn poll_event(&mut self) -> Option<PeerEvent> {
        self.events.pop_front().or_else(|| self.stack.poll_event())
    }

    /// When [`Self::handle_timeout`] is to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.ice.poll_timeout(), self.reach_by, self.stack.poll_timeout()].into_iter().flatten().min()
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        if self.reach_by.take_if(|by| *by <= now).is_some() {
            self.stack.fail(CloseReason::NeverReached);
        }
        if self.ice.handle_timeout(now) {
            self.stack.fail(CloseReason::ConsentLost);
        }
        self.stack.handle_timeout(now);
    }

    /// Where media goes; none before a valid check.
    pub fn selected(&self) -> Option<RemoteAddress> {
        self.ice.selected()
    }

    /// All addresses that are this peer's.
    pub fn addresses(&self) -> impl Iterator<Item = RemoteAddress> {
        self.ice.addresses()
    }

    /// Whether media can be sealed.
    pub fn is_connected(&self) -> bool {
        self.stack.suite().is_some()
    }

    /// Seals the RTP packet in the first `len` bytes in place; returns the sealed length. None if not connected or if the
    /// buffer has fewer than [`SEAL_BYTES_MAX`] bytes behind it. A number that was sealed before must come with the same
    /// bytes as before (see [`srtp::Sealer::seal_rtp`]).
    pub fn seal_rtp(&mut self, buffer: &mut [u8], len: usize) -> Option<usize> {
        self.stack.seal_rtp(buffer, len)
    }

    /// As [`Self::seal_rtp`], of a compound RTCP packet.
    pub fn seal_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Option<usize> {
        self.stack.seal_rtcp(buffer, len)
    }

    /// How messages of this stream are to be sent. Both ends call it with the same number (negotiated channels).
    ///
    /// # Errors
    /// [`MessageError::NoSuchStream`] beyond the agreed number of streams, [`MessageError::NotOpen`] without SCTP.
    pub fn open_stream(&mut self, now: Instant, stream: &SctpStreamParameters) -> Result<(), MessageError> {
        self.stack.open_stream(now, stream)
    }

    /// How many streams were agreed on; none without SCTP.
    pub fn streams_max(&self) -> u16 {
        self.stack.streams_max()
    }

    /// Resets the stream (RFC 6525).
    pub fn close_stream(&mut self, now: Instant, stream: u16) {
        self.stack.close_stream(now, stream);
    }

    /// Queues a message. `ppid` is one of [`STRING`], [`BINARY`], [`STRING_EMPTY`] and [`BINARY_EMPTY`]; what is unknown counts
    /// as binary.
    ///
    /// # Errors
    /// See [`MessageError`]; the message is lost.
    pub fn send_message(
        &mut self,
        now: Instant,
        stream: u16,
        ppid: u32,
        bytes: &Bytes,
    ) -> Result<(), MessageError> {
        self.stack.send_message(now, stream, ppid, bytes)
    }

    /// Says goodbye (`close_notify`); poll transmits once more.
    pub fn close(&mut self, now: Instant) {
        self.stack.close(now);
    }

    pub fn stats(&self) -> PeerStats {
        PeerStats {
            ice_state: match self.ice.state() {
                IceState::New => "new",
                IceState::Connected => "connected",
                IceState::Completed => "completed",
                IceState::Disconnected => "disconnected",
            },
            dtls_state: self.stack.dtls_state(),
            sctp_state: self.stack.sctp_state(),
            selected: self.ice.selected(),
            suite: self.stack.suite(),
            refused: self.stack.refused,
        }
    }

    fn handle_check(&mut self, now: Instant, from: RemoteAddress, datagram: &[u8]) {
        let mut bytes = [0; ANSWER_BYTES_MAX];
        let outcome = self.ice.handle(now, from, datagram, &mut bytes);
        if outcome.answer > 0 && self.answers.len() < ICE_ANSWERS_MAX {
            self.answers.push_back(Answer { to: from, len: outcome.answer, bytes });
        }
        self.stack.refused += u64::from(outcome.refusal.is_some());
        self.events.extend(outcome.left.map(PeerEvent::Left));
        self.events.extend(outcome.reached.map(PeerEvent::Reached));
        self.reach_by.take_if(|_| outcome.reached.is_some());
        self.start_if_ready(now);
    }

    /// As client we would speak into the void before there is an address, and use up our repetitions.
    fn start_if_ready(&mut self, now: Instant) {
        let is_server = matches!(self.waiting, Some((DtlsRole::Server, _)));
        if (is_server || self.ice.selected().is_some())
            && let Some((role, fingerprints)) = self.waiting.take()
        {
            self.stack.start(now, role, fingerprints);
        }
    }
}
