//! Address rewriting for terminals in several subnets: which address of a media host a terminal is told
//! (reference section 9).
//!
//! Three things are done otherwise than in the original: a prefix counts bits as CIDR does, whatever its length; two
//! addresses of different families are never in one subnet; and IPv6's unique local addresses (fc00::/7) are private.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::network::read_network;
use crate::read::Table;

/// The rules of one node; without any, every address stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// Bits that two private IPv4 addresses of one subnet have in common; default 24.
    pub prefix: u8,
    /// The same for IPv6; default 64.
    pub prefix_v6: u8,
    /// In the order of the file: the first that fits counts.
    pub rules: Vec<RewriteRule>,
}

/// Under which addresses the node's media host is reached from a private network, and from outside of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewriteRule {
    pub network: IpNet,
    /// What terminals in `network` are told. `None`: the host has the same host bits in that network as in its own.
    pub inner_host: Option<IpAddr>,
    /// What terminals with public addresses are told, if the host is in `network`.
    pub outer_host: Option<IpAddr>,
}

impl Default for Rewrite {
    fn default() -> Self {
        Self { prefix: 24, prefix_v6: 64, rules: Vec::new() }
    }
}

impl Rewrite {
    /// The address by which `client` reaches what announces itself as `source`.
    ///
    /// `own` stands for `source` or `client` where that is a wildcard or loopback address: an address of this host that
    /// others use. Without one such an address stands for itself.
    pub fn apply(&self, own: Option<IpAddr>, source: IpAddr, client: IpAddr) -> IpAddr {
        let (from, to) = (seen(source, own), seen(client, own));
        let rewritten = match (is_private(from), is_private(to)) {
            (true, true) if self.is_one_subnet(from, to) => None,
            (true, true) => {
                self.rule_of(to).and_then(|rule| rule.inner_host.or_else(|| rule.moved(from, to)))
            }
            (true, false) => self.rule_of(from).and_then(|rule| rule.outer_host),
            (false, true) => self.rule_of(to).and_then(|rule| rule.inner_host),
            (false, false) => None,
        };
        rewritten.unwrap_or(source)
    }

    /// Both are known to be private.
    fn is_one_subnet(&self, a: IpAddr, b: IpAddr) -> bool {
        let bits = if a.is_ipv4() { self.prefix } else { self.prefix_v6 };
        IpNet::new(a, bits).is_ok_and(|net| net.contains(&b))
    }

    fn rule_of(&self, address: IpAddr) -> Option<&RewriteRule> {
        self.rules.iter().find(|rule| rule.network.contains(&address))
    }

    pub(crate) fn read(mut table: Table<'_>) -> Self {
        let default = Self::default();
        let mut bits =
            |key, example, max| table.integer(key, example, 0..=max).and_then(|bits| u8::try_from(bits).ok());
        let prefix = bits("prefix", "prefix = 24", 32).unwrap_or(default.prefix);
        let prefix_v6 = bits("prefix_v6", "prefix_v6 = 64", 128).unwrap_or(default.prefix_v6);
        let rules = table.tables("rule", RULE_EXAMPLE).into_iter().filter_map(RewriteRule::read).collect();
        table.finish();
        Self { prefix, prefix_v6, rules }
    }
}

const RULE_EXAMPLE: &str = "rule = [{ network = \"192.168.1.0/24\", inner_host = \"192.168.1.2\" }]";

impl RewriteRule {
    fn read(mut table: Table<'_>) -> Option<Self> {
        let network = table.required("network", "network = \"192.168.1.0/24\"", |text| {
            let network = read_network(text).map_err(|why| why.to_string())?;
            if is_private(network.addr()) { Ok(network) } else { Err(NOT_PRIVATE.to_owned()) }
        });
        let inner_host = table.parsed("inner_host", "inner_host = \"192.168.1.2\"", read_host);
        let outer_host = table.parsed("outer_host", "outer_host = \"203.0.113.7\"", read_host);
        table.finish();
        let (inner_host, outer_host) = (inner_host.map(|host| host.value), outer_host.map(|host| host.value));
        Some(Self { network: network?.value, inner_host, outer_host })
    }

    /// The network of this rule, in which `to` is, with the host bits of `from`.
    fn moved(&self, from: IpAddr, to: IpAddr) -> Option<IpAddr> {
        match (self.network, from, to) {
            // Whose address is not known has no host bits.
            _ if is_no_address(from) => None,
            (IpNet::V4(net), IpAddr::V4(from), IpAddr::V4(to)) => Some(IpAddr::V4(moved_v4(net, from, to))),
            (IpNet::V6(net), IpAddr::V6(from), IpAddr::V6(to)) => Some(IpAddr::V6(moved_v6(net, from, to))),
            _ => None,
        }
    }
}

const NOT_PRIVATE: &str = "it is public, and rules are for private networks";

fn read_host(text: &str) -> Result<IpAddr, String> {
    let host: IpAddr = text.parse().map_err(|_| "it is not an IP address".to_owned())?;
    if host.is_unspecified() { Err("nobody can reach it".to_owned()) } else { Ok(host) }
}

fn moved_v4(net: Ipv4Net, from: Ipv4Addr, to: Ipv4Addr) -> Ipv4Addr {
    let mask = net.netmask().to_bits();
    Ipv4Addr::from_bits(to.to_bits() & mask | from.to_bits() & !mask)
}

fn moved_v6(net: Ipv6Net, from: Ipv6Addr, to: Ipv6Addr) -> Ipv6Addr {
    let mask = net.netmask().to_bits();
    Ipv6Addr::from_bits(to.to_bits() & mask | from.to_bits() & !mask)
}

/// The address that counts: IPv4 in IPv6's clothes is IPv4, and this host itself has the address that others use.
fn seen(address: IpAddr, own: Option<IpAddr>) -> IpAddr {
    let address = address.to_canonical();
    if is_no_address(address) { own.unwrap_or(address) } else { address }
}

fn is_no_address(address: IpAddr) -> bool {
    address.is_unspecified() || address.is_loopback()
}

/// What the original calls private, and fc00::/7.
fn is_private(address: IpAddr) -> bool {
    let special = is_no_address(address) || address.is_multicast();
    special
        || match address {
            IpAddr::V4(v4) => v4.is_private() || v4.is_link_local(),
            IpAddr::V6(v6) => {
                const SITE_LOCAL: u16 = 0xfec0;
                v6.is_unicast_link_local() || v6.is_unique_local() || v6.segments()[0] & 0xffc0 == SITE_LOCAL
            }
        }
}

impl fmt::Display for RewriteRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.network)?;
        match self.inner_host {
            Some(inner) => write!(f, "{inner} inside")?,
            None => write!(f, "the same host bits inside")?,
        }
        self.outer_host.map_or(Ok(()), |outer| write!(f, ", {outer} outside"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source, client, and what the client is told; the rules are those of [`rewrite`].
    const ROWS: &[(&str, &str, &str)] = &[
        // Private and private, one subnet.
        ("192.168.8.100", "192.168.8.7", "192.168.8.100"),
        ("10.0.0.1", "10.0.0.1", "10.0.0.1"),
        // Private and private, another subnet: a rule with an inner host, one without, none.
        ("192.168.8.100", "192.168.2.9", "192.168.2.50"),
        ("192.168.8.100", "192.168.1.1", "192.168.1.100"),
        ("192.168.8.100", "192.168.3.1", "192.168.8.100"),
        ("169.254.1.1", "192.168.2.9", "192.168.2.50"),
        // Private and public: the rule of the source's subnet, with an outer host or without, or none.
        ("192.168.8.100", "198.51.100.1", "203.0.113.7"),
        ("192.168.1.100", "198.51.100.1", "192.168.1.100"),
        ("192.168.3.100", "198.51.100.1", "192.168.3.100"),
        // Public and private: the rule of the client's subnet, with an inner host or without, or none.
        ("203.0.113.7", "192.168.2.9", "192.168.2.50"),
        ("203.0.113.7", "192.168.1.1", "203.0.113.7"),
        ("203.0.113.7", "192.168.3.1", "203.0.113.7"),
        // Public and public.
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        // Wildcard and loopback are this host, 192.168.8.100.
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "192.168.8.7", "127.0.0.1"),
        ("0.0.0.0", "192.168.1.1", "192.168.1.100"),
        ("::", "192.168.2.9", "192.168.2.50"),
        ("127.0.0.1", "198.51.100.1", "203.0.113.7"),
        ("203.0.113.7", "127.0.0.1", "192.168.8.100"),
        // The other family: its own rules, and never one subnet with this one.
        ("fd00:8::100", "fd00:8::7", "fd00:8::100"),
        ("fd00:8::100", "fd00:1::7", "fd00:1::100"),
        ("fe80::100", "fd00:2::7", "fd00:2::50"),
        ("fec0::100", "2001:db8::1", "fec0::100"),
        ("192.168.8.100", "fd00:1::7", "192.168.8.100"),
        ("192.168.8.100", "fd00:2::7", "fd00:2::50"),
        ("2001:db8::1", "fd00:2::7", "fd00:2::50"),
        // IPv4 as a socket for both families sees it.
        ("192.168.8.100", "::ffff:192.168.1.1", "192.168.1.100"),
    ];

    #[test]
    fn every_row_of_the_reference_holds() {
        let own = Some(ip("192.168.8.100"));
        for (source, client, told) in ROWS {
            let found = rewrite().apply(own, ip(source), ip(client));
            assert_eq!(found, ip(told), "{source} for {client}");
        }
    }

    #[test]
    fn a_prefix_of_any_length_counts_bits_as_cidr_does() {
        let subnet = |prefix, a, b| Rewrite { prefix, ..rewrite() }.is_one_subnet(ip(a), ip(b));
        for (prefix, inside, outside) in [
            (32, "10.1.2.3", "10.1.2.2"),
            (31, "10.1.2.2", "10.1.2.1"),
            (27, "10.1.2.31", "10.1.2.32"),
            (23, "10.1.3.255", "10.1.4.0"),
            (20, "10.1.15.1", "10.1.16.1"),
            (9, "10.127.0.1", "10.128.0.1"),
            (1, "127.0.0.1", "192.168.0.1"),
        ] {
            assert!(subnet(prefix, "10.1.2.3", inside), "/{prefix}: {inside}");
            assert!(!subnet(prefix, "10.1.2.3", outside), "/{prefix}: {outside}");
        }
        assert!(subnet(0, "10.1.2.3", "192.168.0.1"));
        let odd =
            RewriteRule { network: "172.16.32.0/20".parse().unwrap(), inner_host: None, outer_host: None };
        let moved = odd.moved(ip("10.0.9.77"), ip("172.16.47.1"));
        assert_eq!(moved, Some(ip("172.16.41.77")));
    }

    #[test]
    fn a_host_that_does_not_know_its_address_stays_what_it_says_it_is() {
        assert_eq!(rewrite().apply(None, ip("127.0.0.1"), ip("192.168.1.1")), ip("127.0.0.1"));
        assert_eq!(rewrite().apply(None, ip("0.0.0.0"), ip("192.168.2.9")), ip("192.168.2.50"));
    }

    #[test]
    fn without_rules_nothing_is_rewritten() {
        for (source, client, _) in ROWS {
            assert_eq!(Rewrite::default().apply(None, ip(source), ip(client)), ip(source));
        }
    }

    fn rewrite() -> Rewrite {
        let rule = |network: &str, inner: Option<&str>, outer: Option<&str>| RewriteRule {
            network: network.parse().unwrap(),
            inner_host: inner.map(ip),
            outer_host: outer.map(ip),
        };
        let rules = vec![
            rule("192.168.1.0/24", None, None),
            rule("192.168.2.0/24", Some("192.168.2.50"), None),
            // Not reached by its own terminals, who are in one subnet with the host, but by the host itself.
            rule("192.168.8.0/24", Some("192.168.8.100"), Some("203.0.113.7")),
            rule("fd00:1::/64", None, None),
            rule("fd00:2::/64", Some("fd00:2::50"), None),
        ];
        Rewrite { rules, ..Rewrite::default() }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }
}
