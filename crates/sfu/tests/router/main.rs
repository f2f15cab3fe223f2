//! Whole rooms: producers, consumers, and a network between them that loses, delays and reorders.

mod bad_input;
mod feedback;
mod layers;
mod mirror;
mod packets;
mod plain;
mod world;
