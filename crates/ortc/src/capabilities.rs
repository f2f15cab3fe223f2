//! Capabilities: what a router speaks, and what a terminal can receive (reference section 6.2).

use serde::{Deserialize, Serialize};

use crate::rtp::{Feedback, MediaKind, ParameterValue, Parameters};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RtpCapabilities {
    pub codecs: Vec<CodecCapability>,
    pub header_extensions: Vec<ExtensionCapability>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CodecCapability {
    pub kind: MediaKind,
    pub mime_type: String,
    pub preferred_payload_type: u8,
    pub clock_rate: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<u8>,
    #[serde(default)]
    pub parameters: Parameters,
    #[serde(default)]
    pub rtcp_feedback: Vec<Feedback>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExtensionCapability {
    pub kind: MediaKind,
    pub uri: String,
    pub preferred_id: u8,
    #[serde(default)]
    pub preferred_encrypt: bool,
    #[serde(default)]
    pub direction: Direction,
}

/// Seen from the router: `recvonly` is never sent to consumers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    #[default]
    Sendrecv,
    Sendonly,
    Recvonly,
    Inactive,
}

/// The header extensions that the router understands, by URI.
pub mod uri {
    pub const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
    pub const RID: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
    pub const REPAIRED_RID: &str = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";
    pub const ABS_SEND_TIME: &str = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";
    pub const TRANSPORT_CC: &str =
        "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
    pub const DEPENDENCY_DESCRIPTOR: &str =
        "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";
    pub const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
    pub const VIDEO_ORIENTATION: &str = "urn:3gpp:video-orientation";
    pub const TOFFSET: &str = "urn:ietf:params:rtp-hdrext:toffset";
    pub const ABS_CAPTURE_TIME: &str = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time";
}

/// What every router of this SFU speaks. The numbers from 100 to 108 are relied on by clients; additions stand at the end, so
/// that what a client sends if it is not told otherwise stays what it was.
pub fn router_capabilities() -> RtpCapabilities {
    RtpCapabilities { codecs: codecs(), header_extensions: extensions() }
}

fn codecs() -> Vec<CodecCapability> {
    let h264 = |profile: &str| {
        vec![
            ("packetization-mode", ParameterValue::Integer(1)),
            ("profile-level-id", ParameterValue::Text(profile.to_owned())),
            ("level-asymmetry-allowed", ParameterValue::Integer(1)),
        ]
    };
    let mut codecs = vec![
        audio("audio/opus", 100, 48_000, Some(2)),
        audio("audio/PCMU", 0, 8_000, None),
        audio("audio/PCMA", 8, 8_000, None),
    ];
    codecs.extend(video("video/VP8", 101, Vec::new()));
    codecs.extend(video("video/VP9", 103, vec![("profile-id", ParameterValue::Integer(2))]));
    codecs.extend(video("video/H264", 105, h264("42e01f")));
    codecs.extend(video("video/H264", 107, h264("4d0032")));
    codecs.extend(video("video/VP9", 109, vec![("profile-id", ParameterValue::Integer(0))]));
    codecs.extend(video("video/AV1", 111, Vec::new()));
    codecs.extend(video("video/H265", 113, Vec::new()));
    // Nothing is decoded here: these are for who brings or can receive them. Streams of packetization mode 0 need no number
    // of their own, since whoever takes mode 1 takes them.
    codecs.extend(video("video/H264", 115, h264("42001f")));
    codecs.extend(video("video/H264", 117, h264("64001f")));
    codecs.extend(video("video/H264", 119, h264("640c1f")));
    codecs.extend(video("video/H264", 121, h264("f4001f")));
    codecs.extend(video("video/H265", 123, vec![("profile-id", ParameterValue::Integer(2))]));
    codecs.extend(video("video/AV1", 125, vec![("profile", ParameterValue::Integer(1))]));
    codecs.extend(video("video/VP9", 96, vec![("profile-id", ParameterValue::Integer(1))]));
    codecs.extend(video("video/VP9", 98, vec![("profile-id", ParameterValue::Integer(3))]));
    codecs
}

fn audio(mime_type: &str, payload_type: u8, clock_rate: u32, channels: Option<u8>) -> CodecCapability {
    CodecCapability {
        kind: MediaKind::Audio,
        mime_type: mime_type.to_owned(),
        preferred_payload_type: payload_type,
        clock_rate,
        channels,
        parameters: Parameters::new(),
        rtcp_feedback: vec![Feedback::new("transport-cc", "")],
    }
}

/// A video codec and, under the next payload type, its retransmissions.
fn video(
    mime_type: &str,
    payload_type: u8,
    parameters: Vec<(&'static str, ParameterValue)>,
) -> [CodecCapability; 2] {
    const CLOCK_RATE: u32 = 90_000;
    /// kbit/s at which Chromium's encoders begin.
    const START_BITRATE: i64 = 400;
    let feedback = [("nack", ""), ("nack", "pli"), ("ccm", "fir"), ("goog-remb", ""), ("transport-cc", "")];
    let mut parameters: Parameters =
        parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    parameters.insert("x-google-start-bitrate".to_owned(), ParameterValue::Integer(START_BITRATE));
    let apt = ("apt".to_owned(), ParameterValue::Integer(payload_type.into()));
    let capability = |mime_type: &str, payload_type, parameters, rtcp_feedback| CodecCapability {
        kind: MediaKind::Video,
        mime_type: mime_type.to_owned(),
        preferred_payload_type: payload_type,
        clock_rate: CLOCK_RATE,
        channels: None,
        parameters,
        rtcp_feedback,
    };
    [
        capability(
            mime_type,
            payload_type,
            parameters,
            feedback.into_iter().map(|(what, parameter)| Feedback::new(what, parameter)).collect(),
        ),
        capability("video/rtx", payload_type + 1, Parameters::from([apt]), Vec::new()),
    ]
}

fn extensions() -> Vec<ExtensionCapability> {
    use Direction::{Recvonly, Sendrecv};
    use MediaKind::{Audio, Video};
    let table = [
        (Audio, uri::MID, 1, Sendrecv),
        (Video, uri::MID, 1, Sendrecv),
        (Video, uri::RID, 2, Recvonly),
        (Video, uri::REPAIRED_RID, 3, Recvonly),
        (Audio, uri::ABS_SEND_TIME, 4, Sendrecv),
        (Video, uri::ABS_SEND_TIME, 4, Sendrecv),
        (Audio, uri::TRANSPORT_CC, 5, Recvonly),
        (Video, uri::TRANSPORT_CC, 5, Sendrecv),
        (Video, uri::DEPENDENCY_DESCRIPTOR, 8, Sendrecv),
        (Audio, uri::AUDIO_LEVEL, 10, Sendrecv),
        (Video, uri::VIDEO_ORIENTATION, 11, Sendrecv),
        (Video, uri::TOFFSET, 12, Sendrecv),
        (Audio, uri::ABS_CAPTURE_TIME, 13, Sendrecv),
        (Video, uri::ABS_CAPTURE_TIME, 13, Sendrecv),
    ];
    let entry = |(kind, uri, preferred_id, direction): (MediaKind, &str, u8, Direction)| {
        ExtensionCapability { kind, uri: uri.to_owned(), preferred_id, preferred_encrypt: false, direction }
    };
    table.into_iter().map(entry).collect()
}
