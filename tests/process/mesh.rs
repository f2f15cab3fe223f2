//! A mesh of node processes: its files, its processes, and what its nodes say of themselves.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use taoyao_node::report::{StatusReport, TerminalsReport};
use taoyao_node::token_path;
use tempfile::TempDir;

use crate::admin::Admin;
use crate::node::Node;
use crate::patience::until;
use crate::program::taoyao;
use crate::relay::Relay;
use crate::shape::{PASSWORD, Place, Shape, places, topology};
use crate::terminal::Dialler;

/// Everything of one mesh; dropped, its processes are killed and its files removed.
pub(crate) struct Mesh {
    places: Vec<Place>,
    running: BTreeMap<&'static str, Node>,
    /// Nodes that read a topology file of their own.
    files: BTreeMap<&'static str, PathBuf>,
    dialler: Dialler,
    dir: TempDir,
}

impl Mesh {
    /// Writes the files of a mesh of this shape; nothing runs yet.
    pub(crate) fn plan(shape: &Shape) -> Self {
        let places = places(shape);
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("topology");
        fs::create_dir(&folder).unwrap();
        let file = folder.join("mesh.toml");
        fs::write(&file, topology(&places, None)).unwrap();
        let made = Command::new(taoyao()).args(["cert", "dev"]).arg(&file).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let dialler = Dialler::trusting(&dir.path().join("certs"));
        Self { places, running: BTreeMap::new(), files: BTreeMap::new(), dialler, dir }
    }

    /// The same with all nodes running and ready.
    pub(crate) async fn start(shape: &Shape) -> Self {
        let mut mesh = Self::plan(shape);
        mesh.start_all().await;
        mesh
    }

    /// Puts a relay between a node that does not run yet and its parent.
    pub(crate) async fn put_relay_above(&mut self, short: &'static str) -> Relay {
        let parent = self.place(short).parent.expect("the root has nobody above it");
        let relay = Relay::to(self.place(parent).links).await;
        let file = self.dir.path().join(format!("topology/{short}.toml"));
        fs::write(&file, topology(&self.places, Some((parent, relay.port)))).unwrap();
        self.files.insert(short, file);
        relay
    }

    /// Adds keys to a node's terminals in the topology file that all nodes read; nothing may run yet.
    pub(crate) fn add_to_terminals(&self, short: &str, keys: &str) {
        let listen = format!("terminals = {{ listen = \"127.0.0.1:{}\"", self.place(short).terminals);
        self.change(&listen, &format!("{listen}, {keys}"));
    }

    /// Replaces a text that is once in the topology file that all nodes read; nothing may run yet.
    pub(crate) fn change(&self, text: &str, other: &str) {
        self.rewrite(text, other, 1..=1);
    }

    /// The same wherever it is.
    pub(crate) fn change_all(&self, text: &str, other: &str) {
        self.rewrite(text, other, 1..=usize::MAX);
    }

    fn rewrite(&self, text: &str, other: &str, times: RangeInclusive<usize>) {
        let file = self.dir.path().join("topology/mesh.toml");
        let written = fs::read_to_string(&file).unwrap();
        assert!(times.contains(&written.matches(text).count()), "{text} in\n{written}");
        fs::write(&file, written.replace(text, other)).unwrap();
    }

    /// Makes an account with the password of the shared one, which may be given rights by further arguments.
    pub(crate) fn add_account(&self, name: &str, rights: &[&str]) {
        self.taoyao(&[&["user", "add", name, "--password-stdin"], rights].concat(), PASSWORD);
    }

    /// Runs the program on the mesh's topology file; returns its standard output and error.
    pub(crate) fn taoyao(&self, arguments: &[&str], input: &str) -> String {
        let mut command = Command::new(taoyao());
        command.args(arguments).arg("--topology").arg(self.file("cn"));
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = piped.spawn().unwrap();
        // A command that wants no input may have ended already.
        let _unread = running.stdin.take().unwrap().write_all(input.as_bytes()).is_err();
        let ended = running.wait_with_output().unwrap();
        let (said, complaint) =
            (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        assert!(ended.status.success(), "{arguments:?}: {complaint}");
        format!("{said}{complaint}")
    }

    /// Starts every node and waits until all are ready.
    pub(crate) async fn start_all(&mut self) {
        let all: Vec<&'static str> = self.places.iter().map(|place| place.short).collect();
        all.iter().for_each(|short| self.run(short));
        self.ready(&all).await;
    }

    /// Starts a node; [`Mesh::ready`] waits for it.
    pub(crate) fn run(&mut self, short: &str) {
        let node = Node::start(short, &self.file(short), self.log_of(short));
        self.running.insert(self.place(short).short, node);
    }

    /// Starts a node whose process may have so many files open.
    pub(crate) fn run_with_files(&mut self, short: &str, files: u32) {
        let node = Node::start_with_files(short, &self.file(short), self.log_of(short), files);
        self.running.insert(self.place(short).short, node);
    }

    /// Starts a node with another standard error, and a filter for what it says there.
    pub(crate) fn run_saying(&mut self, short: &str, errors: Stdio, filter: Option<&str>) {
        let node = Node::start_saying(short, &self.file(short), self.log_of(short), errors, filter);
        self.running.insert(self.place(short).short, node);
    }

    /// The topology file that a node reads.
    pub(crate) fn file(&self, short: &str) -> PathBuf {
        let common = || self.dir.path().join("topology/mesh.toml");
        self.files.get(short).cloned().unwrap_or_else(common)
    }

    fn log_of(&self, short: &str) -> PathBuf {
        self.dir.path().join(format!("{short}.log"))
    }

    /// Waits until these nodes say that they are ready.
    pub(crate) async fn ready(&mut self, nodes: &[&str]) {
        let mut left = nodes.to_vec();
        until("ready", async || {
            self.running.values_mut().for_each(Node::assert_runs);
            let mut missing = Vec::new();
            for short in std::mem::take(&mut left) {
                let answer = self.admin(short).get("/readyz").await;
                if !matches!(answer, Ok((200, _))) {
                    missing.push(format!("{short}: {answer:?}"));
                    left.push(short);
                }
            }
            missing
        })
        .await;
    }

    pub(crate) async fn kill(&mut self, short: &str) {
        self.running.remove(short).unwrap().kill().await;
    }

    pub(crate) fn node(&mut self, short: &str) -> &mut Node {
        self.running.get_mut(short).unwrap()
    }

    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    pub(crate) fn place(&self, short: &str) -> &Place {
        self.places.iter().find(|place| place.short == short).unwrap()
    }

    /// Nodes at and below a node.
    pub(crate) fn subtree<'a>(&'a self, top: &'a Place) -> impl Iterator<Item = &'a Place> {
        let below = format!("{}/", top.name);
        self.places
            .iter()
            .filter(move |place| place.name == top.name || place.name.as_str().starts_with(&below))
    }

    pub(crate) fn dialler(&self) -> &Dialler {
        &self.dialler
    }

    pub(crate) fn certs(&self) -> PathBuf {
        self.dir.path().join("certs")
    }

    pub(crate) fn admin(&self, short: &str) -> Admin {
        let token = fs::read_to_string(token_path(&self.dir.path().join("state").join(short)));
        Admin { port: self.place(short).admin, token: token.unwrap_or_default() }
    }

    pub(crate) async fn status(&self, short: &str) -> StatusReport {
        self.admin(short).report("/api/status").await
    }

    /// All terminals that a node knows; few enough for one page.
    pub(crate) async fn terminals(&self, short: &str) -> TerminalsReport {
        self.admin(short).report("/api/terminals?limit=1000").await
    }
}
