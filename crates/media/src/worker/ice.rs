//! What terminals are told so that they find a transport: credentials and candidates (reference section 6.1).

use std::net::SocketAddr;

use taoyao_ortc::{IceCandidate, IceParameters};

use crate::config::Config;

/// Characters of a user name fragment and of a password: 96 and 192 bits (RFC 8445 asks for 24 and 128).
const UFRAG_CHARACTERS: usize = 16;
const PASSWORD_CHARACTERS: usize = 32;
/// One of 64 for each six bits (RFC 8839, section 5.4: `ice-char`).
const CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Of UDP and of TCP, as the original tells them.
const UDP_PRIORITY: u32 = 1_076_302_079;
const TCP_PRIORITY: u32 = 1_076_276_479;

/// Credentials that nobody can guess. None if the system has no randomness.
pub(super) fn credentials() -> Option<IceParameters> {
    let mut random = [0; UFRAG_CHARACTERS + PASSWORD_CHARACTERS];
    getrandom::fill(&mut random).ok()?;
    let text = random.map(|byte| char::from(CHARACTERS[usize::from(byte & 0x3f)]));
    let (ufrag, password) = text.split_at(UFRAG_CHARACTERS);
    Some(IceParameters {
        username_fragment: ufrag.iter().collect(),
        password: password.iter().collect(),
        ice_lite: true,
    })
}

/// Where a worker that listens at `address` can be reached.
pub(super) fn candidates(config: &Config, address: SocketAddr, is_tcp_only: bool) -> Vec<IceCandidate> {
    let mut candidates = Vec::new();
    let port = config.announced_port_of(address.port());
    for (rank, ip) in (0_u32..).zip(announced(config, address)) {
        if !is_tcp_only || !config.enable_tcp {
            candidates.push(IceCandidate {
                foundation: "udpcandidate".to_owned(),
                priority: UDP_PRIORITY - rank,
                ip: ip.clone(),
                protocol: "udp".to_owned(),
                port,
                kind: "host".to_owned(),
                tcp_type: None,
            });
        }
        if config.enable_tcp {
            candidates.push(IceCandidate {
                foundation: "tcpcandidate".to_owned(),
                priority: TCP_PRIORITY - rank,
                ip,
                protocol: "tcp".to_owned(),
                port,
                kind: "host".to_owned(),
                tcp_type: Some("passive".to_owned()),
            });
        }
    }
    candidates
}

/// Whoever listens on every address and announces none is for this machine alone.
pub(super) fn announced(config: &Config, address: SocketAddr) -> Vec<String> {
    if !config.announced.is_empty() {
        return config.announced.clone();
    }
    let ip = match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => "127.0.0.1".to_owned(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => "::1".to_owned(),
        other => other.ip().to_string(),
    };
    vec![ip]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_long_enough_and_never_the_same() {
        let (one, other) = (credentials().unwrap(), credentials().unwrap());
        assert_eq!((one.username_fragment.len(), one.password.len()), (16, 32));
        assert_ne!(one.username_fragment, other.username_fragment);
        assert_ne!(one.password, other.password);
    }

    #[test]
    fn a_transport_that_wants_tcp_is_offered_nothing_else() {
        let config = Config { announced: vec!["192.0.2.1".to_owned()], ..Config::default() };
        let address = SocketAddr::from(([0, 0, 0, 0], 44_444));
        let protocols = |is_tcp_only| -> Vec<String> {
            candidates(&config, address, is_tcp_only).into_iter().map(|one| one.protocol).collect()
        };
        assert_eq!(protocols(false), ["udp", "tcp"]);
        assert_eq!(protocols(true), ["tcp"]);
    }

    #[test]
    fn terminals_are_told_the_announced_port_of_their_worker() {
        let told = |announced_port, worker: u16| -> Vec<u16> {
            let config = Config { announced_port, ..Config::default() };
            let address = SocketAddr::from(([0, 0, 0, 0], config.port + worker));
            candidates(&config, address, false).into_iter().map(|one| one.port).collect()
        };
        assert_eq!(told(None, 1), [44_445, 44_445]);
        assert_eq!(told(Some(3_478), 0), [3_478, 3_478]);
        assert_eq!(told(Some(3_478), 2), [3_480, 3_480]);
        let config = Config { announced_port: Some(u16::MAX), ..Config::default() };
        assert_eq!((config.port_of(0), config.port_of(1)), (Some(44_444), None));
    }
}
