//! One `nats-server` in the place of the node: two clients over TLS, the same loops, messages of the same size.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::Arc;
use std::thread::sleep;

use rustls::ClientConfig;

use super::Plan;
use super::error::{BenchError, io};
use super::figure::Figure;
use super::latency::MESSAGE_BYTES;
use super::load::{self, Load, Subject};
use super::nats::{SPREAD, program};
use super::nats_client::Client;
use super::one_node::{COMPARED, PACE};
use super::paced::{self, MARK, Pace, STAMP};
use super::process::Process;
use super::site::{Site, free_tcp_port, until};
use super::terminal::tls;

pub(super) fn measure(plan: &Plan) -> Result<Vec<Figure>, BenchError> {
    let server = Server::up()?;
    let subject = Subject { name: COMPARED, server: "server", process: &server.process, target: None };
    let [per_cpu, rate] = load::measure(plan, &subject, &Load::start(vec![server.pair("fast")?])?)?;
    let pace = Pace { name: COMPARED, rate: PACE, p99_us: None };
    let (near, far) = server.pair("paced")?;
    let mut figures = vec![per_cpu, rate];
    figures.extend(paced::measure(plan, &pace, near, far)?);
    Ok(figures)
}

struct Server {
    process: Process,
    address: SocketAddr,
    tls: Arc<ClientConfig>,
    /// Its certificate, configuration and log.
    _site: Site,
}

impl Server {
    fn up() -> Result<Self, BenchError> {
        let site = Site::line(1, "", "")?;
        let tls = tls(&site.topology.certs().authority())?;
        let (cert, key) = site.topology.certs().terminals(site.node("n1"));
        let port = free_tcp_port()?;
        let file = site.dir().join("nats.conf");
        let text = format!(
            "listen: \"127.0.0.1:{port}\"\ntls {{ cert_file: \"{}\", key_file: \"{}\" }}\n",
            cert.display(),
            key.display()
        );
        fs::write(&file, text).map_err(io(file.display().to_string()))?;
        let mut process =
            Process::start("nats-server", Command::new(program()?).arg("-c").arg(&file), site.dir())?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        until("nats-server does not answer", || {
            process.check()?;
            Ok(Client::connect(address, &tls).is_ok())
        })?;
        Ok(Self { process, address, tls, _site: site })
    }

    /// Two clients that send each other stamped messages.
    fn pair(&self, name: &str) -> Result<(Client, Client), BenchError> {
        let failed = || io("a client of nats-server");
        let mut text = format!("{{{MARK}{STAMP}\"}}");
        text.push_str(&"x".repeat(MESSAGE_BYTES - text.len()));
        let mut near = Client::connect(self.address, &self.tls).map_err(failed())?;
        let mut far = Client::connect(self.address, &self.tls).map_err(failed())?;
        near.converse(&format!("{name}.near"), &format!("{name}.far"), &text).map_err(failed())?;
        far.converse(&format!("{name}.far"), &format!("{name}.near"), &text).map_err(failed())?;
        sleep(SPREAD);
        Ok((near, far))
    }
}
