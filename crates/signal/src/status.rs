//! `client::status`: of the terminal itself, of one of this node, or asked of the node that has it.

use taoyao_types::{ConnId, Now, PartitionId, Scope, TerminalKey, TerminalName};
use taoyao_wire::link::{Failure, Payload, Reply, Target};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::{Code, Fields, state};

use crate::asks::{Asker, Purpose};
use crate::failure::Failed;
use crate::io::Output;
use crate::room::is_service;
use crate::say::Request;
use crate::terminals::Terminals;

impl Terminals {
    pub(crate) fn status(&mut self, now: Now, request: &Request<'_>) {
        let name = match Fields::of(request.message.body).text("clientId") {
            None => request.from.clone(),
            Some(text) => match TerminalName::resolve(&text, &request.from.partition) {
                Ok(name) => name,
                // No terminal can have such an id: it is as unknown as any other.
                Err(_) => return self.answer(request, None),
            },
        };
        if let Err(denied) =
            self.config.policy.authorise(Scope::See, &request.from.partition, &name.partition)
        {
            return self.deny(now, request, denied);
        }
        if let Some(conn) = self.registry.by_name(&name).filter(|_| !self.is_own_service(&name)) {
            let body = self.local_state(request.conn, conn);
            return self.answer(request, body.as_deref());
        }
        let Some((ask, source)) = self.open_ask(now, request, Purpose::Status(name.clone())) else { return };
        // An SFU is at the node of its partition, and no terminal there.
        let host = self.config.owners.get(&PartitionId::of(&name.partition)).filter(|_| is_service(&name));
        let target = host.map_or(Target::Terminal(TerminalKey::of(&name)), |host| Target::Node(*host));
        let payload = Payload::Status { from: request.from.clone() };
        self.outputs.push_back(Output::Ask { ask, source, target, payload });
    }

    /// The state of this node's SFU, for another node.
    pub(crate) fn service_state_for(&mut self, from: &TerminalName) -> Reply {
        let home = self.config.home.clone();
        if let Err(failure) = self.permit_towards(Scope::See, from, &home, Signal::ClientStatus) {
            return Reply::Failed(failure);
        }
        match self.service_in(&home) {
            Some(service) => Reply::Status { state: service.state },
            None => Reply::Failed(Failure::NoSuchTerminal),
        }
    }

    pub(crate) fn status_replied(&mut self, now: Now, asker: &Asker, name: &TerminalName, reply: Reply) {
        let failed = match reply {
            Reply::Status { state } => {
                let proxy = self.registry.by_name(name).is_none();
                let viewer = self.registry.caller(asker.conn);
                let body = viewer.and_then(|viewer| state::shown(&state, &viewer.sees(name), proxy));
                return self.answer_later(asker, Signal::ClientStatus, body.as_deref());
            }
            Reply::Failed(Failure::NoSuchTerminal) => {
                return self.answer_later(asker, Signal::ClientStatus, None);
            }
            Reply::Failed(failure) => Failed::of(&failure, Self::plainly(Code::Gone)),
            _ => Self::plainly(Code::Unknown),
        };
        self.fail(now, asker.conn, Some(asker.id), failed);
    }

    /// The state of a terminal of this node, as another one of it sees it.
    fn local_state(&self, viewer: ConnId, of: ConnId) -> Option<String> {
        let (viewer, terminal) = (self.registry.caller(viewer)?, self.registry.terminal(of)?);
        state::shown(&terminal.state.to_json(), &viewer.sees(&terminal.name), false)
    }
}
