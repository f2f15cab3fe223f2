//! Fixed-size identities: what the mesh routes, orders and fences by.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::name::{NodeName, PartitionName, TerminalName};

/// A node's stable number: the first 32 bits of its name's SHA-256. The topology refuses two nodes that share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u32);

impl NodeId {
    pub fn of(name: &NodeName) -> Self {
        Self(u32::from_be_bytes(prefix(&[b"node", name.as_str().as_bytes()])))
    }

    /// Eight hex digits, for a node that no topology at hand names. There is no `Display`: people are told names.
    pub fn hex(self) -> String {
        format!("{:08x}", self.0)
    }
}

/// A partition's stable number, made like [`NodeId`]; it is the first part of every [`TerminalKey`] in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartitionId(pub u32);

impl PartitionId {
    pub fn of(name: &PartitionName) -> Self {
        Self(u32::from_be_bytes(prefix(&[b"partition", name.as_str().as_bytes()])))
    }

    /// Eight hex digits, as in ids of rooms. There is no `Display`: people are told names.
    pub fn hex(self) -> String {
        format!("{:08x}", self.0)
    }
}

/// What the mesh routes a terminal by: its partition's id and 96 bits of the SHA-256 of its full name.
///
/// The partition is a part of the key, so whether a node may register a key can be told from the key itself
/// (nobody can register a foreign terminal by finding a colliding id), and the keys of one partition are neighbours.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TerminalKey(u32, u64, u32);

impl TerminalKey {
    /// The smallest key: where a walk over all keys starts.
    pub const FIRST: Self = Self(0, 0, 0);

    pub fn of(name: &TerminalName) -> Self {
        let parts =
            [b"terminal".as_slice(), name.partition.as_str().as_bytes(), name.client.as_str().as_bytes()];
        let hash: [u8; 12] = prefix(&parts);
        let (high, low) = hash.split_at(8);
        let mut high8 = [0; 8];
        let mut low4 = [0; 4];
        high8.copy_from_slice(high);
        low4.copy_from_slice(low);
        Self(PartitionId::of(&name.partition).0, u64::from_be_bytes(high8), u32::from_be_bytes(low4))
    }

    pub fn partition(self) -> PartitionId {
        PartitionId(self.0)
    }

    /// The smallest key that a terminal of `partition` could have.
    pub fn first_in(partition: PartitionId) -> Self {
        Self(partition.0, 0, 0)
    }

    /// The largest key that a terminal of `partition` could have.
    pub fn last_in(partition: PartitionId) -> Self {
        Self(partition.0, u64::MAX, u32::MAX)
    }

    /// The partition's number and the two parts of the hash, as they are written on links.
    pub fn parts(self) -> (u32, u64, u32) {
        (self.0, self.1, self.2)
    }

    /// A key from its [`TerminalKey::parts`].
    pub fn from_parts((partition, high, low): (u32, u64, u32)) -> Self {
        Self(partition, high, low)
    }

    /// Well-mixed bits for choosing a stream shard.
    pub fn spread(self) -> u64 {
        self.1
    }

    /// A key of `partition` with the given hash bits; for benchmarks and simulations that need many keys fast.
    pub fn synthetic(partition: PartitionId, bits: u64) -> Self {
        Self(partition.0, bits.wrapping_mul(0x9e37_79b9_7f4a_7c15), bits as u32)
    }
}

impl fmt::Display for TerminalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-{:016x}{:08x}", self.0, self.1, self.2)
    }
}

impl fmt::Debug for TerminalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// An account as other nodes know it: 128 bits of the SHA-256 of its name, which stays at the terminal's own node.
///
/// Accounts of one name at two nodes of an organisation are the same account to a room, so that its owner may roam; what an
/// account uses up is counted by (node, account), so that no node can use up the share of another node's accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountTag(u64, u64);

impl AccountTag {
    /// No account's: owns nothing.
    pub const NOBODY: Self = Self(0, 0);

    pub fn of(account: &str) -> Self {
        let bits = u128::from_be_bytes(prefix(&[b"account", account.as_bytes()]));
        Self((bits >> 64) as u64, bits as u64)
    }
}

impl fmt::Display for AccountTag {
    /// 32 hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.0, self.1)
    }
}

/// Counts a node's starts; kept on disk and raised by one at each start, so that what an earlier life said is told apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeEpoch(pub u32);

/// Orders the logins of one terminal: a hybrid logical clock of 48 bits of Unix milliseconds and a 16-bit counter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionEpoch(pub u64);

impl SessionEpoch {
    /// The wall-clock part, Unix milliseconds.
    pub fn wall_ms(self) -> u64 {
        self.0 >> 16
    }
}

/// Which of two records of one terminal is newer: compared by session, then by the origin's life, then by its count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    pub session: SessionEpoch,
    pub epoch: NodeEpoch,
    pub seq: u64,
}

/// Names one signal across the mesh: who started it, in which life, and its count there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SignalId {
    pub origin: NodeId,
    pub epoch: NodeEpoch,
    pub count: u64,
}

impl fmt::Display for SignalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}.{}.{}", self.origin.0, self.epoch.0, self.count)
    }
}

/// One terminal connection of this node; never used twice in a node's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// The first `N` bytes of the SHA-256 of the parts, each preceded by its length.
fn prefix<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u32).to_be_bytes());
        hash.update(part);
    }
    let mut bytes = [0; N];
    bytes.copy_from_slice(&hash.finalize()[..N]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_its_partition_and_lies_in_its_range() {
        let name: TerminalName = "cam-7@sh.east.cn".parse().unwrap();
        let key = TerminalKey::of(&name);
        let partition = PartitionId::of(&name.partition);
        assert_eq!(key.partition(), partition);
        assert!(TerminalKey::first_in(partition) <= key && key <= TerminalKey::last_in(partition));
        assert_ne!(key, TerminalKey::of(&"cam-8@sh.east.cn".parse().unwrap()));
    }

    #[test]
    fn ids_are_stable_across_builds() {
        assert_eq!(NodeId::of(&"cn".parse().unwrap()).0, NODE_CN);
        assert_eq!(PartitionId::of(&"cn".parse().unwrap()).0, PARTITION_CN);
    }

    // Changing these breaks every mesh that runs two versions at once.
    const NODE_CN: u32 = 0xafcb_f5bf;
    const PARTITION_CN: u32 = 0xfd15_7903;
}
