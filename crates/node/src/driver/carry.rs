//! What the machine wants done, done: nothing in here waits.

use taoyao_auth::Credentials;
use taoyao_core::{Alarm, Audit, Deed, Input, Output, Vouched};
use taoyao_link::SendError;
use taoyao_types::{ConnId, NodeEpoch, Now};

use super::{Driver, Terminal};
use crate::desk::name_of;
use crate::logins::{Settled, Ticket, Who};
use crate::supervisor::{Command, DRAIN_DEADLINE};
use crate::telemetry::AUDIT;

impl Driver {
    pub(super) fn carry_out_all(&mut self, now: Now) {
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
                } else if self.guests.answer(conn, text) {
                    self.node.handle_input(now, Input::TerminalClosed { conn });
                }
            }
            Output::ToLink { peer, lane, frame } => {
                tracing::trace!(peer = peer.hex(), ?lane, bytes = frame.len(), "to link");
                match self.links.send(peer, lane, frame) {
                    Ok(()) | Err(SendError::Down) => {}
                    Err(error) => {
                        let peer = name_of(&self.place.topology, peer);
                        tracing::error!(%peer, %error, "a frame was made that no link takes");
                    }
                }
            }
            Output::Admitted { conn } => {
                if let Some(terminal) = self.terminals.get(&conn) {
                    terminal.handle.admit();
                }
            }
            Output::CloseTerminal { conn, code, reason } => {
                tracing::debug!(conn = conn.0, code, reason, "closing terminal");
                if let Some(terminal) = self.terminals.get(&conn) {
                    terminal.handle.close(code, &reason);
                } else if self.guests.close(conn) {
                    self.node.handle_input(now, Input::TerminalClosed { conn });
                }
            }
            Output::CloseLink { peer, reason } => self.links.close(peer, &reason),
            Output::Verify { conn, number, username, password, vouched, terminal } => {
                let credentials = Credentials { username, password: password.0 };
                let who = Who::Terminal { conn, number, name: terminal };
                self.verify(now, conn, who, credentials, vouched.as_ref());
            }
            Output::Traced { number, result } => self.operators.traced(number, result),
            Output::Listed { number, page } => self.operators.listed(number, page),
            Output::Alarm(alarm) => self.raise(&alarm),
            Output::Outlived { last } => self.live_on(now, last),
            Output::Password { number, work } => self.passwords.begin(number, work),
            Output::Perform { deed: Deed::Stop, .. } => self.stop(),
            Output::Perform { number, deed } => self.deeds.begin(number, deed),
            Output::Media(command) => {
                if let Some(refused) = self.forwarder.send(command) {
                    self.node.handle_input(now, Input::Media(refused));
                }
            }
            Output::Record(command) => {
                if let Some(recorded) = self.recordings.send(now, command) {
                    self.node.handle_input(now, Input::Recorded(recorded));
                }
            }
            Output::Audit(audit) => log_audit(&audit),
        }
    }

    fn verify(
        &mut self,
        now: Now,
        conn: ConnId,
        who: Who,
        credentials: Credentials,
        vouched: Option<&Vouched>,
    ) {
        let Some(&Terminal { ip, ref account, .. }) = self.terminals.get(&conn) else { return };
        let settled = match (account, vouched) {
            (Some(account), _) => Some(self.logins.readmit(account.clone(), ip, who)),
            (None, Some(vouched)) => self.logins.redeem(now, vouched, Ticket { who, ip, credentials }),
            (None, None) => self.logins.begin(now, Ticket { who, ip, credentials }),
        };
        if let Some(input) = settled.and_then(Settled::tell) {
            // Its outputs join the queue that is being carried out.
            self.node.handle_input(now, input);
        }
    }

    /// Asks for a drain, as a signal to the process does.
    fn stop(&self) {
        // Fails only if the node is being ended already.
        let _ends = self.commands.try_send(Command::Drain { deadline: DRAIN_DEADLINE }).is_err();
    }

    /// Takes a higher life than the one that a neighbour remembers, on disk first, and greets everybody in it. That the driver
    /// waits for the disk is no matter: it happens once in a start.
    fn live_on(&mut self, now: Now, last: NodeEpoch) {
        let before = self.place.life.get();
        match self.place.state_dir.epoch_above(last) {
            Ok(epoch) => {
                tracing::warn!(
                    before = before.0,
                    now = epoch.0,
                    "a neighbour remembers a higher life of this node, whose state was restored from a backup or whose clock \
                     is behind; it takes a higher one"
                );
                self.place.life.set(epoch);
                self.node.handle_input(now, Input::NewLife { epoch });
                self.links.renew("this node has taken a higher life");
            }
            Err(error) => {
                tracing::error!(%error, last = last.0, "a higher life than remembered cannot be counted")
            }
        }
    }

    /// Every alarm is counted; the log thins out those that a neighbour causes again and again.
    fn raise(&mut self, alarm: &Alarm) {
        self.stats.alarms += 1;
        match alarm {
            Alarm::Authority { peer, what } => {
                let peer = name_of(&self.place.topology, *peer);
                tracing::warn!(%peer, what, "a neighbour did what its place in the topology does not allow");
            }
            Alarm::Clock { ahead_ms } => {
                tracing::warn!(
                    ahead_ms,
                    "this node's clock is wrong; it goes by its parent's: put the clock right"
                );
            }
            Alarm::Denied { what } => tracing::warn!(target: "audit", what, "denied"),
            Alarm::Refused { key, reason } => {
                let partition = self.place.topology.partition(key.partition());
                let partition = partition.map(|partition| partition.name.as_str());
                tracing::warn!(partition, %key, reason, "the parent does not take a terminal of this subtree");
            }
        }
    }
}

/// One line for each refusal and each privilege used, under the target `audit`. The log thins out the refusals of each
/// account for itself; privileges are all written.
fn log_audit(audit: &Audit) {
    let Audit { account, terminal, signal, denied, detail } = audit;
    let account = account.as_deref().unwrap_or("unknown");
    // As written by a terminal, so without its line breaks and control characters.
    let detail = detail.as_ref().map(tracing::field::debug);
    match denied {
        Some(rule) => tracing::warn!(target: AUDIT, account, %terminal, signal, rule, "denied"),
        None => tracing::info!(target: AUDIT, account, %terminal, signal, detail, "carried out"),
    }
}
