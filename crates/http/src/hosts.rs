//! The host that a request names: one, well-formed, and where it matters, one of ours.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{Request, StatusCode, Version};

/// Which hosts a request may name.
///
/// A page from elsewhere can have its own name lead to this machine ("DNS rebinding") and is then of the same origin as what it
/// reads here. Its requests name its host, so a listener without passwords has to look.
#[derive(Debug, Clone)]
pub enum Hosts {
    /// Any that is well-formed.
    Any,
    /// Addresses, `localhost`, and these names in small letters.
    Ours(Arc<BTreeSet<String>>),
}

/// Why a request is refused, and how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadHost {
    #[error("HTTP/1.1 needs exactly one Host header (RFC 9112, section 3.2); this request has {0}.")]
    NotOne(usize),
    #[error("The Host header names no host.")]
    Unreadable,
    #[error(
        "This listener is not the host that was asked for. Ask by address, as localhost, or under a name that the topology file gives in `admin_hosts`."
    )]
    NotOurs,
}

impl Hosts {
    /// These names, whatever their letters, besides addresses and `localhost`.
    pub fn ours<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Ours(Arc::new(names.into_iter().map(str::to_ascii_lowercase).collect()))
    }

    /// Whether the request names one host, and one that it may name. HTTP/1.0 may name none.
    pub(crate) fn check<B>(&self, request: &Request<B>) -> Result<(), BadHost> {
        let named: Vec<_> = request.headers().get_all(HOST).iter().collect();
        let host = match named[..] {
            [] if request.version() < Version::HTTP_11 => None,
            [host] => Some(Authority::try_from(host.as_bytes()).map_err(|_| BadHost::Unreadable)?),
            _ => return Err(BadHost::NotOne(named.len())),
        };
        // The authority of an absolute target counts before the header (section 3.2.2).
        let Some(host) = request.uri().authority().cloned().or(host) else { return Ok(()) };
        if host.as_str().contains('@') {
            return Err(BadHost::Unreadable);
        }
        if self.has(host.host()) { Ok(()) } else { Err(BadHost::NotOurs) }
    }

    fn has(&self, host: &str) -> bool {
        let Self::Ours(names) = self else { return true };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        bare.parse::<IpAddr>().is_ok() || host == "localhost" || names.contains(&host)
    }
}

impl BadHost {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotOne(_) | Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::NotOurs => StatusCode::MISDIRECTED_REQUEST,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_localhost_and_own_names_are_ours_and_nothing_else_is() {
        let hosts = Hosts::ours(["Node1.example"]);
        for ours in
            ["127.0.0.1:9090", "[::1]:9090", "192.0.2.7", "localhost", "LOCALHOST.:1", "node1.EXAMPLE:9090"]
        {
            assert_eq!(hosts.check(&request(&[ours])), Ok(()), "{ours}");
            assert_eq!(Hosts::Any.check(&request(&[ours])), Ok(()), "{ours}");
        }
        for other in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example:9090"]
        {
            assert_eq!(hosts.check(&request(&[other])), Err(BadHost::NotOurs), "{other}");
            assert_eq!(Hosts::Any.check(&request(&[other])), Ok(()), "{other}");
        }
    }

    #[test]
    fn a_request_names_one_host() {
        let check = |hosts: &[&str]| Hosts::Any.check(&request(hosts));
        assert_eq!(check(&[]), Err(BadHost::NotOne(0)));
        assert_eq!(check(&["a", "a"]), Err(BadHost::NotOne(2)));
        for wrong in ["", "a b", "user:secret@a", "a/b"] {
            assert_eq!(check(&[wrong]), Err(BadHost::Unreadable), "{wrong}");
        }
        let mut old = request(&[]);
        *old.version_mut() = Version::HTTP_10;
        assert_eq!(Hosts::ours([]).check(&old), Ok(()));
    }

    #[test]
    fn an_absolute_target_counts_before_the_header() {
        let mut request = request(&["localhost"]);
        *request.uri_mut() = "http://evil.example/metrics".parse().unwrap();
        assert_eq!(Hosts::ours([]).check(&request), Err(BadHost::NotOurs));
    }

    fn request(hosts: &[&str]) -> Request<()> {
        let mut request = Request::builder().uri("/metrics").version(Version::HTTP_11);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        request.body(()).unwrap()
    }
}
