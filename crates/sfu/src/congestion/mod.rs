//! How much can be sent and received, and what becomes of it: the feedback, the estimate, the pace, the shares.
//!
//! Receiving: [`NackGenerator`] asks for what is missing, [`Arrivals`] tells senders when their packets came.

mod arrivals;
mod nack;

pub use arrivals::Arrivals;
pub use nack::{NackGenerator, Seen};
