//! The program `taoyao` as its users meet it: what it prints, what it leaves on disk, and its exit codes.

#![expect(
    clippy::unwrap_used,
    reason = "clippy's leave for tests covers test functions only, not their helpers"
)]

mod files;
mod offline;
mod outputs;
#[path = "../mesh/ports.rs"]
mod ports;
mod running;
mod support;
#[expect(dead_code, reason = "the mesh's tests use all of it, these only a part")]
#[path = "../mesh/terminal.rs"]
mod terminal;
