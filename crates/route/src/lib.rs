//! The mesh's side of a node: directory, resync, forwarding, interest and gathering.
