//! The terminals' machine against the reference, section by section: one node alone, and two joined by a small mesh.

#![expect(clippy::unwrap_used, reason = "a test that meets what it does not expect shall fail there")]

mod alarms;
mod allowance;
mod call;
mod chaos;
mod configs;
mod control;
mod deeds;
mod departures;
mod envelope;
mod lists;
mod media;
mod media_ends;
mod messages;
mod presence;
mod readiness;
mod recordings;
mod registration;
mod requests;
mod resume;
mod rights;
mod room_bounds;
mod room_doors;
mod room_lives;
mod rooms;
mod sessions;
mod world;
