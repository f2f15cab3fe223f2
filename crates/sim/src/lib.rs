//! The whole mesh in one thread and virtual time, with a reference model to judge it.
//!
//! [`World`] runs N × `core::Node` over seeded links that delay, hold, lose and break, with scripted terminals on top.
//! [`run`] throws a seeded storm of faults at it, waits until it is quiet, and returns what [`Judge`] found wrong:
//! an empty list, or sentences that name the invariant. The same seed gives the same run, always.

mod client;
mod forger;
mod judge;
mod link;
mod meeting;
mod queue;
mod sfu;
mod storm;
mod studio;
mod traffic;
mod world;

pub use client::{Client, ClientIndex};
pub use judge::Judge;
pub use sfu::{ModelConsumer, ModelProducer, ModelRoom, ModelSfu};
pub use storm::{Outcome, Storm, run};
pub use world::World;
