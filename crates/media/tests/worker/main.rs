//! The SFU's threads with real sockets on loopback: terminals that produce, consume, move, flood, fail and leave.

#![expect(clippy::unwrap_used, clippy::unwrap_in_result, reason = "a step that fails is a test that fails")]

mod bad_input;
mod comings;
mod conversation;
mod hostile;
mod media;
mod packets;
mod plain;
mod side;
mod spread;
mod terminal;
