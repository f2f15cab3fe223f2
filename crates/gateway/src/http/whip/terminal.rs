//! A terminal without a socket: it speaks signals with the node from inside the gateway.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::IpAddr;
use std::task::Poll;

use serde_json::{Value, json};
use taoyao_auth::Account;
use taoyao_types::{ConnId, limits};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::Code;
use tokio::time::timeout;

use super::super::rest::{Fault, Message};
use super::sessions::Entrance;
use crate::close::CloseReason;
use crate::event::GatewayEvent;
use crate::outbox::{TerminalHandle, Text};

/// The `header.v` of what it says (reference section 2.2).
const VERSION: &str = "1.0.0";
/// Where its message ids begin: beyond what others may be given, so that no message of theirs passes for an answer.
const FIRST_ID: u64 = 4_000_000_000_000_000;
/// Messages that are kept for later while an answer is awaited. Beyond it the oldest go: they are news of other members.
const NEWS_KEPT_MAX: usize = 256;

pub(super) struct Terminal {
    entrance: Entrance,
    conn: ConnId,
    handle: TerminalHandle,
    last_id: u64,
    /// Heard while something else was awaited.
    news: VecDeque<Message>,
}

impl Terminal {
    /// Connects like a socket, with the account that the request showed.
    pub(super) async fn connect(entrance: Entrance, ip: IpAddr, account: Account) -> Result<Self, Fault> {
        let handle = TerminalHandle::new();
        let conn = entrance.registry.enter(&handle).ok_or_else(going_away)?;
        let terminal = Self { entrance, conn, handle, last_id: FIRST_ID, news: VecDeque::new() };
        let handle = terminal.handle.clone();
        let opened = GatewayEvent::Opened { conn, ip, terminal: handle, account: Some(account) };
        terminal.entrance.inbound.send(opened).await.map_err(|_| going_away())?;
        Ok(terminal)
    }

    /// Says something that is not answered. Returns its id.
    pub(super) async fn tell(&mut self, signal: Signal, body: Value) -> Result<u64, Fault> {
        self.last_id += 1;
        let header = json!({ "v": VERSION, "id": self.last_id, "signal": signal.name() });
        let text = json!({ "header": header, "body": body }).to_string();
        self.tell_text(text).await?;
        Ok(self.last_id)
    }

    /// Says a whole message.
    pub(super) async fn tell_text(&mut self, text: String) -> Result<(), Fault> {
        self.entrance.inbound.send_text(self.conn, text.into()).await.map_err(|_| going_away())
    }

    /// Says something and waits for its answer.
    pub(super) async fn ask(&mut self, signal: Signal, body: Value) -> Result<Message, Fault> {
        let id = self.tell(signal, body).await?;
        self.await_news(|message| message.id == id).await
    }

    /// The first message that is wanted, among those that came already or that come in time. An error of the node is one
    /// of them or not, as its id says; it is returned as a fault.
    pub(super) async fn await_news(
        &mut self,
        is_wanted: impl Fn(&Message) -> bool,
    ) -> Result<Message, Fault> {
        let found = match self.news.iter().position(&is_wanted) {
            Some(at) => self.news.remove(at),
            None => None,
        };
        let message =
            match found {
                Some(message) => message,
                None => timeout(limits::REST_ANSWER_MAX, self.hear_wanted(is_wanted)).await.unwrap_or_else(
                    |_| Err(Fault::with(Code::UpstreamTimeout, "the node did not answer in time")),
                )?,
            };
        match message.is_error() {
            false => Ok(message),
            true if message.is_missing() => Err(Fault::new(Code::Gone, message.message)),
            true => Err(Fault::new(message.code, message.message)),
        }
    }

    async fn hear_wanted(&mut self, is_wanted: impl Fn(&Message) -> bool) -> Result<Message, Fault> {
        loop {
            let message = self.hear_new().await.ok_or_else(going_away)?;
            if is_wanted(&message) {
                return Ok(message);
            }
            if self.news.len() >= NEWS_KEPT_MAX {
                self.news.pop_front();
            }
            self.news.push_back(message);
        }
    }

    /// The next message; `None` once the node has closed it.
    pub(super) async fn hear(&mut self) -> Option<Message> {
        match self.news.pop_front() {
            Some(message) => Some(message),
            None => self.hear_new().await,
        }
    }

    async fn hear_new(&mut self) -> Option<Message> {
        loop {
            let text = self.next_text().await?;
            if let Some(message) = Message::read(text.as_str().to_owned()) {
                return Some(message);
            }
        }
    }

    async fn next_text(&mut self) -> Option<Text> {
        poll_fn(|cx| {
            self.handle.register(cx.waker());
            let mut next = None;
            self.handle.take(1, |text| next = Some(text));
            match next {
                Some(text) => Poll::Ready(Some(text)),
                None if self.handle.ended().is_some() => Poll::Ready(None),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Disconnects. What was said before is still heard by the node.
    pub(super) async fn disconnect(self) {
        let reason = self.handle.ended().unwrap_or(CloseReason::Lost);
        self.handle.end(reason.clone());
        // Fails only if the node is gone.
        let _told = self.entrance.inbound.send(GatewayEvent::Closed { conn: self.conn, reason }).await;
    }
}

/// However it ends, even by being dropped.
impl Drop for Terminal {
    fn drop(&mut self) {
        self.entrance.registry.leave(self.conn);
    }
}

fn going_away() -> Fault {
    Fault::with(Code::Overloaded, "the node is going away, or has closed the session")
}
