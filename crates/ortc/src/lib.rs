//! The ORTC model as data: what signalling asks of an SFU, and what the SFU answers.
//!
//! A room has a *router*. Terminals make *transports* to it; on a transport they *produce* what they send and *consume*
//! what others produce. Every value here has the JSON form of the clients (reference sections 4.3, 5 and 6.2); only the
//! `wire` crate writes and reads that form. The arithmetic between what a terminal sends, what the router speaks and what
//! another terminal can receive is in [`negotiate`].

mod bounds;
pub mod capabilities;
pub mod control;
pub mod id;
pub mod negotiate;
pub mod rtp;
pub mod stats;
pub mod transport;

pub use capabilities::{CodecCapability, ExtensionCapability, RtpCapabilities, router_capabilities};
pub use control::{
    Act, Capacity, Command, Done, Event, Happening, RecordAct, RecordCharge, RecordCommand, RecordEnd,
    RecordSource, Recorded, Refused, Reply, RoomName,
};
pub use id::{BadId, ConsumerId, ProducerId, TransportId};
pub use rtp::{
    Codec, Encoding, Extension, Feedback, MediaKind, ParameterValue, Parameters, RtcpParameters,
    RtpParameters, RtxEncoding,
};
pub use stats::{Stat, StatValue};
pub use transport::{
    DtlsParameters, DtlsRole, Fingerprint, IceCandidate, IceParameters, NumStreams, PlainRemote,
    SctpCapabilities, SctpParameters, SctpStreamParameters, SrtpParameters, SrtpSuite, TransportLocal,
    TransportPlan,
};
