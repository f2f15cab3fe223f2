//! One room's media as a pure machine: RTP and RTCP in, patched packets and feedback out.

pub mod codec;
pub mod congestion;
pub mod ice;
pub mod packet;
pub mod router;
pub mod rtcp;
pub mod speaker;
pub mod stream;

pub use router::{
    Consumed, PacketOrigin, Router, RouterConfig, Transmit, TransmitKind, TransportKey, TransportSetup,
};
