//! A plain transport: RTP and RTCP on sockets of its own, as they are or as SRTP under given keys.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mio::Interest;
use taoyao_ortc::{PlainRemote, Refused, SrtpParameters, SrtpSuite};
use taoyao_types::limits;

use crate::config::Config;
use crate::peer::PeerInput;
use crate::peer::srtp::{MasterKey, Opener, Sealer, key_bytes, salt_bytes};
use crate::socket::{Outbound, Udp, Via};

pub(crate) struct Plain {
    rtp: Exit,
    /// Where RTP and RTCP do not share a port.
    rtcp: Option<Exit>,
    /// The remote addresses are those that the first packets come from.
    is_comedia: bool,
    remote: Option<SocketAddr>,
    remote_rtcp: Option<SocketAddr>,
    srtp: Option<Srtp>,
}

struct Exit {
    socket: Rc<Udp>,
    via: Via,
}

struct Srtp {
    suite: SrtpSuite,
    local: SrtpParameters,
    sealer: Sealer,
    /// Known when the peer has told its key.
    opener: Option<Opener>,
}

impl Plain {
    /// Binds sockets on free ports of the range.
    pub(super) fn bind(
        config: &Config,
        outbound: &mut Outbound,
        (has_mux, is_comedia): (bool, bool),
        suite: Option<SrtpSuite>,
    ) -> Result<Self, Refused> {
        let none_free = |_| Refused::Full("no port for plain RTP is free on this node".to_owned());
        let rtp = Rc::new(bind_free(config).map_err(none_free)?);
        let rtcp = if has_mux { None } else { Some(Rc::new(bind_free(config).map_err(none_free)?)) };
        let srtp = suite.map(Srtp::new).transpose()?;
        let mut exit = |socket: Rc<Udp>| Exit { via: outbound.open(Rc::clone(&socket)), socket };
        let (rtp, rtcp) = (exit(rtp), rtcp.map(exit));
        Ok(Self { rtp, rtcp, is_comedia, remote: None, remote_rtcp: None, srtp })
    }

    pub(super) fn close(&self, outbound: &mut Outbound) {
        outbound.close(self.rtp.via);
        if let Some(rtcp) = &self.rtcp {
            outbound.close(rtcp.via);
        }
    }

    pub(super) fn socket(&self, is_rtcp: bool) -> Option<Rc<Udp>> {
        let exit = if is_rtcp { self.rtcp.as_ref()? } else { &self.rtp };
        Some(Rc::clone(&exit.socket))
    }

    pub(super) fn port(&self) -> u16 {
        self.rtp.socket.address().port()
    }

    pub(super) fn rtcp_port(&self) -> Option<u16> {
        self.rtcp.as_ref().map(|exit| exit.socket.address().port())
    }

    pub(super) fn local_srtp(&self) -> Option<&SrtpParameters> {
        self.srtp.as_ref().map(|srtp| &srtp.local)
    }

    pub(super) fn remote(&self) -> Option<SocketAddr> {
        self.remote
    }

    /// What the peer's end is. With comedia only its key counts.
    pub(super) fn connect(&mut self, told: &PlainRemote) -> Result<(), Refused> {
        let invalid = |why: &str| Refused::Invalid(why.to_owned());
        let remote = if self.is_comedia { (None, None) } else { self.addresses(told)? };
        match (&mut self.srtp, &told.srtp_parameters) {
            (Some(srtp), Some(parameters)) => srtp.take(parameters)?,
            (Some(_), None) => {
                return Err(invalid("this transport has SRTP: tell the key in srtpParameters"));
            }
            (None, Some(_)) => return Err(invalid("this transport was made without SRTP")),
            (None, None) => {}
        }
        if !self.is_comedia {
            (self.remote, self.remote_rtcp) = remote;
        }
        Ok(())
    }

    /// The peer's key, before anything is known of its address.
    pub(super) fn take_key(&mut self, key: &SrtpParameters) -> Result<(), Refused> {
        match &mut self.srtp {
            Some(srtp) => srtp.take(key),
            None => Err(Refused::Invalid("this transport was made without SRTP".to_owned())),
        }
    }

    fn addresses(&self, told: &PlainRemote) -> Result<(Option<SocketAddr>, Option<SocketAddr>), Refused> {
        let invalid = |why: &str| Refused::Invalid(why.to_owned());
        let ip = told.ip.ok_or_else(|| invalid("ip is missing: tell where to send"))?;
        let port = told.port.filter(|port| *port != 0).ok_or_else(|| invalid("port is missing"))?;
        let rtcp_port = match (&self.rtcp, told.rtcp_port) {
            (None, _) => port,
            (Some(_), Some(rtcp_port)) if rtcp_port != 0 => rtcp_port,
            (Some(_), _) => return Err(invalid("rtcpPort is missing: this transport has no rtcpMux")),
        };
        Ok((Some(SocketAddr::new(ip, port)), Some(SocketAddr::new(ip, rtcp_port))))
    }

    /// Whether packets can be sent.
    pub(super) fn is_open(&self) -> bool {
        self.remote.is_some()
    }

    /// Opens a datagram in place. None if it is a stranger's or no packet.
    pub(super) fn open(
        &mut self,
        is_rtcp_socket: bool,
        from: SocketAddr,
        datagram: &mut [u8],
    ) -> Option<PeerInput> {
        let is_rtcp = is_rtcp_socket || (self.rtcp.is_none() && is_rtcp(datagram));
        if !is_rtp_version(datagram) || !self.is_known(is_rtcp, from) {
            return None;
        }
        let len = match &mut self.srtp {
            None => datagram.len(),
            Some(srtp) => {
                let opener = srtp.opener.as_mut()?;
                if is_rtcp { opener.open_rtcp(datagram) } else { opener.open_rtp(datagram) }.ok()?
            }
        };
        self.learn(is_rtcp, from);
        Some(if is_rtcp { PeerInput::Rtcp(len) } else { PeerInput::Rtp(len) })
    }

    fn is_known(&self, is_rtcp: bool, from: SocketAddr) -> bool {
        let remote = if is_rtcp && self.rtcp.is_some() { self.remote_rtcp } else { self.remote };
        match remote {
            Some(remote) => remote == from,
            None => self.is_comedia,
        }
    }

    fn learn(&mut self, is_rtcp: bool, from: SocketAddr) {
        let remote = if is_rtcp && self.rtcp.is_some() { &mut self.remote_rtcp } else { &mut self.remote };
        remote.get_or_insert(from);
    }

    /// Where a packet of a kind leaves, and where to.
    pub(super) fn way(&self, is_rtcp: bool) -> Option<(Via, SocketAddr)> {
        match &self.rtcp {
            Some(rtcp) if is_rtcp => Some((rtcp.via, self.remote_rtcp?)),
            _ => Some((self.rtp.via, self.remote?)),
        }
    }

    /// Seals the packet in the first `len` bytes in place. Returns how long it is then.
    pub(super) fn seal(&mut self, is_rtcp: bool, buffer: &mut [u8], len: usize) -> Option<usize> {
        match &mut self.srtp {
            None => Some(len),
            Some(srtp) if is_rtcp => srtp.sealer.seal_rtcp(buffer, len).ok(),
            Some(srtp) => srtp.sealer.seal_rtp(buffer, len).ok(),
        }
    }

    pub(super) fn register(&self, registry: &mio::Registry, key: u32) -> io::Result<()> {
        use std::os::fd::AsRawFd;
        for (is_rtcp, exit) in [(false, Some(&self.rtp)), (true, self.rtcp.as_ref())] {
            if let Some(exit) = exit {
                let fd = exit.socket.io.as_raw_fd();
                registry.register(
                    &mut mio::unix::SourceFd(&fd),
                    super::token::of_plain(key, is_rtcp),
                    Interest::READABLE,
                )?;
            }
        }
        Ok(())
    }
}

impl Srtp {
    fn new(suite: SrtpSuite) -> Result<Self, Refused> {
        let mut key_and_salt = vec![0; key_bytes(suite) + salt_bytes(suite)];
        getrandom::fill(&mut key_and_salt)
            .map_err(|_| Refused::Full("the node has no random numbers for a key".to_owned()))?;
        let master = MasterKey::new(suite, &key_and_salt).expect("the suite's own length");
        let local = SrtpParameters { crypto_suite: suite, key_base64: STANDARD.encode(&key_and_salt) };
        Ok(Self { suite, local, sealer: Sealer::new(&master), opener: None })
    }

    fn take(&mut self, remote: &SrtpParameters) -> Result<(), Refused> {
        let invalid = |why: &str| Refused::Invalid(why.to_owned());
        if remote.crypto_suite != self.suite {
            return Err(invalid("srtpParameters are of another suite than the transport"));
        }
        let key_and_salt =
            STANDARD.decode(&remote.key_base64).map_err(|_| invalid("keyBase64 is not base64"))?;
        let master = MasterKey::new(self.suite, &key_and_salt)
            .ok_or_else(|| invalid("keyBase64 has not the suite's length of key and salt"))?;
        self.opener = Some(Opener::new(&master));
        Ok(())
    }
}

/// A socket on some port of the range; tried from a random place on, so that ports are not used again at once.
fn bind_free(config: &Config) -> io::Result<Udp> {
    let (first, last) = (*config.plain_ports.start(), *config.plain_ports.end());
    if last == 0 {
        return Udp::bind(config.listen, 0, config.dscp);
    }
    let first = first.max(1);
    let mut last_error = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..limits::MEDIA_PLAIN_PORT_TRIES {
        let port = fastrand::u16(first.min(last)..=last);
        match Udp::bind(config.listen, port, config.dscp) {
            Ok(socket) => return Ok(socket),
            Err(error) => last_error = error,
        }
    }
    Err(last_error)
}

/// What terminals are told of a plain transport's address.
pub(super) fn announced_ip(config: &Config, socket: &Udp) -> IpAddr {
    let announced = super::ice::announced(config, socket.address());
    announced.iter().find_map(|text| text.parse().ok()).unwrap_or(socket.address().ip())
}

fn is_rtp_version(datagram: &[u8]) -> bool {
    datagram.len() >= 8 && datagram[0] >> 6 == 2
}

/// By the payload type (RFC 5761, section 4).
fn is_rtcp(datagram: &[u8]) -> bool {
    datagram.get(1).is_some_and(|second| (64..96).contains(&(second & 0x7f)))
}
