//! RTCP: compound packets read as borrowed views, and written into the caller's buffer; nothing is allocated.
//!
//! Reduced-size packets (RFC 5506) are read like any others: no order is asked of the parts of a compound.

mod bytes;
mod compound;
mod description;
mod extended;
mod feedback;
mod ntp;
mod remb;
mod report;
mod told;
mod transport_feedback;
mod write;

pub use compound::{BadRtcp, Packet, Packets};
pub use description::{Bye, Description};
pub use extended::{DelayBlock, ExtendedBlock, ExtendedReport};
pub use feedback::{Fir, Nack};
pub use ntp::{NtpTime, to_short};
pub use remb::Remb;
pub use report::{ReceiverReport, ReportBlock, SenderInfo, SenderReport};
pub use told::STATUSES_MAX;
pub use transport_feedback::{Status, Statuses, TransportFeedback};
pub use write::{NoRoom, TransportFeedbackHead, Writer};
