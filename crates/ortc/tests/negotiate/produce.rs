//! From a terminal's numbers to the router's.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use taoyao_ortc::negotiate::{Consumable, produce};
use taoyao_ortc::{CodecCapability, MediaKind, Refused, RtpParameters, router_capabilities};

use crate::browsers::{h264, kind_of, opus, parameters, video, vp8, vp8_simulcast, vp9};

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
    assert_eq!(router_number(constrained), 115, "42 80 14 is baseline");
    let mut small = vp8();
    small["codecs"][0]["mimeType"] = json!("video/vp8");
    assert_eq!(router_number(small), 101);
}

/// Browsers, ffmpeg, GStreamer and OBS write these.
#[test]
fn whatever_profile_a_stream_has_it_is_carried_and_its_level_stays() {
    let carried = |mode, id: &str| {
        let codec = produced(h264(mode, id)).rtp.codecs.remove(0);
        (codec.payload_type, codec.text("profile-level-id").map(str::to_owned))
    };
    let table = [
        (1, "42e01f", 105, "42e01f"),
        (0, "42e01f", 105, "42e01f"),
        (1, "42c02a", 105, "42e02a"),
        (1, "42001f", 115, "42001f"),
        (0, "42001f", 115, "42001f"),
        (1, "42000c", 115, "42000c"),
        (1, "4d0032", 107, "4d0032"),
        (0, "4d001f", 107, "4d001f"),
        (1, "4d4028", 107, "4d0028"),
        (1, "64001f", 117, "64001f"),
        (0, "640034", 117, "640034"),
        (1, "64082a", 117, "64002a"),
        (1, "640c1f", 119, "640c1f"),
        (1, "f4001f", 121, "f4001f"),
    ];
    for (mode, id, number, told) in table {
        assert_eq!(carried(mode, id), (number, Some(told.to_owned())), "{id} in mode {mode}");
    }
    let main_10 = json!({ "mimeType": "video/H265", "payloadType": 49, "parameters": { "profile-id": 2 } });
    let h265 = video(main_10, json!([{ "ssrc": 1, "rtx": { "ssrc": 2 } }]));
    assert_eq!(produced(h265).payload_types, [(49, 123), (50, 124)]);
    for (profile, number) in [(0, 109), (1, 96), (2, 103), (3, 98)] {
        assert_eq!(produced(vp9(profile, "L1T1")).payload_types[0].1, number, "{profile}");
    }
    let high = json!({ "mimeType": "video/AV1", "payloadType": 45, "parameters": { "profile": 1 } });
    assert_eq!(produced(video(high, json!([{ "ssrc": 1 }]))).payload_types, [(45, 125), (46, 126)]);
}

#[test]
fn what_no_receiver_could_take_is_refused() {
    for refusal in [
        refused(h264(2, "42e01f")),
        refused(h264(1, "nonsense")),
        refused(h264(1, "58001f")),
        refused(h264(1, "6e001f")),
        refused(vp9(4, "L1T1")),
    ] {
        assert!(matches!(refusal, Refused::Unsupported(_)), "{refusal}");
    }
}

/// Clients send what stands first among what they can, unless they are told otherwise.
#[test]
fn additions_do_not_change_what_clients_send_by_themselves() {
    let router = router_capabilities();
    let told = |codec: &CodecCapability| (codec.mime_type.clone(), codec.preferred_payload_type);
    let first: Vec<_> = router.codecs.iter().take(11).map(told).collect();
    let names = |name: &str, number| (name.to_owned(), number);
    let original = [
        names("audio/opus", 100),
        names("audio/PCMU", 0),
        names("audio/PCMA", 8),
        names("video/VP8", 101),
        names("video/rtx", 102),
        names("video/VP9", 103),
        names("video/rtx", 104),
        names("video/H264", 105),
        names("video/rtx", 106),
        names("video/H264", 107),
        names("video/rtx", 108),
    ];
    assert_eq!(first, original);
    let numbers: BTreeSet<_> = router.codecs.iter().map(|codec| codec.preferred_payload_type).collect();
    assert_eq!(numbers.len(), router.codecs.len(), "no number twice");
    assert!(numbers.iter().all(|number| matches!(number, 0 | 8 | 96..=127)));
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
        ("/encodings", "1 to 255 bytes", json!([{ "rid": "" }])),
        ("/headerExtensions/0/id", "numbers of their own", json!(2)),
        ("/mid", "1 to 255 bytes", json!("a".repeat(256))),
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
