//! Proxies that are believed and pages that are let in at a terminals' listener before anybody has logged in.

use ipnet::IpNet;

use crate::network::read_networks;
use crate::read::Table;

const PROXIES_EXAMPLE: &str = "trusted_proxies = [\"10.0.0.5/32\"]";
const ORIGINS_EXAMPLE: &str = "origins = [\"https://app.example.com\"]";

/// A node's trust in connections and pages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Guard {
    /// Only from these networks is believed whom a connection is for: by the PROXY protocol at its start, or by `Forwarded` and
    /// `X-Forwarded-For`. None by default.
    pub trusted_proxies: Vec<IpNet>,
    /// Pages whose WebSockets are let in besides those of this host and of the mesh's nodes: `scheme://host[:port]`, or `*` for
    /// all.
    pub origins: Vec<String>,
    /// Whether browsers are told to come by HTTPS only (RFC 6797); `None`: if the operator has given a certificate.
    pub hsts: Option<bool>,
}

impl Guard {
    pub(crate) fn read(table: &mut Table<'_>) -> Self {
        Self {
            trusted_proxies: read_networks(table, "trusted_proxies", PROXIES_EXAMPLE),
            origins: read_origins(table),
            hsts: table.flag("hsts", "hsts = false").map(|flag| flag.value),
        }
    }
}

fn read_origins(table: &mut Table<'_>) -> Vec<String> {
    let mut origins = Vec::new();
    for text in table.texts("origins", ORIGINS_EXAMPLE).map(|list| list.value).unwrap_or_default() {
        let host = text.value.split_once("://").map(|(_, host)| host);
        let is_origin = host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '@', '?', '#']));
        if text.value == "*" || is_origin {
            origins.push(text.value.to_ascii_lowercase());
        } else {
            let what = format!("{:?} is no origin: scheme://host[:port] without a path", text.value);
            table.add(&text.span, what, ORIGINS_EXAMPLE);
        }
    }
    origins
}
