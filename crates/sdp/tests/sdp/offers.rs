//! The offers, and this end of a transport.

use taoyao_ortc::{DtlsParameters, DtlsRole, Fingerprint, IceCandidate, IceParameters};
use taoyao_sdp::{Local, Offer};

pub(crate) const CHROMIUM_PUBLISH: &str = include_str!("offers/chromium-156-publish.sdp");
pub(crate) const CHROMIUM_SIMULCAST: &str = include_str!("offers/chromium-156-simulcast.sdp");
pub(crate) const CHROMIUM_PLAY: &str = include_str!("offers/chromium-156-play.sdp");
pub(crate) const FIREFOX_PUBLISH: &str = include_str!("offers/firefox-153-publish.sdp");
pub(crate) const FIREFOX_SIMULCAST: &str = include_str!("offers/firefox-153-simulcast.sdp");
pub(crate) const FIREFOX_PLAY: &str = include_str!("offers/firefox-153-play.sdp");
pub(crate) const AIORTC_PUBLISH: &str = include_str!("offers/aiortc-1.16-publish.sdp");
pub(crate) const AIORTC_PLAY: &str = include_str!("offers/aiortc-1.16-play.sdp");
pub(crate) const GSTREAMER_PUBLISH: &str = include_str!("offers/gstreamer-1.22-publish.sdp");
pub(crate) const GSTREAMER_PLAY: &str = include_str!("offers/gstreamer-1.22-play.sdp");

pub(crate) const PUBLISH: [&str; 6] = [
    CHROMIUM_PUBLISH,
    CHROMIUM_SIMULCAST,
    FIREFOX_PUBLISH,
    FIREFOX_SIMULCAST,
    AIORTC_PUBLISH,
    GSTREAMER_PUBLISH,
];
pub(crate) const PLAY: [&str; 4] = [CHROMIUM_PLAY, FIREFOX_PLAY, AIORTC_PLAY, GSTREAMER_PLAY];

/// A hash of 32 bytes.
pub(crate) const FINGERPRINT: &str =
    "AB:CD:AB:CD:AB:CD:AB:CD:AB:CD:AB:CD:AB:CD:AB:CD:AB:CD:AB:CD:AB:CD:AB:CD:AB:CD:AB:CD:AB:CD:AB:CD";

pub(crate) fn read(text: &str) -> Offer {
    Offer::read(text).expect("a real program offers it")
}

pub(crate) fn local() -> Local {
    let candidate = |protocol: &str, tcp_type: Option<&str>| IceCandidate {
        foundation: format!("{protocol}candidate"),
        priority: 1_076_302_079,
        ip: "192.0.2.9".to_owned(),
        protocol: protocol.to_owned(),
        port: 44_444,
        kind: "host".to_owned(),
        tcp_type: tcp_type.map(str::to_owned),
    };
    let fingerprint = Fingerprint { algorithm: "sha-256".to_owned(), value: FINGERPRINT.to_owned() };
    Local {
        ice: ice("ours"),
        candidates: vec![candidate("udp", None), candidate("tcp", Some("passive"))],
        dtls: DtlsParameters { role: DtlsRole::Auto, fingerprints: vec![fingerprint] },
    }
}

pub(crate) fn ice(name: &str) -> IceParameters {
    IceParameters {
        username_fragment: name.to_owned(),
        password: "theirSecretAndOursToo+1".to_owned(),
        ice_lite: true,
    }
}

/// The sections of a text, each with its lines; the first holds those of the session.
pub(crate) fn sections(text: &str) -> Vec<Vec<&str>> {
    let mut sections = vec![Vec::new()];
    for line in text.lines() {
        if line.starts_with("m=") {
            sections.push(Vec::new());
        }
        sections.last_mut().expect("there is one").push(line);
    }
    sections
}
