//! A mesh for one part of the benchmark: a topology of its own, certificates, free ports, and the nodes' processes.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use taoyao_topology::{Node, Topology};
use tempfile::TempDir;

use super::error::{BenchError, io};
use super::process::Process;
use super::{Plan, admin};
use crate::report::StatusReport;
use crate::{ensure_certificates, token_path};

/// Much longer than a healthy node needs, on a loaded machine as well.
const READY_MAX: Duration = Duration::from_secs(30);
const READY_POLL: Duration = Duration::from_millis(50);

/// The files of a mesh whose nodes form one line: `n1` is the root, `n2` its child, and so on.
#[derive(Debug)]
pub(super) struct Site {
    /// Holds everything; removed at the end.
    dir: TempDir,
    file: PathBuf,
    pub(super) topology: Arc<Topology>,
}

/// A site and its running nodes.
#[derive(Debug)]
pub(super) struct Chain {
    /// Before `site`: they end before their files go.
    pub(super) nodes: Vec<Process>,
    pub(super) site: Site,
}

impl Chain {
    /// Starts `length` nodes and waits until all links are in step.
    pub(super) fn up(plan: &Plan, length: usize) -> Result<Self, BenchError> {
        let site = Site::line(length, "", "")?;
        let nodes = (1..=length)
            .map(|number| site.start(plan, &format!("n{number}")))
            .collect::<Result<Vec<_>, BenchError>>()?;
        let mut chain = Self { nodes, site };
        for number in 1..=length {
            chain.site.wait_ready(&format!("n{number}"), &mut chain.nodes[number - 1])?;
        }
        Ok(chain)
    }
}

impl Site {
    /// Writes a topology of `length` nodes in a line and makes its certificates. `settings` goes before the nodes, `more`
    /// into the root's table.
    pub(super) fn line(length: usize, settings: &str, more: &str) -> Result<Self, BenchError> {
        let dir = tempfile::tempdir().map_err(io("a directory for the benchmark's files"))?;
        let file = dir.path().join("bench.toml");
        let text = text(length, settings, more)?;
        fs::write(&file, &text).map_err(io(file.display().to_string()))?;
        let topology = Topology::parse(&file.display().to_string(), &text);
        let topology = topology.map_err(|mistakes| BenchError::Answer(mistakes.to_string()))?;
        ensure_certificates(&topology)?;
        Ok(Self { dir, file, topology: Arc::new(topology) })
    }

    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Starts one node as a process of its own.
    pub(super) fn start(&self, plan: &Plan, name: &str) -> Result<Process, BenchError> {
        let mut command = Command::new(&plan.program);
        command.args(["node", name, "--topology"]).arg(&self.file).env("TAOYAO_LOG", "warn");
        Process::start(name, &mut command, self.dir())
    }

    /// Waits until the node is ready.
    pub(super) fn wait_ready(&self, name: &str, process: &mut Process) -> Result<(), BenchError> {
        let address = self.admin(name);
        until(&format!("{name} is not ready"), || {
            process.check()?;
            Ok(admin::is_ready(address))
        })
    }

    /// What the node says of itself.
    pub(super) fn status(&self, name: &str) -> Result<StatusReport, BenchError> {
        let path = token_path(&self.node(name).state_dir);
        let token = fs::read_to_string(&path).map_err(io(path.display().to_string()))?;
        admin::status(self.admin(name), token.trim())
    }

    pub(super) fn node(&self, name: &str) -> &Node {
        self.topology.by_name(name).expect("the benchmark asks for nodes that it has written itself")
    }

    /// Where terminals of the node connect.
    pub(super) fn terminals(&self, name: &str) -> SocketAddr {
        self.node(name).terminals.as_ref().expect("every node of the benchmark serves terminals").listen
    }

    fn admin(&self, name: &str) -> SocketAddr {
        self.node(name).admin.expect("every node of the benchmark has an admin listener")
    }
}

/// Asks again and again until `condition` holds; `otherwise` says what is wrong if it never does.
pub(super) fn until(
    otherwise: &str,
    mut condition: impl FnMut() -> Result<bool, BenchError>,
) -> Result<(), BenchError> {
    let end = Instant::now() + READY_MAX;
    while !condition()? {
        if Instant::now() >= end {
            return Err(BenchError::Late(format!("{otherwise} after {} s", READY_MAX.as_secs())));
        }
        sleep(READY_POLL);
    }
    Ok(())
}

/// A TCP port that nobody uses now. Somebody may take it before it is used; then the node says so.
pub(super) fn free_tcp_port() -> Result<u16, BenchError> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr());
    bound.map(|address| address.port()).map_err(io("a free TCP port"))
}

/// Ports that are held until all have been chosen, so that none is chosen twice.
#[derive(Default)]
struct Ports {
    tcp: Vec<TcpListener>,
    udp: Vec<UdpSocket>,
}

impl Ports {
    fn tcp(&mut self) -> Result<u16, BenchError> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(io("a free TCP port"))?;
        let address = socket.local_addr().map_err(io("a free TCP port"))?;
        self.tcp.push(socket);
        Ok(address.port())
    }

    fn udp(&mut self) -> Result<u16, BenchError> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(io("a free UDP port"))?;
        let address = socket.local_addr().map_err(io("a free UDP port"))?;
        self.udp.push(socket);
        Ok(address.port())
    }
}

fn text(length: usize, settings: &str, more: &str) -> Result<String, BenchError> {
    let mut text = format!(
        "org = \"bench\"\ncerts = {{ dir = \"certs\" }}\n{settings}\n[login]\ndevelopment = true\n\
         shared_account = {{ username = \"taoyao\", password = \"taoyao\" }}\n"
    );
    let mut ports = Ports::default();
    for number in 1..=length {
        let (terminals, links, admin) = (ports.tcp()?, ports.udp()?, ports.tcp()?);
        let place = match number {
            1 => more.to_owned(),
            _ => format!("parent = [\"n{}\"]", number - 1),
        };
        text.push_str(&format!(
            "[[node]]\nname = \"n{number}\"\n{place}\nterminals = {{ listen = \"127.0.0.1:{terminals}\" }}\n\
             links = {{ listen = \"127.0.0.1:{links}\" }}\nadmin = {{ listen = \"127.0.0.1:{admin}\" }}\n\
             state = {{ dir = \"state/n{number}\" }}\n"
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_five_is_a_valid_topology_of_five_tiers() {
        let site = Site::line(5, "", "").unwrap();
        assert_eq!(site.node("n5").tier, 5);
        assert_eq!(site.node("n3").home_partition().as_str(), "n3.n2.n1");
        assert!(site.topology.certs().authority().exists());
    }

    #[test]
    fn what_never_comes_is_told() {
        let never = until("the moon is not cheese", || Err(BenchError::Answer("rock".to_owned())));
        assert_eq!(never.unwrap_err().to_string(), "rock");
    }
}
