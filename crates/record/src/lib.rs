//! Recordings: RTP into files that any player opens, their index, their store and their retention.
