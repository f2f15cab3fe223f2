//! All connections, and the registered terminals among them by name and by key.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::ops::Bound;

use taoyao_types::{ClientId, ConnId, PartitionName, TerminalKey, TerminalName};

use crate::conn::{Claim, Conn, Opened};
use crate::guest::Guest;
use crate::terminal::Terminal;

/// Invariant: every connection that has a terminal is found by that terminal's name and key, and no other is.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    conns: BTreeMap<ConnId, Conn>,
    by_name: BTreeMap<PartitionName, BTreeMap<ClientId, ConnId>>,
    by_key: BTreeMap<TerminalKey, ConnId>,
}

impl Registry {
    pub(crate) fn open(&mut self, conn: ConnId, ip: IpAddr) {
        self.conns.insert(conn, Conn::Opened(Opened { ip }));
    }

    pub(crate) fn admit_guest(&mut self, conn: ConnId, guest: Guest) {
        self.conns.insert(conn, Conn::Guest(guest));
    }

    /// Forgets a connection; its terminal, if it had one, is the caller's to retire.
    pub(crate) fn remove(&mut self, conn: ConnId) -> Option<Box<Terminal>> {
        let terminal = self.conns.remove(&conn)?.into_terminal()?;
        self.unlink(&terminal);
        Some(terminal)
    }

    pub(crate) fn conn(&self, conn: ConnId) -> Option<&Conn> {
        self.conns.get(&conn)
    }

    pub(crate) fn conn_mut(&mut self, conn: ConnId) -> Option<&mut Conn> {
        self.conns.get_mut(&conn)
    }

    pub(crate) fn terminal(&self, conn: ConnId) -> Option<&Terminal> {
        self.conns.get(&conn)?.terminal()
    }

    pub(crate) fn terminal_mut(&mut self, conn: ConnId) -> Option<&mut Terminal> {
        self.conns.get_mut(&conn)?.terminal_mut()
    }

    pub(crate) fn by_name(&self, name: &TerminalName) -> Option<ConnId> {
        self.by_name.get(&name.partition)?.get(&name.client).copied()
    }

    pub(crate) fn by_key(&self, key: TerminalKey) -> Option<ConnId> {
        self.by_key.get(&key).copied()
    }

    /// The terminals of a partition by client id, behind `after` if there is one.
    pub(crate) fn members(
        &self,
        partition: &PartitionName,
        after: Option<&ClientId>,
    ) -> impl Iterator<Item = (ConnId, &Terminal)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let members = self.by_name.get(partition).into_iter();
        let members = members.flat_map(move |members| members.range::<ClientId, _>((from, Bound::Unbounded)));
        members.filter_map(|(_, conn)| Some((*conn, self.terminal(*conn)?)))
    }

    /// All registered terminals.
    pub(crate) fn terminals(&self) -> impl Iterator<Item = &Terminal> {
        self.conns.values().filter_map(Conn::terminal)
    }

    /// The partitions that have terminals here.
    pub(crate) fn partitions(&self) -> impl Iterator<Item = &PartitionName> {
        self.by_name.keys()
    }

    pub(crate) fn conns(&self) -> impl Iterator<Item = ConnId> {
        self.conns.keys().copied()
    }

    pub(crate) fn connections(&self) -> usize {
        self.conns.len()
    }

    pub(crate) fn registered(&self) -> usize {
        self.by_key.len()
    }

    /// Begins a check of a connection's credentials.
    pub(crate) fn verify(&mut self, conn: ConnId, number: u64, claim: Claim) {
        if let Some(state) = self.conns.remove(&conn) {
            self.conns.insert(conn, state.verify(number, claim));
        }
    }

    /// Ends the check of that number; none if another or none runs.
    pub(crate) fn verified(&mut self, conn: ConnId, number: u64) -> Option<(Claim, VecDeque<String>)> {
        match self.conns.remove(&conn)? {
            Conn::Verifying(verifying) if verifying.number == number => {
                let (before, claim, waiting) = verifying.end();
                self.conns.insert(conn, before);
                Some((claim, waiting))
            }
            other => {
                self.conns.insert(conn, other);
                None
            }
        }
    }

    /// Takes the terminal off a connection that stays.
    pub(crate) fn resign(&mut self, conn: ConnId) -> Option<Box<Terminal>> {
        match self.conns.remove(&conn)? {
            Conn::Registered(registered) => {
                let (opened, terminal) = registered.resign();
                self.conns.insert(conn, Conn::Opened(opened));
                self.unlink(&terminal);
                Some(terminal)
            }
            other => {
                self.conns.insert(conn, other);
                None
            }
        }
    }

    /// Puts a terminal on a connection that has none. No other connection may have a terminal of that name.
    pub(crate) fn register(&mut self, conn: ConnId, terminal: Terminal) {
        debug_assert!(self.by_name(&terminal.name).is_none(), "{} is registered already", terminal.name);
        let Some(state) = self.conns.remove(&conn) else { return };
        let Conn::Opened(opened) = state else {
            self.conns.insert(conn, state);
            return;
        };
        let TerminalName { partition, client } = terminal.name.clone();
        self.by_name.entry(partition).or_default().insert(client, conn);
        self.by_key.insert(terminal.key, conn);
        self.conns.insert(conn, Conn::Registered(opened.register(terminal)));
    }

    fn unlink(&mut self, terminal: &Terminal) {
        self.by_key.remove(&terminal.key);
        let partition = &terminal.name.partition;
        if let Some(members) = self.by_name.get_mut(partition) {
            members.remove(&terminal.name.client);
            if members.is_empty() {
                self.by_name.remove(partition);
            }
        }
    }
}
