//! The signal table: one row per signal of the terminal protocol.
