//! The mesh's side of a node: directory, resync, forwarding, interest and gathering.
//!
//! [`Router`] is a pure machine. What is learned from a child goes into the directory and on to the parent; what is
//! wanted of an unknown terminal goes to the parent; nothing is ever learned from above. That alone keeps the
//! directory free of loops: records only climb, and signals climb until somebody knows the way down.

pub mod directory;
pub mod downstream;
pub mod executions;
pub mod gather;
pub mod interest;
pub mod journal;
pub mod neighbour;
pub mod output;
pub mod pending;
pub mod presence;
pub mod router;
pub mod stats;
pub mod upstream;

pub use neighbour::{NeighbourStatus, Queued};
pub use output::{Alarm, Delivery, NotTaken, Output};
pub use router::Router;
pub use stats::Stats;
