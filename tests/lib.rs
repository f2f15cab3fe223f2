//! Tests that no single crate can hold: the rules of the house, and whole meshes, simulated and real. See docs/TESTING.md.
