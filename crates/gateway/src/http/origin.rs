//! The `Origin` of a WebSocket: whose page opens it.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;

/// Pages that may open a WebSocket here. Terminals that are no pages name no origin and are not asked.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    /// `scheme://host[:port]` in small letters, or `*` for everybody's.
    pub listed: Vec<String>,
    /// Hosts whose pages come from this mesh, whatever the port.
    pub hosts: Vec<String>,
}

impl Origins {
    /// A page of the host that is asked, of the mesh, or of the list; or no page at all.
    pub(crate) fn admit(&self, headers: &HeaderMap) -> bool {
        let origins: Vec<_> = headers.get_all(ORIGIN).iter().collect();
        let origin = match origins[..] {
            [] => return true,
            [origin] => origin.to_str().unwrap_or_default().to_ascii_lowercase(),
            _ => return false,
        };
        if self.listed.iter().any(|listed| listed == "*" || *listed == origin) {
            return true;
        }
        let page = origin.split_once("://").and_then(|(_, host)| host_of(host));
        let asked = headers.get(HOST).and_then(|host| host_of(host.to_str().ok()?));
        page.is_some_and(|page| {
            asked.is_some_and(|asked| asked == page || (is_loopback(&asked) && is_loopback(&page)))
                || self.hosts.iter().any(|host| host.eq_ignore_ascii_case(&page))
        })
    }
}

fn host_of(authority: &str) -> Option<String> {
    let authority: Authority = authority.parse().ok()?;
    Some(authority.host().trim_matches(['[', ']']).to_ascii_lowercase())
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_this_host_and_of_the_mesh_and_what_is_no_page_are_let_in() {
        let origins =
            Origins { listed: vec!["https://app.example".into()], hosts: vec!["sh.example".into()] };
        for (host, origin) in [
            ("node.example:8888", None),
            ("node.example:8888", Some("https://node.example:8888")),
            ("node.example:8888", Some("https://NODE.example")),
            ("node.example:8888", Some("https://sh.example:8890")),
            ("node.example:8888", Some("https://app.example")),
            ("127.0.0.1:8888", Some("http://localhost:5173")),
            ("[::1]:8888", Some("https://[::1]:8443")),
        ] {
            assert!(origins.admit(&headers(host, origin)), "{host} {origin:?}");
        }
    }

    #[test]
    fn pages_from_elsewhere_are_not_unless_everybodys_are() {
        let origins = Origins::default();
        let all = Origins { listed: vec!["*".into()], ..Origins::default() };
        for origin in
            ["https://evil.example", "https://node.example.evil.example", "null", "", "https://app.example"]
        {
            let headers = headers("node.example:8888", Some(origin));
            assert!(!origins.admit(&headers), "{origin}");
            assert!(all.admit(&headers), "{origin}");
        }
        let mut two = headers("node.example", Some("https://node.example"));
        two.append(ORIGIN, "https://node.example".parse().unwrap());
        assert!(!origins.admit(&two));
    }

    fn headers(host: &str, origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        headers
    }
}
