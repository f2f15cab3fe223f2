//! From a terminal's numbers to the router's.

use serde_json::{Value, json};
use taoyao_ortc::negotiate::{Consumable, produce};
use taoyao_ortc::{MediaKind, Refused, RtpParameters};

use crate::browsers::{h264, kind_of, opus, parameters, vp8, vp8_simulcast, vp9};

#[test]
fn what_chromium_sends_has_the_routers_numbers() {
    let voice = produced(opus());
    assert_eq!(voice.payload_types, [(111, 100)]);
    assert_eq!(voice.extensions, [(1, 10), (2, 4), (3, 5), (4, 1)]);
    assert_eq!(voice.consumer_type, "simple");
    let picture = produced(vp8());
    assert_eq!(picture.payload_types, [(96, 101), (97, 102)]);
    assert_eq!(picture.extensions, [(14, 12), (2, 4), (13, 11), (3, 5), (4, 1), (10, 2), (11, 3)]);
    assert_eq!(codecs(&picture.rtp), [("video/VP8", 101), ("video/rtx", 102)]);
    assert_eq!(picture.rtp.rtcp.cname.as_deref(), Some("CcaG5x7YG9IbFIqN"));
    assert_eq!(picture.rtp.encodings, parameters(vp8()).encodings);
}

#[test]
fn a_codec_is_found_by_what_distinguishes_it() {
    let router_number = |rtp| produced(rtp).payload_types[0].1;
    assert_eq!(router_number(vp9(2, "L1T1")), 103);
    assert_eq!(router_number(vp9(0, "L1T1")), 109);
    assert_eq!(router_number(h264(1, "42e01f")), 105);
    assert_eq!(router_number(h264(1, "42c034")), 105);
    assert_eq!(router_number(h264(1, "4d001f")), 107);
    // JavaScript writes digits as a number.
    let mut constrained = h264(1, 0);
    constrained["codecs"][0]["parameters"]["profile-level-id"] = json!(428_014);
    assert!(matches!(refused(constrained), Refused::Unsupported(_)), "42 80 14 is baseline");
    assert!(matches!(refused(h264(0, "42e01f")), Refused::Unsupported(_)));
    assert!(matches!(refused(h264(1, "64001f")), Refused::Unsupported(_)));
    assert!(matches!(refused(h264(1, "nonsense")), Refused::Unsupported(_)));
    assert!(matches!(refused(vp9(1, "L1T1")), Refused::Unsupported(_)));
    let mut small = vp8();
    small["codecs"][0]["mimeType"] = json!("video/vp8");
    assert_eq!(router_number(small), 101);
}

#[test]
fn telephone_codecs_have_one_channel_written_or_not() {
    for channels in [json!(1), json!(null)] {
        let mut pcma = opus();
        pcma["codecs"] =
            json!([{ "mimeType": "audio/PCMA", "payloadType": 8, "clockRate": 8000, "channels": channels }]);
        assert_eq!(produced(pcma).payload_types, [(8, 8)]);
    }
    let mut mono = opus();
    mono["codecs"][0]["channels"] = json!(1);
    assert!(matches!(refused(mono), Refused::Unsupported(_)), "opus says two channels, always (RFC 7587)");
}

#[test]
fn consumers_are_told_what_kind_of_stream_it_is() {
    assert_eq!(produced(vp8_simulcast()).consumer_type, "simulcast");
    assert_eq!(produced(vp9(0, "L3T3_KEY")).consumer_type, "svc");
    assert_eq!(produced(vp9(0, "L1T1")).consumer_type, "simple");
    let mut vp8 = vp8();
    vp8["encodings"][0]["scalabilityMode"] = json!("L1T3");
    assert_eq!(produced(vp8).consumer_type, "simple");
}

#[test]
fn a_refusal_says_what_the_router_speaks() {
    let mut theora = vp8();
    theora["codecs"][0]["mimeType"] = json!("video/theora");
    let why = refused(theora).to_string();
    assert!(why.contains("does not speak video/theora/90000") && why.contains("video/AV1/90000"), "{why}");
    assert!(why.contains("video/H264/90000 (profile-level-id 42e01f, packetization-mode 1)"), "{why}");
}

#[test]
fn contradictions_are_refused_each_with_its_reason() {
    let table: [(&str, &str, Value); 14] = [
        ("/codecs", "names no codec", json!([])),
        ("/codecs/1/parameters/apt", "not the payload type", json!(95)),
        ("/codecs/1/payloadType", "two codecs", json!(96)),
        ("/codecs/0/payloadType", "no payload type", json!(128)),
        ("/codecs/0/mimeType", "no codec of video", json!("audio/opus")),
        ("/codecs/0/mimeType", "no codec of video", json!("video/")),
        ("/codecs/0/clockRate", "clock rate", json!(0)),
        ("/encodings", "is empty", json!([])),
        ("/encodings", "neither ssrc nor rid", json!([{}, { "rid": "a" }])),
        ("/encodings/0/rtx/ssrc", "the ssrc 2269478662", json!(2_269_478_662_u32)),
        ("/encodings", "the rid a", json!([{ "rid": "a" }, { "rid": "a" }])),
        ("/encodings", "1 to 16 bytes", json!([{ "rid": "" }])),
        ("/headerExtensions/0/id", "numbers of their own", json!(2)),
        ("/mid", "1 to 16 bytes", json!("a".repeat(17))),
    ];
    for (place, reason, value) in table {
        let mut rtp = vp8();
        *rtp.pointer_mut(place).unwrap() = value;
        match produce(MediaKind::Video, &parameters(rtp)) {
            Err(Refused::Invalid(why)) => assert!(why.contains(reason), "{place}: {why}"),
            other => panic!("{place}: {other:?}"),
        }
    }
    let mut stereo_pair = opus();
    stereo_pair["encodings"] = json!([{ "ssrc": 1 }, { "ssrc": 2 }]);
    assert!(matches!(refused(stereo_pair), Refused::Unsupported(_)));
}

#[test]
fn nothing_is_without_end() {
    let many = |value: Value, count| Value::Array(vec![value; count]);
    let table = [
        ("/codecs", many(vp8()["codecs"][0].clone(), 1_000)),
        ("/headerExtensions", many(json!({ "uri": "x", "id": 1 }), 1_000)),
        ("/encodings", many(json!({ "ssrc": 1 }), 9)),
        ("/codecs/0/rtcpFeedback", many(json!({ "type": "nack" }), 1_000)),
        ("/codecs/0/rtcpFeedback/0/type", json!("n".repeat(1_000))),
        ("/codecs/0/parameters", json!({ "sprop": "a".repeat(1_000) })),
        ("/codecs/0/mimeType", json!(format!("video/{}", "8".repeat(1_000)))),
        ("/headerExtensions/0/uri", json!("u".repeat(1_000))),
        ("/rtcp/cname", json!("c".repeat(256))),
    ];
    for (place, value) in table {
        let mut rtp = vp8();
        *rtp.pointer_mut(place).unwrap() = value;
        assert!(matches!(refused(rtp), Refused::Invalid(_)), "{place}");
    }
}

#[test]
fn codecs_behind_the_first_are_not_forwarded() {
    let mut tones = opus();
    tones["codecs"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "mimeType": "audio/telephone-event", "payloadType": 110, "clockRate": 48000 }));
    let voice = produced(tones);
    assert_eq!(voice.payload_types, [(111, 100)]);
    assert_eq!(codecs(&voice.rtp), [("audio/opus", 100)]);
}

fn produced(rtp: Value) -> Consumable {
    let rtp = parameters(rtp);
    produce(kind_of(&rtp), &rtp).expect("the router speaks it")
}

fn refused(rtp: Value) -> Refused {
    let rtp = parameters(rtp);
    produce(kind_of(&rtp), &rtp).expect_err("the router does not speak it")
}

fn codecs(rtp: &RtpParameters) -> Vec<(&str, u8)> {
    rtp.codecs.iter().map(|codec| (codec.mime_type.as_str(), codec.payload_type)).collect()
}
