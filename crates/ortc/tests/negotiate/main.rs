//! Whole negotiations with what real browsers say through mediasoup-client (reference sections 5.11, 6.2 and 6.3).

mod browsers;
mod consume;
mod produce;
