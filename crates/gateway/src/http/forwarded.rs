//! For whom a trusted proxy asks: `Forwarded` (RFC 7239) and `X-Forwarded-For`.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use axum::http::header::FORWARDED;

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The client of a request that came from `peer`: of those named, the last that is no trusted proxy, for each proxy adds at the
/// end whom it has heard it from. Where somebody untrusted is reached, nothing before it is believed; where a name cannot be
/// read, the proxy that wrote it is the client.
pub(crate) fn client(peer: IpAddr, headers: &HeaderMap, is_trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let mut client = peer;
    let mut named = names(headers);
    while is_trusted(client) {
        match named.pop().map(|name| address(&name)) {
            Some(Some(ip)) => client = ip,
            Some(None) | None => break,
        }
    }
    client
}

/// In the order of the headers; `Forwarded` alone if there is one, for a proxy that writes it knows the newer way.
fn names(headers: &HeaderMap) -> Vec<String> {
    let listed = |name| {
        let values =
            headers.get_all(name).iter().map(|value: &axum::http::HeaderValue| value.to_str().unwrap_or("?"));
        values.flat_map(|value| value.split(',')).map(|one| one.trim().to_owned()).collect::<Vec<_>>()
    };
    let forwarded = listed(FORWARDED.as_str());
    if forwarded.is_empty() {
        listed(X_FORWARDED_FOR)
    } else {
        forwarded.iter().map(|one| for_of(one)).collect()
    }
}

/// The `for` of one element; nobody's name if it has none.
fn for_of(element: &str) -> String {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let named =
        pairs.map(|(key, value)| (key.trim(), value)).find(|(key, _)| key.eq_ignore_ascii_case("for"));
    named.map_or_else(|| "?".to_owned(), |(_, value)| value.trim().trim_matches('"').to_owned())
}

/// An address as proxies write it, with a port or not.
fn address(name: &str) -> Option<IpAddr> {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let ip = bare.parse().ok().or_else(|| name.parse().ok().map(|address: SocketAddr| address.ip()));
    ip.map(|ip: IpAddr| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXIES: [&str; 2] = ["10.0.0.5", "10.0.0.6"];

    #[test]
    fn of_a_trusted_proxy_is_believed_whom_it_names_and_of_nobody_else() {
        assert_eq!(of("10.0.0.5", &[("x-forwarded-for", "192.0.2.7")]), "192.0.2.7");
        assert_eq!(of("10.0.0.5", &[("forwarded", "for=\"[2001:db8::7]:4711\";proto=https")]), "2001:db8::7");
        assert_eq!(of("10.0.0.5", &[("forwarded", "For=192.0.2.7")]), "192.0.2.7");
        assert_eq!(of("198.51.100.1", &[("x-forwarded-for", "192.0.2.7")]), "198.51.100.1");
        assert_eq!(of("10.0.0.5", &[]), "10.0.0.5");
    }

    #[test]
    fn what_a_client_writes_itself_stands_before_what_proxies_add_and_is_not_believed() {
        let claimed = "203.0.113.9, 192.0.2.7, 10.0.0.6";
        assert_eq!(of("10.0.0.5", &[("x-forwarded-for", claimed)]), "192.0.2.7");
        let twice = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "192.0.2.7:5000")];
        assert_eq!(of("10.0.0.5", &twice), "192.0.2.7");
    }

    #[test]
    fn what_cannot_be_read_counts_for_the_proxy_that_wrote_it() {
        for wrong in ["unknown", "_hidden", "", "203.0.113.9, nonsense", "10.0.0.6, ?"] {
            assert_eq!(of("10.0.0.5", &[("x-forwarded-for", wrong)]), "10.0.0.5", "{wrong}");
        }
        assert_eq!(of("10.0.0.5", &[("forwarded", "proto=https")]), "10.0.0.5");
    }

    fn of(peer: &str, given: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(*name, value.parse().unwrap());
        }
        let is_trusted = |ip: IpAddr| PROXIES.contains(&ip.to_string().as_str());
        client(peer.parse().unwrap(), &headers, is_trusted).to_string()
    }
}
