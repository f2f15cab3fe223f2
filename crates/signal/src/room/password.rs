//! Passwords of rooms that are being hashed or checked, which takes too long to be done in here.

use std::collections::BTreeMap;

use taoyao_types::{Exhausted, NodeId, Secret, Shares, limits};
use taoyao_wire::link::{RoomRequest, RoomState};

use super::door::Guesser;
use super::shares::Holder;
use crate::io::Token;

/// What is to be done with a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordWork {
    /// Make an Argon2id hash of it.
    Hash(Secret),
    /// Compare it with this hash.
    Check(Secret, String),
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordDone {
    Hashed(String),
    Matches,
    Differs,
    /// Too much of such work waits already.
    PutOff,
}

/// What goes on when a password's work is done.
#[derive(Debug)]
pub(crate) enum Check {
    Create { token: Token, origin: NodeId, request: Box<RoomRequest>, state: RoomState },
    Enter { token: Token, origin: NodeId, request: Box<RoomRequest>, guesser: Guesser },
}

/// What is being looked at. Each is charged to the account that wants it, until it has ended.
#[derive(Debug)]
pub(crate) struct Checks {
    last: u64,
    open: BTreeMap<u64, (Holder, Check)>,
    shares: Shares<Holder>,
}

impl Checks {
    /// So many of one account at a time, and [`limits::ROOM_PASSWORDS_WAITING_MAX`] of all.
    pub(crate) fn new(each_max: usize) -> Self {
        let shares = Shares::new(each_max, limits::ROOM_PASSWORDS_WAITING_MAX);
        Self { last: 0, open: BTreeMap::new(), shares }
    }

    /// The number of the check.
    ///
    /// # Errors
    /// The account has its share, or too many wait already; strangers leave some places to those whom a room knows.
    pub(crate) fn begin(&mut self, holder: Holder, check: Check) -> Result<u64, Exhausted> {
        let is_stranger = matches!(check, Check::Enter { guesser: Guesser::Stranger(_), .. });
        let max = limits::ROOM_PASSWORDS_WAITING_MAX;
        if is_stranger && self.open.len() >= max - limits::ROOM_PASSWORDS_RESERVED {
            return Err(Exhausted::All { max });
        }
        self.shares.take(&holder)?;
        self.last += 1;
        self.open.insert(self.last, (holder, check));
        Ok(self.last)
    }

    pub(crate) fn end(&mut self, number: u64) -> Option<Check> {
        let (holder, check) = self.open.remove(&number)?;
        self.shares.give_back(&holder);
        Some(check)
    }

    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }
}
