//! One session, from its request to its end.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use serde_json::json;
use taoyao_auth::Account;
use taoyao_sdp::Fragment;
use taoyao_wire::signals::Signal;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::super::rest::{Fault, Message};
use super::request::Wish;
use super::room::{self, Described, Running};
use super::sessions::{Entrance, Sessions};
use super::signals::{Closed, ConsumerClosed, Restarted, Status, read};
use super::terminal::Terminal;
use super::trouble::Trouble;

/// How often a session says that it is there (reference section 3.6: as the web terminal does).
const HEARTBEAT: Duration = Duration::from_secs(30);

/// For ICE and DTLS to connect. The node watches over a transport only once a check has come.
const CONNECT_MAX: Duration = Duration::from_secs(30);

/// What a later request wants of a session.
pub(super) enum Order {
    /// Candidates, or new credentials. `if_match` is the header.
    Patch {
        if_match: Option<String>,
        fragment: Box<Fragment>,
        reply: oneshot::Sender<Result<Patched, Trouble>>,
    },
    End {
        reply: oneshot::Sender<()>,
    },
}

/// What came of a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Patched {
    /// Candidates: there is nothing to say to them.
    Noted,
    Restarted {
        fragment: String,
        etag: String,
    },
}

/// Sets a session up in a task of its own, so that whoever asked may go away, and lets it run.
pub(super) fn start(
    sessions: &Arc<Sessions>,
    wish: Wish,
    ip: IpAddr,
    account: Account,
    orders: mpsc::Receiver<Order>,
) -> oneshot::Receiver<Result<Described, Trouble>> {
    let (reply, described) = oneshot::channel();
    let place = Place { sessions: Arc::downgrade(sessions), id: wish.id.clone() };
    let entrance = sessions.entrance.clone();
    tokio::spawn(async move {
        // Given up with the task, however it ends.
        let _place = place;
        live(entrance, wish, ip, account, orders, reply).await;
    });
    described
}

/// A session's entry in the table, which goes with the session.
struct Place {
    sessions: Weak<Sessions>,
    id: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(sessions) = self.sessions.upgrade() {
            sessions.end(&self.id);
        }
    }
}

async fn live(
    entrance: Entrance,
    wish: Wish,
    ip: IpAddr,
    account: Account,
    orders: mpsc::Receiver<Order>,
    reply: oneshot::Sender<Result<Described, Trouble>>,
) {
    let mut terminal = match Terminal::connect(entrance, ip, account).await {
        Ok(terminal) => terminal,
        Err(fault) => {
            // Whoever asked may be gone.
            let _gone = reply.send(Err(fault.into()));
            return;
        }
    };
    match room::set_up(&mut terminal, &wish).await {
        Err(trouble) => {
            let _gone = reply.send(Err(trouble));
        }
        Ok((running, described)) => {
            if reply.send(Ok(described)).is_ok() {
                Session { terminal: &mut terminal, room: &wish.room, running }.run(orders).await;
            }
        }
    }
    tracing::debug!(client = wish.client, room = wish.room, "session over");
    // Fails only if the node is going away.
    let _left = terminal.tell(Signal::RoomLeave, json!({ "roomId": wish.room })).await;
    terminal.disconnect().await;
}

struct Session<'a> {
    terminal: &'a mut Terminal,
    room: &'a str,
    running: Running,
}

enum Then {
    GoOn,
    End,
}

impl Session<'_> {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut heartbeat = interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut connect = pin!(sleep(CONNECT_MAX));
        let mut is_looked_at = false;
        loop {
            let then = tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.carry_out(order).await,
                    None => Then::End,
                },
                message = self.terminal.hear() => match message {
                    Some(message) => self.heed(&message),
                    None => Then::End,
                },
                () = &mut connect, if !is_looked_at => {
                    is_looked_at = true;
                    self.look_at_transport().await
                }
                _ = heartbeat.tick() => match self.terminal.tell(Signal::ClientHeartbeat, json!({})).await {
                    Ok(_) => Then::GoOn,
                    Err(_) => Then::End,
                },
            };
            if let Then::End = then {
                return;
            }
        }
    }

    /// Ends if nobody has come. Who cannot be told may be there.
    async fn look_at_transport(&mut self) -> Then {
        let body = json!({ "roomId": self.room, "transportId": self.running.transport });
        let told = self.terminal.ask(Signal::MediaTransportStatus, body).await.ok();
        let status: Option<Status> = told.as_ref().and_then(|told| read(told.body.as_deref()));
        match status.is_some_and(|status| status.is_unconnected()) {
            true => Then::End,
            false => Then::GoOn,
        }
    }

    /// Ends when there is nothing left to send or to receive, or when the room does not want it.
    fn heed(&mut self, message: &Message) -> Then {
        let body = message.body.as_deref();
        let is_over = match Signal::of(&message.signal) {
            // The room's media are lost; a new session may enter it again.
            Some(
                Signal::RoomClose | Signal::RoomExpel | Signal::RoomCreate | Signal::MediaTransportClose,
            ) => read::<Closed>(body).is_some_and(|closed| closed.room_id == self.room),
            Some(Signal::MediaConsumerClose) => {
                let closed = read::<ConsumerClosed>(body).map(|closed| closed.consumer_id);
                self.running.consumers.retain(|consumer| closed.as_ref() != Some(consumer));
                closed.is_some() && self.running.consumers.is_empty()
            }
            _ => false,
        };
        if is_over { Then::End } else { Then::GoOn }
    }

    async fn carry_out(&mut self, order: Order) -> Then {
        match order {
            Order::End { reply } => {
                // Whoever asked may be gone.
                let _gone = reply.send(());
                Then::End
            }
            Order::Patch { if_match, fragment, reply } => {
                let _gone = reply.send(self.patch(if_match.as_deref(), &fragment).await);
                Then::GoOn
            }
        }
    }

    /// RFC 9725, sections 4.4.2 and 4.4.3: with `*` it restarts ICE, with the session's ETag it brings candidates.
    async fn patch(&mut self, if_match: Option<&str>, fragment: &Fragment) -> Result<Patched, Trouble> {
        match if_match {
            None => Err(Trouble::WhichIce),
            Some("*") if fragment.ice_ufrag().is_some() => Ok(self.restart(fragment).await?),
            Some(etag) if etag == room::etag(&self.running.local) => Ok(Patched::Noted),
            Some(_) => Err(Trouble::OtherIce),
        }
    }

    async fn restart(&mut self, fragment: &Fragment) -> Result<Patched, Fault> {
        let body = json!({ "roomId": self.room, "transportId": self.running.transport });
        let restarted = self.terminal.ask(Signal::MediaIceRestart, body).await?;
        let restarted: Restarted = read(restarted.body.as_deref()).ok_or_else(room::unexpected)?;
        let local = &mut self.running.local;
        local.ice = restarted.ice_parameters;
        Ok(Patched::Restarted {
            fragment: fragment.answer(&local.ice, &local.candidates),
            etag: room::etag(local),
        })
    }
}
