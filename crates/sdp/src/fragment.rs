//! Fragments of SDP that trickle candidates and restart ICE (RFC 8840; RFC 9725, section 4.4).
//!
//! This end is ICE-lite: it never sends to a candidate that it was told, so that those of a fragment are passed over.

use sdp_types::{Attribute, EndOfCandidates, IceLite, IcePwd, IceUfrag, Media};
use taoyao_ortc::{IceCandidate, IceParameters};

use crate::error::BadSdp;
use crate::offer::mid_of;
use crate::{answer, text, transport};

/// What a peer sends after its offer.
#[derive(Debug, Clone)]
pub struct Fragment {
    ufrag: Option<String>,
    section: Option<Media>,
}

impl Fragment {
    /// Reads a fragment.
    ///
    /// # Errors
    /// It is no SDP.
    pub fn read(fragment: &str) -> Result<Self, BadSdp> {
        // A fragment has none of the lines with which a session begins.
        let whole = format!("v=0\r\n{}", fragment.trim_start_matches('\u{feff}'));
        let session = text::parse(&whole)?;
        let ufrag = transport::ufrag(&session).map(str::to_owned);
        let section = session.medias.into_iter().next();
        Ok(Self { ufrag, section })
    }

    /// The peer's new name in ICE checks, if it says one.
    pub fn ice_ufrag(&self) -> Option<&str> {
        self.ufrag.as_deref()
    }

    /// The fragment that tells the peer this end's new credentials.
    pub fn answer(&self, ice: &IceParameters, candidates: &[IceCandidate]) -> String {
        let mut lines: Vec<Attribute> = vec![IceLite.into()];
        let transport = [IceUfrag(ice.username_fragment.clone()).into(), IcePwd(ice.password.clone()).into()];
        let candidates = candidates.iter().map(answer::candidate);
        let section = self.section.as_ref().map(|section| {
            let mid = mid_of(section).map(|mid| format!("a=mid:{mid}\r\n")).unwrap_or_default();
            format!("m={} {} {} {}\r\n{mid}", section.media, section.port, section.proto, section.fmt)
        });
        let head = written(&lines);
        lines = transport.into_iter().chain(candidates).chain([EndOfCandidates.into()]).collect();
        head + &section.unwrap_or_default() + &written(&lines)
    }
}

fn written(lines: &[Attribute]) -> String {
    let line = |attribute: &Attribute| match &attribute.value {
        Some(value) => format!("a={}:{value}\r\n", attribute.attribute),
        None => format!("a={}\r\n", attribute.attribute),
    };
    lines.iter().map(line).collect()
}
