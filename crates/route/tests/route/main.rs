//! The router as its neighbours meet it: frames in, frames out, no sockets and no clock.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod authority;
mod resync;
mod rights;
mod world;
