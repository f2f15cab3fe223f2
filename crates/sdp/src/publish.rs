//! What an offer sends, as producers' parameters.

use sdp_types::Direction;
use taoyao_ortc::negotiate::{Consumable, produce};
use taoyao_ortc::{Codec, Encoding, MediaKind, RtcpParameters, RtpParameters};

use crate::error::{BadSdp, BadSection};
use crate::offer::{Offer, Section};
use crate::streams::{self, StreamOrder};

/// One section that is received.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// Its index in the offer.
    pub section: usize,
    pub kind: MediaKind,
    /// What the producer has to say: of the codecs offered the first that the router speaks, and of feedback and extensions
    /// what the router knows. The numbers are the offer's.
    pub rtp: RtpParameters,
}

impl Offer {
    /// The sections that the offer sends, all of them. Those that it only receives, or that are neither sound nor picture (data
    /// channels), are not among them.
    ///
    /// # Errors
    /// It sends nothing, or something that the router does not understand.
    pub fn published(&self) -> Result<Vec<Published>, BadSdp> {
        self.published_in(StreamOrder::SmallestFirst)
    }

    /// The same, of a sender that is known to list the streams of a simulcast in this order.
    ///
    /// # Errors
    /// As above.
    pub fn published_in(&self, order: StreamOrder) -> Result<Vec<Published>, BadSdp> {
        let mut published = Vec::new();
        let mut refused = Vec::new();
        for (index, section) in self.sections.iter().enumerate() {
            let Some(kind) = section.kind.filter(|_| section.sends()) else { continue };
            match section.producer(kind, order) {
                Ok(rtp) => published.push(Published { section: index, kind, rtp }),
                Err(why) => refused.push(BadSection { mid: section.name(), why }),
            }
        }
        match (refused.is_empty(), published.is_empty()) {
            (false, _) => Err(BadSdp::NotUnderstood(refused)),
            (true, true) => Err(BadSdp::SendsNothing),
            (true, false) => Ok(published),
        }
    }
}

impl Section {
    fn sends(&self) -> bool {
        matches!(self.direction, Direction::SendOnly | Direction::SendRecv)
    }

    fn producer(&self, kind: MediaKind, order: StreamOrder) -> Result<RtpParameters, String> {
        let mut encodings = streams::read(&self.media, order);
        if encodings.is_empty() && self.mid.is_empty() {
            return Err(
                "it names no stream, neither by a=ssrc nor by a=simulcast, and has no a=mid".to_owned()
            );
        }
        if encodings.is_empty() {
            // The section's name in its packets tells them.
            encodings.push(Encoding::default());
        }
        let offered: Vec<_> = self.codecs.iter().filter(|codec| !codec.is_rtx()).collect();
        let mut refused = None;
        for codec in &offered {
            let rtp = self.with_codec(codec, encodings.clone());
            match produce(kind, &rtp) {
                Ok(consumable) => return Ok(agreed(rtp, &consumable)),
                Err(why) => refused = refused.or(Some(why.to_string())),
            }
        }
        match (refused, offered.len()) {
            (None, _) => Err("it offers no codec".to_owned()),
            (Some(why), 0 | 1) => Err(why),
            (Some(why), count) => {
                Err(format!("none of its {count} codecs is understood; of the first: {why}"))
            }
        }
    }

    fn with_codec(&self, codec: &Codec, mut encodings: Vec<Encoding>) -> RtpParameters {
        let apt = Some(codec.payload_type.into());
        let again = self.codecs.iter().find(|other| other.is_rtx() && other.integer("apt") == apt);
        if again.is_none() {
            encodings.iter_mut().for_each(|encoding| encoding.rtx = None);
        }
        let sent = self.extensions.iter().filter(|(_, direction)| {
            direction.is_none_or(|direction| matches!(direction, Direction::SendRecv | Direction::SendOnly))
        });
        RtpParameters {
            mid: Some(self.mid.clone()).filter(|mid| !mid.is_empty()),
            codecs: std::iter::once(codec).chain(again).cloned().collect(),
            header_extensions: sent.map(|(extension, _)| extension.clone()).collect(),
            encodings,
            rtcp: RtcpParameters {
                cname: streams::cname(&self.media),
                reduced_size: Some(self.media.has_attribute("rtcp-rsize")),
                mux: Some(true),
            },
        }
    }
}

/// Without the feedback and the extensions that the router does not know.
fn agreed(mut rtp: RtpParameters, consumable: &Consumable) -> RtpParameters {
    let spoken = consumable.rtp.codecs.first();
    for codec in &mut rtp.codecs {
        codec
            .rtcp_feedback
            .retain(|feedback| spoken.is_some_and(|codec| codec.rtcp_feedback.contains(feedback)));
    }
    let is_known = |id: u8| consumable.extensions.iter().any(|(theirs, _)| *theirs == id);
    rtp.header_extensions.retain(|extension| is_known(extension.id));
    rtp
}
