//! What the gateway tells the node about its terminals.

use std::net::IpAddr;
use std::ops::Deref;

use taoyao_auth::Account;
use taoyao_types::ConnId;
use tokio::sync::OwnedSemaphorePermit;

use crate::close::CloseReason;
use crate::outbox::TerminalHandle;

/// One thing that happened on a terminal's connection: `Opened` first, `Closed` last, each once.
#[derive(Debug)]
pub enum GatewayEvent {
    /// A terminal opened its WebSocket or its bare socket. It is not registered yet. One that has no socket, but a session
    /// of WHIP or WHEP, comes with the account that has logged in already.
    Opened { conn: ConnId, ip: IpAddr, terminal: TerminalHandle, account: Option<Account> },
    /// It sent a text message of at most `limits::TERMINAL_MESSAGE_BYTES_MAX` bytes.
    Text { conn: ConnId, text: Received },
    /// It is gone, or about to be: what its handle is given from now on is dropped.
    Closed { conn: ConnId, reason: CloseReason },
}

/// A terminal's text message. A long one holds its part of the memory for unread messages until it is dropped.
#[derive(Debug)]
pub struct Received {
    text: Box<str>,
    _share: Option<OwnedSemaphorePermit>,
}

impl Received {
    pub(crate) fn new(text: Box<str>, share: Option<OwnedSemaphorePermit>) -> Self {
        Self { text, _share: share }
    }
}

impl Deref for Received {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}
