//! A transport's stack and a client of it, joined by a link in virtual time that can lose, delay and be cut.

use std::time::Duration;

use taoyao_media::peer::client::ClientSetup;
use taoyao_media::peer::{Certificate, Client, Peer, PeerEvent, PeerSetup};
use taoyao_ortc::transport::{DtlsParameters, DtlsRole, IceParameters, NumStreams};
use taoyao_sfu::ice::RemoteAddress;
use taoyao_types::Instant;

pub(crate) struct Pair {
    pub now: Instant,
    pub sfu: Peer,
    pub client: Client,
    pub client_address: RemoteAddress,
    /// Nothing gets through.
    pub is_cut: bool,
    setup: PairSetup,
    client_certificate: Certificate,
    dice: fastrand::Rng,
    flying: Vec<Flying>,
    events: [Vec<PeerEvent>; 2],
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PairSetup {
    pub loss_percent: u8,
    pub jitter_ms: u64,
    pub seed: u64,
    pub has_channels: bool,
    pub sfu_is_dtls_client: bool,
    /// The SFU is not told of the client's certificate yet.
    pub connects_later: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Sfu,
    Client,
}

struct Flying {
    at: Instant,
    to: Side,
    from: RemoteAddress,
    bytes: Vec<u8>,
}

const DELAY: Duration = Duration::from_millis(5);

impl Pair {
    pub(crate) fn new(setup: PairSetup) -> Pair {
        let now = Instant(1_000_000);
        let ice =
            IceParameters { username_fragment: "sfu".into(), password: "secret".into(), ice_lite: true };
        let sctp = setup.has_channels.then_some(NumStreams { outgoing: 1_024, incoming: 1_024 });
        let (certificate, client_certificate) = (certificate(), certificate());
        let role = if setup.sfu_is_dtls_client { DtlsRole::Client } else { DtlsRole::Auto };
        let dtls = DtlsParameters { role, fingerprints: vec![certificate.fingerprint().clone()] };
        let sfu = Peer::new(now, PeerSetup { ice: ice.clone(), certificate, sctp });
        let client_setup = ClientSetup {
            ice,
            ufrag: "me".into(),
            dtls,
            certificate: client_certificate.clone(),
            sctp,
            seed: setup.seed,
        };
        let mut pair = Pair {
            now,
            sfu,
            client: Client::new(now, client_setup).expect("the fingerprint is usable"),
            client_address: RemoteAddress { addr: ([192, 0, 2, 7], 5000).into(), is_tcp: false },
            is_cut: false,
            setup,
            client_certificate,
            dice: fastrand::Rng::with_seed(setup.seed),
            flying: Vec::new(),
            events: [Vec::new(), Vec::new()],
        };
        if !setup.connects_later {
            let client = pair.client_dtls();
            pair.sfu.connect(now, &client).expect("the fingerprint is usable");
        }
        pair
    }

    /// What signalling says of the client.
    pub(crate) fn client_dtls(&self) -> DtlsParameters {
        let role = if self.setup.sfu_is_dtls_client { DtlsRole::Server } else { DtlsRole::Client };
        DtlsParameters { role, fingerprints: vec![self.client_certificate.fingerprint().clone()] }
    }

    pub(crate) fn events(&self, side: Side) -> &[PeerEvent] {
        &self.events[side as usize]
    }

    /// Lets so much time pass.
    pub(crate) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            self.send();
            let next = self.flying.iter().map(|flying| flying.at).min();
            let timers = [next, self.sfu.poll_timeout(), self.client.poll_timeout()];
            let Some(at) = timers.into_iter().flatten().min().filter(|at| *at <= end) else {
                break;
            };
            self.now = at.max(self.now);
            self.deliver();
            self.sfu.handle_timeout(self.now);
            self.client.handle_timeout(self.now);
        }
        self.now = end;
        self.events[Side::Sfu as usize].extend(std::iter::from_fn(|| self.sfu.poll_event()));
        self.events[Side::Client as usize].extend(std::iter::from_fn(|| self.client.poll_event()));
    }

    fn send(&mut self) {
        let mut buffer = [0; 1_500];
        while let Some(transmit) = self.sfu.poll_transmit(self.now, &mut buffer) {
            if transmit.to == self.client_address {
                self.throw(Side::Client, buffer[..transmit.len].to_vec());
            }
        }
        while let Some(len) = self.client.poll_transmit(self.now, &mut buffer) {
            self.throw(Side::Sfu, buffer[..len].to_vec());
        }
    }

    fn throw(&mut self, to: Side, bytes: Vec<u8>) {
        let is_lost = self.dice.u8(0..100) < self.setup.loss_percent;
        if is_lost || self.is_cut {
            return;
        }
        let jitter = Duration::from_millis(self.dice.u64(0..=self.setup.jitter_ms));
        self.flying.push(Flying { at: self.now + DELAY + jitter, to, from: self.client_address, bytes });
    }

    fn deliver(&mut self) {
        self.flying.sort_by_key(|flying| flying.at);
        while self.flying.first().is_some_and(|flying| flying.at <= self.now) {
            let mut flying = self.flying.remove(0);
            match flying.to {
                Side::Sfu => self.sfu.handle_datagram(self.now, flying.from, &mut flying.bytes),
                Side::Client => self.client.handle_datagram(self.now, &mut flying.bytes),
            };
        }
    }
}

fn certificate() -> Certificate {
    Certificate::generate().expect("the system has randomness")
}
