//! The arithmetic between what a terminal sends, what the router speaks and what another terminal can receive
//! (reference sections 6.2 and 6.3).
//!
//! A producer's numbers (payload types, extension ids) are its terminal's own; [`produce`] finds the router's for them. A
//! consumer's numbers are those that its terminal's capabilities give: clients that have loaded the router's capabilities
//! give the router's back, and terminals that speak SDP (WHEP) give their own.

mod check;
mod consume;
mod h264;
mod layers;
mod matching;
mod produce;

pub use check::capabilities as check_capabilities;
pub use consume::consume;
pub use layers::Layers;
pub use produce::{Consumable, produce};
