//! The sections of the file that stand for themselves: nothing in them refers to a node or a partition.

mod ice;
mod limits;
mod login;
mod password;

pub use ice::{Ice, Turn};
pub use limits::Limits;
pub use login::{Login, SharedAccount};
pub use password::Password;
