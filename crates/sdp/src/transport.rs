//! The one transport of an offer: which sections are bundled onto it, and what the peer's end of it is.

use std::collections::BTreeSet;

use sdp_types::{Fingerprint, Media, Session, Setup, TypedAttribute};
use taoyao_ortc::{DtlsParameters, DtlsRole};

use crate::error::BadSdp;
use crate::offer::Section;

/// Characters of a name or a password in ICE: RFC 8839 (section 5.4) has up to 256.
const ICE_BYTES_MAX: usize = 256;

/// Where the transport is described: in sections of the bundle, the tagged one first, else in front of all of them. In an
/// offer the others may be silent about it (RFC 9143, sections 7.1.3 and 7.2.1).
pub(crate) struct Transport<'a> {
    session: &'a Session,
    sections: Vec<&'a Media>,
}

impl<'a> Transport<'a> {
    /// The transport that these sections share.
    ///
    /// # Errors
    /// They share none, or RTCP would need another.
    pub(crate) fn of(session: &'a Session, live: &[&'a Section]) -> Result<Self, BadSdp> {
        let tags = bundle(session);
        let is_bundled = |section: &&Section| tags.contains(&section.mid.as_str());
        // One section needs no bundle.
        if live.len() > 1 && !live.iter().all(is_bundled) {
            return Err(BadSdp::Unbundled);
        }
        let place =
            |section: &&Section| tags.iter().position(|tag| *tag == section.mid).unwrap_or(tags.len());
        let mut ordered: Vec<&'a Section> = live.to_vec();
        ordered.sort_by_key(|section| (section.media.port == 0, place(section)));
        let transport = Self { session, sections: ordered.iter().map(|section| &section.media).collect() };
        match transport.has("rtcp-mux") || transport.has("rtcp-mux-only") {
            true => Ok(transport),
            false => Err(BadSdp::Unmuxed {
                mid: ordered.first().map(|section| section.name()).unwrap_or_default(),
            }),
        }
    }

    /// The peer's name in ICE checks.
    pub(crate) fn ufrag(&self) -> Result<String, BadSdp> {
        let described =
            self.sections.iter().map(|media| (value(media, "ice-ufrag"), value(media, "ice-pwd")));
        let in_front = (front(self.session, "ice-ufrag"), front(self.session, "ice-pwd"));
        let mut all = described.chain([in_front]);
        let complete = all.find_map(|(ufrag, password)| Some((ice_text(ufrag?)?, ice_text(password?)?)));
        complete.map(|(ufrag, _)| ufrag.to_owned()).ok_or(BadSdp::NoIce)
    }

    pub(crate) fn dtls(&self) -> Result<DtlsParameters, BadSdp> {
        let fingerprints: Vec<_> = self.all::<Fingerprint>().iter().map(fingerprint).collect();
        if fingerprints.is_empty() {
            return Err(BadSdp::NoFingerprint);
        }
        let role = match self.all().into_iter().next().unwrap_or(Setup::ActPass) {
            Setup::ActPass | Setup::Active => DtlsRole::Client,
            Setup::Passive => DtlsRole::Server,
            other => return Err(BadSdp::Setup(other.to_string())),
        };
        Ok(DtlsParameters { role, fingerprints })
    }

    fn has(&self, name: &str) -> bool {
        self.sections.iter().any(|media| media.has_attribute(name)) || self.session.has_attribute(name)
    }

    /// All of a kind from the first place that has some.
    fn all<T: TypedAttribute>(&self) -> Vec<T> {
        let here =
            self.sections.iter().map(|media| media.attributes_typed().filter_map(Result::ok).collect());
        let in_front = || self.session.attributes_typed().filter_map(Result::ok).collect();
        here.chain(std::iter::once_with(in_front))
            .find(|found: &Vec<T>| !found.is_empty())
            .unwrap_or_default()
    }
}

/// The name in ICE that a session or a fragment says, in its first section that says one, else in front of all of them.
pub(crate) fn ufrag(session: &Session) -> Option<&str> {
    let here = session.medias.iter().find_map(|media| value(media, "ice-ufrag"));
    here.or_else(|| front(session, "ice-ufrag")).and_then(ice_text)
}

/// The names of the sections that are bundled, the tagged one first.
fn bundle(session: &Session) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    let groups = session.get_attribute_values("group").flatten().map(str::split_ascii_whitespace);
    let bundle =
        groups.filter_map(|mut words| words.next()?.eq_ignore_ascii_case("BUNDLE").then_some(words)).next();
    bundle.into_iter().flatten().filter(|tag| seen.insert(*tag)).collect()
}

/// The characters that RFC 8839 allows, and those that programs use beside them (`-`, `=`, `_`): they are compared with
/// what checks bring and written nowhere.
fn ice_text(text: &str) -> Option<&str> {
    let is_written =
        (1..=ICE_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_written.then_some(text)
}

fn value<'a>(media: &'a Media, name: &'a str) -> Option<&'a str> {
    media.get_first_attribute_value(name).flatten()
}

fn front<'a>(session: &'a Session, name: &'a str) -> Option<&'a str> {
    session.get_first_attribute_value(name).flatten()
}

fn fingerprint(read: &Fingerprint) -> taoyao_ortc::Fingerprint {
    let pairs: Vec<_> = read.fingerprint.iter().map(|byte| format!("{byte:02X}")).collect();
    taoyao_ortc::Fingerprint {
        algorithm: read.hash_func.as_str().to_ascii_lowercase(),
        value: pairs.join(":"),
    }
}
