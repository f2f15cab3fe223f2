//! SDP offers and answers (WHIP, WHEP) as ORTC parameters, and back.
//!
//! Whoever publishes sends an [`Offer`]; [`Offer::published`] says what a producer of each of its sections has to say. Whoever
//! plays sends one, too; [`Offer::wanted`] and [`Offer::capabilities`] say what it can receive. An [`Answer`] is written
//! from the offer, from this end of the transport, and from what was agreed on each section; a section on which nothing
//! was agreed is rejected in it. What is sent is agreed on as a whole or not at all. [`Fragment`]s restart ICE.
//!
//! All media are bundled onto one transport with RTCP on the same port, as RFC 9725 (section 4.4.1) demands it.

mod answer;
mod codecs;
mod error;
mod fragment;
mod offer;
mod play;
mod publish;
mod streams;
mod text;
mod transport;

pub use answer::{Answer, Local};
pub use error::{BadSdp, BadSection};
pub use fragment::Fragment;
pub use offer::{Offer, Section};
pub use play::Wanted;
pub use publish::Published;
pub use streams::StreamOrder;
