//! A terminal with a real socket: ICE, DTLS and SRTP as a browser does them, over UDP or TCP.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::LazyLock;
use std::time::{Duration, Instant as Monotonic};

use taoyao_media::peer::client::ClientSetup;
use taoyao_media::peer::{Certificate, Client, PeerEvent, PeerInput};
use taoyao_ortc::{
    Act, DtlsParameters, DtlsRole, IceParameters, NumStreams, Reply, TransportId, TransportLocal,
    TransportPlan,
};
use taoyao_types::Instant;

use crate::side::{LONG, Side};

static START: LazyLock<Monotonic> = LazyLock::new(Monotonic::now);
const TURN: Duration = Duration::from_millis(5);

pub(crate) struct Terminal {
    pub(crate) id: TransportId,
    pub(crate) client: Client,
    pub(crate) ice: IceParameters,
    /// The worker's socket.
    pub(crate) to: SocketAddr,
    way: Way,
    /// What came, decrypted, and was not taken yet.
    pub(crate) rtp: Vec<Vec<u8>>,
    pub(crate) rtcp: Vec<Vec<u8>>,
    pub(crate) events: Vec<PeerEvent>,
}

enum Way {
    Udp { socket: UdpSocket, to: SocketAddr },
    Tcp { stream: TcpStream, input: Vec<u8> },
}

pub(crate) fn now() -> Instant {
    Instant(u64::try_from(START.elapsed().as_micros()).unwrap() + 1)
}

impl Terminal {
    /// Connected by UDP, without data channels.
    pub(crate) fn join(side: &mut Side) -> Self {
        Self::connect(side, false, None)
    }

    pub(crate) fn join_by_tcp(side: &mut Side) -> Self {
        Self::connect(side, true, None)
    }

    pub(crate) fn join_with_channels(side: &mut Side) -> Self {
        Self::connect(side, false, Some(NumStreams { outgoing: 64, incoming: 64 }))
    }

    fn connect(side: &mut Side, force_tcp: bool, sctp: Option<NumStreams>) -> Self {
        let id = TransportId::of_random(side.id());
        let plan = TransportPlan::WebRtc { force_tcp, sctp };
        let created = side.ask(Act::CreateTransport { transport: id, plan });
        let Ok(Reply::Transport(TransportLocal::WebRtc { ice, candidates, dtls, .. })) = created else {
            panic!("{created:?}")
        };
        let to = SocketAddr::from((Ipv4Addr::LOCALHOST, candidates[0].port));
        let certificate = Certificate::generate().unwrap();
        let fingerprints = vec![certificate.fingerprint().clone()];
        let setup = ClientSetup {
            ice: ice.clone(),
            ufrag: "terminal".to_owned(),
            dtls,
            certificate,
            sctp,
            seed: u64::try_from(side.id()).unwrap() << 32,
        };
        let dtls = DtlsParameters { role: DtlsRole::Client, fingerprints };
        assert_eq!(side.ask(Act::ConnectWebRtc { transport: id, dtls }), Ok(Reply::Done));
        let way = if force_tcp { Way::tcp(to) } else { Way::udp(to) };
        let client = Client::new(now(), setup).unwrap();
        let (rtp, rtcp, events) = (Vec::new(), Vec::new(), Vec::new());
        let mut terminal = Self { id, client, ice, to, way, rtp, rtcp, events };
        terminal.until("DTLS is up", |terminal| terminal.client.suite().is_some());
        terminal
    }

    /// From now on by another socket, as behind a NAT that has forgotten. The next check goes out at once.
    pub(crate) fn move_away(&mut self) {
        self.way = Way::udp(self.to);
        let ice = self.ice.clone();
        self.client.restart_ice(now(), &ice, "terminal");
    }

    /// Seals and sends.
    pub(crate) fn send_rtp(&mut self, packet: &[u8]) {
        let mut buffer = [0; 1_600];
        buffer[..packet.len()].copy_from_slice(packet);
        let len = self.client.seal_rtp(&mut buffer, packet.len()).unwrap();
        self.way.send(&buffer[..len]);
    }

    /// As it is.
    pub(crate) fn send_raw(&mut self, datagram: &[u8]) {
        self.way.send(datagram);
    }

    /// Sends what SRTP lets through, if anything.
    pub(crate) fn send_rtp_if_sealed(&mut self, packet: &[u8]) {
        let mut buffer = [0; 1_600];
        buffer[..packet.len()].copy_from_slice(packet);
        if let Some(len) = self.client.seal_rtp(&mut buffer, packet.len()) {
            self.way.send(&buffer[..len]);
        }
    }

    pub(crate) fn send_rtcp(&mut self, packet: &[u8]) {
        let mut buffer = [0; 1_600];
        buffer[..packet.len()].copy_from_slice(packet);
        let len = self.client.seal_rtcp(&mut buffer, packet.len()).unwrap();
        self.way.send(&buffer[..len]);
    }

    pub(crate) fn until(&mut self, what: &str, mut is_done: impl FnMut(&mut Self) -> bool) {
        let begun = Monotonic::now();
        while !is_done(self) {
            self.turn();
            assert!(begun.elapsed() < LONG, "it does not happen: {what}");
        }
    }

    /// Says what is to be said, and takes what comes within some milliseconds.
    pub(crate) fn turn(&mut self) {
        self.say();
        let mut buffer = [0; 2_048];
        while let Some(len) = self.way.receive(&mut buffer) {
            match self.client.handle_datagram(now(), &mut buffer[..len]) {
                PeerInput::Rtp(len) => self.rtp.push(buffer[..len].to_vec()),
                PeerInput::Rtcp(len) => self.rtcp.push(buffer[..len].to_vec()),
                PeerInput::Consumed => {}
            }
            self.say();
        }
        if self.client.poll_timeout().is_some_and(|at| at <= now()) {
            self.client.handle_timeout(now());
        }
        while let Some(event) = self.client.poll_event() {
            self.events.push(event);
        }
    }

    pub(crate) fn say(&mut self) {
        let mut buffer = [0; 2_048];
        while let Some(len) = self.client.poll_transmit(now(), &mut buffer) {
            self.way.send(&buffer[..len]);
        }
    }
}

impl Way {
    fn udp(to: SocketAddr) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(TURN)).unwrap();
        Self::Udp { socket, to }
    }

    fn tcp(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).unwrap();
        stream.set_read_timeout(Some(TURN)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self::Tcp { stream, input: Vec::new() }
    }

    fn send(&mut self, datagram: &[u8]) {
        match self {
            Self::Udp { socket, to } => assert_eq!(socket.send_to(datagram, *to).unwrap(), datagram.len()),
            Self::Tcp { stream, .. } => {
                let length = u16::try_from(datagram.len()).unwrap().to_be_bytes();
                stream.write_all(&[&length, datagram].concat()).unwrap();
            }
        }
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Option<usize> {
        match self {
            Self::Udp { socket, .. } => read(socket.recv(buffer)),
            Self::Tcp { stream, input } => loop {
                if let Some((length, rest)) = input.split_first_chunk::<2>() {
                    let length = usize::from(u16::from_be_bytes(*length));
                    if let Some(frame) = rest.get(..length) {
                        buffer[..length].copy_from_slice(frame);
                        input.drain(..2 + length);
                        return Some(length);
                    }
                }
                let count = read(stream.read(buffer))?;
                input.extend_from_slice(&buffer[..count]);
            },
        }
    }
}

fn read(result: std::io::Result<usize>) -> Option<usize> {
    match result {
        Ok(count) => Some(count),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => None,
        Err(error) => panic!("{error}"),
    }
}
