//! Guests: accounts that act without a terminal, one connection for each call of the REST interface.
//!
//! A guest may ask for what needs no terminal of its own. It is registered nowhere, so nobody can send it anything but the
//! answers to its requests.

use taoyao_auth::Account;
use taoyao_types::{ClientId, PartitionName, TerminalKey, TerminalName};
use taoyao_wire::signals::Signal;

use crate::conn::Conn;
use crate::registry::Registry;

/// What guests are called where a request needs a sender. No terminal can register under it.
pub(crate) const GUEST: &str = "$rest";

#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) account: Account,
    pub(crate) name: TerminalName,
    pub(crate) key: TerminalKey,
    /// Requests of this guest that the mesh works on.
    pub(crate) asks_open: usize,
}

impl Guest {
    /// A guest acts from the node's home partition, or from the first partition of an account that has others only: of
    /// those that the node has, if there are any, for it speaks for no others.
    pub(crate) fn new(
        account: Account,
        home: &PartitionName,
        attaches: impl Fn(&PartitionName) -> bool,
    ) -> Self {
        let partitions = account.partitions();
        let is_at_home = partitions.is_empty() || partitions.contains(home);
        let abroad = || partitions.iter().find(|partition| attaches(partition)).or(partitions.first());
        let partition = if is_at_home { None } else { abroad() }.unwrap_or(home).clone();
        let client: ClientId = GUEST.parse().expect("a short word is a client id");
        let name = TerminalName { client, partition };
        Self { key: TerminalKey::of(&name), account, name, asks_open: 0 }
    }
}

/// Whether a signal makes sense without a terminal.
pub(crate) fn is_for_guests(signal: Signal) -> bool {
    let family = signal.name().split("::").next().unwrap_or_default();
    matches!(family, "control" | "platform" | "system") && signal != Signal::PlatformError
        || matches!(
            signal,
            Signal::ClientList
                | Signal::ClientReboot
                | Signal::ClientShutdown
                | Signal::ClientStatus
                | Signal::RoomBroadcast
                | Signal::RoomClientList
                | Signal::RoomClientListId
                | Signal::RoomClose
                | Signal::RoomExpel
                | Signal::RoomList
                | Signal::RoomStatus
        )
}

/// Whoever is behind a connection and may ask for things: a terminal or a guest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) account: &'a Account,
    pub(crate) name: &'a TerminalName,
    /// A terminal's own id as it wrote it.
    written: Option<&'a str>,
}

impl Caller<'_> {
    pub(crate) fn is_guest(&self) -> bool {
        self.written.is_none()
    }

    /// How this caller is shown a terminal.
    pub(crate) fn sees(&self, other: &TerminalName) -> String {
        match self.written {
            Some(written) if other == self.name => written.to_owned(),
            _ => other.seen_from(&self.name.partition),
        }
    }
}

impl Registry {
    pub(crate) fn caller(&self, conn: taoyao_types::ConnId) -> Option<Caller<'_>> {
        match self.conn(conn)? {
            Conn::Guest(Guest { account, name, .. }) => Some(Caller { account, name, written: None }),
            other => {
                let terminal = other.terminal()?;
                let (account, name) = (&terminal.account, &terminal.name);
                Some(Caller { account, name, written: Some(&terminal.written) })
            }
        }
    }

    pub(crate) fn is_guest(&self, conn: taoyao_types::ConnId) -> bool {
        matches!(self.conn(conn), Some(Conn::Guest(_)))
    }

    /// How many requests of a caller the mesh works on, to be counted; and the key that it asks as.
    pub(crate) fn asks_open(&mut self, conn: taoyao_types::ConnId) -> Option<(&mut usize, TerminalKey)> {
        match self.conn_mut(conn)? {
            Conn::Guest(guest) => Some((&mut guest.asks_open, guest.key)),
            other => other.terminal_mut().map(|terminal| (&mut terminal.asks_open, terminal.key)),
        }
    }
}
