//! The other end of a [`Peer`](super::Peer), for benchmarks, tests and native terminals without ICE of their own: knows the
//! one address of the SFU, sends checks to it, nominates it, and speaks DTLS, SRTP and SCTP as browsers do.

use std::time::Duration;

use bytes::Bytes;
use taoyao_ortc::transport::{
    DtlsParameters, DtlsRole, IceParameters, NumStreams, SctpStreamParameters, SrtpSuite,
};
use taoyao_sfu::ice::stun::{self, Check, Class, Key, Message, WRITTEN_BYTES_MAX};
use taoyao_types::Instant;

use super::stack::Stack;
use super::{Certificate, CloseReason, ConnectError, MessageError, PeerEvent, PeerInput, dtls};

/// A controlling agent of one pair, and the stack over it. Its owner has one socket that speaks with one address.
pub struct Client {
    username: String,
    key: Key,
    /// Random; makes transactions that are not guessed.
    seed: u64,
    checks: u64,
    check_at: Instant,
    answered_at: Option<Instant>,
    begun_at: Instant,
    role: DtlsRole,
    server: DtlsParameters,
    stack: Stack,
}

/// What a client has to know of the SFU's end, and who it is.
pub struct ClientSetup {
    /// The SFU's user name fragment and password.
    pub ice: IceParameters,
    /// Our own user name fragment.
    pub ufrag: String,
    /// The SFU's certificate. Its role `Client` makes us the server; else we are the client.
    pub dtls: DtlsParameters,
    pub certificate: Certificate,
    pub sctp: Option<NumStreams>,
    /// Random bits.
    pub seed: u64,
}

/// Between checks before the first answer, and after it (RFC 7675, section 5.1: 4 to 6 s).
const CHECK_FAST: Duration = Duration::from_millis(50);
const CHECK_SLOW: Duration = Duration::from_secs(5);
const UNANSWERED_MAX: Duration = Duration::from_secs(30);
/// Of a host candidate (RFC 8445, section 5.1.2).
const PRIORITY: u32 = 0x7e00_01ff;

impl Client {
    /// Sends its first check at the next [`Self::poll_transmit`].
    ///
    /// # Errors
    /// [`ConnectError::NoFingerprint`].
    pub fn new(now: Instant, setup: ClientSetup) -> Result<Client, ConnectError> {
        if dtls::fingerprint::usable(&setup.dtls.fingerprints).is_empty() {
            return Err(ConnectError::NoFingerprint);
        }
        let role = if setup.dtls.role == DtlsRole::Client { DtlsRole::Server } else { DtlsRole::Client };
        Ok(Client {
            username: format!("{}:{}", setup.ice.username_fragment, setup.ufrag),
            key: Key::new(&setup.ice.password),
            seed: setup.seed,
            checks: 0,
            check_at: now,
            answered_at: None,
            begun_at: now,
            role,
            server: setup.dtls,
            stack: Stack::new(setup.certificate, setup.sctp, true),
        })
    }

    /// New credentials of the SFU after a restart of ICE: checked with at once.
    pub fn restart_ice(&mut self, now: Instant, ice: &IceParameters, ufrag: &str) {
        self.username = format!("{}:{ufrag}", ice.username_fragment);
        self.key = Key::new(&ice.password);
        self.check_at = now;
    }

    /// A datagram of the SFU.
    pub fn handle_datagram(&mut self, now: Instant, datagram: &mut [u8]) -> PeerInput {
        if !stun::is_stun(datagram) {
            return self.stack.handle(now, datagram);
        }
        let message = Message::read(datagram);
        let is_answer = message.is_some_and(|message| {
            message.class == Class::Success && self.is_ours(&message) && message.is_signed_with(&self.key)
        });
        if is_answer {
            self.answered(now);
        }
        PeerInput::Consumed
    }

    /// The next datagram for the SFU, at the beginning of `buffer` of at least 1,500 bytes.
    pub fn poll_transmit(&mut self, now: Instant, buffer: &mut [u8]) -> Option<usize> {
        if now >= self.check_at {
            return Some(self.write_check(now, buffer));
        }
        let datagram = self.stack.poll_transmit()?;
        buffer.get_mut(..datagram.len())?.copy_from_slice(&datagram);
        Some(datagram.len())
    }

    pub fn poll_event(&mut self) -> Option<PeerEvent> {
        self.stack.poll_event()
    }

    /// When to call [`Self::handle_timeout`] and to poll transmits.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [Some(self.check_at), self.stack.poll_timeout()].into_iter().flatten().min()
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        if now.since(self.answered_at.unwrap_or(self.begun_at)) >= UNANSWERED_MAX {
            self.stack.fail(CloseReason::ConsentLost);
        }
        self.stack.handle_timeout(now);
    }

    /// None before DTLS is up.
    pub fn suite(&self) -> Option<SrtpSuite> {
        self.stack.suite()
    }

    /// See [`Peer::seal_rtp`](super::Peer::seal_rtp).
    pub fn seal_rtp(&mut self, buffer: &mut [u8], len: usize) -> Option<usize> {
        self.stack.seal_rtp(buffer, len)
    }

    /// See [`Peer::seal_rtcp`](super::Peer::seal_rtcp).
    pub fn seal_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Option<usize> {
        self.stack.seal_rtcp(buffer, len)
    }

    /// See [`Peer::open_stream`](super::Peer::open_stream).
    ///
    /// # Errors
    /// See [`MessageError`].
    pub fn open_stream(&mut self, now: Instant, stream: &SctpStreamParameters) -> Result<(), MessageError> {
        self.stack.open_stream(now, stream)
    }

    /// See [`Peer::close_stream`](super::Peer::close_stream).
    pub fn close_stream(&mut self, now: Instant, stream: u16) {
        self.stack.close_stream(now, stream);
    }

    /// See [`Peer::send_message`](super::Peer::send_message).
    ///
    /// # Errors
    /// See [`MessageError`].
    pub fn send_message(
        &mut self,
        now: Instant,
        stream: u16,
        ppid: u32,
        bytes: &Bytes,
    ) -> Result<(), MessageError> {
        self.stack.send_message(now, stream, ppid, bytes)
    }

    /// Says goodbye; poll transmits once more.
    pub fn close(&mut self, now: Instant) {
        self.stack.close(now);
    }

    fn write_check(&mut self, now: Instant, buffer: &mut [u8]) -> usize {
        self.checks += 1;
        self.check_at = now + if self.answered_at.is_some() { CHECK_SLOW } else { CHECK_FAST };
        let check = Check {
            transaction: self.transaction(self.checks),
            username: &self.username,
            priority: PRIORITY,
            tie_breaker: self.seed,
            is_nominating: true,
        };
        let mut out = [0; WRITTEN_BYTES_MAX];
        let len = stun::write_check(&check, &self.key, &mut out);
        buffer[..len].copy_from_slice(&out[..len]);
        len
    }

    fn transaction(&self, number: u64) -> stun::Transaction {
        let mut transaction = [0; 12];
        transaction[..8].copy_from_slice(&self.seed.wrapping_add(number).to_be_bytes());
        transaction
    }

    /// Whether it answers one of the last few checks.
    fn is_ours(&self, answer: &Message<'_>) -> bool {
        let first = self.checks.saturating_sub(8);
        (first..=self.checks).any(|number| self.transaction(number) == answer.transaction)
    }

    fn answered(&mut self, now: Instant) {
        if self.answered_at.replace(now).is_none() {
            self.check_at = now + CHECK_SLOW;
        }
        if !self.stack.is_started() {
            self.stack.start(now, self.role, dtls::fingerprint::usable(&self.server.fingerprints));
        }
    }
}
