//! Addresses as they are written: where a node listens, and under what name others reach it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// A host (DNS name or IP address) and a port, as others dial it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPort {
    /// A DNS name in lower case or an IP address; an IPv6 address without brackets.
    pub host: String,
    /// Never 0.
    pub port: u16,
}

/// Why a text is not a [`HostPort`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadHostPort {
    #[error("it has no port")]
    NoPort,
    #[error("the port is not a number from 1 to 65535")]
    BadPort,
    #[error("the host is neither a DNS name nor an IP address (an IPv6 address needs brackets)")]
    BadHost,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for HostPort {
    type Err = BadHostPort;

    fn from_str(text: &str) -> Result<Self, BadHostPort> {
        let (host, port) = text.rsplit_once(':').ok_or(BadHostPort::NoPort)?;
        let port: u16 = port.parse().map_err(|_| BadHostPort::BadPort)?;
        if port == 0 {
            return Err(BadHostPort::BadPort);
        }
        let host = check_host(host)?;
        Ok(Self { host, port })
    }
}

impl From<SocketAddr> for HostPort {
    fn from(address: SocketAddr) -> Self {
        Self { host: address.ip().to_string(), port: address.port() }
    }
}

impl HostPort {
    /// The host as an IP address, if it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

fn check_host(host: &str) -> Result<String, BadHostPort> {
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return match inner.parse::<IpAddr>() {
            Ok(IpAddr::V6(ip)) => Ok(ip.to_string()),
            _ => Err(BadHostPort::BadHost),
        };
    }
    let label = |label: &str| {
        let body = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        (1..=63).contains(&label.len()) && body && !label.starts_with('-') && !label.ends_with('-')
    };
    if host.len() > 253 || !host.split('.').all(label) {
        return Err(BadHostPort::BadHost);
    }
    Ok(host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_read_and_shown_alike() {
        for text in ["sh.example.com:8888", "127.0.0.1:1", "[::1]:65535", "localhost:80"] {
            assert_eq!(text.parse::<HostPort>().unwrap().to_string(), text);
        }
        assert_eq!("SH.example.com:1".parse::<HostPort>().unwrap().host, "sh.example.com");
    }

    #[test]
    fn what_is_no_host_and_port_says_why() {
        assert_eq!("sh.example.com".parse::<HostPort>(), Err(BadHostPort::NoPort));
        assert_eq!("sh:0".parse::<HostPort>(), Err(BadHostPort::BadPort));
        assert_eq!("sh:70000".parse::<HostPort>(), Err(BadHostPort::BadPort));
        assert_eq!("wss://sh:1".parse::<HostPort>(), Err(BadHostPort::BadHost));
        assert_eq!("::1:8888".parse::<HostPort>(), Err(BadHostPort::BadHost));
        assert_eq!(":1".parse::<HostPort>(), Err(BadHostPort::BadHost));
    }
}
