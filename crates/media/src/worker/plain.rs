//! A plain transport: RTP and RTCP on sockets of its own, as they are or as SRTP under given keys.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mio::Interest;
use taoyao_ortc::{PlainRemote, Refused, SrtpParameters, SrtpSuite};
use taoyao_types::{Instant, limits};

use super::consent::Consent;

use crate::config::Config;
use crate::peer::PeerInput;
use crate::peer::srtp::{MasterKey, Opener, Sealer, key_bytes, salt_bytes};
use crate::socket::{Outbound, Udp, Via};

/// The wishes that a plain transport is made by.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlainPlan {
    /// Whether RTCP comes on the port of RTP.
    pub(super) has_mux: bool,
    pub(super) is_comedia: bool,
    /// With comedia: where the packets come from that show the peer's address.
    pub(super) from: Option<IpAddr>,
    pub(super) suite: Option<SrtpSuite>,
}

pub(crate) struct Plain {
    rtp: Exit,
    /// Where RTP and RTCP do not share a port.
    rtcp: Option<Exit>,
    /// The source of the packets that show the remote addresses; none where the addresses are told.
    learns_from: Option<Source>,
    remote: Option<SocketAddr>,
    remote_rtcp: Option<SocketAddr>,
    /// Whether the peer wants to be sent anything.
    consent: Option<Consent>,
    /// Until when the first packet has to come.
    begin_by: Option<Instant>,
    srtp: Option<Srtp>,
}

/// Where a peer's packets come from.
#[derive(Debug, Clone)]
struct Source {
    ip: IpAddr,
    /// The addresses under which this machine is reached: packets of its own programs come from them.
    own: Vec<IpAddr>,
}

/// An opened datagram of a plain transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) input: PeerInput,
    /// Whether it came from an address that is not the peer's yet. It becomes that if the packet was meant for the transport.
    pub(super) is_first: bool,
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
        now: Instant,
        config: &Config,
        outbound: &mut Outbound,
        plan: PlainPlan,
    ) -> Result<Self, Refused> {
        let PlainPlan { has_mux, is_comedia, from, suite } = plan;
        let learns_from = match (is_comedia, from) {
            (false, _) => None,
            (true, Some(ip)) => Some(Source::new(ip, config)),
            (true, None) => {
                let why = "nobody knows where its packets come from: say remoteIp";
                return Err(Refused::Invalid(why.to_owned()));
            }
        };
        let none_free = |_| Refused::Full("no port for plain RTP is free on this node".to_owned());
        let rtp = Rc::new(bind_free(config).map_err(none_free)?);
        let rtcp = if has_mux { None } else { Some(Rc::new(bind_free(config).map_err(none_free)?)) };
        let srtp = suite.map(Srtp::new).transpose()?;
        let mut exit = |socket: Rc<Udp>| Exit { via: outbound.open(Rc::clone(&socket)), socket };
        let (rtp, rtcp) = (exit(rtp), rtcp.map(exit));
        Ok(Self {
            rtp,
            rtcp,
            learns_from,
            remote: None,
            remote_rtcp: None,
            consent: None,
            begin_by: Some(now + limits::PLAIN_FIRST_PACKET_MAX),
            srtp,
        })
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
    pub(super) fn connect(&mut self, now: Instant, told: &PlainRemote) -> Result<(), Refused> {
        let invalid = |why: &str| Refused::Invalid(why.to_owned());
        let is_comedia = self.learns_from.is_some();
        let remote = if is_comedia { (None, None) } else { self.addresses(told)? };
        match (&mut self.srtp, &told.srtp_parameters) {
            (Some(srtp), Some(parameters)) => srtp.take(parameters)?,
            (Some(_), None) => {
                return Err(invalid("this transport has SRTP: tell the key in srtpParameters"));
            }
            (None, Some(_)) => return Err(invalid("this transport was made without SRTP")),
            (None, None) => {}
        }
        if !is_comedia {
            (self.remote, self.remote_rtcp) = remote;
            self.consent = Some(Consent::awaited(now));
            self.begin_by = None;
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

    /// Whether packets are sent: the peer's address is known, and it wants them.
    pub(super) fn is_open(&self, now: Instant) -> bool {
        self.remote.is_some() && self.consent.is_some_and(|consent| consent.holds(now))
    }

    /// Whether nothing came for so long since it was made that nothing will.
    pub(super) fn is_given_up(&self, now: Instant) -> bool {
        self.begin_by.is_some_and(|by| by <= now)
    }

    /// When [`Self::is_open`] or [`Self::is_given_up`] may be another than it is now.
    pub(super) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let ends = self.consent.map(|consent| consent.ends_at()).filter(|end| *end > now);
        [self.begin_by, ends].into_iter().flatten().min()
    }

    /// Opens a datagram in place. None if it is a stranger's or no packet.
    pub(super) fn open(
        &mut self,
        now: Instant,
        is_rtcp_socket: bool,
        from: SocketAddr,
        datagram: &mut [u8],
    ) -> Option<Opened> {
        let is_rtcp = is_rtcp_socket || (self.rtcp.is_none() && is_rtcp(datagram));
        if !is_rtp_version(datagram) {
            return None;
        }
        let is_first = !self.is_known(is_rtcp, from);
        if is_first && !self.may_learn(now, is_rtcp, from) {
            return None;
        }
        let len = match &mut self.srtp {
            None => datagram.len(),
            Some(srtp) => {
                let opener = srtp.opener.as_mut()?;
                if is_rtcp { opener.open_rtcp(datagram) } else { opener.open_rtp(datagram) }.ok()?
            }
        };
        let input = if is_rtcp { PeerInput::Rtcp(len) } else { PeerInput::Rtp(len) };
        Some(Opened { input, is_first })
    }

    /// The packet was meant for this transport: its address is the peer's, who is there.
    pub(super) fn accept(&mut self, now: Instant, input: PeerInput, from: SocketAddr) {
        let is_rtcp = matches!(input, PeerInput::Rtcp(_));
        *self.remote_of(is_rtcp) = Some(from);
        self.consent = Some(Consent::shown(now));
        self.begin_by = None;
    }

    fn is_known(&mut self, is_rtcp: bool, from: SocketAddr) -> bool {
        *self.remote_of(is_rtcp) == Some(from)
    }

    /// Whether an address may become the peer's: the first one, or after a silence another port of it.
    fn may_learn(&mut self, now: Instant, is_rtcp: bool, from: SocketAddr) -> bool {
        let is_its = self.learns_from.as_ref().is_some_and(|source| source.is_of(from.ip()));
        let is_silent = self.consent.is_none_or(|consent| consent.is_silent(now, limits::PLAIN_MOVE_AFTER));
        is_its && (self.remote_of(is_rtcp).is_none() || is_silent)
    }

    fn remote_of(&mut self, is_rtcp: bool) -> &mut Option<SocketAddr> {
        if is_rtcp && self.rtcp.is_some() { &mut self.remote_rtcp } else { &mut self.remote }
    }

    /// So much was sent to the peer.
    pub(super) fn note_sent(&mut self, bytes: usize) {
        if let Some(consent) = &mut self.consent {
            consent.note_sent(bytes);
        }
    }

    /// Where a packet of a kind leaves, and where to. None if nobody is there who wants it.
    pub(super) fn way(&self, now: Instant, is_rtcp: bool) -> Option<(Via, SocketAddr)> {
        if !self.is_open(now) {
            return None;
        }
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

impl Source {
    fn new(ip: IpAddr, config: &Config) -> Self {
        let announced = config.announced.iter().filter_map(|text| text.parse().ok());
        let local = [config.listen, Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        Self { ip: ip.to_canonical(), own: announced.chain(local).collect() }
    }

    /// A program of this machine signals by its loopback and sends from whichever address the packets go to.
    fn is_of(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        ip == self.ip || (self.ip.is_loopback() && self.own.contains(&ip))
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const BEGUN: Instant = Instant(1_000_000);

    fn plain(from: Option<IpAddr>, is_comedia: bool) -> Result<Plain, Refused> {
        let config = Config { listen: HERE, announced: vec!["192.0.2.1".to_owned()], ..Config::default() };
        let plan = PlainPlan { has_mux: true, is_comedia, from, suite: None };
        Plain::bind(BEGUN, &config, &mut Outbound::new(), plan)
    }

    /// A packet from a port of an address: whether it gets in, and it is then taken for the peer's.
    fn comes(plain: &mut Plain, at: Instant, from: (IpAddr, u16)) -> bool {
        let from = SocketAddr::from(from);
        let Some(opened) = plain.open(at, false, from, &mut [0x80, 100, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9]) else {
            return false;
        };
        plain.accept(at, opened.input, from);
        true
    }

    #[test]
    fn sending_ends_when_nothing_comes_and_goes_on_when_something_does() {
        let mut plain = plain(Some(HERE), true).unwrap();
        assert!(!plain.is_open(BEGUN) && plain.way(BEGUN, false).is_none());
        assert!(comes(&mut plain, BEGUN, (HERE, 5_000)));
        assert!(plain.way(BEGUN, false).is_some_and(|(_, to)| to == SocketAddr::from((HERE, 5_000))));
        let end = BEGUN + limits::PLAIN_SILENCE_MAX;
        assert_eq!(plain.poll_timeout(BEGUN), Some(end));
        assert!(plain.is_open(Instant(end.0 - 1)) && !plain.is_open(end));
        assert_eq!((plain.way(end, false).is_none(), plain.poll_timeout(end)), (true, None));
        let later = end + Duration::from_secs(600);
        assert!(comes(&mut plain, later, (HERE, 5_000)) && plain.is_open(later));
    }

    #[test]
    fn another_port_is_the_peers_after_a_silence_and_another_address_never() {
        let mut plain = plain(Some(HERE), true).unwrap();
        let elsewhere = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
        assert!(!comes(&mut plain, BEGUN, (elsewhere, 5_000)));
        assert!(comes(&mut plain, BEGUN, (HERE, 5_000)));
        assert!(!comes(&mut plain, BEGUN + Duration::from_secs(1), (HERE, 6_000)));
        let silent = BEGUN + limits::PLAIN_MOVE_AFTER;
        assert!(!comes(&mut plain, silent, (elsewhere, 5_000)));
        assert!(comes(&mut plain, silent, (HERE, 6_000)), "a camera that was restarted");
        assert_eq!(plain.remote(), Some(SocketAddr::from((HERE, 6_000))));
    }

    #[test]
    fn a_program_of_this_machine_may_send_from_any_of_its_addresses() {
        let own = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        assert!(comes(&mut plain(Some(HERE), true).unwrap(), BEGUN, (own, 5_000)));
        assert!(!comes(&mut plain(Some(own), true).unwrap(), BEGUN, (HERE, 5_000)));
        assert!(matches!(plain(None, true), Err(Refused::Invalid(why)) if why.contains("remoteIp")));
    }

    #[test]
    fn who_never_sends_is_given_up_and_who_is_told_is_not() {
        let end = BEGUN + limits::PLAIN_FIRST_PACKET_MAX;
        let mut waits = plain(Some(HERE), true).unwrap();
        assert_eq!(waits.poll_timeout(BEGUN), Some(end));
        assert!(!waits.is_given_up(Instant(end.0 - 1)) && waits.is_given_up(end));
        assert!(comes(&mut waits, BEGUN, (HERE, 5_000)) && !waits.is_given_up(end));
        let mut told = plain(None, false).unwrap();
        let remote = PlainRemote { ip: Some(HERE), port: Some(5_000), ..PlainRemote::default() };
        told.connect(BEGUN, &remote).unwrap();
        assert!(told.is_open(BEGUN) && !told.is_given_up(end) && !told.is_open(end), "nothing came back");
    }
}
