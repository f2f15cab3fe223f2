//! Addresses and directories: no two of one machine may be the same, and nobody is reached under another's address.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::address::HostPort;
use crate::mistake::{At, Report, Span};
use crate::raw::{RawNode, Socket};

/// Reports addresses and state directories that are used twice.
pub(crate) fn check_addresses(nodes: &[RawNode], report: &Report<'_>) {
    check_listens(nodes, report);
    check_advertised(nodes, report);
    check_states(nodes, report);
    check_recordings(nodes, report);
}

/// One socket of one node.
struct Listen<'n> {
    node: &'n RawNode,
    host: &'n str,
    socket: Socket,
    address: &'n At<SocketAddr>,
}

fn check_listens(nodes: &[RawNode], report: &Report<'_>) {
    // Only sockets with the same port and protocol can clash, so the file's size is no trouble.
    let mut by_port: BTreeMap<(bool, u16), Vec<Listen<'_>>> = BTreeMap::new();
    for node in nodes {
        for (socket, address) in node.listens() {
            let listen = Listen { node, host: host_of(node), socket, address };
            let same_port = by_port.entry((socket.is_udp(), address.value.port())).or_default();
            if let Some(first) = same_port.iter().find(|first| clashes(first, &listen)) {
                report_clash(first, &listen, report);
            }
            same_port.push(listen);
        }
    }
}

fn clashes(a: &Listen<'_>, b: &Listen<'_>) -> bool {
    let (ip_a, ip_b) = (a.address.value.ip(), b.address.value.ip());
    let same_machine = a.host == b.host;
    if same_machine { overlap(ip_a, ip_b) } else { ip_a == ip_b && is_of_one_machine(ip_a) }
}

/// Whether one machine refuses to listen at both; `[::]` takes IPv4, too.
fn overlap(a: IpAddr, b: IpAddr) -> bool {
    let covers = |whole: IpAddr, part: IpAddr| whole.is_unspecified() && (whole.is_ipv6() || part.is_ipv4());
    a == b || covers(a, b) || covers(b, a)
}

/// Every machine has the wildcard and the loopback addresses; any other belongs to one.
fn is_of_one_machine(ip: IpAddr) -> bool {
    !ip.is_unspecified() && !ip.is_loopback()
}

/// The machine that a node runs on: what the operator says, else the host under which others reach it.
fn host_of(node: &RawNode) -> &str {
    if let Some(host) = &node.host {
        return &host.value;
    }
    match node.advertised().first() {
        Some((_, advertise)) => &advertise.value.host,
        None => &node.name.value,
    }
}

fn report_clash(first: &Listen<'_>, second: &Listen<'_>, report: &Report<'_>) {
    let what = format!(
        "the address {} of {} clashes with {} of {} (line {})",
        second.address.value,
        named(second),
        first.address.value,
        named(first),
        report.line(&first.address.span)
    );
    let other_host =
        format!("if the two run on different machines: host = \"{}\" in one of them", second.node.name.value);
    let advice = if first.node.name.value == second.node.name.value {
        "another port".to_owned()
    } else {
        format!("another port; {other_host}")
    };
    report.add(&second.address.span, what, advice);
}

fn named(listen: &Listen<'_>) -> String {
    format!("`{}`.{}", listen.node.name.value, listen.socket.name())
}

fn check_advertised(nodes: &[RawNode], report: &Report<'_>) {
    let mut seen: BTreeMap<(bool, &HostPort), (&RawNode, &Span)> = BTreeMap::new();
    for node in nodes {
        for (socket, advertise) in node.advertised() {
            let place = (node, &advertise.span);
            let Some((first, line)) = seen.insert((socket.is_udp(), &advertise.value), place) else {
                continue;
            };
            // Where the listening addresses clash as well, that has been said.
            if already_said(first, node) {
                continue;
            }
            let what = format!(
                "`{}` and `{}` (line {}) are both reached under {}",
                node.name.value,
                first.name.value,
                report.line(line),
                advertise.value
            );
            report.add(&advertise.span, what, "an address of its own: advertise = \"…\"");
        }
    }
}

fn already_said(a: &RawNode, b: &RawNode) -> bool {
    let same_host = host_of(a) == host_of(b);
    let clash = |a: &(Socket, &At<SocketAddr>), b: &(Socket, &At<SocketAddr>)| {
        let same_port = a.0.is_udp() == b.0.is_udp() && a.1.value.port() == b.1.value.port();
        same_port && same_host && overlap(a.1.value.ip(), b.1.value.ip())
    };
    a.listens().iter().any(|a| b.listens().iter().any(|b| clash(a, b)))
}

fn check_states(nodes: &[RawNode], report: &Report<'_>) {
    let mut seen = BTreeMap::new();
    for node in nodes {
        let key = (host_of(node), &node.state_dir.value);
        if let Some(first) = seen.insert(key, node)
            && first.name.value != node.name.value
        {
            let what = format!(
                "`{}` and `{}` keep their state in one directory, {}",
                first.name.value,
                node.name.value,
                node.state_dir.value.display()
            );
            report.add(&node.state_dir.span, what, format!("dir = \"../state/{}\"", node.name.value));
        }
    }
}

/// Each recorder takes all that is in its directory for its own.
fn check_recordings(nodes: &[RawNode], report: &Report<'_>) {
    let mut seen = BTreeMap::new();
    for node in nodes {
        let Some(recordings) = &node.recordings else { continue };
        let dir = &recordings.value.dir;
        let Some(first) = seen.insert((host_of(node), dir), node) else { continue };
        if first.name.value != node.name.value {
            let names = (&first.name.value, &node.name.value);
            let what =
                format!("`{}` and `{}` record into one directory, {}", names.0, names.1, dir.display());
            report.add(&recordings.span, what, format!("dir = \"../recordings/{}\"", node.name.value));
        }
    }
}
