//! One node of the mesh as a pure machine: composes signal and route.

pub mod io;
pub mod node;

pub use io::{Input, Output};
pub use node::{Node, NodeConfig, NotInTopology};
