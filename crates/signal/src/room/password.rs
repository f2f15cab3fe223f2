//! Passwords of rooms that are being hashed or checked, which takes too long to be done in here.

use std::collections::BTreeMap;

use taoyao_types::{NodeId, Secret, limits};
use taoyao_wire::link::{RoomRequest, RoomState};

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
    Create { token: Token, request: Box<RoomRequest>, state: RoomState },
    Enter { token: Token, origin: NodeId, request: Box<RoomRequest> },
}

#[derive(Debug, Default)]
pub(crate) struct Checks {
    last: u64,
    open: BTreeMap<u64, Check>,
}

impl Checks {
    /// None if too many wait already.
    pub(crate) fn begin(&mut self, check: Check) -> Option<u64> {
        if self.open.len() >= limits::ROOM_PASSWORDS_WAITING_MAX {
            return None;
        }
        self.last += 1;
        self.open.insert(self.last, check);
        Some(self.last)
    }

    pub(crate) fn end(&mut self, number: u64) -> Option<Check> {
        self.open.remove(&number)
    }
}
