//! `client::unicast` and `client::broadcast`: messages between terminals that nobody answers.

use taoyao_types::{ConnId, Now, PartitionId, PartitionName, Scope, TerminalKey, TerminalName};
use taoyao_wire::Class;
use taoyao_wire::link::{Message, Payload, Target};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::{ClientType, Fields};

use crate::allowance::Readers;
use crate::failure::Failed;
use crate::io::Output;
use crate::say::Request;
use crate::terminals::Terminals;

impl Terminals {
    /// To one terminal, without the field that names it. An unknown target is dropped in silence (quirk Q43).
    pub(crate) fn unicast(&mut self, now: Now, request: &Request<'_>) {
        let fields = Fields::of(request.message.body);
        let Some(to) = fields.text("to") else { return };
        let Ok(to) = TerminalName::resolve(&to, &request.from.partition) else { return };
        if let Err(denied) = self.config.policy.authorise(Scope::Call, &request.from.partition, &to.partition)
        {
            return self.deny(now, request, denied);
        }
        let message = request.message.relayed_with(Some(fields.without("to")));
        let reader = Readers::One(TerminalKey::of(&to));
        let Some(message) = self.charged(now, request, reader, message) else { return };
        if let Some(conn) = self.registry.by_name(&to) {
            self.relay(now, conn, &message);
            return;
        }
        let (source, target) = (TerminalKey::of(&request.from), Target::Terminal(TerminalKey::of(&to)));
        let payload = Payload::Message { from: request.from.clone(), message };
        self.outputs.push_back(Output::Tell { source, target, class: Class::Event, payload });
    }

    /// To all others of the own partition, here and elsewhere, with the body as it is.
    pub(crate) fn broadcast(&mut self, now: Now, request: &Request<'_>) {
        let client_type = Fields::of(request.message.body).text("clientType").filter(|text| !text.is_empty());
        let client_type = match client_type.map(|text| text.parse::<ClientType>()).transpose() {
            Ok(client_type) => client_type,
            Err(unknown) => return self.refuse(now, request, unknown.into()),
        };
        let Some(terminal) = self.registry.terminal_mut(request.conn) else { return };
        if !terminal.broadcasts.take(now.mono, 1) {
            return self.refuse(now, request, Failed::busy("too many broadcasts from this terminal"));
        }
        let message = request.message.relayed();
        let Some(message) = self.charged(now, request, Readers::Many, message) else { return };
        self.deliver_broadcast(now, &request.from, client_type, &message, &request.from.partition);
        let payload = Payload::Broadcast {
            from: request.from.clone(),
            client_type: client_type.map(|kind| kind.as_str().to_owned()),
            message,
        };
        let (source, partition) = (TerminalKey::of(&request.from), PartitionId::of(&request.from.partition));
        self.outputs.push_back(Output::Broadcast { source, partition, payload });
    }

    /// An unanswered message from elsewhere for one terminal of this node.
    pub(crate) fn take_event(&mut self, now: Now, target: TerminalKey, payload: Payload) {
        let Some(conn) = self.registry.by_key(target) else { return };
        if self.permit(&payload, conn).is_err() {
            return;
        }
        let Payload::Message { from, message } = payload else { return self.stats.mesh_refused += 1 };
        if !TOLD.map(Signal::name).contains(&message.signal.as_str()) {
            return self.stats.mesh_refused += 1;
        }
        let is_invitation = message.signal == Signal::RoomInvite.name();
        let message = if is_invitation { self.invited(conn, &message, &from) } else { message };
        self.relay(now, conn, &message);
    }

    /// A broadcast from elsewhere.
    pub(crate) fn take_broadcast(&mut self, now: Now, partition: PartitionId, payload: Payload) {
        let (Payload::Broadcast { from, client_type, message }, Some(partition)) =
            (payload, self.partitions.get(&partition).cloned())
        else {
            self.stats.mesh_refused += 1;
            return;
        };
        if self.permit_towards(Scope::Broadcast, &from, &partition, Signal::ClientBroadcast).is_err() {
            return;
        }
        let kind = client_type.map(|text| text.parse::<ClientType>()).transpose();
        // It carries its own signal: nothing else may reach a whole partition at once.
        let is_broadcast = message.signal == Signal::ClientBroadcast.name();
        match kind {
            Ok(kind) if is_broadcast => self.deliver_broadcast(now, &from, kind, &message, &partition),
            _ => self.stats.mesh_refused += 1,
        }
    }

    fn deliver_broadcast(
        &mut self,
        now: Now,
        from: &TerminalName,
        kind: Option<ClientType>,
        message: &Message,
        partition: &PartitionName,
    ) {
        let others = self.registry.members(partition, None).filter(|(_, terminal)| {
            terminal.name != *from && kind.is_none_or(|kind| terminal.state.client_type == kind)
        });
        let others: Vec<ConnId> = others.map(|(conn, _)| conn).collect();
        let Some((_, text)) = self.relayed_text(now, message) else { return };
        for conn in others {
            self.say(conn, text.clone());
        }
    }
}

/// What another node hands to a terminal here, unanswered.
const TOLD: [Signal; 4] =
    [Signal::ClientUnicast, Signal::ClientReboot, Signal::ClientShutdown, Signal::RoomInvite];
