//! The wire against what is written down: golden vectors made from the reference, and the tables of `docs/PROTOCOL.md` and
//! of the web terminal's client module.

#![expect(clippy::unwrap_used, reason = "a test that meets what it does not expect shall fail there")]

mod bodies;
mod held;
mod protocol;
mod vectors;
