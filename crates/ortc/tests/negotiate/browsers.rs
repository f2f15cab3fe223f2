//! What browsers send and can receive, as mediasoup-client writes it.

use serde_json::{Value, json};
use taoyao_ortc::capabilities::uri;
use taoyao_ortc::{MediaKind, RtpCapabilities, RtpParameters};

/// Step 11 of the reference's sequence.
pub(crate) fn opus() -> Value {
    json!({
        "mid": "0",
        "codecs": [{
            "mimeType": "audio/opus", "payloadType": 111, "clockRate": 48000, "channels": 2,
            "parameters": { "minptime": 10, "useinbandfec": 1, "sprop-stereo": 1, "usedtx": 1 },
            "rtcpFeedback": [{ "type": "transport-cc", "parameter": "" }],
        }],
        "headerExtensions": [
            { "uri": uri::AUDIO_LEVEL, "id": 1, "encrypt": false, "parameters": {} },
            { "uri": uri::ABS_SEND_TIME, "id": 2, "encrypt": false, "parameters": {} },
            { "uri": uri::TRANSPORT_CC, "id": 3, "encrypt": false, "parameters": {} },
            { "uri": uri::MID, "id": 4, "encrypt": false, "parameters": {} },
        ],
        "encodings": [{ "ssrc": 3163928293_u32, "dtx": false }],
        "rtcp": { "cname": "CcaG5x7YG9IbFIqN", "reducedSize": true },
        "msid": "- f8d72b35-7d34-4710-991e-d6441d4c57b9",
    })
}

/// Step 12 of the reference's sequence.
pub(crate) fn vp8() -> Value {
    video(
        json!({ "mimeType": "video/VP8", "payloadType": 96, "parameters": {} }),
        json!([{ "ssrc": 2269478662_u32, "rtx": { "ssrc": 2914829831_u32 }, "dtx": false }]),
    )
}

/// Step 12 with the client's option `useLayers`.
pub(crate) fn vp8_simulcast() -> Value {
    let layer = |rid, scale, max_bitrate| {
        json!({
            "rid": rid, "scaleResolutionDownBy": scale, "maxBitrate": max_bitrate, "scalabilityMode": "L1T3",
            "active": true, "dtx": false,
        })
    };
    video(
        json!({ "mimeType": "video/VP8", "payloadType": 96, "parameters": {} }),
        json!([layer("r0", 4, 500_000), layer("r1", 2, 1_000_000), layer("r2", 1, 5_000_000)]),
    )
}

pub(crate) fn vp9(profile: u8, scalability_mode: &str) -> Value {
    video(
        json!({ "mimeType": "video/VP9", "payloadType": 98, "parameters": { "profile-id": profile } }),
        json!([{ "ssrc": 1, "rtx": { "ssrc": 2 }, "scalabilityMode": scalability_mode, "maxBitrate": 5_000_000 }]),
    )
}

pub(crate) fn h264(packetization_mode: u8, profile_level_id: impl Into<Value>) -> Value {
    let parameters = json!({
        "level-asymmetry-allowed": 1,
        "packetization-mode": packetization_mode,
        "profile-level-id": profile_level_id.into(),
    });
    video(
        json!({ "mimeType": "video/H264", "payloadType": 108, "parameters": parameters }),
        json!([{ "ssrc": 1, "rtx": { "ssrc": 2 } }]),
    )
}

pub(crate) fn video(mut codec: Value, encodings: Value) -> Value {
    let payload_type = codec["payloadType"].as_u64().expect("a number");
    codec["clockRate"] = json!(90_000);
    codec["rtcpFeedback"] = video_feedback();
    json!({
        "mid": "1",
        "codecs": [
            codec,
            {
                "mimeType": "video/rtx", "payloadType": payload_type + 1, "clockRate": 90000,
                "parameters": { "apt": payload_type }, "rtcpFeedback": [],
            },
        ],
        "headerExtensions": [
            { "uri": uri::TOFFSET, "id": 14 }, { "uri": uri::ABS_SEND_TIME, "id": 2 },
            { "uri": uri::VIDEO_ORIENTATION, "id": 13 }, { "uri": uri::TRANSPORT_CC, "id": 3 },
            { "uri": "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay", "id": 5 },
            { "uri": uri::MID, "id": 4 }, { "uri": uri::RID, "id": 10 }, { "uri": uri::REPAIRED_RID, "id": 11 },
        ],
        "encodings": encodings,
        "rtcp": { "cname": "CcaG5x7YG9IbFIqN", "reducedSize": true },
    })
}

fn video_feedback() -> Value {
    json!([
        { "type": "goog-remb", "parameter": "" }, { "type": "transport-cc", "parameter": "" },
        { "type": "ccm", "parameter": "fir" }, { "type": "nack", "parameter": "" },
        { "type": "nack", "parameter": "pli" },
    ])
}

/// What Chromium 156 can receive once it has loaded the router's capabilities: the router's numbers, and each extension
/// once.
pub(crate) fn chromium() -> Value {
    let codec = |mime_type: &str, payload_type: u8, parameters: Value| {
        json!({
            "kind": "video", "mimeType": mime_type, "preferredPayloadType": payload_type, "clockRate": 90000,
            "parameters": parameters,
            "rtcpFeedback": if mime_type == "video/rtx" { json!([]) } else { video_feedback() },
        })
    };
    let h264 = |id| json!({ "level-asymmetry-allowed": 1, "packetization-mode": 1, "profile-level-id": id });
    let extension = |kind, uri, id, direction| json!({ "kind": kind, "uri": uri, "preferredId": id, "preferredEncrypt": false, "direction": direction });
    json!({
        "codecs": [
            {
                "kind": "audio", "mimeType": "audio/opus", "preferredPayloadType": 100, "clockRate": 48000,
                "channels": 2, "parameters": { "minptime": 10, "useinbandfec": 1 },
                "rtcpFeedback": [{ "type": "transport-cc", "parameter": "" }],
            },
            {
                "kind": "audio", "mimeType": "audio/PCMA", "preferredPayloadType": 8, "clockRate": 8000, "channels": 1,
                "parameters": {}, "rtcpFeedback": [],
            },
            codec("video/VP8", 101, json!({})), codec("video/rtx", 102, json!({ "apt": 101 })),
            codec("video/VP9", 103, json!({ "profile-id": 2 })), codec("video/rtx", 104, json!({ "apt": 103 })),
            codec("video/H264", 105, h264("42e01f")), codec("video/rtx", 106, json!({ "apt": 105 })),
            codec("video/H264", 107, h264("4d001f")), codec("video/rtx", 108, json!({ "apt": 107 })),
        ],
        "headerExtensions": [
            extension("video", uri::MID, 1, "sendrecv"), extension("video", uri::ABS_SEND_TIME, 4, "sendrecv"),
            extension("video", uri::TRANSPORT_CC, 5, "sendrecv"), extension("audio", uri::AUDIO_LEVEL, 10, "sendrecv"),
            extension("video", uri::VIDEO_ORIENTATION, 11, "sendrecv"), extension("video", uri::TOFFSET, 12, "sendrecv"),
        ],
    })
}

/// Like Chromium's, without some extensions.
pub(crate) fn without(uris: &[&str]) -> RtpCapabilities {
    let mut known = capabilities(chromium());
    known.header_extensions.retain(|extension| !uris.contains(&extension.uri.as_str()));
    known
}

pub(crate) fn parameters(json: Value) -> RtpParameters {
    serde_json::from_value(json).expect("it has the shape")
}

pub(crate) fn capabilities(json: Value) -> RtpCapabilities {
    serde_json::from_value(json).expect("it has the shape")
}

pub(crate) fn kind_of(rtp: &RtpParameters) -> MediaKind {
    match rtp.codecs.first().is_some_and(|codec| codec.mime_type.starts_with("audio/")) {
        true => MediaKind::Audio,
        false => MediaKind::Video,
    }
}
