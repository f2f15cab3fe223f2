//! What the REST interface asks: accounts are looked up, signals are carried out for guests.

use std::sync::Arc;

use taoyao_auth::Account;
use taoyao_core::Input;
use taoyao_gateway::{Proof, RestRequest};
use taoyao_types::Now;
use tokio::sync::oneshot;

use super::Driver;
use crate::logins::{Settled, Ticket, Who};

impl Driver {
    pub(super) fn hear_rest(&mut self, requests: &mut Vec<RestRequest>) {
        let now = self.begin_turn();
        for conn in self.guests.given_up() {
            self.feed(now, Input::TerminalClosed { conn });
        }
        for request in requests.drain(..) {
            match request {
                RestRequest::Authenticate { ip, proof: Proof::Password(credentials), reply } => {
                    self.look_up(now, Ticket { who: Who::Caller { reply }, ip, credentials });
                }
                RestRequest::Authenticate { ip, proof: Proof::Token(token), reply } => {
                    self.logins.check_token(token, ip, reply);
                }
                RestRequest::Signal { account, text, reply } => {
                    self.carry_out_call(now, account, text, reply)
                }
                RestRequest::Recording { account, ask, reply } => {
                    let (topology, recordings) = (Arc::clone(&self.place.topology), self.recordings.clone());
                    // Files and buckets take their time.
                    tokio::spawn(async move {
                        // Whoever called may have given up by now.
                        let _gave_up = reply.send(recordings.answer(&topology, &account, ask).await).is_err();
                    });
                }
            }
        }
    }

    fn look_up(&mut self, now: Now, ticket: Ticket) {
        // May end the wait of a terminal in its place.
        if let Some(input) = self.logins.begin(now, ticket).and_then(Settled::tell) {
            self.feed(now, input);
        }
    }

    fn carry_out_call(&mut self, now: Now, account: Account, text: String, reply: oneshot::Sender<String>) {
        let Some(conn) = self.guests.open(&account, reply) else { return };
        tracing::trace!(conn = conn.0, account = %account, bytes = text.len(), "from a REST call");
        self.feed(now, Input::GuestOpened { conn, account });
        self.feed(now, Input::TerminalText { conn, text });
    }
}
