//! Ports: no two sockets of one machine may take the same, be they single ones, those of workers or those for plain RTP.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::addresses::host_of;
use crate::media::Media;
use crate::mistake::Report;
use crate::raw::{Listen, RawNode, Socket};

/// One claim of one node.
struct Claim<'n> {
    node: &'n RawNode,
    host: &'n str,
    listen: Listen<'n>,
}

/// Claims that came before, so that each is compared with few others.
#[derive(Default)]
struct Earlier<'n> {
    /// Single ports, by protocol and port.
    ports: BTreeMap<(bool, u16), Vec<Claim<'n>>>,
    /// Several ports at once.
    ranges: Vec<Claim<'n>>,
}

/// Reports ports that are taken twice.
pub(super) fn check_listens(nodes: &[RawNode], report: &Report<'_>) {
    let mut earlier = Earlier::default();
    for claim in nodes.iter().flat_map(claims) {
        if let Some(first) = earlier.first_that_clashes(&claim) {
            report_clash(first, &claim, report);
        }
        earlier.add(claim);
    }
}

/// For each node the largest stretch of the default for plain RTP in which nobody listens on its machine.
pub(crate) fn default_plain_ports(nodes: &[RawNode]) -> Vec<RangeInclusive<u16>> {
    let all = Media::PLAIN_PORTS;
    let near: Vec<Claim<'_>> = nodes
        .iter()
        .flat_map(claims)
        .filter(|claim| claim.listen.is_udp && meet(&claim.listen.ports, &all))
        .collect();
    nodes.iter().map(|node| widest_gap(node, &near, &all)).collect()
}

fn widest_gap(node: &RawNode, near: &[Claim<'_>], all: &RangeInclusive<u16>) -> RangeInclusive<u16> {
    let Some(media) = &node.media else { return all.clone() };
    let (host, ip) = (host_of(node), media.listener.listen.value.ip());
    let mut taken: Vec<&RangeInclusive<u16>> = near
        .iter()
        .filter(|claim| same_socket((host, ip), (claim.host, claim.listen.ip)))
        .map(|claim| &claim.listen.ports)
        .collect();
    taken.sort_by_key(|ports| *ports.start());
    let (mut from, mut widest) = (u32::from(*all.start()), 0..0);
    let end = u32::from(*all.end()) + 1;
    for (start, next) in taken.iter().map(|ports| (u32::from(*ports.start()), u32::from(*ports.end()) + 1)) {
        if start.min(end) > from && start.min(end) - from > widest.len() as u32 {
            widest = from..start.min(end);
        }
        from = from.max(next);
    }
    if end > from && end - from > widest.len() as u32 {
        widest = from..end;
    }
    if widest.is_empty() { all.clone() } else { widest.start as u16..=(widest.end - 1) as u16 }
}

fn claims(node: &RawNode) -> impl Iterator<Item = Claim<'_>> {
    node.listens().into_iter().map(move |listen| Claim { node, host: host_of(node), listen })
}

impl<'n> Earlier<'n> {
    fn first_that_clashes(&self, claim: &Claim<'n>) -> Option<&Claim<'n>> {
        let Listen { is_udp, ports, .. } = &claim.listen;
        let single = self.ports.range((*is_udp, *ports.start())..=(*is_udp, *ports.end()));
        let mut all = single.flat_map(|(_, claims)| claims).chain(&self.ranges);
        all.find(|other| clashes(other, claim))
    }

    fn add(&mut self, claim: Claim<'n>) {
        let (first, last) = (*claim.listen.ports.start(), *claim.listen.ports.end());
        match first == last {
            true => self.ports.entry((claim.listen.is_udp, first)).or_default().push(claim),
            false => self.ranges.push(claim),
        }
    }
}

fn clashes(a: &Claim<'_>, b: &Claim<'_>) -> bool {
    // Two forwarders that clash by TCP clash by UDP as well, which has been said.
    let is_said = a.listen.socket == Socket::Media && b.listen.socket == Socket::Media && !a.listen.is_udp;
    !is_said
        && take_the_same(&a.listen, &b.listen)
        && same_socket((a.host, a.listen.ip), (b.host, b.listen.ip))
}

fn take_the_same(a: &Listen<'_>, b: &Listen<'_>) -> bool {
    a.is_udp == b.is_udp && meet(&a.ports, &b.ports)
}

/// Whether two ranges have a port in common.
pub(super) fn meet(a: &RangeInclusive<u16>, b: &RangeInclusive<u16>) -> bool {
    a.start() <= b.end() && b.start() <= a.end()
}

/// Whether both listen at one address of one machine; hosts and addresses.
fn same_socket((host_a, ip_a): (&str, IpAddr), (host_b, ip_b): (&str, IpAddr)) -> bool {
    if host_a == host_b { overlap(ip_a, ip_b) } else { ip_a == ip_b && is_of_one_machine(ip_a) }
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

/// Whether two nodes of one machine clash, whatever is reached from outside.
pub(super) fn any_clash(a: &RawNode, b: &RawNode) -> bool {
    host_of(a) == host_of(b) && claims(a).any(|a| claims(b).any(|b| clashes(&a, &b)))
}

fn report_clash(first: &Claim<'_>, second: &Claim<'_>, report: &Report<'_>) {
    let what = format!(
        "the address {} of {} clashes with {} of {} (line {})",
        address(second),
        named(second),
        address(first),
        named(first),
        report.line(first.listen.span)
    );
    let another = match second.listen.socket {
        Socket::PlainRtp => "other ports",
        _ => "another port",
    };
    let other_host =
        format!("if the two run on different machines: host = \"{}\" in one of them", second.node.name.value);
    let advice = if first.node.name.value == second.node.name.value {
        another.to_owned()
    } else {
        format!("{another}; {other_host}")
    };
    report.add(second.listen.span, what, advice);
}

fn address(claim: &Claim<'_>) -> String {
    let Listen { ip, ports, .. } = &claim.listen;
    let ip = if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() };
    match ports.start() == ports.end() {
        true => format!("{ip}:{}", ports.start()),
        false => format!("{ip}:{}-{}", ports.start(), ports.end()),
    }
}

fn named(claim: &Claim<'_>) -> String {
    format!("`{}`.{}", claim.node.name.value, claim.listen.socket.name())
}
