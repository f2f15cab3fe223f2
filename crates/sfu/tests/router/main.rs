//! Whole rooms: producers, consumers, and a network between them that loses, delays and reorders.

mod bad_input;
mod bounds;
mod camera;
mod changes;
mod descriptor;
mod feedback;
mod layered;
mod layers;
mod lines;
#[path = "../link/mod.rs"]
mod link;
mod mirror;
mod packets;
mod plain;
mod svc;
mod viewer;
mod world;
