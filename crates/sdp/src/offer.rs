//! An offer: its transport, and its sections as they are written.

use sdp_types::{Direction, Media, Session};
use taoyao_ortc::{Codec, DtlsParameters, Extension, MediaKind};

use crate::error::BadSdp;
use crate::transport::Transport;
use crate::{codecs, text};

/// Sections that are read: browsers make one for each camera and microphone. An offer with more is refused.
const SECTIONS_MAX: usize = 32;

/// What a peer offers, checked: there is a section of sound or picture, and one transport for all.
#[derive(Debug, Clone)]
pub struct Offer {
    pub(crate) sections: Vec<Section>,
    ufrag: String,
    pub(crate) dtls: DtlsParameters,
}

/// One section `m=`.
#[derive(Debug, Clone)]
pub struct Section {
    pub(crate) media: Media,
    /// Empty if there is none.
    pub(crate) mid: String,
    pub(crate) direction: Direction,
    /// `None`: rejected by the peer itself, or neither sound nor picture.
    pub(crate) kind: Option<MediaKind>,
    pub(crate) codecs: Vec<Codec>,
    pub(crate) extensions: Vec<(Extension, Option<Direction>)>,
}

impl Offer {
    /// Reads an offer.
    ///
    /// # Errors
    /// It is no SDP, or describes no bundled transport with ICE and DTLS.
    pub fn read(offer: &str) -> Result<Self, BadSdp> {
        let session = text::parse(offer)?;
        if session.medias.len() > SECTIONS_MAX {
            return Err(BadSdp::TooLong { count: session.medias.len(), max: SECTIONS_MAX });
        }
        let sections: Vec<_> = session.medias.iter().map(|media| Section::read(media, &session)).collect();
        let live: Vec<_> = sections.iter().filter(|section| section.kind.is_some()).collect();
        if live.is_empty() {
            return Err(BadSdp::NoMedia);
        }
        if let Some(section) = live.iter().find(|section| !section.media.proto.contains("TLS/RTP/SAVP")) {
            return Err(BadSdp::NotSecure { mid: section.name(), protocol: section.media.proto.clone() });
        }
        let transport = Transport::of(&session, &live)?;
        Ok(Self { ufrag: transport.ufrag()?, dtls: transport.dtls()?, sections })
    }

    /// The peer's name in ICE checks.
    pub fn ice_ufrag(&self) -> &str {
        &self.ufrag
    }

    /// The peer's role in DTLS, which is the client's wherever it leaves the choice, and its fingerprints.
    pub fn dtls(&self) -> &DtlsParameters {
        &self.dtls
    }

    /// All sections, in their order.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }
}

impl Section {
    fn read(media: &Media, session: &Session) -> Self {
        let is_rejected = media.port == 0 && !media.has_attribute("bundle-only");
        let kind = match media.media.as_str() {
            "audio" => Some(MediaKind::Audio),
            "video" => Some(MediaKind::Video),
            _ => None,
        };
        Self {
            mid: mid_of(media).unwrap_or_default().to_owned(),
            direction: direction(media, session),
            kind: kind.filter(|_| !is_rejected),
            codecs: kind.map(|kind| codecs::read(media, kind)).unwrap_or_default(),
            extensions: codecs::read_extensions(media),
            media: media.clone(),
        }
    }

    pub(crate) fn name(&self) -> String {
        match self.mid.as_str() {
            "" => format!("m={}", self.media.media),
            mid => mid.to_owned(),
        }
    }
}

/// The section's name, whatever characters it is made of; it ends at a space.
pub(crate) fn mid_of(media: &Media) -> Option<&str> {
    let written = media.get_first_attribute_value("mid")??;
    written.split_ascii_whitespace().next()
}

fn direction(media: &Media, session: &Session) -> Direction {
    let written = |attributes: &[sdp_types::Attribute]| {
        attributes.iter().find_map(|attribute| match attribute.attribute.to_ascii_lowercase().as_str() {
            "sendrecv" => Some(Direction::SendRecv),
            "sendonly" => Some(Direction::SendOnly),
            "recvonly" => Some(Direction::RecvOnly),
            "inactive" => Some(Direction::Inactive),
            _ => None,
        })
    };
    written(&media.attributes).or_else(|| written(&session.attributes)).unwrap_or(Direction::SendRecv)
}
