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

/// All that publish, by name: what programs wrote here, and of those that do not run here (`ffmpeg`, `obs`, `libdatachannel`,
/// `safari`) offers in the form that they are known to write; `bundle-only` is as terse as RFC 9143 allows it.
pub(crate) const PUBLISH: [(&str, &str); 22] = [
    ("aiortc-1.16-h264-publish", include_str!("offers/aiortc-1.16-h264-publish.sdp")),
    ("aiortc-1.16-publish", include_str!("offers/aiortc-1.16-publish.sdp")),
    ("bundle-only-publish", include_str!("offers/bundle-only-publish.sdp")),
    ("chromium-156-av1-publish", include_str!("offers/chromium-156-av1-publish.sdp")),
    ("chromium-156-h264-baseline-publish", include_str!("offers/chromium-156-h264-baseline-publish.sdp")),
    ("chromium-156-h264-main-publish", include_str!("offers/chromium-156-h264-main-publish.sdp")),
    ("chromium-156-h264-mode-0-publish", include_str!("offers/chromium-156-h264-mode-0-publish.sdp")),
    ("chromium-156-max-bundle-publish", include_str!("offers/chromium-156-max-bundle-publish.sdp")),
    ("chromium-156-publish", include_str!("offers/chromium-156-publish.sdp")),
    ("chromium-156-simulcast", include_str!("offers/chromium-156-simulcast.sdp")),
    ("chromium-156-vp9-publish", include_str!("offers/chromium-156-vp9-publish.sdp")),
    ("ffmpeg-8-baseline-publish", include_str!("offers/ffmpeg-8-baseline-publish.sdp")),
    ("ffmpeg-8-high-publish", include_str!("offers/ffmpeg-8-high-publish.sdp")),
    ("firefox-153-publish", include_str!("offers/firefox-153-publish.sdp")),
    ("firefox-153-simulcast", include_str!("offers/firefox-153-simulcast.sdp")),
    ("gstreamer-1.22-h264-publish", include_str!("offers/gstreamer-1.22-h264-publish.sdp")),
    ("gstreamer-1.22-publish", include_str!("offers/gstreamer-1.22-publish.sdp")),
    ("libdatachannel-0.22-publish", include_str!("offers/libdatachannel-0.22-publish.sdp")),
    ("obs-31-h265-publish", include_str!("offers/obs-31-h265-publish.sdp")),
    ("obs-31-publish", include_str!("offers/obs-31-publish.sdp")),
    ("safari-18-publish", include_str!("offers/safari-18-publish.sdp")),
    ("werift-0.24-publish", include_str!("offers/werift-0.24-publish.sdp")),
];
pub(crate) const PLAY: [(&str, &str); 6] = [
    ("aiortc-1.16-play", include_str!("offers/aiortc-1.16-play.sdp")),
    ("chromium-156-play", include_str!("offers/chromium-156-play.sdp")),
    ("firefox-153-play", include_str!("offers/firefox-153-play.sdp")),
    ("gstreamer-1.22-play", include_str!("offers/gstreamer-1.22-play.sdp")),
    ("safari-18-play", include_str!("offers/safari-18-play.sdp")),
    ("werift-0.24-play", include_str!("offers/werift-0.24-play.sdp")),
];

/// Those that every player can receive.
pub(crate) const ALL_SEND_VP8: [&str; 6] = [
    CHROMIUM_PUBLISH,
    CHROMIUM_SIMULCAST,
    FIREFOX_PUBLISH,
    FIREFOX_SIMULCAST,
    AIORTC_PUBLISH,
    GSTREAMER_PUBLISH,
];

/// One of each way of writing, to be broken in many places.
pub(crate) const MUTILATED: [&str; 8] = [
    CHROMIUM_PUBLISH,
    FIREFOX_SIMULCAST,
    AIORTC_PUBLISH,
    GSTREAMER_PUBLISH,
    include_str!("offers/libdatachannel-0.22-publish.sdp"),
    include_str!("offers/bundle-only-publish.sdp"),
    FIREFOX_PLAY,
    GSTREAMER_PLAY,
];

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
