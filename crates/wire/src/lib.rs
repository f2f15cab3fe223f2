//! What travels: the terminal's JSON envelope and the link's frames, with their size bounds and the signal table.
//!
//! This is the only crate that knows serde_json and rmp-serde. Whatever it returns is within the bounds of
//! [`taoyao_types::limits`]; whatever it refuses says whose fault it is and why.

pub mod bodies;
pub mod class;
pub mod link;
pub mod signals;
pub mod terminal;

pub use class::Class;
