//! The one task that owns a node's machine: feeds it what happened, does what it says, wakes it in time.
//!
//! A turn takes what has piled up from one source, a bounded number of events, with one reading of the clocks. Every event
//! is handled and its outputs are carried out before the next one, so nothing is reordered; nothing in a turn waits.

mod answer;
mod carry;
mod hear;
mod rest;

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use taoyao_auth::Account;
use taoyao_core::{Input, Node};
use taoyao_gateway::{GatewayEvent, RestRequest, TerminalHandle};
use taoyao_link::{Life, LinkEvent};
use taoyao_topology::Topology;
use taoyao_types::{ConnId, NodeId, Now};
use tokio::sync::mpsc;
use tokio::time::{Sleep, sleep_until};

use self::answer::Then;
use crate::clock::Clock;
use crate::deeds::Deeds;
use crate::expiry::InUse;
use crate::forwarder::{Forwarder, MediaEvents};
use crate::guests::Guests;
use crate::links::LinkTable;
use crate::logins::{Heard, Logins};
use crate::operators::Operators;
use crate::passwords::Passwords;
use crate::question::Question;
use crate::readiness::Readiness;
use crate::recordings::{RecorderEvents, Recordings};
use crate::state_dir::StateDir;
use crate::supervisor::Command;

/// Events of terminals in one turn: enough to share its fixed costs, few enough that no other source waits for long.
const TERMINAL_BUDGET: usize = 256;
/// Events of links in one turn; each may bring some hundred frames.
const LINK_BUDGET: usize = 16;
/// Events of the SFU, or of the recorder, in one turn.
const MEDIA_BUDGET: usize = 256;
/// Requests of the REST interface in one turn.
const REST_BUDGET: usize = 16;

/// Where a driver's events come from.
#[derive(Debug)]
pub(crate) struct Sources {
    /// `None`: this node serves no terminals.
    pub(crate) gateway: Option<mpsc::Receiver<GatewayEvent>>,
    /// `None`: nobody calls. Ends with the gateway.
    pub(crate) rest: Option<mpsc::Receiver<RestRequest>>,
    /// `None`: this node has no neighbours.
    pub(crate) links: Option<mpsc::Receiver<LinkEvent>>,
    /// `None`: this node has no SFU.
    pub(crate) media: Option<MediaEvents>,
    /// `None`: this node has no recorder.
    pub(crate) recorder: Option<RecorderEvents>,
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
    pub(crate) media_events: u64,
    pub(crate) alarms: u64,
}

/// Who the driven node is.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) topology: Arc<Topology>,
    pub(crate) own: NodeId,
    /// As the links greet in it.
    pub(crate) life: Life,
    /// Locked as long as the node uses its life.
    pub(crate) state_dir: StateDir,
    pub(crate) certificates: Vec<InUse>,
}

/// A node's machine and everything that its outputs go to.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) node: Node,
    pub(crate) place: Place,
    pub(crate) clock: Clock,
    pub(crate) links: LinkTable,
    pub(crate) logins: Logins,
    pub(crate) forwarder: Forwarder,
    pub(crate) recordings: Recordings,
    pub(crate) readiness: Readiness,
    pub(crate) stats: DriverStats,
    terminals: HashMap<ConnId, Terminal>,
    guests: Guests,
    passwords: Passwords,
    deeds: Deeds,
    /// Where the node's end is asked for.
    commands: mpsc::Sender<Command>,
    operators: Operators,
    is_draining: bool,
}

#[derive(Debug)]
struct Terminal {
    handle: TerminalHandle,
    ip: IpAddr,
    /// Who it is, if that is known before it registers.
    account: Option<Account>,
}

impl Driver {
    pub(crate) fn new(
        node: Node,
        place: Place,
        clock: Clock,
        logins: Logins,
        forwarder: Forwarder,
        recordings: Recordings,
        commands: mpsc::Sender<Command>,
    ) -> Self {
        let scripts = place.topology.scripts_of(place.own).cloned().collect();
        Self {
            node,
            place,
            clock,
            links: LinkTable::default(),
            logins,
            forwarder,
            recordings,
            readiness: Readiness::default(),
            stats: DriverStats::default(),
            terminals: HashMap::new(),
            guests: Guests::default(),
            passwords: Passwords::default(),
            deeds: Deeds::new(scripts),
            commands,
            operators: Operators::default(),
            is_draining: false,
        }
    }

    /// Runs until it is told to stop.
    pub(crate) async fn run(mut self, mut sources: Sources) -> Result<(), SourceGone> {
        let mut terminals = Vec::with_capacity(TERMINAL_BUDGET);
        let mut links = Vec::with_capacity(LINK_BUDGET);
        let mut calls = Vec::with_capacity(REST_BUDGET);
        let mut media = Vec::with_capacity(MEDIA_BUDGET);
        let mut recorded = Vec::new();
        let timer = sleep_until(self.clock.at(self.node.poll_timeout()));
        tokio::pin!(timer);
        loop {
            tokio::select! {
                count = receive(&mut sources.gateway, &mut terminals, TERMINAL_BUDGET) => match count {
                    0 => self.tolerate(SourceGone::Gateway).map(|()| sources.gateway = None)?,
                    _ => self.hear_terminals(&mut terminals),
                },
                count = receive(&mut sources.links, &mut links, LINK_BUDGET) => match count {
                    0 => self.tolerate(SourceGone::Links).map(|()| sources.links = None)?,
                    _ => self.hear_links(&mut links),
                },
                count = receive(&mut sources.rest, &mut calls, REST_BUDGET) => match count {
                    0 => sources.rest = None,
                    _ => self.hear_rest(&mut calls),
                },
                count = receive_told(&mut sources.media, &mut media) => match count {
                    0 => sources.media = None,
                    _ => self.hear_media(&mut media),
                },
                count = receive_told(&mut sources.recorder, &mut recorded) => match count {
                    0 => sources.recorder = None,
                    _ => self.hear_recorder(&mut recorded),
                },
                heard = self.logins.next() => self.hear_login(heard),
                Some((number, done)) = self.passwords.next() => {
                    let now = self.begin_turn();
                    self.feed(now, Input::Password { number, done });
                }
                Some((number, done)) = self.deeds.next() => {
                    let now = self.begin_turn();
                    self.feed(now, Input::Performed { number, done });
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

    fn wake(&mut self, timer: &mut Pin<&mut Sleep>) {
        let now = self.begin_turn();
        if self.node.poll_timeout() <= now.mono {
            self.node.handle_timeout(now);
            self.carry_out_all(now);
        }
        timer.as_mut().reset(self.clock.at(self.node.poll_timeout()));
    }

    /// Sets the timer earlier if need be. One that goes off too early is cheaper than one that is set at every signal.
    fn set(&self, timer: &mut Pin<&mut Sleep>) {
        let wanted = self.clock.at(self.node.poll_timeout());
        if wanted < timer.deadline() {
            timer.as_mut().reset(wanted);
        }
    }

    fn hear_login(&mut self, heard: Heard) {
        let now = self.begin_turn();
        let settled = match heard {
            Heard::Checked(checked) => self.logins.finish(now, checked),
            Heard::Settled(settled) => settled,
            Heard::Lost => return self.logins.go_on(now),
            Heard::Users => return self.judge_all(now),
        };
        if let Some(input) = settled.tell() {
            self.feed(now, input);
        }
    }

    /// Accounts have changed: ends the sessions of those who would not be let in as they are.
    fn judge_all(&mut self, now: Now) {
        let judged = self.node.terminals().accounts();
        let ended: Vec<_> = judged
            .filter_map(|(name, account)| Some((name.clone(), self.logins.judge(account, name)?)))
            .collect();
        for (name, why) in ended {
            self.feed(now, Input::Dismissed { name, why });
        }
    }

    fn feed(&mut self, now: Now, input: Input) {
        self.node.handle_input(now, input);
        self.carry_out_all(now);
    }
}

/// Fills `events` from a source; 0 when it has ended, never when there is none.
async fn receive<T>(source: &mut Option<mpsc::Receiver<T>>, events: &mut Vec<T>, budget: usize) -> usize {
    match source {
        Some(source) => source.recv_many(events, budget).await,
        None => std::future::pending().await,
    }
}

/// As [`receive`], from the SFU or the recorder.
async fn receive_told<T>(source: &mut Option<mpsc::UnboundedReceiver<T>>, events: &mut Vec<T>) -> usize {
    match source {
        Some(source) => source.recv_many(events, MEDIA_BUDGET).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use taoyao_core::NodeConfig;
    use taoyao_ortc::Capacity;
    use taoyao_types::NodeEpoch;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_listener_that_ends_by_itself_ends_the_node() {
        let (sources, _asking) = sources();
        assert_eq!(driver().run(sources).await, Err(SourceGone::Gateway));
    }

    #[tokio::test]
    async fn a_listener_that_ends_in_a_drain_does_not() {
        let (sources, asking) = sources();
        let (drained, draining) = oneshot::channel();
        let (stopped, stopping) = oneshot::channel();
        asking.send(Question::Drain(drained)).await.unwrap();
        let mut driver = driver();
        driver.is_draining = true;
        let running = tokio::spawn(driver.run(sources));
        draining.await.unwrap();
        asking.send(Question::Stop(stopped)).await.unwrap();
        stopping.await.unwrap();
        assert_eq!(running.await.unwrap(), Ok(()));
    }

    #[tokio::test]
    async fn a_driver_without_a_supervisor_ends() {
        let (mut sources, asking) = sources();
        sources.gateway = None;
        drop(asking);
        assert_eq!(driver().run(sources).await, Err(SourceGone::Supervisor));
    }

    #[tokio::test(start_paused = true)]
    async fn the_machine_is_woken_when_it_wants_to_be() {
        let (mut sources, asking) = sources();
        sources.gateway = None;
        let _running = tokio::spawn(driver().run(sources));
        tokio::time::sleep(std::time::Duration::from_secs(10)).await;
        let (reply, samples) = oneshot::channel();
        let gateway = taoyao_gateway::GatewayStats::default();
        asking.send(Question::Samples { gateway, reply }).await.unwrap();
        let samples = samples.await.unwrap();
        let turns = samples.iter().find(|sample| sample.name == "taoyao_driver_turns_total").unwrap().value;
        assert!((5.0..1_000.0).contains(&turns), "{turns} turns in 10 s of doing nothing");
    }

    /// A gateway that is gone already, no links, and the sending end of the questions.
    fn sources() -> (Sources, mpsc::Sender<Question>) {
        let (asking, questions) = mpsc::channel(4);
        let (_gone, gateway) = mpsc::channel(1);
        (
            Sources {
                gateway: Some(gateway),
                rest: None,
                links: None,
                media: None,
                recorder: None,
                questions,
            },
            asking,
        )
    }

    fn driver() -> Driver {
        let text = "org = \"acme\"\n[login]\nusers = \"no-such-users.toml\"\n[[node]]\nname = \"cn\"\n";
        let topology = Arc::new(Topology::parse("acme.toml", text).unwrap());
        let (own, epoch, clock) = (topology.root().id, NodeEpoch(1), Clock::start());
        let config = NodeConfig {
            own,
            epoch,
            seed: 7,
            secret: [7; 32],
            utc_offset_seconds: 0,
            sfu: Capacity::default(),
        };
        let node = Node::new(Arc::clone(&topology), &config, clock.now()).unwrap();
        let home = topology.root().home_partition().clone();
        let logins = Logins::open(topology.login(), home, [7; 32]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let state_dir = StateDir::open(folder.path()).unwrap();
        let place = Place { topology, own, life: Life::new(epoch), state_dir, certificates: Vec::new() };
        let (forwarder, recordings) = (Forwarder::default(), Recordings::default());
        Driver::new(node, place, clock, logins, forwarder, recordings, mpsc::channel(1).0)
    }
}
