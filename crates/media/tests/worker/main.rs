//! The SFU's threads with real sockets on loopback: terminals that produce, consume, move, flood, fail and leave.

mod hostile;
mod media;
mod packets;
mod plain;
mod side;
mod terminal;
