//! One registered terminal.

use taoyao_auth::Account;
use taoyao_types::{Instant, PartitionName, SessionEpoch, TerminalKey, TerminalName, limits};
use taoyao_wire::terminal::ClientState;

use crate::backlog::Backlog;
use crate::bucket::Bucket;

#[derive(Debug)]
pub(crate) struct Terminal {
    pub(crate) name: TerminalName,
    pub(crate) key: TerminalKey,
    /// Its own id as it wrote it, and as it is shown to itself.
    pub(crate) written: String,
    /// Who registered it.
    pub(crate) account: Account,
    pub(crate) index: u32,
    pub(crate) session: SessionEpoch,
    pub(crate) registered_at: Instant,
    /// It has claimed once already to be newer than the login that displaced it.
    pub(crate) has_outbid: bool,
    pub(crate) heard_at: Instant,
    /// When it is asked again whether it has said something; the time of its one alarm.
    pub(crate) silent_at: Instant,
    pub(crate) state: ClientState,
    pub(crate) broadcasts: Bucket,
    pub(crate) alarms: Bucket,
    /// What it is told, if it may come back after a lost connection.
    pub(crate) backlog: Option<Backlog>,
    /// When it has to be back, while it is away.
    pub(crate) back_by: Option<Instant>,
    /// Requests of this terminal that the mesh works on.
    pub(crate) asks_open: usize,
}

impl Terminal {
    pub(crate) fn partition(&self) -> &PartitionName {
        &self.name.partition
    }

    /// How this terminal is shown another one, or itself.
    pub(crate) fn sees(&self, other: &TerminalName) -> String {
        if *other == self.name { self.written.clone() } else { other.seen_from(self.partition()) }
    }

    pub(crate) fn full_alarms(now: Instant) -> Bucket {
        Bucket::new(now, limits::ALARMS_PER_SECOND, limits::ALARMS_AT_ONCE)
    }

    pub(crate) fn full_bucket(now: Instant) -> Bucket {
        Bucket::new(now, limits::BROADCASTS_PER_SECOND, limits::BROADCASTS_AT_ONCE)
    }
}
