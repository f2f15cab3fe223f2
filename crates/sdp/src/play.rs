//! What an offer wants to receive.

use sdp_types::Direction;
use taoyao_ortc::capabilities::{Direction as Way, uri};
use taoyao_ortc::{CodecCapability, ExtensionCapability, MediaKind, RtpCapabilities};

use crate::error::BadSdp;
use crate::offer::{Offer, Section};

/// One section that wants one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Its index in the offer.
    pub section: usize,
    pub kind: MediaKind,
}

impl Offer {
    /// The sections that receive, in their order.
    ///
    /// # Errors
    /// There is none.
    pub fn wanted(&self) -> Result<Vec<Wanted>, BadSdp> {
        let wanted: Vec<_> = self.receiving().map(|(section, kind, _)| Wanted { section, kind }).collect();
        match wanted.is_empty() {
            true => Err(BadSdp::ReceivesNothing),
            false => Ok(wanted),
        }
    }

    /// What the peer can receive, under its own numbers: in a bundle a number means the same in all sections (RFC 9143,
    /// section 9.1).
    ///
    /// The extension that carries `mid` is left out: a consumer's `mid` is not its section's, and streams are told by
    /// their SSRC, which the answer says.
    pub fn capabilities(&self) -> RtpCapabilities {
        let mut known = RtpCapabilities::default();
        for (_, kind, section) in self.receiving() {
            for codec in &section.codecs {
                let is_there = |known: &CodecCapability| known.preferred_payload_type == codec.payload_type;
                if !known.codecs.iter().any(is_there) {
                    known.codecs.push(CodecCapability {
                        kind,
                        mime_type: codec.mime_type.clone(),
                        preferred_payload_type: codec.payload_type,
                        clock_rate: codec.clock_rate,
                        channels: codec.channels,
                        parameters: codec.parameters.clone(),
                        rtcp_feedback: codec.rtcp_feedback.clone(),
                    });
                }
            }
            for (extension, direction) in &section.extensions {
                let is_received = direction
                    .is_none_or(|direction| matches!(direction, Direction::SendRecv | Direction::RecvOnly));
                let is_there = |known: &ExtensionCapability| known.kind == kind && known.uri == extension.uri;
                if is_received && extension.uri != uri::MID && !known.header_extensions.iter().any(is_there) {
                    known.header_extensions.push(ExtensionCapability {
                        kind,
                        uri: extension.uri.clone(),
                        preferred_id: extension.id,
                        preferred_encrypt: false,
                        direction: Way::Sendrecv,
                    });
                }
            }
        }
        known
    }

    fn receiving(&self) -> impl Iterator<Item = (usize, MediaKind, &Section)> {
        let receives =
            |section: &Section| matches!(section.direction, Direction::RecvOnly | Direction::SendRecv);
        self.sections.iter().enumerate().filter_map(move |(index, section)| {
            section.kind.filter(|_| receives(section)).map(|kind| (index, kind, section))
        })
    }
}
