//! The mesh in virtual time: seeded storms over the three-tier demo topology, judged in the quiet after them.

mod presence;
mod storms;
