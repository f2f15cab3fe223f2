//! One connected client with a socket of its own.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use taoyao_ortc::{DtlsParameters, IceParameters};

use crate::clock;
use crate::peer::client::ClientSetup;
use crate::peer::{Certificate, Client, PeerInput};
use crate::socket::{Inbound, Outbound, Udp, Via};
use crate::stats::Traffic;

/// A handshake on loopback takes some milliseconds; a busy machine may take longer.
const CONNECT_MAX: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_micros(200);

/// A client and the socket that it speaks by.
pub struct Link {
    pub(super) client: Client,
    pub(super) socket: Udp,
    pub(super) to: SocketAddr,
}

#[derive(Debug, thiserror::Error)]
pub enum ConnectFailed {
    #[error("a socket of the load: {0}")]
    Socket(#[from] io::Error),
    #[error("the SFU's certificate cannot be checked: {0}")]
    Certificate(#[from] crate::peer::ConnectError),
    #[error("a client of the load was not connected within 10 s")]
    Late,
}

impl Link {
    /// Connects all of these to the SFU at `to`, each by what it was told; blocks until all are.
    ///
    /// # Errors
    /// See [`ConnectFailed`].
    pub fn connect(
        to: SocketAddr,
        certificate: &Certificate,
        told: &[(IceParameters, DtlsParameters)],
    ) -> Result<Vec<Link>, ConnectFailed> {
        let mut links = Vec::with_capacity(told.len());
        for (ice, dtls) in told {
            let setup = ClientSetup {
                ice: ice.clone(),
                ufrag: "load".to_owned(),
                dtls: dtls.clone(),
                certificate: certificate.clone(),
                sctp: None,
                seed: fastrand::u64(..),
            };
            let client = Client::new(clock::mono(), setup)?;
            links.push(Link { client, socket: Udp::bind(local(to), 0, 0)?, to });
        }
        let (begun, mut inbound) = (clock::mono(), Inbound::new());
        while !links.iter().all(|link| link.client.suite().is_some()) {
            if clock::mono().since(begun) > CONNECT_MAX {
                return Err(ConnectFailed::Late);
            }
            for link in &mut links {
                link.turn(&mut inbound);
            }
            std::thread::sleep(PAUSE);
        }
        Ok(links)
    }

    /// A turn of an end that is sent nothing but answers to its checks.
    pub fn rest(&mut self) {
        let mut buffer = [0; 2_048];
        while let Ok((len, _)) = self.socket.io.recv_from(&mut buffer) {
            self.client.handle_datagram(clock::mono(), &mut buffer[..len]);
        }
        self.run_timers();
        self.say();
    }

    /// Takes what has come, and says what the client's protocols have to say. Media is dropped.
    pub(super) fn turn(&mut self, inbound: &mut Inbound) {
        while inbound.receive(&self.socket).is_ok() {
            for (_, datagram) in inbound.datagrams() {
                let input = self.client.handle_datagram(clock::mono(), datagram);
                debug_assert!(!matches!(input, PeerInput::Rtp(0)));
            }
        }
        self.run_timers();
        self.say();
    }

    pub(super) fn run_timers(&mut self) {
        let now = clock::mono();
        if self.client.poll_timeout().is_some_and(|at| at <= now) {
            self.client.handle_timeout(now);
        }
    }

    pub(super) fn say(&mut self) {
        let mut buffer = [0; 2_048];
        while let Some(len) = self.client.poll_transmit(clock::mono(), &mut buffer) {
            // What is lost is said again.
            drop(self.socket.io.send_to(&buffer[..len], self.to));
        }
    }
}

/// An address of this machine from which `to` is reached: the load runs beside what it measures.
pub(super) fn local(to: SocketAddr) -> IpAddr {
    to.ip()
}

/// One socket's way out.
pub(super) struct Exit {
    pub(super) outbound: Outbound,
    pub(super) via: Via,
    pub(super) traffic: Traffic,
}

impl Exit {
    pub(super) fn new(socket: Rc<Udp>) -> Self {
        let mut outbound = Outbound::new();
        let via = outbound.open(socket);
        Self { outbound, via, traffic: Traffic::default() }
    }
}
