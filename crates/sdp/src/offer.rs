//! An offer: its transport, and its sections as they are written.

use sdp_types::{
    Direction, Fingerprint, Group, IcePwd, IceUfrag, Media, Mid, ParserError, RtcpMux, Session, Setup,
    TypedAttribute,
};
use taoyao_ortc::{Codec, DtlsParameters, DtlsRole, Extension, MediaKind};

use crate::codecs;
use crate::error::BadSdp;

/// Sections that are read: browsers make one for each camera and microphone. An offer with more is refused.
const SECTIONS_MAX: usize = 32;

/// What a peer offers, checked: there is a section of sound or picture, and one transport for all.
#[derive(Debug, Clone)]
pub struct Offer {
    pub(crate) sections: Vec<Section>,
    ufrag: String,
    dtls: DtlsParameters,
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
    pub fn read(text: &str) -> Result<Self, BadSdp> {
        let session =
            Session::parse(text.as_bytes()).map_err(|why: ParserError| BadSdp::Syntax(why.to_string()))?;
        if session.medias.len() > SECTIONS_MAX {
            return Err(BadSdp::TooLong { count: session.medias.len(), max: SECTIONS_MAX });
        }
        let sections: Vec<_> = session.medias.iter().map(|media| Section::read(media, &session)).collect();
        let Some(first) = sections.iter().find(|section| section.kind.is_some()) else {
            return Err(BadSdp::NoMedia);
        };
        check_bundle(&session, &sections)?;
        for section in sections.iter().filter(|section| section.kind.is_some()) {
            section.check_transport()?;
        }
        let transport = Described { media: &first.media, session: &session };
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
            mid: first(media).map(|Mid(mid)| mid).unwrap_or_default(),
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

    fn check_transport(&self) -> Result<(), BadSdp> {
        if !self.media.proto.contains("TLS/RTP/SAVP") {
            return Err(BadSdp::NotSecure { mid: self.name(), protocol: self.media.proto.clone() });
        }
        let is_muxed = first::<RtcpMux>(&self.media).is_some();
        is_muxed.then_some(()).ok_or_else(|| BadSdp::Unmuxed { mid: self.name() })
    }
}

/// The first attribute of a kind that can be read.
pub(crate) fn first<T: TypedAttribute>(media: &Media) -> Option<T> {
    media.attributes_typed().find_map(Result::ok)
}

fn direction(media: &Media, session: &Session) -> Direction {
    let written = |attributes: &[sdp_types::Attribute]| {
        attributes.iter().find_map(|attribute| match attribute.attribute.as_str() {
            "sendrecv" => Some(Direction::SendRecv),
            "sendonly" => Some(Direction::SendOnly),
            "recvonly" => Some(Direction::RecvOnly),
            "inactive" => Some(Direction::Inactive),
            _ => None,
        })
    };
    written(&media.attributes).or_else(|| written(&session.attributes)).unwrap_or(Direction::SendRecv)
}

/// One section needs no bundle.
fn check_bundle(session: &Session, sections: &[Section]) -> Result<(), BadSdp> {
    let live: Vec<_> = sections.iter().filter(|section| section.kind.is_some()).collect();
    if live.len() < 2 {
        return Ok(());
    }
    let is_bundle = |group: &Group| group.semantics.as_str().eq_ignore_ascii_case("BUNDLE");
    let bundle = session.attributes_typed::<Group>().filter_map(Result::ok).find(is_bundle);
    let holds =
        |section: &&Section| bundle.as_ref().is_some_and(|bundle| bundle.mid_tags.contains(&section.mid));
    live.iter().all(holds).then_some(()).ok_or(BadSdp::Unbundled)
}

/// Where attributes of the transport stand: in the section, else in the session.
struct Described<'a> {
    media: &'a Media,
    session: &'a Session,
}

impl Described<'_> {
    fn all<T: TypedAttribute>(&self) -> Vec<T> {
        let here: Vec<T> = self.media.attributes_typed().filter_map(Result::ok).collect();
        match here.is_empty() {
            true => self.session.attributes_typed().filter_map(Result::ok).collect(),
            false => here,
        }
    }

    fn first<T: TypedAttribute>(&self) -> Option<T> {
        self.all().into_iter().next()
    }

    fn ufrag(&self) -> Result<String, BadSdp> {
        match (self.first(), self.first()) {
            (Some(IceUfrag(ufrag)), Some(IcePwd(_))) => Ok(ufrag),
            _ => Err(BadSdp::NoIce),
        }
    }

    fn dtls(&self) -> Result<DtlsParameters, BadSdp> {
        let fingerprints: Vec<_> = self.all::<Fingerprint>().iter().map(fingerprint).collect();
        if fingerprints.is_empty() {
            return Err(BadSdp::NoFingerprint);
        }
        let role = match self.first().unwrap_or(Setup::ActPass) {
            Setup::ActPass | Setup::Active => DtlsRole::Client,
            Setup::Passive => DtlsRole::Server,
            other => return Err(BadSdp::Setup(other.to_string())),
        };
        Ok(DtlsParameters { role, fingerprints })
    }
}

fn fingerprint(read: &Fingerprint) -> taoyao_ortc::Fingerprint {
    let pairs: Vec<_> = read.fingerprint.iter().map(|byte| format!("{byte:02X}")).collect();
    taoyao_ortc::Fingerprint {
        algorithm: read.hash_func.as_str().to_ascii_lowercase(),
        value: pairs.join(":"),
    }
}
