//! The one task that owns a node's machine: feeds it what happened, does what it says, wakes it in time.
//!
//! A turn takes what has piled up from one source, at most [`BUDGET`] events, with one reading of the clocks. Every event
//! is handled and its outputs are carried out before the next one, so nothing is reordered; nothing in a turn waits.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use taoyao_core::{Alarm, Input, Node, Output};
use taoyao_gateway::{GatewayEvent, TerminalHandle};
use taoyao_link::{LinkEvent, SendError};
use taoyao_topology::Topology;
use taoyao_types::{ConnId, NodeEpoch, NodeId, Now};
use tokio::sync::mpsc;
use tokio::time::{Sleep, sleep_until};

use crate::clock::Clock;
use crate::links::LinkTable;
use crate::logins::{Logins, Ticket};
use crate::operators::Operators;
use crate::question::{Question, Unsent};
use crate::readiness::Readiness;
use crate::status::queued_bytes;

/// Events of one turn: enough to share its fixed costs, few enough that no other source waits for long.
const BUDGET: usize = 256;

/// Where a driver's events come from.
#[derive(Debug)]
pub(crate) struct Sources {
    /// `None`: this node serves no terminals.
    pub(crate) gateway: Option<mpsc::Receiver<GatewayEvent>>,
    /// `None`: this node has no neighbours.
    pub(crate) links: Option<mpsc::Receiver<LinkEvent>>,
    pub(crate) questions: mpsc::Receiver<Question>,
}

/// A source ended although the node did not: a bug, and the node ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SourceGone {
    #[error("the terminals' listener ended")]
    Gateway,
    #[error("the links ended")]
    Links,
    #[error("the supervisor ended")]
    Supervisor,
}

/// Counts of the driver itself.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DriverStats {
    pub(crate) turns: u64,
    pub(crate) gateway_events: u64,
    pub(crate) link_frames: u64,
    pub(crate) alarms: u64,
}

/// Who the driven node is.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) topology: Arc<Topology>,
    pub(crate) own: NodeId,
    pub(crate) epoch: NodeEpoch,
}

/// A node's machine and everything that its outputs go to.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) node: Node,
    pub(crate) place: Place,
    pub(crate) clock: Clock,
    pub(crate) links: LinkTable,
    pub(crate) logins: Logins,
    pub(crate) readiness: Readiness,
    pub(crate) stats: DriverStats,
    terminals: HashMap<ConnId, Terminal>,
    operators: Operators,
    is_draining: bool,
}

#[derive(Debug)]
struct Terminal {
    handle: TerminalHandle,
    ip: IpAddr,
}

/// Whether the driver goes on after a question.
enum Then {
    GoOn,
    Stop,
}

impl Driver {
    pub(crate) fn new(node: Node, place: Place, clock: Clock, logins: Logins) -> Self {
        Self {
            node,
            place,
            clock,
            links: LinkTable::default(),
            logins,
            readiness: Readiness::default(),
            stats: DriverStats::default(),
            terminals: HashMap::new(),
            operators: Operators::default(),
            is_draining: false,
        }
    }

    /// Runs until it is told to stop.
    pub(crate) async fn run(mut self, mut sources: Sources) -> Result<(), SourceGone> {
        let mut terminals = Vec::with_capacity(BUDGET);
        let mut links = Vec::with_capacity(BUDGET);
        let timer = sleep_until(self.clock.at(self.node.poll_timeout()));
        tokio::pin!(timer);
        loop {
            tokio::select! {
                count = receive(&mut sources.gateway, &mut terminals) => match count {
                    0 => self.tolerate(SourceGone::Gateway).map(|()| sources.gateway = None)?,
                    _ => self.hear_terminals(&mut terminals),
                },
                count = receive(&mut sources.links, &mut links) => match count {
                    0 => self.tolerate(SourceGone::Links).map(|()| sources.links = None)?,
                    _ => self.hear_links(&mut links),
                },
                Some(checked) = self.logins.next() => {
                    let now = self.begin_turn();
                    let is_accepted = self.logins.finish(now, &checked);
                    let (conn, number) = (checked.ticket.conn, checked.ticket.number);
                    self.feed(now, Input::Verified { conn, number, is_accepted });
                }
                question = sources.questions.recv() => match question {
                    None => return Err(SourceGone::Supervisor),
                    Some(question) => if let Then::Stop = self.answer(question) {
                        return Ok(());
                    }
                },
                () = &mut timer => self.wake(&mut timer),
            }
            self.set(&mut timer);
        }
    }

    /// Gateway and links end before the driver when the node drains, and only then.
    fn tolerate(&self, gone: SourceGone) -> Result<(), SourceGone> {
        if self.is_draining { Ok(()) } else { Err(gone) }
    }

    fn begin_turn(&mut self) -> Now {
        self.stats.turns += 1;
        let now = self.clock.now();
        while let Some(correction) = self.links.next_correction(self.stats.turns) {
            self.feed(now, correction);
        }
        now
    }

    fn wake(&mut self, timer: &mut std::pin::Pin<&mut Sleep>) {
        let now = self.begin_turn();
        if self.node.poll_timeout() <= now.mono {
            self.node.handle_timeout(now);
            self.carry_out_all(now);
        }
        timer.as_mut().reset(self.clock.at(self.node.poll_timeout()));
    }

    /// Sets the timer earlier if need be. One that goes off too early is cheaper than one that is set at every signal.
    fn set(&self, timer: &mut std::pin::Pin<&mut Sleep>) {
        let wanted = self.clock.at(self.node.poll_timeout());
        if wanted < timer.deadline() {
            timer.as_mut().reset(wanted);
        }
    }

    fn hear_terminals(&mut self, events: &mut Vec<GatewayEvent>) {
        let now = self.begin_turn();
        self.stats.gateway_events += events.len() as u64;
        for event in events.drain(..) {
            let input = match event {
                GatewayEvent::Opened { conn, ip, terminal } => {
                    tracing::debug!(conn = conn.0, %ip, "terminal connected");
                    self.terminals.insert(conn, Terminal { handle: terminal, ip });
                    Input::TerminalOpened { conn, ip }
                }
                GatewayEvent::Text { conn, text } => {
                    tracing::trace!(conn = conn.0, bytes = text.len(), "from terminal");
                    Input::TerminalText { conn, text: String::from(&*text) }
                }
                GatewayEvent::Closed { conn, reason } => {
                    tracing::debug!(conn = conn.0, %reason, "terminal disconnected");
                    self.terminals.remove(&conn);
                    Input::TerminalClosed { conn }
                }
            };
            self.feed(now, input);
        }
    }

    fn hear_links(&mut self, events: &mut Vec<LinkEvent>) {
        let now = self.begin_turn();
        for event in events.drain(..) {
            match event {
                LinkEvent::Frames { peer, frames, .. } => {
                    self.stats.link_frames += frames.len() as u64;
                    for frame in frames {
                        tracing::trace!(%peer, bytes = frame.len(), "from link");
                        self.feed(now, Input::LinkFrame { peer, frame });
                    }
                }
                LinkEvent::Up { peer, hello, link, .. } => {
                    self.links.up(peer, link);
                    self.feed(now, Input::LinkUp { peer, epoch: hello.epoch });
                }
                LinkEvent::Down { peer, link, why } => {
                    if self.links.down(peer, link) {
                        self.feed(now, Input::LinkDown { peer, reason: why.to_string() });
                    }
                }
                LinkEvent::Drained { peer, .. } => {
                    if let Some(correction) = self.links.correction(peer) {
                        self.feed(now, correction);
                    }
                }
                LinkEvent::Refused { peer: Some(name), why, .. } => {
                    self.note_trouble(NodeId::of(&name), why.to_string());
                }
                LinkEvent::Refused { peer: None, .. } => {}
                LinkEvent::Unreachable { peer, reason, .. } => self.note_trouble(peer, reason),
            }
        }
    }

    /// Strangers are refused as well; only neighbours are remembered.
    fn note_trouble(&mut self, peer: NodeId, reason: String) {
        let own = self.place.own;
        let is_neighbour = self.place.topology.hops(own, peer) == Some(1);
        if is_neighbour {
            self.links.note_trouble(peer, reason);
        }
    }

    fn feed(&mut self, now: Now, input: Input) {
        self.node.handle_input(now, input);
        self.carry_out_all(now);
    }

    fn carry_out_all(&mut self, now: Now) {
        while let Some(output) = self.node.poll_output() {
            self.carry_out(now, output);
        }
    }

    fn carry_out(&mut self, now: Now, output: Output) {
        match output {
            Output::ToTerminal { conn, text } => {
                tracing::trace!(conn = conn.0, bytes = text.len(), "to terminal");
                if let Some(terminal) = self.terminals.get(&conn) {
                    terminal.handle.send(text);
                }
            }
            Output::ToLink { peer, lane, frame } => {
                tracing::trace!(%peer, ?lane, bytes = frame.len(), "to link");
                match self.links.send(peer, lane, frame) {
                    Ok(()) | Err(SendError::Down) => {}
                    Err(error) => tracing::error!(%peer, %error, "a frame was made that no link takes"),
                }
            }
            Output::CloseTerminal { conn, code, reason } => {
                tracing::debug!(conn = conn.0, code, reason, "closing terminal");
                if let Some(terminal) = self.terminals.get(&conn) {
                    terminal.handle.close(code, &reason);
                }
            }
            Output::CloseLink { peer, reason } => self.links.close(peer, &reason),
            Output::Verify { conn, number, username, password, terminal } => {
                let credentials = taoyao_auth::Credentials { username, password: password.0 };
                self.verify(now, conn, number, credentials, terminal);
            }
            Output::Traced { number, result } => self.operators.traced(number, result),
            Output::Listed { number, page } => self.operators.listed(number, page),
            Output::Alarm(alarm) => self.raise(&alarm),
        }
    }

    fn verify(
        &mut self,
        now: Now,
        conn: ConnId,
        number: u64,
        credentials: taoyao_auth::Credentials,
        terminal: taoyao_types::TerminalName,
    ) {
        let Some(&Terminal { ip, .. }) = self.terminals.get(&conn) else { return };
        let ticket = Ticket { conn, number, ip, credentials, terminal };
        if let Some(is_accepted) = self.logins.begin(now, ticket) {
            // Its outputs join the queue that is being carried out.
            self.node.handle_input(now, Input::Verified { conn, number, is_accepted });
        }
    }

    fn raise(&mut self, alarm: &Alarm) {
        self.stats.alarms += 1;
        match alarm {
            Alarm::Authority { peer, what } => {
                let peer = self.place.topology.node(*peer).map(|node| node.name.as_str());
                tracing::warn!(peer, what, "a neighbour did what its place in the topology does not allow");
            }
            Alarm::Refused { key, reason } => {
                tracing::warn!(terminal = %key, reason, "the parent does not take a terminal of this subtree");
            }
        }
    }

    fn answer(&mut self, question: Question) -> Then {
        let now = self.begin_turn();
        // A send fails only if nobody waits for the answer any more.
        let _nobody_waits = match question {
            Question::Status(reply) => reply.send(self.status(now)).is_err(),
            Question::Samples { gateway, reply } => reply.send(self.samples(now, &gateway)).is_err(),
            Question::List { query, reply } => {
                let input = self.operators.list(query, reply);
                self.feed(now, input);
                false
            }
            Question::Trace { from, to, reply } => {
                let input = self.operators.trace(from, to, reply);
                self.feed(now, input);
                false
            }
            Question::Drain(reply) => {
                self.is_draining = true;
                self.readiness.drain();
                self.feed(now, Input::Drain);
                reply.send(()).is_err()
            }
            Question::Unsent(reply) => reply.send(self.unsent()).is_err(),
            Question::Stop(reply) => {
                let _nobody_waits = reply.send(()).is_err();
                return Then::Stop;
            }
        };
        Then::GoOn
    }

    fn unsent(&self) -> Unsent {
        let mut unsent = Unsent::default();
        for stats in self.node.neighbours().iter().filter_map(|peer| self.links.stats(peer.id)) {
            unsent.bytes += queued_bytes(&stats);
            let round_trip = u64::try_from(stats.signal.rtt.as_micros()).unwrap_or(u64::MAX);
            unsent.round_trip_us_max = unsent.round_trip_us_max.max(round_trip);
        }
        unsent
    }
}

/// Fills `events` from a source; 0 when it has ended, never when there is none.
async fn receive<T>(source: &mut Option<mpsc::Receiver<T>>, events: &mut Vec<T>) -> usize {
    match source {
        Some(source) => source.recv_many(events, BUDGET).await,
        None => std::future::pending().await,
    }
}
