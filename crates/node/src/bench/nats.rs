//! Debian's `nats-server` in the same places: three leaf nodes in a line, mutual TLS between them, and clients over TLS at
//! the ends that send messages of the same size in the same way.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use rustls::ClientConfig;

use super::channel::{Echo, round_trip};
use super::error::{BenchError, io};
use super::figure::Figure;
use super::load::{self, Load, PAIRS, Subject};
use super::nats_client::Client;
use super::process::Process;
use super::site::{Site, free_tcp_port, until};
use super::terminal::tls;
use super::{Plan, latency};

/// Debian puts it where only administrators look.
const PROGRAMS: [&str; 3] = ["/usr/sbin/nats-server", "/usr/local/bin/nats-server", "/usr/bin/nats-server"];
/// How long subscriptions may take to be known at the other end.
pub(super) const SPREAD: Duration = Duration::from_millis(500);

pub(super) fn measure(plan: &Plan) -> Result<Vec<Figure>, BenchError> {
    let chain = Chain::up(&program()?)?;
    let mut figures = latency(plan, &chain)?;
    figures.extend(saturate(plan, &chain)?);
    Ok(figures)
}

/// Where `nats-server` is.
pub(super) fn program() -> Result<PathBuf, BenchError> {
    PROGRAMS.map(PathBuf::from).into_iter().find(|path| path.exists()).ok_or_else(|| {
        BenchError::Lacking(
            "there is no nats-server to compare with: `apt-get install nats-server`".to_owned(),
        )
    })
}

fn latency(plan: &Plan, chain: &Chain) -> Result<Vec<Figure>, BenchError> {
    let (mut near, far) = chain.pair("latency")?;
    let _echo = Echo::start(far).map_err(io("the far client"))?;
    round_trip(&mut near).map_err(io("a first round trip"))?;
    Ok(latency::sample(plan, &mut near)?.shown("nats-server, 3 leaf nodes: client to client and back"))
}

fn saturate(plan: &Plan, chain: &Chain) -> Result<Vec<Figure>, BenchError> {
    let pairs =
        (0..PAIRS).map(|pair| chain.pair(&format!("load{pair}"))).collect::<Result<Vec<_>, BenchError>>()?;
    let load = Load::start(pairs)?;
    let (name, process) = ("nats-server, 3 leaf nodes, clients at both ends", &chain.servers[1]);
    let subject = Subject { name, server: "middle", process, target: None };
    Ok(load::measure(plan, &subject, &load)?.into())
}

/// Three servers: each but the first dials the one before.
struct Chain {
    servers: Vec<Process>,
    clients: Vec<SocketAddr>,
    tls: Arc<ClientConfig>,
    /// Their certificates, configurations and logs.
    _site: Site,
}

impl Chain {
    fn up(program: &Path) -> Result<Self, BenchError> {
        let site = Site::line(3, "", "")?;
        let tls = tls(&site.topology.certs().authority())?;
        let (mut servers, mut clients, mut parent) = (Vec::new(), Vec::new(), None);
        for number in 1..=3 {
            let name = format!("n{number}");
            let (port, leaves) = (free_tcp_port()?, free_tcp_port()?);
            let file = site.dir().join(format!("{name}.conf"));
            let text = configuration(&site, &name, port, leaves, parent);
            fs::write(&file, text).map_err(io(file.display().to_string()))?;
            let mut server = Process::start(&name, Command::new(program).arg("-c").arg(&file), site.dir())?;
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            until(&format!("nats-server {name} does not answer"), || {
                server.check()?;
                Ok(Client::connect(address, &tls).is_ok())
            })?;
            servers.push(server);
            clients.push(address);
            parent = Some(leaves);
        }
        Ok(Self { servers, clients, tls, _site: site })
    }

    /// Two clients at the two ends that hear each other.
    fn pair(&self, name: &str) -> Result<(Client, Client), BenchError> {
        let failed = || io("a client of nats-server");
        let mut near = Client::connect(self.clients[0], &self.tls).map_err(failed())?;
        let mut far = Client::connect(self.clients[2], &self.tls).map_err(failed())?;
        let text = "x".repeat(latency::MESSAGE_BYTES);
        near.converse(&format!("{name}.near"), &format!("{name}.far"), &text).map_err(failed())?;
        far.converse(&format!("{name}.far"), &format!("{name}.near"), &text).map_err(failed())?;
        sleep(SPREAD);
        Ok((near, far))
    }
}

fn configuration(site: &Site, name: &str, port: u16, leaves: u16, parent: Option<u16>) -> String {
    let certs = site.topology.certs();
    let files = |(cert, key): (PathBuf, PathBuf)| {
        let (cert, key, ca) = (cert.display(), key.display(), certs.authority());
        format!("cert_file: \"{cert}\", key_file: \"{key}\", ca_file: \"{}\"", ca.display())
    };
    let (shown, own) = (files(certs.terminals(site.node(name))), files(certs.node(site.node(name))));
    let remotes = parent.map_or_else(String::new, |parent| {
        format!("remotes: [ {{ url: \"tls://127.0.0.1:{parent}\", tls {{ {own} }} }} ]")
    });
    format!(
        "server_name: {name}\nlisten: \"127.0.0.1:{port}\"\ntls {{ {shown} }}\n\
         leafnodes {{ listen: \"127.0.0.1:{leaves}\", tls {{ {shown}, verify: true }}\n{remotes} }}\n"
    )
}
