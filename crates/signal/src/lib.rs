//! The terminal's side of a node: registration, presence, unicast and broadcast, peer-to-peer sessions.
