//! The bodies of `media::*` (reference sections 4.3, 4.4 and 5).
//!
//! - `request`: what members ask; `answer`: what they are answered; `push`: what they are told.

mod answer;
mod push;
mod request;

pub use answer::{PlainCreated, WebRtcCreated, json, produced, with_json};
pub use push::{
    consuming, layers_changed, of_consumer, of_producer, of_transport, orientation_changed, rejoin,
    score_of_consumer, score_of_producer, volumes,
};
pub use request::{
    BadMedia, ConsumerAct, MediaRequest, ProducerAct, TransportAct, WebRtcWish, capabilities, receiving,
};
