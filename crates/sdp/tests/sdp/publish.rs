//! What publishers send.

use taoyao_ortc::capabilities::uri;
use taoyao_ortc::{DtlsRole, Encoding, RtpParameters, RtxEncoding};
use taoyao_sdp::{BadSdp, StreamOrder};

use crate::offers::{
    AIORTC_PUBLISH, CHROMIUM_PLAY, CHROMIUM_PUBLISH, CHROMIUM_SIMULCAST, FIREFOX_PUBLISH, FIREFOX_SIMULCAST,
    GSTREAMER_PUBLISH, read,
};

#[test]
fn chromium_publishes_vp8_with_retransmissions() {
    let rtp = picture(CHROMIUM_PUBLISH);
    assert_eq!(numbers(&rtp), [("video/VP8", 96), ("video/rtx", 97)]);
    let encoding = &rtp.encodings[0];
    assert_eq!((encoding.ssrc.is_some(), encoding.rtx.is_some()), (true, true));
    assert_eq!(rtp.mid.as_deref(), Some("1"));
    let feedback: Vec<_> =
        rtp.codecs[0].rtcp_feedback.iter().map(|one| (one.what.as_str(), one.parameter.as_str())).collect();
    let all = [("goog-remb", ""), ("transport-cc", ""), ("ccm", "fir"), ("nack", ""), ("nack", "pli")];
    assert_eq!(feedback, all);
    let uris: Vec<_> = rtp.header_extensions.iter().map(|one| (one.uri.as_str(), one.id)).collect();
    let known = [
        (uri::TOFFSET, 14),
        (uri::ABS_SEND_TIME, 2),
        (uri::VIDEO_ORIENTATION, 13),
        (uri::TRANSPORT_CC, 3),
        (uri::MID, 4),
        (uri::RID, 10),
        (uri::REPAIRED_RID, 11),
    ];
    assert_eq!(uris, known, "what the router does not know is left out");
}

#[test]
fn streams_of_a_simulcast_are_named() {
    for text in [CHROMIUM_SIMULCAST, FIREFOX_SIMULCAST] {
        let rtp = picture(text);
        let rids: Vec<_> = rtp.encodings.iter().filter_map(|encoding| encoding.rid.as_deref()).collect();
        assert_eq!(rids, ["q", "h", "f"]);
        assert!(rtp.header_extensions.iter().any(|extension| extension.uri == uri::RID));
    }
}

#[test]
fn streams_of_a_simulcast_go_from_small_to_large_where_their_sizes_are_said() {
    let sized = CHROMIUM_SIMULCAST
        .replace("a=rid:q send", "a=rid:q send max-width=1280;max-height=720;max-br=2500000")
        .replace("a=rid:h send", "a=rid:h send max-width=640;max-height=360;max-br=500000")
        .replace("a=rid:f send", "a=rid:f send max-width=320;max-height=180;max-br=150000")
        .replace("a=simulcast:send q;h;f", "a=simulcast:send q,x;~h;f");
    let streams: Vec<_> =
        picture(&sized).encodings.into_iter().map(|one| (one.rid, one.max_bitrate)).collect();
    let named = |rid: &str, bitrate| (Some(rid.to_owned()), Some(bitrate));
    assert_eq!(streams, [named("f", 150_000), named("h", 500_000), named("q", 2_500_000)]);
}

#[test]
fn a_sender_that_lists_the_largest_first_is_read_from_the_end() {
    let published = read(CHROMIUM_SIMULCAST).published_in(StreamOrder::LargestFirst).unwrap();
    let rids: Vec<_> = published[1].rtp.encodings.iter().filter_map(|one| one.rid.as_deref()).collect();
    assert_eq!(rids, ["f", "h", "q"]);
}

#[test]
fn a_section_without_any_ssrc_is_told_by_its_name() {
    let nameless: Vec<&str> =
        CHROMIUM_PUBLISH.split_inclusive('\n').filter(|line| !line.starts_with("a=ssrc")).collect();
    let rtp = picture(&nameless.concat());
    assert_eq!((rtp.mid.as_deref(), rtp.encodings.as_slice()), (Some("1"), &[Encoding::default()][..]));
    assert!(rtp.header_extensions.iter().any(|extension| extension.uri == uri::MID));
}

#[test]
fn streams_of_an_old_simulcast_are_a_group() {
    let old = CHROMIUM_PUBLISH
        .replace("a=ssrc-group:FID ", "a=ssrc-group:SIM 11 12\r\na=ssrc-group:FID 11 21\r\na=x:");
    let encoding = |ssrc, rtx: Option<u32>| Encoding {
        ssrc: Some(ssrc),
        rtx: rtx.map(|ssrc| RtxEncoding { ssrc }),
        ..Encoding::default()
    };
    assert_eq!(picture(&old).encodings, [encoding(11, Some(21)), encoding(12, None)]);
}

#[test]
fn other_programs_publish_in_their_own_ways() {
    assert_eq!(numbers(&picture(FIREFOX_PUBLISH)), [("video/VP8", 120), ("video/rtx", 124)]);
    let aiortc = picture(AIORTC_PUBLISH);
    assert_eq!(aiortc.encodings[0].rtx.map(|rtx| rtx.ssrc), Some(1_565_673_567));
    assert_eq!(read(AIORTC_PUBLISH).dtls().fingerprints.len(), 3);
    let gstreamer = picture(GSTREAMER_PUBLISH);
    assert_eq!(gstreamer.encodings[0].rtx, None);
    assert_eq!(gstreamer.rtcp.cname.as_deref(), Some("user3181532773@studio"));
    assert_eq!(gstreamer.header_extensions, []);
}

#[test]
fn the_transport_is_the_peers() {
    let offer = read(CHROMIUM_PUBLISH);
    assert_eq!(offer.ice_ufrag().len(), 4);
    assert_eq!(offer.dtls().role, DtlsRole::Client);
    assert_eq!(offer.dtls().fingerprints[0].algorithm, "sha-256");
    assert_eq!(offer.dtls().fingerprints[0].value.len(), 95);
    let passive = read(&CHROMIUM_PUBLISH.replace("a=setup:actpass", "a=setup:passive"));
    assert_eq!(passive.dtls().role, DtlsRole::Server);
}

#[test]
fn a_codec_behind_others_that_the_router_does_not_speak_is_found() {
    let text = CHROMIUM_PUBLISH.replace("VP8/90000", "theora/90000");
    let rtp = picture(&text);
    assert_eq!(numbers(&rtp), [("video/H264", 102), ("video/rtx", 103)], "baseline, which stands first");
    assert!(rtp.encodings[0].rtx.is_some());
}

/// RFC 9725, section 4.2: who is told that it publishes takes it for all that it sends.
#[test]
fn a_section_that_is_not_understood_takes_the_whole_offer_with_it() {
    let deaf = CHROMIUM_PUBLISH.replace("90000", "90001");
    let refused = |text: &str| match read(text).published() {
        Err(BadSdp::NotUnderstood(sections)) => sections,
        other => panic!("{other:?}"),
    };
    let why = refused(&deaf);
    assert_eq!(why.iter().map(|section| section.mid.as_str()).collect::<Vec<_>>(), ["1"]);
    assert!(why[0].why.contains("the router does not speak video/VP8/90001"), "{why:?}");
    let mute = refused(&deaf.replace("/48000", "/48001").replace("/8000", "/8001"));
    assert_eq!(
        mute.iter().map(|section| section.mid.as_str()).collect::<Vec<_>>(),
        ["0", "1"],
        "all are named"
    );
}

#[test]
fn what_is_neither_sent_nor_media_does_not_matter() {
    let data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\na=sctp-port:5000\r\n";
    let idle = CHROMIUM_PUBLISH.replace("a=sendrecv", "a=inactive").replacen("a=inactive", "a=sendonly", 1);
    let published = read(&(idle + data)).published().unwrap();
    assert_eq!(published.iter().map(|one| one.section).collect::<Vec<_>>(), [0]);
}

#[test]
fn who_only_receives_publishes_nothing() {
    assert_eq!(read(CHROMIUM_PLAY).published(), Err(BadSdp::SendsNothing));
}

fn picture(text: &str) -> RtpParameters {
    read(text).published().expect("it is understood").remove(1).rtp
}

fn numbers(rtp: &RtpParameters) -> Vec<(&str, u8)> {
    rtp.codecs.iter().map(|codec| (codec.mime_type.as_str(), codec.payload_type)).collect()
}
