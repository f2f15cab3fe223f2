//! Which certificates the nodes of a topology need, for those who make them, and what is wrong with those that there are.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use taoyao_pki::{Identity, NodeCert, Wanted, examine};
use taoyao_topology::{CertFault, CertFiles, CertUse, Node, Topology};
use taoyao_types::Wall;

/// What the development certificates of every node are made from, in the topology's order.
pub fn node_certs(topology: &Topology) -> Vec<NodeCert> {
    topology.nodes().iter().map(node_cert).collect()
}

/// The same for one node: its advertised name or address, where it listens, and this machine itself, so that a browser
/// beside it can use `localhost`.
pub fn node_cert(node: &Node) -> NodeCert {
    let mut dns = vec!["localhost".to_owned()];
    let mut ips = vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    if let Some(at) = &node.terminals {
        match at.advertise.ip() {
            Some(ip) => ips.push(ip),
            None => dns.push(at.advertise.host.clone()),
        }
        let listens = at.tcp.iter().map(|tcp| tcp.listen.ip()).chain([at.listen.ip()]);
        ips.extend(listens.filter(|ip| !ip.is_unspecified()));
    }
    dns.sort();
    dns.dedup();
    ips.sort();
    ips.dedup();
    NodeCert { short: node.name.short().to_owned(), path: node.name.clone(), dns, ips }
}

/// Everything that is wrong with a certificate of this topology, and what to do about it.
pub fn faults(topology: &Topology, files: &CertFiles<'_>, now: Wall) -> Vec<CertFault> {
    let CertFiles { usage, node, cert, key } = files;
    let authority = topology.certs().authority();
    let identity = node.and_then(|node| Identity::new(topology.org(), node.name.clone()).ok());
    let host = node.and_then(|node| node.terminals.as_ref()).map(|at| at.advertise.host.as_str());
    let is_own = *usage == CertUse::OwnTerminals;
    let wanted = Wanted {
        key: key.as_deref(),
        identity: identity.as_ref().filter(|_| *usage == CertUse::Link),
        host: host.filter(|_| is_own || *usage == CertUse::Terminals),
        authority: (!is_own && *usage != CertUse::Authority).then_some(authority.as_path()),
        is_authority: *usage == CertUse::Authority,
    };
    let whose = node.map_or_else(String::new, |node| format!(" of node `{}`", node.name));
    let told = examine(cert, &wanted, now).into_iter().map(|fault| CertFault {
        what: format!("the {} certificate{whose} {fault}: {}", kind(*usage), cert.display()),
        advice: advice(*usage, *node),
    });
    told.collect()
}

fn kind(usage: CertUse) -> &'static str {
    match usage {
        CertUse::Authority => "authority's",
        CertUse::Link => "link",
        CertUse::Terminals | CertUse::OwnTerminals => "terminal",
    }
}

fn advice(usage: CertUse, node: Option<&Node>) -> String {
    match (usage, node) {
        (CertUse::OwnTerminals, _) => {
            "have it renewed by whoever signs it, put both files in place, restart the node".to_owned()
        }
        (CertUse::Link | CertUse::Terminals, Some(node)) => format!(
            "`taoyao cert issue {} --renew` where `ca.key` is, carry both files here, restart the node",
            node.name.short()
        ),
        _ => {
            "a new authority: move the [certs] dir away, make all certificates anew, carry them to every node"
                .to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_names_where_terminals_find_the_node_and_the_machine_itself() {
        let text = "org = \"acme\"\n[[node]]\nname = \"cn\"\nlinks = { listen = \"0.0.0.0:7000\", advertise = \"cn.example.com:7000\" }\n\
                    terminals = { listen = \"192.0.2.7:8888\", advertise = \"cn.example.com:443\" }\n\
                    [[node]]\nname = \"sh\"\nparent = [\"cn\"]\n";
        let topology = Topology::parse("acme.toml", text).unwrap();
        let certs = node_certs(&topology);
        assert_eq!(certs[0].dns, ["cn.example.com", "localhost"]);
        assert_eq!(certs[0].ips.len(), 3, "{:?}", certs[0].ips);
        assert!(certs[0].ips.contains(&"192.0.2.7".parse().unwrap()));
        assert_eq!((certs[1].short.as_str(), certs[1].dns.len(), certs[1].ips.len()), ("sh", 1, 2));
    }
}
