//! The arithmetic between what a terminal sends, what the router speaks and what another terminal can receive
//! (reference sections 6.2 and 6.3).

use crate::capabilities::RtpCapabilities;
use crate::control::Refused;
use crate::rtp::{MediaKind, RtpParameters};

/// A producer in the router's numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Consumable {
    pub kind: MediaKind,
    /// What its consumers will say of themselves: `simple`, `simulcast` or `svc`.
    pub consumer_type: &'static str,
    /// With the router's payload types and extension ids; the encodings are the producer's.
    pub rtp: RtpParameters,
    /// (the producer's payload type, the router's), retransmission codecs too.
    pub payload_types: Vec<(u8, u8)>,
    /// (the producer's extension id, the router's), of the extensions that the router knows.
    pub extensions: Vec<(u8, u8)>,
}

/// What the producer sends, in the router's numbers.
///
/// # Errors
/// The parameters contradict themselves, or the router does not speak the codec.
pub fn produce(kind: MediaKind, rtp: &RtpParameters) -> Result<Consumable, Refused> {
    let _ = (kind, rtp);
    Err(Refused::Unsupported("not negotiated".to_owned()))
}

/// The parameters of a consumer of `consumable` at a terminal with these capabilities: one encoding with `ssrc` and, where
/// the terminal can receive retransmissions, `ssrc + 1` for them.
///
/// # Errors
/// The terminal cannot receive the codec.
pub fn consume(
    consumable: &Consumable,
    capabilities: &RtpCapabilities,
    mid: &str,
    ssrc: u32,
) -> Result<RtpParameters, Refused> {
    let _ = (consumable, capabilities, mid, ssrc);
    Err(Refused::Unsupported("not negotiated".to_owned()))
}
