//! One node: terminals on one side, the mesh on the other, and nothing but their conversation in between.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use taoyao_ortc::Capacity;
use taoyao_route::{Alarm, Delivery, NeighbourStatus, Router};
use taoyao_signal::{AskId, MeshEvent, Terminals, Token};
use taoyao_topology::Topology;
use taoyao_types::{Instant, NodeEpoch, NodeId, Now, TerminalKey};
use taoyao_wire::link::Payload;

use crate::clock::ParentClock;
use crate::io::{Input, Output};
use crate::settings;

/// Asks with this bit set are the operator's, all others the terminals'.
const OPERATOR: u64 = 1 << 63;

/// What a node is made of besides the topology.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    pub own: NodeId,
    pub epoch: NodeEpoch,
    /// Feeds session ids; different for every start of every node.
    pub seed: u64,
    /// Random and secret: seals passes and tickets of this life.
    pub secret: [u8; 32],
    /// East of Greenwich; times shown to terminals are local (reference section 2.1).
    pub utc_offset_seconds: i32,
    /// What the node's SFU carries, if it has one.
    pub sfu: Capacity,
}

/// The topology does not name this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("node {} is not in the topology", .0.hex())]
pub struct NotInTopology(pub NodeId);

/// The machine of one node.
///
/// Give it one [`Input`], drain [`Node::poll_output`] until it is empty, ask [`Node::poll_timeout`], and call
/// [`Node::handle_timeout`] when that time has come.
#[derive(Debug)]
pub struct Node {
    terminals: Terminals,
    router: Router,
    clock: ParentClock,
    /// Whether an operator has been told that the clock is not to be gone by.
    is_clock_told: bool,
    outputs: VecDeque<Output>,
}

impl Node {
    pub fn new(topology: Arc<Topology>, config: &NodeConfig, now: Now) -> Result<Self, NotInTopology> {
        let missing = NotInTopology(config.own);
        let terminals = Terminals::new(settings::terminals(&topology, config).ok_or(missing)?, config.seed);
        let router = Router::new(topology, config.own, config.epoch, now).ok_or(missing)?;
        let clock = ParentClock::default();
        Ok(Self { terminals, router, clock, is_clock_told: false, outputs: VecDeque::new() })
    }

    pub fn terminals(&self) -> &Terminals {
        &self.terminals
    }

    pub fn router(&self) -> &Router {
        &self.router
    }

    /// The neighbours and their links, parent first.
    pub fn neighbours(&self) -> Vec<NeighbourStatus> {
        self.router.neighbours()
    }

    /// How many milliseconds this node's clock is ahead of its parent's, by which it goes then; 0 if they agree.
    pub fn clock_ahead_ms(&self, now: Now) -> i64 {
        self.clock.ahead_ms(now)
    }

    pub fn handle_input(&mut self, now: Now, input: Input) {
        let now = self.clock.correct(now);
        match input {
            Input::TerminalOpened { conn, ip, message_max } => {
                if let Some(bytes_max) = message_max {
                    self.terminals.bound_messages(conn, bytes_max);
                }
                self.terminals.handle_opened(now, conn, ip);
            }
            Input::TerminalText { conn, text } => self.terminals.handle_text(now, conn, &text),
            Input::TerminalClosed { conn } => self.terminals.handle_closed(now, conn),
            Input::GuestOpened { conn, account } => self.terminals.handle_guest(now, conn, account),
            Input::Verified { conn, number, verified } => {
                self.terminals.handle_verified(now, conn, number, verified);
            }
            Input::Dismissed { name, why } => self.terminals.handle_dismissed(now, &name, why),
            Input::Password { number, done } => self.terminals.handle_password(now, number, done),
            Input::Performed { number, done } => self.terminals.handle_performed(now, number, done),
            Input::Media(event) => self.terminals.handle_media(now, event),
            Input::Recorded(recorded) => self.terminals.handle_recorded(now, recorded),
            Input::LinkUp { peer, epoch } => self.router.handle_link_up(now, peer, epoch),
            Input::LinkDown { peer, reason } => self.router.handle_link_down(now, peer, &reason),
            Input::LinkFrame { peer, frame } => self.router.handle_frame(now, peer, frame),
            Input::LinkQueued { peer, queued } => self.router.handle_queued(now, peer, queued),
            Input::Trace { number, from, to } => {
                let (from, to_key) = (TerminalKey::of(&from), TerminalKey::of(&to));
                self.router.trace(now, number, (from, Payload::Trace { to }), to_key);
            }
            Input::List { number, query } => {
                self.router.gather(now, number | OPERATOR, query, Duration::ZERO)
            }
            Input::NewLife { epoch } => {
                self.terminals.handle_new_life(epoch);
                self.router.handle_new_life(now, epoch);
            }
            Input::Drain => self.terminals.handle_drain(now),
        }
        self.converse(now);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, own: Now) {
        self.tell_of_clock(own);
        let now = self.clock.correct(own);
        self.terminals.handle_timeout(now);
        self.router.handle_timeout(now);
        self.converse(now);
    }

    /// The next thing to do; drain it after every `handle_*`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Node::handle_timeout`] at the latest.
    pub fn poll_timeout(&self) -> Instant {
        let router = self.router.poll_timeout();
        self.terminals.poll_timeout().map_or(router, |terminals| terminals.min(router))
    }

    /// Tells an operator once that the clock is wrong, and again when it is wrong anew.
    fn tell_of_clock(&mut self, own: Now) {
        let ahead_ms = self.clock.ahead_ms(own);
        if ahead_ms != 0 && !self.is_clock_told {
            self.outputs.push_back(Output::Alarm(Alarm::Clock { ahead_ms }));
        }
        self.is_clock_told = ahead_ms != 0;
    }

    /// Carries what each side says to the other until both are silent.
    fn converse(&mut self, now: Now) {
        loop {
            if let Some(output) = self.terminals.poll_output() {
                self.hear_terminals(now, output);
            } else if let Some(output) = self.router.poll_output() {
                self.hear_router(now, output);
            } else {
                return;
            }
        }
    }

    fn hear_terminals(&mut self, now: Now, output: taoyao_signal::Output) {
        use taoyao_signal::Output as Said;
        let router = &mut self.router;
        match output {
            Said::ToTerminal { conn, text } => self.outputs.push_back(Output::ToTerminal { conn, text }),
            Said::Admitted { conn } => self.outputs.push_back(Output::Admitted { conn }),
            Said::Close { conn, code, reason } => {
                self.outputs.push_back(Output::CloseTerminal { conn, code, reason });
            }
            Said::Verify { conn, number, username, password, vouched, terminal } => {
                let verify = Output::Verify { conn, number, username, password, vouched, terminal };
                self.outputs.push_back(verify);
            }
            Said::Register { key, session } => router.register(now, key, session),
            Said::Withdraw { key, session } => router.withdraw(now, key, session),
            Said::Ask { ask, source, target, payload } => router.ask(now, ask.0, source, target, payload),
            Said::Tell { source, target, class, payload } => router.tell(now, source, target, class, payload),
            Said::Reply { token, reply } => router.reply(now, token.0, reply),
            Said::Gather { ask, query, waited } => router.gather(now, ask.0, query, waited),
            Said::Broadcast { source, partition, payload } => {
                router.broadcast(now, source, partition, &payload)
            }
            Said::Publish { partition, changes, complete } => {
                router.publish(now, partition, changes, complete)
            }
            Said::Watch { partitions } => router.watch(partitions),
            Said::Password { number, work } => self.outputs.push_back(Output::Password { number, work }),
            Said::Perform { number, deed } => self.outputs.push_back(Output::Perform { number, deed }),
            Said::Media(command) => self.outputs.push_back(Output::Media(command)),
            Said::Record(command) => self.outputs.push_back(Output::Record(command)),
            Said::Audit(audit) => self.outputs.push_back(Output::Audit(audit)),
        }
    }

    fn hear_router(&mut self, now: Now, output: taoyao_route::Output) {
        use taoyao_route::Output as Said;
        match output {
            Said::ToLink { peer, lane, frame } => {
                self.outputs.push_back(Output::ToLink { peer, lane, frame })
            }
            Said::CloseLink { peer, reason } => self.outputs.push_back(Output::CloseLink { peer, reason }),
            Said::Deliver(Delivery::Gathered { ask, page }) if ask & OPERATOR != 0 => {
                self.outputs.push_back(Output::Listed { number: ask & !OPERATOR, page });
            }
            Said::Deliver(delivery) => self.terminals.handle_mesh(now, mesh_event(delivery)),
            Said::ListWanted { gather, query } => {
                let entries = self.terminals.local_list(&query);
                self.router.handle_local_list(now, gather, entries);
            }
            Said::Traced { number, result } => self.outputs.push_back(Output::Traced { number, result }),
            Said::Alarm(alarm) => self.outputs.push_back(Output::Alarm(alarm)),
            Said::ParentClock { wall } => self.clock.hear(now.mono, wall),
            Said::Outlived { last } => self.outputs.push_back(Output::Outlived { last }),
        }
    }
}

fn mesh_event(delivery: Delivery) -> MeshEvent {
    match delivery {
        Delivery::Request { id, target, payload, remaining_ms } => {
            MeshEvent::Request { token: Token(id), target, payload, remaining_ms }
        }
        Delivery::NodeRequest { id, origin, payload, remaining_ms } => {
            MeshEvent::NodeRequest { token: Token(id), origin, payload, remaining_ms }
        }
        Delivery::NodeEvent { origin, payload } => MeshEvent::NodeEvent { origin, payload },
        Delivery::Reply { ask, reply } => MeshEvent::Reply { ask: AskId(ask), reply },
        Delivery::Gathered { ask, page } => MeshEvent::Gathered { ask: AskId(ask), page },
        Delivery::Event { target, payload } => MeshEvent::Event { target, payload },
        Delivery::Broadcast { partition, payload } => MeshEvent::Broadcast { partition, payload },
        Delivery::Presence(news) => MeshEvent::Presence(news),
        Delivery::Refresh { partitions } => MeshEvent::Refresh { partitions },
        Delivery::Refused { key, session } => MeshEvent::Refused { key, session },
        Delivery::Displaced { key, origin, outbid } => MeshEvent::Displaced { key, origin, outbid },
    }
}
