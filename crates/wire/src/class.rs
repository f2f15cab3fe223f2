//! The six delivery classes of a signal: how it is retried, ordered, and what gives way under load.

use serde::{Deserialize, Serialize};

/// How a signal is delivered. `docs/PROTOCOL.md` shows the same table, made from [`Class::describe`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Class {
    /// C0: control of the link itself.
    Control = 0,
    /// C1: a request that ends in an answer or a named error.
    Request = 1,
    /// C2: an event that must arrive once.
    Event = 2,
    /// C3: telemetry; only the newest value matters.
    Telemetry = 3,
    /// C4: to everyone in a partition.
    Broadcast = 4,
    /// C5: long lists and snapshots.
    Bulk = 5,
}

/// What one class promises, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassDescription {
    pub code: &'static str,
    pub delivery: &'static str,
    pub order: &'static str,
    pub deadline: &'static str,
    pub overload: &'static str,
}

impl Class {
    pub const ALL: [Class; 6] =
        [Class::Control, Class::Request, Class::Event, Class::Telemetry, Class::Broadcast, Class::Bulk];

    /// The class of a number on the wire, if it is one.
    pub fn from_u8(number: u8) -> Option<Class> {
        Class::ALL.get(usize::from(number)).copied()
    }

    /// The row of the class table.
    pub const fn describe(self) -> ClassDescription {
        match self {
            Class::Control => ClassDescription {
                code: "C0",
                delivery: "reliable, idempotent",
                order: "per link",
                deadline: "none",
                overload: "never dropped",
            },
            Class::Request => ClassDescription {
                code: "C1",
                delivery: "answered or refused by name; executed at most once",
                order: "per (source, target)",
                deadline: "carried as remaining time, 4.75 s at the start",
                overload: "refused as busy",
            },
            Class::Event => ClassDescription {
                code: "C2",
                delivery: "reliable while the link lives, then repaired by a fresh list",
                order: "per (origin, partition)",
                deadline: "none",
                overload: "coalesced: the newest state of a terminal wins",
            },
            Class::Telemetry => ClassDescription {
                code: "C3",
                delivery: "at most once",
                order: "none",
                deadline: "none",
                overload: "dropped",
            },
            Class::Broadcast => ClassDescription {
                code: "C4",
                delivery: "at most once, one copy per link",
                order: "per source",
                deadline: "none",
                overload: "dropped, and rate-limited per source",
            },
            Class::Bulk => ClassDescription {
                code: "C5",
                delivery: "reliable, resumable",
                order: "per job",
                deadline: "none",
                overload: "paused",
            },
        }
    }
}
