//! QUIC links between nodes: dialling, accepting, identity, streams, heartbeats, back-off.
