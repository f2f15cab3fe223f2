//! Answers the admin API: turns its requests into questions to the driver, and the answers into JSON.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};
use taoyao_admin::{AdminFailure, AdminQuery, AdminRequest};
use taoyao_auth::Policy;
use taoyao_gateway::GatewayStats;
use taoyao_topology::Topology;
use taoyao_types::{NodeId, NodeName, PartitionId, PartitionName, Scope, TerminalName};
use taoyao_wire::link::{Failure, Hop, ListEntry, ListPage, ListQuery, Trace};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::forwarder::Forwarder;
use crate::instruments;
use crate::question::Question;
use crate::recordings::Recordings;
use crate::report::{
    BackHop, LinksReport, RoomDetails, RoomsReport, TerminalReport, TerminalsReport, TraceReport,
};
use crate::rooms::Carried;

/// Requests that are answered at once; each may take as long as a trace does. Beyond it they are refused.
const OPEN_MAX: usize = 64;

/// Where operators ask; answers beside the supervisor, so that a slow one does not hold up the others.
pub(crate) struct Desk {
    clerk: Clerk,
    answering: JoinSet<()>,
}

/// What an answer is made from.
#[derive(Clone)]
struct Clerk {
    topology: Arc<Topology>,
    own: NodeId,
    questions: mpsc::Sender<Question>,
    forwarder: Forwarder,
    recordings: Recordings,
}

/// What the supervisor has to do because of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Nothing,
    Drain,
}

impl Desk {
    pub(crate) fn new(
        topology: Arc<Topology>,
        own: NodeId,
        questions: mpsc::Sender<Question>,
        forwarder: Forwarder,
        recordings: Recordings,
    ) -> Self {
        Self { clerk: Clerk { topology, own, questions, forwarder, recordings }, answering: JoinSet::new() }
    }

    /// Begins to answer. `gateway` are the listener's counts as of now.
    pub(crate) fn take(&mut self, request: AdminRequest, gateway: GatewayStats) -> Asked {
        while self.answering.try_join_next().is_some() {}
        if let AdminRequest::Api { query: AdminQuery::Drain, reply } = request {
            // Fails only if the operator has gone, but what was asked for is done.
            let _gone = reply.send(Ok(json!({ "draining": true }))).is_err();
            return Asked::Drain;
        }
        if self.answering.len() < OPEN_MAX {
            self.answering.spawn(self.clerk.clone().answer(request, gateway));
        }
        Asked::Nothing
    }
}

impl Clerk {
    /// An asker that has gone misses the answer; one whose `reply` is dropped is told that the node is stopping.
    async fn answer(self, request: AdminRequest, gateway: GatewayStats) {
        let _gone = match request {
            AdminRequest::Ready { reply } => {
                let status = self.ask(Question::Status).await;
                status.is_ok_and(|status| reply.send(status.not_ready).is_ok())
            }
            AdminRequest::Metrics { reply } => {
                let samples = self.ask(|reply| Question::Samples { gateway, reply }).await;
                let media = instruments::media::samples(&self.forwarder.stats().await);
                samples.is_ok_and(|samples| reply.send([samples, media].concat()).is_ok())
            }
            AdminRequest::Api { query, reply } => reply.send(self.look_up(query).await).is_ok(),
        };
    }

    async fn look_up(&self, query: AdminQuery) -> Result<Value, AdminFailure> {
        match query {
            AdminQuery::Status => to_json(self.ask(Question::Status).await?),
            AdminQuery::Links => {
                let status = self.ask(Question::Status).await?;
                to_json(LinksReport { node: status.node, links: status.links })
            }
            AdminQuery::Alarms { limit } => {
                to_json(self.ask(|reply| Question::Alarms { limit, reply }).await?)
            }
            AdminQuery::Terminals { partition, limit, after } => {
                let query = self.list_query(partition, limit, after)?;
                let page = self.ask(|reply| Question::List { query, reply }).await?;
                to_json(self.terminals_report(page))
            }
            AdminQuery::Trace { from, to } => {
                let (from, to) = (self.terminal(&from)?, self.terminal(&to)?);
                let trace = self.ask(|reply| Question::Trace { from, to, reply }).await?;
                to_json(self.trace_report(&trace.map_err(|failure| refused(&failure))?))
            }
            AdminQuery::CloseTerminal { terminal } => {
                let name = self.terminal(&terminal)?;
                let question = |reply| Question::CloseTerminal { name: name.clone(), reply };
                match self.ask(question).await? {
                    true => Ok(json!({ "closed": name.to_string() })),
                    false => Err(AdminFailure::new(404, "This node has no terminal of that name.")),
                }
            }
            AdminQuery::Rooms => to_json(self.rooms().await?),
            AdminQuery::Room { id } => to_json(self.room(&id).await?),
            AdminQuery::Recordings { room, since, limit } => {
                to_json(self.recordings.report(self.node(self.own), room.as_deref(), since, limit))
            }
            AdminQuery::Recording { id } => {
                let recording = self.recordings.details(self.node(self.own), &id);
                let none = || AdminFailure::new(404, "This node has no recording of that id.");
                to_json(recording.ok_or_else(none)?)
            }
            AdminQuery::Drain => Err(AdminFailure::new(500, "a drain is the supervisor's affair")),
        }
    }

    async fn rooms(&self) -> Result<RoomsReport, AdminFailure> {
        let rooms = self.ask(Question::Rooms).await?;
        let workers = self.forwarder.stats().await;
        let carried = Carried::by(&workers);
        Ok(RoomsReport {
            node: self.node(self.own),
            carries_media: self.forwarder.media().is_some(),
            rooms: rooms.iter().map(|room| carried.report(room)).collect(),
        })
    }

    async fn room(&self, id: &str) -> Result<RoomDetails, AdminFailure> {
        let room = self.ask(|reply| Question::Room { id: id.to_owned(), reply }).await?;
        let room = room.ok_or_else(|| AdminFailure::new(404, "This node has no room of that id."))?;
        let workers = self.forwarder.stats().await;
        Ok(Carried::by(&workers).details(&self.topology, self.own, &room))
    }

    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Question) -> Result<T, AdminFailure> {
        let stopping = || AdminFailure::new(503, "The node is stopping, or has too much to answer.");
        let (reply, answer) = oneshot::channel();
        self.questions.send(question(reply)).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())
    }

    /// One partition is listed as its own terminals see it; all of them as this node's home sees them.
    fn list_query(
        &self,
        partition: Option<PartitionName>,
        limit: usize,
        after: Option<String>,
    ) -> Result<ListQuery, AdminFailure> {
        let after = after.map(|text| self.terminal(&text)).transpose()?;
        for name in partition.iter().chain(after.as_ref().map(|after| &after.partition)) {
            self.check_partition(name)?;
        }
        let home = self.home().clone();
        if let Some(wanted) = &partition {
            // Other nodes show their terminals to a partition, not to an operator: a list without them would look empty.
            let policy = self.topology.policy();
            let policy = Policy::new(policy.between_partitions.clone(), policy.rules.clone());
            policy
                .authorise(Scope::See, &home, wanted)
                .map_err(|denied| AdminFailure::new(403, format!("{denied}. Ask a node of {wanted}.")))?;
        }
        Ok(ListQuery {
            rooms: false,
            home,
            client_type: None,
            partitions: partition.into_iter().collect(),
            after,
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
        })
    }

    /// Nothing would ever be found in a partition that there is not.
    fn check_partition(&self, name: &PartitionName) -> Result<(), AdminFailure> {
        match self.topology.partition(PartitionId::of(name)) {
            Some(_) => Ok(()),
            None => {
                let instead = self.topology.instead_of_partition(name.as_str());
                Err(AdminFailure::new(
                    404,
                    format!("This mesh has no partition {:?}; {instead}.", name.as_str()),
                ))
            }
        }
    }

    fn home(&self) -> &PartitionName {
        let own = self.topology.node(self.own).expect("the desk belongs to a node of this topology");
        own.home_partition()
    }

    fn terminal(&self, text: &str) -> Result<TerminalName, AdminFailure> {
        TerminalName::resolve(text, self.home())
            .map_err(|error| AdminFailure::new(400, format!("{text:?} is not a terminal's name: {error}.")))
    }

    fn terminals_report(&self, page: ListPage) -> TerminalsReport {
        let incomplete = page.incomplete.iter().map(|id| self.node(*id)).collect();
        let terminals = page.entries.into_iter().map(|entry| self.terminal_report(entry)).collect();
        TerminalsReport { terminals, incomplete }
    }

    fn terminal_report(&self, entry: ListEntry) -> TerminalReport {
        // A state that another node wrote and that cannot be read is shown as one that says nothing.
        let state: Value = serde_json::from_str(&entry.state).unwrap_or_default();
        let text = |key| state[key].as_str().map(str::to_owned);
        TerminalReport {
            node: self.node(entry.origin),
            display_name: text("name"),
            client_type: text("clientType"),
            // An SFU is listed among the terminals, and has never registered.
            registered_at_ms: Some(entry.session.wall_ms()).filter(|at| *at > 0),
            name: entry.name,
        }
    }

    fn trace_report(&self, trace: &Trace) -> TraceReport {
        let back = |hop: &Hop| BackHop { node: self.node(hop.node), round_trip_us: hop.round_trip_us };
        TraceReport {
            there: trace.there.iter().map(|hop| self.node(hop.node)).collect(),
            back: trace.back.iter().map(back).collect(),
        }
    }

    fn node(&self, id: NodeId) -> NodeName {
        name_of(&self.topology, id)
    }
}

/// A node's name; a neighbour with another generation of the topology may speak of one that is not in ours.
pub(crate) fn name_of(topology: &Topology, id: NodeId) -> NodeName {
    let named = topology.node(id).map(|node| node.name.clone());
    named.unwrap_or_else(|| format!("unknown-{}", id.hex()).parse().expect("hex digits make a label"))
}

fn to_json(report: impl Serialize) -> Result<Value, AdminFailure> {
    serde_json::to_value(report).map_err(|error| AdminFailure::new(500, error.to_string()))
}

fn refused(failure: &Failure) -> AdminFailure {
    let status = match failure {
        Failure::NoSuchTerminal => 404,
        Failure::Denied { .. } => 403,
        Failure::Deadline => 504,
        Failure::Unreachable { .. } | Failure::Interrupted { .. } | Failure::Busy { .. } => 503,
        Failure::Refused { .. } => 502,
    };
    AdminFailure::new(status, failure.to_string())
}
