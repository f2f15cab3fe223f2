//! What runs over a transport's path, whoever finds the path: DTLS, SRTP under its keys, SCTP inside of it.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use taoyao_ortc::transport::{DtlsRole, Fingerprint, NumStreams, SctpStreamParameters, SrtpSuite};
use taoyao_types::Instant;
use taoyao_types::limits::DTLS_EARLY_DATAGRAMS_MAX;

use super::certificate::Certificate;
use super::dtls::{Dtls, DtlsEvent};
use super::sctp::Sctp;
use super::srtp::{Opener, Sealer};
use super::{CloseReason, MessageError, PeerEvent, PeerInput};

pub(super) struct Stack {
    certificate: Certificate,
    dtls: Option<Dtls>,
    /// A client that is faster than what signalling says of it: kept until then.
    early: Vec<Bytes>,
    srtp: Option<Srtp>,
    sctp: Option<Sctp>,
    events: VecDeque<PeerEvent>,
    is_over: bool,
    pub(super) refused: u64,
    /// Whose handshake it is: `rtc-dtls` logs warnings of its own, which say nothing of it.
    pub(super) span: tracing::Span,
}

struct Srtp {
    suite: SrtpSuite,
    sealer: Sealer,
    opener: Opener,
}

impl Stack {
    pub(super) fn new(certificate: Certificate, sctp: Option<NumStreams>, is_sctp_client: bool) -> Stack {
        Stack {
            certificate,
            dtls: None,
            early: Vec::new(),
            srtp: None,
            sctp: sctp.map(|streams| Sctp::new(streams, is_sctp_client)),
            events: VecDeque::new(),
            is_over: false,
            refused: 0,
            span: tracing::Span::none(),
        }
    }

    pub(super) fn is_started(&self) -> bool {
        self.dtls.is_some()
    }

    /// Begins DTLS in this role of ours.
    pub(super) fn start(&mut self, now: Instant, role: DtlsRole, fingerprints: Vec<Fingerprint>) {
        let span = self.span.clone();
        let _named = span.enter();
        self.dtls = Some(match role {
            DtlsRole::Client => Dtls::client(now, &self.certificate, fingerprints),
            DtlsRole::Server | DtlsRole::Auto => Dtls::server(&self.certificate, fingerprints),
        });
        for datagram in std::mem::take(&mut self.early) {
            self.handle_dtls(now, &datagram);
        }
    }

    /// A datagram that is not of ICE (RFC 7983).
    pub(super) fn handle(&mut self, now: Instant, datagram: &mut [u8]) -> PeerInput {
        match datagram.first() {
            Some(20..=63) => self.handle_dtls(now, datagram),
            Some(128..=191) => return self.open(datagram),
            _ => self.refused += 1,
        }
        PeerInput::Consumed
    }

    pub(super) fn poll_transmit(&mut self) -> Option<BytesMut> {
        self.dtls.as_mut()?.poll_transmit()
    }

    pub(super) fn poll_event(&mut self) -> Option<PeerEvent> {
        self.events.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        if self.is_over {
            return None;
        }
        let dtls = self.dtls.as_ref().and_then(Dtls::poll_timeout);
        let sctp = self.sctp.as_ref().and_then(Sctp::poll_timeout);
        [dtls, sctp].into_iter().flatten().min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        let mut told = Vec::new();
        if let Some(dtls) = &mut self.dtls {
            let _named = self.span.enter();
            dtls.handle_timeout(now, &mut |event| told.push(event));
        }
        self.take(now, told);
        if let Some(sctp) = &mut self.sctp {
            sctp.handle_timeout(now);
        }
        self.flush_sctp(now);
    }

    pub(super) fn suite(&self) -> Option<SrtpSuite> {
        self.srtp.as_ref().map(|srtp| srtp.suite)
    }

    pub(super) fn dtls_state(&self) -> &'static str {
        self.dtls.as_ref().map_or("new", Dtls::state)
    }

    pub(super) fn sctp_state(&self) -> Option<&'static str> {
        self.sctp.as_ref().map(Sctp::state)
    }

    pub(super) fn seal_rtp(&mut self, buffer: &mut [u8], len: usize) -> Option<usize> {
        self.srtp.as_mut()?.sealer.seal_rtp(buffer, len).ok()
    }

    pub(super) fn seal_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Option<usize> {
        self.srtp.as_mut()?.sealer.seal_rtcp(buffer, len).ok()
    }

    pub(super) fn streams_max(&self) -> u16 {
        self.sctp.as_ref().map_or(0, Sctp::streams_max)
    }

    pub(super) fn open_stream(
        &mut self,
        now: Instant,
        stream: &SctpStreamParameters,
    ) -> Result<(), MessageError> {
        let opened = self.sctp.as_mut().ok_or(MessageError::NotOpen)?.open_stream(stream);
        self.flush_sctp(now);
        opened
    }

    pub(super) fn close_stream(&mut self, now: Instant, stream: u16) {
        if let Some(sctp) = &mut self.sctp {
            sctp.close_stream(now, stream);
        }
        self.flush_sctp(now);
    }

    pub(super) fn send_message(
        &mut self,
        now: Instant,
        stream: u16,
        ppid: u32,
        bytes: &Bytes,
    ) -> Result<(), MessageError> {
        let sent = self.sctp.as_mut().ok_or(MessageError::NotOpen)?.send(now, stream, ppid, bytes);
        self.flush_sctp(now);
        sent
    }

    pub(super) fn close(&mut self, now: Instant) {
        if let Some(dtls) = &mut self.dtls {
            let _named = self.span.enter();
            dtls.close(now);
        }
        self.is_over = true;
        self.srtp = None;
    }

    pub(super) fn fail(&mut self, reason: CloseReason) {
        if !self.is_over {
            self.is_over = true;
            self.srtp = None;
            self.events.push_back(PeerEvent::Closed(reason));
        }
    }

    fn open(&mut self, datagram: &mut [u8]) -> PeerInput {
        let Some(srtp) = &mut self.srtp else {
            self.refused += 1;
            return PeerInput::Consumed;
        };
        let opened = if is_rtcp(datagram) {
            srtp.opener.open_rtcp(datagram).map(PeerInput::Rtcp)
        } else {
            srtp.opener.open_rtp(datagram).map(PeerInput::Rtp)
        };
        opened.unwrap_or_else(|_| {
            self.refused += 1;
            PeerInput::Consumed
        })
    }

    fn handle_dtls(&mut self, now: Instant, datagram: &[u8]) {
        let Some(dtls) = &mut self.dtls else {
            if self.early.len() < DTLS_EARLY_DATAGRAMS_MAX {
                self.early.push(Bytes::copy_from_slice(datagram));
            }
            return;
        };
        let mut told = Vec::new();
        self.span.in_scope(|| dtls.handle(now, datagram, &mut |event| told.push(event)));
        self.take(now, told);
        self.flush_sctp(now);
    }

    fn take(&mut self, now: Instant, told: Vec<DtlsEvent>) {
        for event in told {
            match event {
                DtlsEvent::Connected(keys) => {
                    self.srtp = Some(Srtp {
                        suite: keys.suite,
                        sealer: Sealer::new(&keys.local),
                        opener: Opener::new(&keys.remote),
                    });
                    self.events.push_back(PeerEvent::Connected { suite: keys.suite });
                    if let Some(sctp) = &mut self.sctp {
                        sctp.start(now);
                    }
                }
                DtlsEvent::Data(data) => match &mut self.sctp {
                    Some(sctp) => sctp.handle(now, data),
                    None => self.refused += 1,
                },
                DtlsEvent::Closed(reason) => self.fail(reason),
            }
        }
    }

    /// What SCTP has to say goes into DTLS at once.
    fn flush_sctp(&mut self, now: Instant) {
        let (Some(sctp), Some(dtls)) = (&mut self.sctp, &mut self.dtls) else {
            return;
        };
        while let Some(datagram) = sctp.poll_transmit(now) {
            dtls.send(now, &datagram);
        }
        while let Some(event) = sctp.poll_event() {
            self.events.push_back(event);
        }
    }
}

/// RTCP on RTP's port: the payload types 64 to 95 are its packet types 192 to 223 (RFC 5761, section 4).
fn is_rtcp(packet: &[u8]) -> bool {
    packet.get(1).is_some_and(|kind| (192..=223).contains(kind))
}
