//! One stream of packets: what arrived, what is kept, and how it is renumbered for a receiver.

mod clock;
mod rate;
mod receive;
mod renumber;
mod sent;
mod store;
mod unwrap;

pub use clock::{SenderClock, ntp_us, ticks};
pub use rate::Rate;
pub use receive::Receive;
pub use renumber::Renumber;
pub use sent::{Rewriting, Sent, SentLog};
pub use store::{Arrived, Entry, Store};
pub use unwrap::Unwrap;
