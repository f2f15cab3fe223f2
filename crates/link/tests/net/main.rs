//! Links over real QUIC on loopback: what works, who is refused, what survives.

#![expect(
    clippy::unwrap_used,
    reason = "clippy's leave for tests covers test functions only, not their helpers"
)]

mod duplicates;
mod frames;
mod hostile;
mod nodes;
mod redial;
mod refusals;
mod relay;
mod throughput;
