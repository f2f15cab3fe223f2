//! From the router's numbers to another terminal's.

use serde_json::{Value, json};
use taoyao_ortc::capabilities::uri;
use taoyao_ortc::negotiate::{check_capabilities, consume, produce};
use taoyao_ortc::{Feedback, Refused, RtpCapabilities, RtpParameters, router_capabilities};

use crate::browsers::{
    self, capabilities, chromium, h264, kind_of, opus, parameters, vp8, vp8_simulcast, vp9,
};

const SSRC: u32 = 4_294_967_295;

#[test]
fn chromium_receives_what_chromium_sends() {
    let rtp = consumed(vp8(), &capabilities(chromium()));
    let expected = json!({
        "mid": "7",
        "codecs": [
            {
                "mimeType": "video/VP8", "payloadType": 101, "clockRate": 90000, "parameters": {},
                "rtcpFeedback": [
                    { "type": "nack", "parameter": "" }, { "type": "nack", "parameter": "pli" },
                    { "type": "ccm", "parameter": "fir" }, { "type": "transport-cc", "parameter": "" },
                ],
            },
            {
                "mimeType": "video/rtx", "payloadType": 102, "clockRate": 90000, "parameters": { "apt": 101 },
                "rtcpFeedback": [],
            },
        ],
        "headerExtensions": [
            { "uri": uri::MID, "id": 1, "encrypt": false, "parameters": {} },
            { "uri": uri::ABS_SEND_TIME, "id": 4, "encrypt": false, "parameters": {} },
            { "uri": uri::TRANSPORT_CC, "id": 5, "encrypt": false, "parameters": {} },
            { "uri": uri::VIDEO_ORIENTATION, "id": 11, "encrypt": false, "parameters": {} },
            { "uri": uri::TOFFSET, "id": 12, "encrypt": false, "parameters": {} },
        ],
        "encodings": [{ "ssrc": SSRC, "rtx": { "ssrc": 0 } }],
        "rtcp": { "cname": "CcaG5x7YG9IbFIqN", "reducedSize": true, "mux": true },
    });
    assert_eq!(serde_json::to_value(&rtp).unwrap(), expected);
}

#[test]
fn sound_has_no_transport_wide_feedback_and_no_retransmissions() {
    let rtp = consumed(opus(), &capabilities(chromium()));
    let ids: Vec<_> = rtp.header_extensions.iter().map(|extension| extension.id).collect();
    assert_eq!(ids, [1, 4, 10], "the router numbers packets of sound only on their way in");
    assert_eq!(rtp.codecs[0].rtcp_feedback, []);
    assert_eq!(rtp.codecs[0].channels, Some(2));
    assert_eq!(rtp.codecs[0].integer("usedtx"), Some(1));
    assert_eq!(rtp.encodings[0].rtx, None);
}

#[test]
fn there_is_one_way_to_estimate_at_a_time() {
    let estimates = |unknown: &[&str]| {
        let rtp = consumed(vp8(), &browsers::without(unknown));
        let has = |what| rtp.codecs[0].rtcp_feedback.contains(&Feedback::new(what, ""));
        (has("transport-cc"), has("goog-remb"))
    };
    assert_eq!(estimates(&[]), (true, false));
    assert_eq!(estimates(&[uri::TRANSPORT_CC]), (false, true));
    assert_eq!(estimates(&[uri::TRANSPORT_CC, uri::ABS_SEND_TIME]), (false, false));
}

#[test]
fn feedback_is_what_both_sides_know() {
    let mut old = capabilities(chromium());
    old.codecs[2].rtcp_feedback = vec![Feedback::new("nack", "pli"), Feedback::new("ccm", "tmmbr")];
    assert_eq!(consumed(vp8(), &old).codecs[0].rtcp_feedback, [Feedback::new("nack", "pli")]);
}

#[test]
fn who_knows_no_retransmissions_gets_none() {
    let mut old = capabilities(chromium());
    old.codecs.retain(|codec| codec.mime_type != "video/rtx");
    let rtp = consumed(vp8(), &old);
    assert_eq!(rtp.codecs.len(), 1);
    assert_eq!(rtp.encodings[0].rtx, None);
    let mut without = vp8();
    without["codecs"].as_array_mut().unwrap().pop();
    without["encodings"][0].as_object_mut().unwrap().remove("rtx");
    let rtp = consumed(without, &capabilities(chromium()));
    assert_eq!(rtp.encodings[0].rtx.map(|rtx| rtx.ssrc), Some(0), "the router retransmits by itself");
}

#[test]
fn streams_of_a_simulcast_look_like_layers_of_one() {
    let encoding = |rtp| consumed(rtp, &capabilities(chromium())).encodings.remove(0);
    let simulcast = encoding(vp8_simulcast());
    assert_eq!(simulcast.scalability_mode.as_deref(), Some("L3T3"));
    assert_eq!(simulcast.max_bitrate, Some(5_000_000));
    assert_eq!(simulcast.rid, None);
    let svc = encoding(vp9(2, "L3T3_KEY"));
    assert_eq!(svc.scalability_mode.as_deref(), Some("L3T3_KEY"));
    let mut plain = vp8_simulcast();
    plain["encodings"] = json!([{ "rid": "a" }, { "rid": "b" }]);
    assert_eq!(encoding(plain).scalability_mode.as_deref(), Some("L2T1"));
    assert_eq!(encoding(vp8()).scalability_mode, None);
}

#[test]
fn levels_of_a_profile_do_not_matter() {
    let rtp = consumed(h264(1, "4d0032"), &capabilities(chromium()));
    assert_eq!((rtp.codecs[0].payload_type, rtp.codecs[0].text("profile-level-id")), (107, Some("4d0032")));
}

/// What a receiver says, what is sent, under which of the receiver's numbers it comes and as what.
#[test]
fn a_stream_comes_as_the_receivers_nearest_profile() {
    let receiver = |formats: &[(u8, &str, u8)]| {
        let codec = |(number, id, mode): &(u8, &str, u8)| {
            json!({
                "kind": "video", "mimeType": "video/H264", "preferredPayloadType": number, "clockRate": 90000,
                "parameters": {
                    "profile-level-id": id, "packetization-mode": mode, "level-asymmetry-allowed": 1,
                },
            })
        };
        capabilities(json!({ "codecs": formats.iter().map(codec).collect::<Vec<_>>() }))
    };
    let come = |rtp, known: &RtpCapabilities| {
        let codec = consumed(rtp, known).codecs.remove(0);
        let text = codec.text("profile-level-id").map(str::to_owned);
        (codec.payload_type, text.unwrap_or_default(), codec.integer("packetization-mode"))
    };
    let came = |number, id: &str, mode| (number, id.to_owned(), Some(mode));
    let chromium = receiver(&[
        (102, "42001f", 1),
        (104, "42001f", 0),
        (106, "42e01f", 1),
        (108, "42e01f", 0),
        (110, "4d001f", 1),
        (112, "64001f", 1),
    ]);
    assert_eq!(come(h264(1, "42001f"), &chromium), came(102, "42001f", 1));
    assert_eq!(come(h264(0, "42000c"), &chromium), came(104, "42000c", 0));
    assert_eq!(come(h264(1, "42c033"), &chromium), came(106, "42e033", 1));
    assert_eq!(come(h264(0, "4d0028"), &chromium), came(110, "4d0028", 1), "single units for who takes more");
    assert_eq!(come(h264(1, "640c29"), &chromium), came(112, "640029", 1), "high decodes constrained high");
    let safari = receiver(&[(96, "640c1f", 1), (98, "42e01f", 1), (100, "640c1f", 0), (102, "42e01f", 0)]);
    assert_eq!(come(h264(1, "42e01f"), &safari), came(98, "42e01f", 1), "not the first that could");
    assert_eq!(come(h264(1, "42001f"), &safari), came(96, "640c1f", 1));
    let why = refused(h264(1, "64001f"), &safari);
    assert!(why.to_string().contains("profile-level-id 64001f"), "{why}");
    let phone = receiver(&[(97, "42801f", 0)]);
    assert!(
        matches!(refused(h264(1, "42e01f"), &phone), Refused::Unsupported(_)),
        "units in mode 0 are whole"
    );
}

#[test]
fn who_cannot_receive_a_codec_is_told_which() {
    let why = refused(vp9(0, "L1T1"), &capabilities(chromium()));
    assert_eq!(
        why,
        Refused::Unsupported(
            "the terminal's capabilities do not say that it can receive video/VP9/90000 (profile-id 0)"
                .to_owned()
        )
    );
    assert!(matches!(refused(vp8(), &RtpCapabilities::default()), Refused::Unsupported(_)));
}

/// A browser's own numbers, as in an SDP offer: the payload type of retransmissions is not the next one, and extensions
/// beyond the one-byte form cannot be sent.
#[test]
fn a_terminal_with_its_own_numbers_keeps_them() {
    let own = json!({
        "codecs": [
            { "kind": "video", "mimeType": "video/VP8", "preferredPayloadType": 120, "clockRate": 90000 },
            {
                "kind": "video", "mimeType": "video/rtx", "preferredPayloadType": 119, "clockRate": 90000,
                "parameters": { "apt": 122 },
            },
            {
                "kind": "video", "mimeType": "video/rtx", "preferredPayloadType": 124, "clockRate": 90000,
                "parameters": { "apt": "120" },
            },
        ],
        "headerExtensions": [
            { "kind": "audio", "uri": uri::MID, "preferredId": 9 },
            { "kind": "video", "uri": uri::MID, "preferredId": 3 },
            { "kind": "video", "uri": uri::TRANSPORT_CC, "preferredId": 7 },
            { "kind": "video", "uri": uri::TOFFSET, "preferredId": 15 },
            { "kind": "audio", "uri": uri::ABS_SEND_TIME, "preferredId": 6 },
        ],
    });
    let rtp = consumed(vp8(), &capabilities(own));
    let numbers: Vec<_> = rtp.codecs.iter().map(|codec| (codec.payload_type, codec.integer("apt"))).collect();
    assert_eq!(numbers, [(120, None), (124, Some(120))]);
    let ids: Vec<_> =
        rtp.header_extensions.iter().map(|extension| (extension.uri.as_str(), extension.id)).collect();
    assert_eq!(ids, [(uri::MID, 3), (uri::TRANSPORT_CC, 7)]);
}

#[test]
fn everything_that_the_router_speaks_can_be_received_by_who_speaks_like_it() {
    let router = router_capabilities();
    for rtp in
        [opus(), vp8(), vp8_simulcast(), vp9(0, "L1T1"), vp9(2, "L3T3"), h264(1, "42e01f"), h264(0, "640032")]
    {
        let codec = consumed(rtp, &router).codecs.remove(0);
        assert!(router.codecs.iter().any(|known| known.preferred_payload_type == codec.payload_type));
    }
}

#[test]
fn capabilities_are_bounded_and_well_formed() {
    assert_eq!(check_capabilities(&router_capabilities()), Ok(()));
    assert_eq!(check_capabilities(&capabilities(chromium())), Ok(()));
    assert_eq!(check_capabilities(&RtpCapabilities::default()), Ok(()));
    let table = [
        ("/codecs/0/mimeType", json!("opus")),
        ("/codecs/0/mimeType", json!("video/opus")),
        ("/codecs/0/preferredPayloadType", json!(200)),
        ("/codecs", Value::Array(vec![chromium()["codecs"][0].clone(); 1_000])),
        ("/headerExtensions", Value::Array(vec![chromium()["headerExtensions"][0].clone(); 1_000])),
        ("/headerExtensions/0/uri", json!("")),
    ];
    for (place, value) in table {
        let mut known = chromium();
        *known.pointer_mut(place).unwrap() = value;
        assert!(matches!(check_capabilities(&capabilities(known)), Err(Refused::Invalid(_))), "{place}");
    }
}

fn consumed(rtp: Value, capabilities: &RtpCapabilities) -> RtpParameters {
    let rtp = parameters(rtp);
    let consumable = produce(kind_of(&rtp), &rtp).expect("the router speaks it");
    consume(&consumable, capabilities, "7", SSRC).expect("the terminal can receive it")
}

fn refused(rtp: Value, capabilities: &RtpCapabilities) -> Refused {
    let rtp = parameters(rtp);
    let consumable = produce(kind_of(&rtp), &rtp).expect("the router speaks it");
    consume(&consumable, capabilities, "7", SSRC).expect_err("the terminal cannot receive it")
}
