//! One `[[node]]` of the file as it was written.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::media::RawMedia;
use super::recordings::RawRecordings;
use super::tcp::{RawTcp, TCP_EXAMPLE};
use crate::address::{BadHostPort, HostPort};
use crate::guard::Guard;
use crate::mistake::{At, Span};
use crate::network::read_networks;
use crate::node::{Geo, Near};
use crate::paths::Base;
use crate::read::Table;
use crate::recordings::Recordings;
use crate::rewrite::Rewrite;

/// A node as it was written.
#[derive(Debug)]
pub(crate) struct RawNode {
    pub(crate) name: At<String>,
    /// Whether there is a `parent` at all, be it right or wrong; the root has none.
    pub(crate) has_parent: bool,
    pub(crate) parents: Option<At<Vec<At<String>>>>,
    /// `None` means the default partition.
    pub(crate) partitions: Option<At<Vec<At<String>>>>,
    pub(crate) serves: Vec<At<String>>,
    pub(crate) host: Option<At<String>>,
    pub(crate) terminals: Option<RawListener>,
    pub(crate) terminals_tls: Option<RawTls>,
    pub(crate) terminals_tcp: Vec<RawTcp>,
    pub(crate) terminals_guard: Guard,
    pub(crate) links: Option<RawListener>,
    /// Whether `[node.links]` is there at all, be it right or wrong.
    pub(crate) has_links: bool,
    pub(crate) media: Option<RawMedia>,
    pub(crate) recordings: Option<At<Recordings>>,
    pub(crate) admin: Option<At<SocketAddr>>,
    /// Names under which operators ask.
    pub(crate) admin_hosts: Vec<String>,
    pub(crate) near: Near,
    pub(crate) rewrite: Rewrite,
    pub(crate) state_dir: At<PathBuf>,
}

/// An address to listen at and the one under which others reach it.
#[derive(Debug)]
pub(crate) struct RawListener {
    pub(crate) listen: At<SocketAddr>,
    pub(crate) advertise: At<HostPort>,
}

/// The certificate and key that the operator gives for terminals.
#[derive(Debug)]
pub(crate) struct RawTls {
    pub(crate) cert: At<PathBuf>,
    pub(crate) key: At<PathBuf>,
}

impl RawNode {
    /// Reads a node; one without a name is reported and dropped.
    pub(crate) fn read(mut table: Table<'_>, base: &Base) -> Option<Self> {
        let name = table.required_text("name", "name = \"sh\"");
        let has_parent = table.has("parent");
        let parents = table.text_or_texts("parent", "parent = [\"east\"]");
        let partitions = table.texts("partitions", "partitions = [\"sh.east.cn\"]");
        let serves = table.texts("serves", "serves = [\"mobile.cn\"]");
        table.parsed("proxy", "proxy = \"full\"", read_proxy);
        let host = table.text("host", "host = \"rack-1\"");
        let terminals = table.table("terminals", "[node.terminals]").map(|table| read_terminals(table, base));
        let has_links = table.has("links");
        let links =
            table.table("links", "[node.links]").and_then(|table| read_listener(table, LINKS_EXAMPLE));
        let media = table.table("media", "[node.media]").and_then(RawMedia::read);
        let recordings =
            table.table("recordings", "[node.recordings]").map(|table| RawRecordings::read(table, base));
        if let Some(recordings) = recordings.as_ref().filter(|_| !table.has("media")) {
            let what = "`recordings` without `media`: a node that carries no media has nothing to record";
            table.add(
                &recordings.span,
                what,
                "media = { listen = \"0.0.0.0:44444\" } beside it, or no `recordings`",
            );
        }
        let admin = table.table("admin", "[node.admin]").map(read_admin);
        let near = table.table("near", "[node.near]").map(read_near).unwrap_or_default();
        let rewrite = table.table("rewrite", "[node.rewrite]").map(Rewrite::read).unwrap_or_default();
        let state = table.table("state", "[node.state]").and_then(read_state);
        table.finish();

        let name = name?;
        let state = state
            .unwrap_or_else(|| At { value: format!("../state/{}", name.value), span: name.span.clone() });
        let recordings = recordings.map(|raw| raw.of(&name.value, base));
        let (terminals, terminals_tls, terminals_tcp, terminals_guard) = terminals.unwrap_or_default();
        let (admin, admin_hosts) = admin.unwrap_or_default();
        Some(Self {
            state_dir: At { value: base.resolve(&state.value), span: state.span },
            terminals_tls: terminals_tls.map(|(cert, key)| RawTls {
                cert: At { value: base.resolve(&cert.value), span: cert.span },
                key: At { value: base.resolve(&key.value), span: key.span },
            }),
            terminals_tcp,
            terminals_guard,
            serves: serves.map(|list| list.value).unwrap_or_default(),
            name,
            has_parent,
            parents,
            partitions,
            host,
            terminals,
            links,
            has_links,
            media,
            recordings,
            admin,
            admin_hosts,
            near,
            rewrite,
        })
    }
}

const TERMINALS_EXAMPLE: &str = "listen = \"0.0.0.0:8888\"";
const LINKS_EXAMPLE: &str = "listen = \"0.0.0.0:7000\"";
const ADMIN_EXAMPLE: &str = "listen = \"127.0.0.1:9001\"";
const TLS_EXAMPLE: &str = "tls = { cert = \"sh.crt\", key = \"sh.key\" }";

type TlsTexts = (At<String>, At<String>);

/// What `[node.terminals]` says.
type TerminalsTexts = (Option<RawListener>, Option<TlsTexts>, Vec<RawTcp>, Guard);

fn read_terminals(mut table: Table<'_>, base: &Base) -> TerminalsTexts {
    let tls = table.table("tls", TLS_EXAMPLE).and_then(|mut tls| {
        let cert = tls.required_text("cert", TLS_EXAMPLE);
        let key = tls.required_text("key", TLS_EXAMPLE);
        tls.finish();
        cert.zip(key)
    });
    let tcp = table.tables("tcp", TCP_EXAMPLE).into_iter().filter_map(|table| RawTcp::read(table, base));
    let tcp = tcp.collect();
    let guard = Guard::read(&mut table);
    (read_listener(table, TERMINALS_EXAMPLE), tls, tcp, guard)
}

fn read_listener(mut table: Table<'_>, example: &str) -> Option<RawListener> {
    let listener = read_address(&mut table, example);
    table.finish();
    listener
}

/// `listen` and `advertise` of a table that may have further keys.
pub(super) fn read_address(table: &mut Table<'_>, example: &str) -> Option<RawListener> {
    let listen = table.required("listen", example, read_listen);
    let advertise = table.parsed("advertise", "advertise = \"sh.example.com:8888\"", read_advertise);
    listen.and_then(|listen| match advertise {
        Some(advertise) => Some(RawListener { listen, advertise }),
        None if listen.value.ip().is_unspecified() => {
            // A wrong `advertise` has been reported already.
            if !table.has("advertise") {
                report_unreachable(table, &listen);
            }
            None
        }
        None => {
            let advertise = At { value: HostPort::from(listen.value), span: listen.span.clone() };
            Some(RawListener { listen, advertise })
        }
    })
}

fn report_unreachable(table: &Table<'_>, listen: &At<SocketAddr>) {
    let what = format!("nobody can dial {}: it means every address of this machine", listen.value);
    let port = listen.value.port();
    table.add(
        &listen.span,
        what,
        format!("beside it, the name or address that others dial: advertise = \"sh.example.com:{port}\""),
    );
}

fn read_admin(mut table: Table<'_>) -> (Option<At<SocketAddr>>, Vec<String>) {
    let listen = table.required("listen", ADMIN_EXAMPLE, read_listen);
    let hosts = table.texts("hosts", "hosts = [\"node-sh.example.com\"]").map(|list| list.value);
    let hosts = hosts.into_iter().flatten().map(|host| host.value).collect();
    table.finish();
    (listen, hosts)
}

fn read_state(mut table: Table<'_>) -> Option<At<String>> {
    let dir = table.text("dir", "dir = \"../state/sh\"");
    table.finish();
    dir
}

fn read_near(mut table: Table<'_>) -> Near {
    let mut near =
        Near { cidr: read_networks(&mut table, "cidr", "cidr = [\"10.1.0.0/16\"]"), ..Near::default() };
    near.geo = table.table("geo", GEO_EXAMPLE).and_then(|mut geo| {
        let lat = geo.required_number("lat", GEO_EXAMPLE, -90.0..=90.0);
        let lon = geo.required_number("lon", GEO_EXAMPLE, -180.0..=180.0);
        geo.finish();
        Some(Geo { lat: lat?, lon: lon? })
    });
    table.finish();
    near
}

const GEO_EXAMPLE: &str = "geo = { lat = 31.2, lon = 121.5 }";

pub(super) fn read_listen(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| "it is not an IP address and a port".to_owned())?;
    if address.port() == 0 {
        return Err("port 0 means any free port, and nobody would know which".to_owned());
    }
    Ok(address)
}

fn read_advertise(text: &str) -> Result<HostPort, String> {
    let address: HostPort = text.parse().map_err(|why: BadHostPort| why.to_string())?;
    match address.ip() {
        Some(ip) if ip.is_unspecified() => Err("nobody can dial it".to_owned()),
        _ => Ok(address),
    }
}

fn read_proxy(text: &str) -> Result<(), String> {
    if text == "full" {
        Ok(())
    } else {
        Err("only full proxy registration exists in this version".to_owned())
    }
}

/// Ports that a node takes on its machine.
#[derive(Debug)]
pub(crate) struct Listen<'n> {
    pub(crate) socket: Socket,
    pub(crate) is_udp: bool,
    pub(crate) ip: IpAddr,
    pub(crate) ports: RangeInclusive<u16>,
    pub(crate) span: &'n Span,
}

/// Ports under which others reach a node.
#[derive(Debug)]
pub(crate) struct Advertised<'n> {
    pub(crate) is_udp: bool,
    pub(crate) ports: RangeInclusive<u16>,
    pub(crate) address: &'n At<HostPort>,
}

impl<'n> Listen<'n> {
    fn one(socket: Socket, is_udp: bool, At { value, span }: &'n At<SocketAddr>) -> Self {
        Self { socket, is_udp, ip: value.ip(), ports: value.port()..=value.port(), span }
    }
}

impl<'n> Advertised<'n> {
    fn one(is_udp: bool, address: &'n At<HostPort>) -> Self {
        Self { is_udp, ports: address.value.port..=address.value.port, address }
    }
}

impl RawNode {
    /// Everything that the node listens at.
    pub(crate) fn listens(&self) -> Vec<Listen<'_>> {
        let mut listens = Vec::new();
        listens.extend(self.terminals.iter().map(|raw| Listen::one(Socket::Terminals, false, &raw.listen)));
        listens.extend(self.links.iter().map(|raw| Listen::one(Socket::Links, true, &raw.listen)));
        listens.extend(self.media.iter().flat_map(media_listens));
        listens.extend(self.terminals_tcp.iter().map(|raw| Listen::one(Socket::Tcp, false, &raw.listen)));
        listens.extend(self.admin.iter().map(|listen| Listen::one(Socket::Admin, false, listen)));
        listens
    }

    /// Everything under which others reach the node.
    pub(crate) fn advertised(&self) -> Vec<Advertised<'_>> {
        let mut advertised = Vec::new();
        advertised.extend(self.terminals.iter().map(|raw| Advertised::one(false, &raw.advertise)));
        advertised.extend(self.links.iter().map(|raw| Advertised::one(true, &raw.advertise)));
        advertised.extend(self.media.iter().map(|media| {
            let address = &media.listener.advertise;
            Advertised { ports: media.worker_ports(address.value.port), ..Advertised::one(true, address) }
        }));
        advertised
    }

    /// The place of the key that makes it a child.
    pub(crate) fn parent_span(&self) -> Option<&Span> {
        self.parents.as_ref().map(|parents| &parents.span)
    }
}

/// Workers listen by UDP and TCP alike. Plain RTP counts where it is written: its default gives way.
fn media_listens(media: &RawMedia) -> Vec<Listen<'_>> {
    let At { value, span } = &media.listener.listen;
    let worker = |is_udp| Listen {
        socket: Socket::Media,
        is_udp,
        ip: value.ip(),
        ports: media.worker_ports(value.port()),
        span,
    };
    let plain = media.plain_ports.iter().map(|ports| Listen {
        socket: Socket::PlainRtp,
        is_udp: true,
        ip: value.ip(),
        ports: ports.value.clone(),
        span: &ports.span,
    });
    let tcp = media.tcp.then(|| worker(false));
    [worker(true)].into_iter().chain(tcp).chain(plain).collect()
}

/// What a node listens for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Socket {
    Terminals,
    Tcp,
    Links,
    Media,
    PlainRtp,
    Admin,
}

impl Socket {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Terminals => "terminals",
            Self::Tcp => "terminals.tcp",
            Self::Links => "links",
            Self::Media => "media",
            Self::PlainRtp => "media.plain_ports",
            Self::Admin => "admin",
        }
    }
}
