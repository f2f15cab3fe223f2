//! RTP packets: read without copying, written from templates.

mod extension;
mod header;
mod kinds;
mod template;

pub use extension::{Elements, Form};
pub use header::{BadPacket, Packet};
pub use kinds::{ExtensionKind, ExtensionMap};
pub use template::{Stamps, Tail, TailWriter, Template, Written};

/// Bytes of an RTP header without CSRCs and extensions (RFC 3550, section 5.1).
pub const HEADER_BYTES: usize = 12;
