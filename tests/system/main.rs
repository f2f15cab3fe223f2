//! The mesh in virtual time: seeded storms over the three-tier demo topology, judged in the quiet after them; and the
//! fuzz corpora, replayed.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod clocks;
mod corpora;
mod presence;
mod storms;
