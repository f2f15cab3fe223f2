//! How much of a recorder's bytes each account and each partition has.

use std::collections::BTreeMap;

use crate::config::RecorderConfig;
use crate::index::Entry;

/// Why there is no room for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    #[error(
        "the account's share of {0} bytes is used up; delete some of its recordings, or raise `account_bytes_max`"
    )]
    Account(u64),
    #[error(
        "the partition's share of {0} bytes is used up; delete some recordings, or raise `partition_bytes_max`"
    )]
    Partition(u64),
    #[error("all {0} bytes for recordings are used up; delete some, or raise `bytes_max`")]
    Node(u64),
    #[error("the disk has no more than what is kept free; make room on it, or lower `keep_free`")]
    Disk,
    #[error("there are {0} recordings; delete some")]
    Entries(usize),
}

/// The bounds of one recorder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quota {
    all: u64,
    account: u64,
    partition: u64,
}

/// Bytes that are used. What holds nothing is not listed.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    all: u64,
    accounts: BTreeMap<String, u64>,
    partitions: BTreeMap<String, u64>,
}

impl Quota {
    pub(crate) fn of(config: &RecorderConfig) -> Self {
        let (all, account, partition) =
            (config.bytes_max, config.account_bytes_max, config.partition_bytes_max);
        Self { all, account, partition }
    }

    /// Whether this account may have more in this partition. Its own bound is named first: it can do something about that.
    pub(crate) fn check(&self, usage: &Usage, holder: &str, partition: &str) -> Result<(), NoRoom> {
        let used = |of: &BTreeMap<String, u64>, name: &str| of.get(name).copied().unwrap_or(0);
        if used(&usage.accounts, holder) >= self.account {
            return Err(NoRoom::Account(self.account));
        }
        if used(&usage.partitions, partition) >= self.partition {
            return Err(NoRoom::Partition(self.partition));
        }
        if usage.all >= self.all { Err(NoRoom::Node(self.all)) } else { Ok(()) }
    }
}

impl Usage {
    pub(crate) fn all(&self) -> u64 {
        self.all
    }

    pub(crate) fn add(&mut self, entry: &Entry) {
        self.all += entry.bytes;
        *self.accounts.entry(entry.holder.clone()).or_default() += entry.bytes;
        *self.partitions.entry(entry.partition.clone()).or_default() += entry.bytes;
    }

    pub(crate) fn remove(&mut self, entry: &Entry) {
        self.all = self.all.saturating_sub(entry.bytes);
        take(&mut self.accounts, &entry.holder, entry.bytes);
        take(&mut self.partitions, &entry.partition, entry.bytes);
    }
}

fn take(of: &mut BTreeMap<String, u64>, name: &str, bytes: u64) {
    let Some(used) = of.get_mut(name) else { return };
    *used = used.saturating_sub(bytes);
    if *used == 0 {
        of.remove(name);
    }
}
