//! One node of the mesh as a pure machine: composes signal and route.

mod clock;
pub mod io;
pub mod node;
mod settings;

pub use io::{Input, Output};
pub use node::{Node, NodeConfig, NotInTopology};
// What a driver sees of the two machines inside: it knows `core` only.
pub use taoyao_route::{Alarm, NeighbourStatus, NotTaken, Queued, Stats as RouterStats};
pub use taoyao_signal::{
    Audit, Deed, Dismissal, MemberView, PasswordDone, PasswordWork, Performed, RoomView, Scarce,
    Stats as TerminalStats, Verified, Vouched,
};
