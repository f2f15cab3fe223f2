//! What holds of every input: the bodies of the fuzz targets, which an ordinary test runs on the corpora as well.

mod dtls;
mod parts;
mod recording;
mod room;
mod rtcp;
mod rtp;
mod sctp;
mod sdp;
mod signalling;
mod srtp;
mod stun;

pub use dtls::dtls;
pub use recording::recording;
pub use room::room;
pub use rtcp::rtcp;
pub use rtp::rtp;
pub use sctp::sctp;
pub use sdp::sdp;
pub use signalling::{envelope, link_frame, tcp_frames};
pub use srtp::srtp;
pub use stun::stun;
