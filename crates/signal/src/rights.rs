//! What policy is asked of what other nodes ask: again here, where it ends, for the node that sent it may have been taken
//! over, or have another policy.
//!
//! What is asked is said once, in the tables of signals and of the links.

use taoyao_types::{Asks, ConnId, NodeId, PartitionId, PartitionName, Scope, TerminalName};
use taoyao_wire::link::{Failure, Payload, RoomAct, RoomRequest};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::Code;

use crate::failure::Failed;
use crate::io::{Audit, Output};
use crate::room::partition_of;
use crate::terminals::Terminals;

impl Terminals {
    /// Whether a payload may reach this terminal. A refusal is counted and audited.
    pub(crate) fn permit(&mut self, payload: &Payload, conn: ConnId) -> Result<(), Failure> {
        let Some(terminal) = self.registry.terminal(conn) else { return Err(Failure::NoSuchTerminal) };
        let to = terminal.partition().clone();
        match (payload.asks(), source(payload)) {
            (Some(Asks::Nothing(_)), _) => Ok(()),
            (Some(Asks::Scope(scope)), Some((from, signal))) => self.permit_towards(scope, from, &to, signal),
            (Some(Asks::Scope(_)), None) | (None, _) => {
                self.stats.mesh_refused += 1;
                Err(Failed::new(Code::Unsupported, Code::Unsupported.text()).into_failure())
            }
        }
    }

    /// Whether somebody elsewhere may do this here.
    pub(crate) fn permit_towards(
        &mut self,
        scope: Scope,
        from: &TerminalName,
        to: &PartitionName,
        signal: Signal,
    ) -> Result<(), Failure> {
        match self.config.policy.authorise(scope, &from.partition, to) {
            Ok(_) => Ok(()),
            Err(denied) => Err(self.refuse_mesh(from, signal, &denied.rule)),
        }
    }

    /// Whether what somebody wants of a room here is what its signal says, and what policy lets it want.
    pub(crate) fn permit_in_room(&mut self, request: &RoomRequest) -> Result<(), Failure> {
        let from = &request.from;
        let Some(signal) = request.act.believable() else {
            return Err(self.refuse_mesh(from, Signal::RoomStatus, "signal"));
        };
        if request.act.asks().scope().is_some()
            && let Some(to) = self.partition_of_room(&request.room)
            && !manages(request.is_operator, &from.partition, &to)
        {
            self.permit_towards(Scope::Room, from, &to, signal)?;
        }
        match &request.act {
            RoomAct::Record { client, .. } => {
                self.permit_towards(Scope::Record, from, &client.partition, signal)
            }
            _ => Ok(()),
        }
    }

    /// An operator's node may say so of rooms in its own partition. Of those within, only the partition's owner may: a
    /// partition is served by many nodes, and none of them rules what lies below.
    pub(crate) fn believe_operator(&self, origin: NodeId, request: &mut RoomRequest) {
        let home = &request.from.partition;
        let owns = self.config.owners.get(&PartitionId::of(home)) == Some(&origin);
        let is_home = self.partition_of_room(&request.room).is_some_and(|partition| partition == *home);
        request.is_operator &= owns || is_home;
    }

    pub(crate) fn partition_of_room(&self, room: &str) -> Option<PartitionName> {
        self.partitions.get(&partition_of(room)?).cloned()
    }

    fn refuse_mesh(&mut self, from: &TerminalName, signal: Signal, rule: &str) -> Failure {
        self.stats.mesh_refused += 1;
        let (terminal, denied) = (from.clone(), Some(rule.to_owned()));
        let audit = Audit { account: None, terminal, signal: signal.name(), denied, detail: None };
        self.outputs.push_back(Output::Audit(audit));
        Failure::Denied { rule: rule.to_owned() }
    }
}

/// Whether an operator of one partition manages the rooms of another by its place, without being let into them.
pub(crate) fn manages(is_operator: bool, from: &PartitionName, to: &PartitionName) -> bool {
    is_operator && to.is_within(from)
}

/// The terminal behind a payload for another one, and what it says.
fn source(payload: &Payload) -> Option<(&TerminalName, Signal)> {
    let from = match payload {
        Payload::Message { from, .. }
        | Payload::Call { from, .. }
        | Payload::Session { from, .. }
        | Payload::Status { from }
        | Payload::Broadcast { from, .. } => from,
        Payload::Room(request) => &request.from,
        Payload::Alarm(report) => &report.from,
        Payload::Ping
        | Payload::Trace { .. }
        | Payload::List(_)
        | Payload::Presence(_)
        | Payload::RoomNews(_)
        | Payload::RoomCheck(_) => return None,
    };
    Some((from, payload.signal()?))
}
