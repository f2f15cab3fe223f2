//! The whole mesh in one thread and virtual time, with a reference model to judge it.
