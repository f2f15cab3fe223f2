//! The ordered streams of a link and which of them yields to which.

/// One ordered way between two neighbours. Different lanes do not wait for each other; nothing is promised about
/// the order between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Hello, resume, interest: first in line.
    Control,
    /// What must overtake a directory in motion: moved and refused sessions.
    Urgent,
    /// Signals, spread by (source, target); below [`taoyao_types::limits::SHARDS`].
    Shard(u8),
    /// Directory changes.
    Directory,
    /// Snapshots and long lists, on a connection of their own.
    Bulk,
    /// Telemetry and heartbeats: may be lost.
    Datagram,
}
