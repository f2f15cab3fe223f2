//! Names, ids, epochs, instants and limits that every other crate speaks in.
//!
//! Nothing in here decides anything: a value of one of these types is valid by construction, and that is all.

pub mod account_limits;
pub mod id;
pub mod limits;
pub mod name;
pub mod net;
pub mod role;
pub mod scope;
pub mod secret;
pub mod share;
pub mod time;

pub use account_limits::AccountLimits;
pub use id::{
    AccountTag, ConnId, NodeEpoch, NodeId, PartitionId, SessionEpoch, SignalId, TerminalKey, Version,
};
pub use name::{BadName, ClientId, NodeName, PartitionName, TerminalName};
pub use role::Role;
pub use scope::{Asks, PolicyRule, SCOPES, Scope, Verdict};
pub use secret::Secret;
pub use share::{Exhausted, Shares};
pub use time::{Instant, Now, Wall};
