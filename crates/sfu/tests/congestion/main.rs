//! Congestion control on simulated links, in virtual time: how well links are used, and how long queues become.

mod call;
#[path = "../link/mod.rs"]
mod link;
mod traces;
