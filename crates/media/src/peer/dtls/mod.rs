//! DTLS 1.2 of one transport, by `rtc-dtls`: handshake in either role, the peer's certificate, SRTP keys, application data.

mod alert;
mod config;
mod curve;
pub(super) mod fingerprint;
mod repeat;

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use rtc_dtls::config::HandshakeConfig;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_shared::TransportProtocol;
use taoyao_ortc::transport::{Fingerprint, SrtpSuite};
use taoyao_types::Instant;
use taoyao_types::limits::{DTLS_HANDSHAKE_DATAGRAMS_MAX, DTLS_HANDSHAKE_MAX};

use super::CloseReason;
use super::certificate::Certificate;
use super::srtp::{SrtpKeys, exported_bytes};
use super::time::{from_std, to_std};

pub(super) use config::Configs;
use repeat::Repeat;

/// One association, from before its first datagram to its end.
pub(super) struct Dtls {
    endpoint: Endpoint,
    certificate: Certificate,
    fingerprints: Vec<Fingerprint>,
    state: State,
    /// Datagrams of the handshake so far.
    handshake_datagrams: usize,
    /// When the handshake must be done; from our first or the peer's first datagram on.
    deadline: Option<Instant>,
    outgoing: VecDeque<BytesMut>,
    repeat: Repeat,
    /// The curve of the peer's key, if it is one on which no signature can be verified.
    odd_curve: Option<&'static str>,
}

enum State {
    /// As server, until the client's offer is complete: which of our suites is being tried, and what has come.
    Choosing {
        attempt: usize,
        heard: Vec<Bytes>,
    },
    Handshaking,
    Connected,
    Over,
}

/// What a datagram brought.
pub(super) enum DtlsEvent {
    Connected(Box<SrtpKeys>),
    Data(Bytes),
    Closed(CloseReason),
}

/// The association is known by an address; the transport's may change, so that it is always this one.
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9);
const LABEL: &str = "EXTRACTOR-dtls_srtp";

impl Dtls {
    /// Waits for a client.
    pub(super) fn server(certificate: &Certificate, fingerprints: Vec<Fingerprint>) -> Dtls {
        let first = certificate.configs().server(0);
        let state = State::Choosing { attempt: 0, heard: Vec::new() };
        Dtls::new(endpoint(first.cloned()), certificate, fingerprints, state)
    }

    /// Begins the handshake.
    pub(super) fn client(now: Instant, certificate: &Certificate, fingerprints: Vec<Fingerprint>) -> Dtls {
        let mut endpoint = endpoint(None);
        let begun = endpoint.connect(to_std(now), PEER, certificate.configs().client().clone(), None);
        let state = if begun.is_ok() { State::Handshaking } else { State::Over };
        let mut dtls = Dtls::new(endpoint, certificate, fingerprints, state);
        dtls.deadline = Some(now + DTLS_HANDSHAKE_MAX);
        dtls.collect(now);
        dtls
    }

    fn new(
        endpoint: Endpoint,
        certificate: &Certificate,
        fingerprints: Vec<Fingerprint>,
        state: State,
    ) -> Dtls {
        Dtls {
            endpoint,
            certificate: certificate.clone(),
            fingerprints,
            state,
            handshake_datagrams: 0,
            deadline: None,
            outgoing: VecDeque::new(),
            repeat: Repeat::new(),
            odd_curve: None,
        }
    }

    /// `connecting`, `connected` or `closed`.
    pub(super) fn state(&self) -> &'static str {
        match self.state {
            State::Choosing { .. } | State::Handshaking => "connecting",
            State::Connected => "connected",
            State::Over => "closed",
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        matches!(self.state, State::Connected)
    }

    /// Takes a datagram; tells what it brought, in order.
    pub(super) fn handle(&mut self, now: Instant, datagram: &[u8], tell: &mut dyn FnMut(DtlsEvent)) {
        match &self.state {
            State::Over => return,
            State::Connected => {}
            State::Choosing { .. } | State::Handshaking => {
                self.deadline.get_or_insert(now + DTLS_HANDSHAKE_MAX);
                self.handshake_datagrams += 1;
                self.odd_curve = self.odd_curve.or_else(|| curve::odd_in(datagram));
                if self.handshake_datagrams > DTLS_HANDSHAKE_DATAGRAMS_MAX {
                    let why = format!("it was not over after {DTLS_HANDSHAKE_DATAGRAMS_MAX} datagrams");
                    return self.fail(failed(why), tell);
                }
            }
        }
        if let State::Choosing { heard, .. } = &mut self.state {
            heard.push(Bytes::copy_from_slice(datagram));
        }
        self.read(now, datagram, tell);
        self.collect(now);
    }

    /// Queues data for [`Self::poll_transmit`]; dropped unless connected.
    pub(super) fn send(&mut self, now: Instant, data: &[u8]) {
        if self.is_connected() && self.endpoint.write(to_std(now), PEER, data).is_err() {
            self.state = State::Over;
        }
        self.collect(now);
    }

    pub(super) fn poll_transmit(&mut self) -> Option<BytesMut> {
        self.outgoing.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Choosing { .. } | State::Handshaking => {
                let own = self.endpoint.poll_timeout(&PEER).map(from_std);
                [own, self.repeat.poll_timeout(), self.deadline].into_iter().flatten().min()
            }
            State::Connected | State::Over => None,
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, tell: &mut dyn FnMut(DtlsEvent)) {
        if self.poll_timeout().is_none_or(|at| at > now) {
            return;
        }
        // Without an association there is nothing that could fail.
        if self.deadline.is_some_and(|end| end <= now) {
            let why = format!("it was not over within {} s", DTLS_HANDSHAKE_MAX.as_secs());
            return self.fail(failed(why), tell);
        }
        if self.endpoint.get_connection_state(PEER).is_some()
            && let Err(error) = self.endpoint.handle_timeout(PEER, to_std(now))
        {
            return self.fail(failed(error.to_string()), tell);
        }
        self.repeat.handle_timeout(now, &mut self.outgoing);
        self.collect(now);
    }

    /// Says goodbye.
    pub(super) fn close(&mut self, now: Instant) {
        if !matches!(self.state, State::Over) {
            self.endpoint.stop(to_std(now), PEER);
            self.collect(now);
            self.repeat.stop();
            self.state = State::Over;
        }
    }

    fn read(&mut self, now: Instant, datagram: &[u8], tell: &mut dyn FnMut(DtlsEvent)) {
        match self.endpoint.read(to_std(now), PEER, None, BytesMut::from(datagram)) {
            Ok(events) => self.take(now, events, tell),
            Err(rtc_shared::error::Error::ErrServerNoMatchingSrtpProfile) => self.try_next_suite(now, tell),
            // What is broken after the handshake is dropped: it may be anybody's.
            Err(_) if self.is_connected() => {}
            Err(error) => {
                self.collect(now);
                let why = self.why(datagram, &error);
                self.fail(failed(why), tell);
            }
        }
    }

    /// An alert says more than the library's error for it, be it the peer's or ours.
    fn why(&self, datagram: &[u8], error: &rtc_shared::error::Error) -> String {
        let ours = || self.outgoing.iter().find_map(|datagram| alert::told_in(datagram));
        let why = match (alert::told_in(datagram), ours()) {
            (Some(told), _) => format!("the peer ended it: {told}"),
            (None, Some(told)) => format!("{error}; the peer is told {told}"),
            (None, None) => error.to_string(),
        };
        match self.odd_curve {
            Some(curve) => format!("{why}; its certificate's key is on {curve}, give it one on P-256"),
            None => why,
        }
    }

    /// Takes over what the endpoint wants to send; during the handshake it is kept to be repeated.
    fn collect(&mut self, now: Instant) {
        let flight: Vec<BytesMut> =
            std::iter::from_fn(|| self.endpoint.poll_transmit()).map(|one| one.message).collect();
        self.outgoing.extend(flight.iter().cloned());
        match self.state {
            State::Choosing { .. } | State::Handshaking => self.repeat.keep(now, flight),
            State::Connected | State::Over => {}
        }
    }

    fn take(&mut self, now: Instant, events: Vec<EndpointEvent>, tell: &mut dyn FnMut(DtlsEvent)) {
        self.leave_choosing();
        for event in events {
            match event {
                EndpointEvent::HandshakeComplete => match self.keys() {
                    Ok(keys) => {
                        self.state = State::Connected;
                        self.repeat.stop();
                        tell(DtlsEvent::Connected(Box::new(keys)));
                    }
                    Err(reason) => {
                        // Who is refused hears it: without it, it would send into the void.
                        self.close(now);
                        return self.fail(reason, tell);
                    }
                },
                EndpointEvent::ApplicationData(data) if self.is_connected() => {
                    tell(DtlsEvent::Data(data.freeze()))
                }
                EndpointEvent::PeerClosed => return self.fail(CloseReason::PeerClosed, tell),
                _ => {}
            }
        }
    }

    /// An answer is under way: the offer was complete and has been taken.
    fn leave_choosing(&mut self) {
        let has_chosen =
            |profile| profile != rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile::Unsupported;
        let profile = self.endpoint.get_connection_state(PEER).map(|state| state.srtp_protection_profile());
        if matches!(self.state, State::Choosing { .. }) && profile.is_some_and(has_chosen) {
            self.state = State::Handshaking;
        }
    }

    /// The library takes the client's order of suites; offering ours one after the other makes it ours.
    fn try_next_suite(&mut self, now: Instant, tell: &mut dyn FnMut(DtlsEvent)) {
        let State::Choosing { attempt, heard } = &mut self.state else {
            return self.fail(failed("the peer changed its offer".to_owned()), tell);
        };
        *attempt += 1;
        let Some(config) = self.certificate.configs().server(*attempt) else {
            let why = "the peer offers none of the SRTP suites AEAD_AES_128_GCM, AEAD_AES_256_GCM and \
                AES128_CM_HMAC_SHA1_80";
            return self.fail(failed(why.to_owned()), tell);
        };
        self.endpoint = endpoint(Some(config.clone()));
        let mut again = std::mem::take(heard);
        for datagram in again.drain(..) {
            self.handle(now, &datagram, tell);
        }
    }

    /// The SRTP keys, once the certificate has proven to be the announced one.
    fn keys(&self) -> Result<SrtpKeys, CloseReason> {
        let no_keys = || failed("it left no keys for SRTP".to_owned());
        let state = self.endpoint.get_connection_state(PEER).ok_or_else(no_keys)?;
        let is_announced =
            state.peer_certificates.first().is_some_and(|own| fingerprint::is_of(&self.fingerprints, own));
        if !is_announced {
            return Err(CloseReason::WrongCertificate);
        }
        let suite = config::suite(state.srtp_protection_profile()).ok_or_else(no_keys)?;
        let exported = state.export_keying_material(LABEL, &[], exported_bytes(suite));
        let exported = exported.map_err(|_| no_keys())?;
        SrtpKeys::from_exported(suite, exported.as_ref(), state.is_client()).ok_or_else(no_keys)
    }

    fn fail(&mut self, reason: CloseReason, tell: &mut dyn FnMut(DtlsEvent)) {
        self.state = State::Over;
        self.repeat.stop();
        tell(DtlsEvent::Closed(reason));
    }
}

fn failed(why: String) -> CloseReason {
    CloseReason::HandshakeFailed { why }
}

fn endpoint(server: Option<Arc<HandshakeConfig>>) -> Endpoint {
    Endpoint::new(PEER, TransportProtocol::UDP, server)
}

/// Our order of preference: what is cheapest for all packets comes first.
pub(super) const PREFERENCE: [SrtpSuite; 3] =
    [SrtpSuite::AeadAes128Gcm, SrtpSuite::AeadAes256Gcm, SrtpSuite::AesCm128HmacSha1_80];

#[cfg(test)]
mod tests {
    use super::*;
    use SrtpSuite::{AeadAes128Gcm, AeadAes256Gcm, AesCm128HmacSha1_80};

    /// What both ends agree on if the client offers these, in its order; none if there is no handshake.
    fn agreed(offer: &[SrtpSuite]) -> Option<SrtpSuite> {
        let now = Instant(0);
        let (config, fingerprint) = config::client_offering(offer);
        let mut server = Dtls::server(&Certificate::generate().unwrap(), vec![fingerprint]);
        let mut client = endpoint(None);
        client.connect(to_std(now), PEER, config, None).unwrap();
        let mut suite = None;
        for _ in 0..10 {
            while let Some(transmit) = client.poll_transmit() {
                server.handle(now, &transmit.message, &mut |event| {
                    if let DtlsEvent::Connected(keys) = event {
                        suite = Some(keys.suite);
                    }
                });
            }
            while let Some(datagram) = server.poll_transmit() {
                let _events = client.read(to_std(now), PEER, None, datagram);
            }
        }
        suite
    }

    #[test]
    fn the_suite_is_our_choice_among_what_the_client_offers() {
        assert_eq!(agreed(&[AesCm128HmacSha1_80, AeadAes256Gcm, AeadAes128Gcm]), Some(AeadAes128Gcm));
        assert_eq!(agreed(&[AesCm128HmacSha1_80, AeadAes256Gcm]), Some(AeadAes256Gcm));
        assert_eq!(agreed(&[AesCm128HmacSha1_80]), Some(AesCm128HmacSha1_80));
    }

    /// The reason that the association gives at its end, having heard these datagrams and then nothing for a minute.
    fn end_of(datagrams: &[Vec<u8>]) -> String {
        let mut now = Instant(1_000_000);
        let mut server = Dtls::server(&Certificate::generate().unwrap(), Vec::new());
        let mut reasons = Vec::new();
        let mut tell = |event| {
            if let DtlsEvent::Closed(reason) = event {
                reasons.push(reason.to_string());
            }
        };
        for datagram in datagrams {
            server.handle(now, datagram, &mut tell);
        }
        for _ in 0..120 {
            now = now + std::time::Duration::from_millis(500);
            server.handle_timeout(now, &mut tell);
        }
        assert_eq!((reasons.len(), server.state()), (1, "closed"), "it ends, and says so once: {reasons:?}");
        reasons.remove(0)
    }

    fn hello(suites: &[SrtpSuite]) -> Vec<u8> {
        let mut client = endpoint(None);
        client.connect(to_std(Instant(0)), PEER, config::client_offering(suites).0, None).unwrap();
        client.poll_transmit().unwrap().message.to_vec()
    }

    #[test]
    fn every_handshake_that_ends_says_why() {
        let record = |kind: u8, body: &[u8]| {
            [&[kind, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, body.len() as u8], body].concat()
        };
        let offer = hello(&[AeadAes128Gcm]);
        let table: [(&[Vec<u8>], &str); 5] = [
            (std::slice::from_ref(&offer), "not over within 30 s"),
            (&[offer.clone(), record(21, &[2, 43])], "the peer ended it: unsupported_certificate"),
            (
                &[record(22, &[6, 5, 0x2b, 0x81, 4, 0, 0x21]), record(21, &[2, 40])],
                "is on P-224, give it one on P-256",
            ),
            (&[record(21, &[2, 40])], "the peer ended it: handshake_failure"),
            (&vec![record(20, &[1]); DTLS_HANDSHAKE_DATAGRAMS_MAX + 1], "datagrams"),
        ];
        for (datagrams, why) in table {
            let told = end_of(datagrams);
            assert!(told.starts_with("the DTLS handshake failed: ") && told.contains(why), "{why}: {told}");
        }
    }
}
