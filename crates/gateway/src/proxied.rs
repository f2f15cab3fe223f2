//! Reads for whom a trusted proxy passes a connection on: the PROXY protocol's header, versions 1 and 2.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use ppp::{HeaderResult, v1, v2};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Bytes of a header of version 1, its line break included.
const V1_BYTES_MAX: usize = 107;
/// Bytes of the fixed part of a header of version 2, of which the last two are the length of the rest.
const V2_BYTES: usize = 16;
/// Bytes of that rest that are read: addresses and what some proxies add of TLS.
const V2_REST_BYTES_MAX: usize = 2_048;
const V2_BEGIN: u8 = b'\r';
const V1_BEGIN: u8 = b'P';

/// Why a connection of a trusted proxy is closed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadProxy {
    #[error("the PROXY header did not come: {0}")]
    Lost(#[from] io::Error),
    #[error("the PROXY header did not come in time")]
    Late,
    #[error("the connection begins with no PROXY header")]
    Missing,
    #[error("the PROXY header cannot be read")]
    Unreadable,
}

/// Reads the header if there is one: for whom the connection is. `None` if it has none, or one that names nobody.
///
/// TLS never begins as a header does. Frames may, so `is_required` there.
pub(crate) async fn read(
    tcp: &mut TcpStream,
    is_required: bool,
    time_max: Duration,
) -> Result<Option<IpAddr>, BadProxy> {
    let reading = async {
        let mut first = [0];
        tcp.peek(&mut first).await?;
        let header = match first[0] {
            V1_BEGIN => read_line(tcp).await?,
            V2_BEGIN => read_binary(tcp).await?,
            _ if is_required => return Err(BadProxy::Missing),
            _ => return Ok(None),
        };
        source(&header)
    };
    timeout(time_max, reading).await.map_err(|_| BadProxy::Late)?
}

/// Byte by byte, since what stands behind the line is not ours.
async fn read_line(tcp: &mut TcpStream) -> Result<Vec<u8>, BadProxy> {
    let mut line = Vec::with_capacity(V1_BYTES_MAX);
    while line.last() != Some(&b'\n') {
        if line.len() == V1_BYTES_MAX {
            return Err(BadProxy::Unreadable);
        }
        line.push(tcp.read_u8().await?);
    }
    Ok(line)
}

async fn read_binary(tcp: &mut TcpStream) -> Result<Vec<u8>, BadProxy> {
    let mut header = vec![0; V2_BYTES];
    tcp.read_exact(&mut header).await?;
    let rest = usize::from(u16::from_be_bytes([header[14], header[15]]));
    if !header.starts_with(v2::PROTOCOL_PREFIX) || rest > V2_REST_BYTES_MAX {
        return Err(BadProxy::Unreadable);
    }
    header.resize(V2_BYTES + rest, 0);
    tcp.read_exact(&mut header[V2_BYTES..]).await?;
    Ok(header)
}

fn source(header: &[u8]) -> Result<Option<IpAddr>, BadProxy> {
    match HeaderResult::parse(header) {
        HeaderResult::V1(Ok(header)) => Ok(match header.addresses {
            v1::Addresses::Tcp4(addresses) => Some(addresses.source_address.into()),
            v1::Addresses::Tcp6(addresses) => Some(IpAddr::from(addresses.source_address).to_canonical()),
            v1::Addresses::Unknown => None,
        }),
        HeaderResult::V2(Ok(header)) if header.command == v2::Command::Proxy => Ok(match header.addresses {
            v2::Addresses::IPv4(addresses) => Some(addresses.source_address.into()),
            v2::Addresses::IPv6(addresses) => Some(IpAddr::from(addresses.source_address).to_canonical()),
            v2::Addresses::Unix(_) | v2::Addresses::Unspecified => None,
        }),
        // A health check of the proxy's own.
        HeaderResult::V2(Ok(_)) => Ok(None),
        HeaderResult::V1(Err(_)) | HeaderResult::V2(Err(_)) => Err(BadProxy::Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_name_who_connects() {
        let of = |header: &[u8]| source(header).unwrap();
        assert_eq!(of(b"PROXY TCP4 192.0.2.7 192.0.2.1 5000 8888\r\n"), "192.0.2.7".parse().ok());
        assert_eq!(of(b"PROXY TCP6 2001:db8::7 2001:db8::1 5000 8888\r\n"), "2001:db8::7".parse().ok());
        assert_eq!(of(b"PROXY TCP6 ::ffff:192.0.2.7 ::1 5000 8888\r\n"), "192.0.2.7".parse().ok());
        assert_eq!(of(b"PROXY UNKNOWN\r\n"), None);
        let v2 = |command: u8| {
            let addresses = [192, 0, 2, 7, 192, 0, 2, 1, 0x13, 0x88, 0x22, 0xb8];
            [v2::PROTOCOL_PREFIX, &[0x20 | command, 0x11, 0, 12], &addresses].concat()
        };
        assert_eq!(of(&v2(1)), "192.0.2.7".parse().ok());
        assert_eq!(of(&v2(0)), None, "a check of its own");
    }

    #[test]
    fn what_is_no_header_is_not_guessed_at() {
        for wrong in ["PROXY TCP4 192.0.2.999 192.0.2.1 5000 8888\r\n", "PROXY\r\n", "POST / HTTP/1.1\r\n"] {
            assert!(matches!(source(wrong.as_bytes()), Err(BadProxy::Unreadable)), "{wrong}");
        }
    }
}
