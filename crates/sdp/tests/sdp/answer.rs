//! What offers are answered.

use taoyao_sdp::{Answer, Offer};

use crate::offers::{
    CHROMIUM_PLAY, CHROMIUM_PUBLISH, CHROMIUM_SIMULCAST, FINGERPRINT, FIREFOX_SIMULCAST, GSTREAMER_PUBLISH,
    PUBLISH, local, read, sections,
};
use crate::play::played;

#[test]
fn a_publisher_is_told_what_is_received() {
    let text = published(CHROMIUM_PUBLISH);
    let lines = sections(&text);
    assert_eq!(lines[0][..4], ["v=0", "o=- 77 0 IN IP4 127.0.0.1", "s=-", "t=0 0"]);
    assert!(lines[0].contains(&"a=ice-lite") && lines[0].contains(&"a=group:BUNDLE 0 1"), "{text}");
    assert_eq!(lines[1][0], "m=audio 9 UDP/TLS/RTP/SAVPF 111");
    let fingerprint = format!("a=fingerprint:sha-256 {FINGERPRINT}");
    let video = [
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
        "c=IN IP4 0.0.0.0",
        "a=mid:1",
        "a=ice-ufrag:ours",
        "a=ice-pwd:theirSecretAndOursToo+1",
        &fingerprint,
        "a=setup:passive",
        "a=candidate:udpcandidate 1 udp 1076302079 192.0.2.9 44444 typ host",
        "a=candidate:tcpcandidate 1 tcp 1076302079 192.0.2.9 44444 typ host tcptype passive",
        "a=end-of-candidates",
        "a=recvonly",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        "a=rtpmap:96 VP8/90000",
        "a=rtcp-fb:96 goog-remb",
        "a=rtcp-fb:96 transport-cc",
        "a=rtcp-fb:96 ccm fir",
        "a=rtcp-fb:96 nack",
        "a=rtcp-fb:96 nack pli",
        "a=rtpmap:97 rtx/90000",
        "a=fmtp:97 apt=96",
        "a=extmap:14 urn:ietf:params:rtp-hdrext:toffset",
    ];
    assert_eq!(lines[2][..video.len()], video);
    assert!(lines[1].contains(&"a=fmtp:111 minptime=10;useinbandfec=1"), "{text}");
}

#[test]
fn streams_of_a_simulcast_are_asked_for_by_name() {
    let text = published(CHROMIUM_SIMULCAST);
    for line in ["a=rid:q recv", "a=rid:f recv", "a=simulcast:recv q;h;f"] {
        assert!(text.lines().any(|one| one == line), "{line}: {text}");
    }
    let firefox = published(FIREFOX_SIMULCAST);
    let rid = "a=extmap:9/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
    assert!(firefox.lines().any(|one| one == rid), "what is sent only is received only: {firefox}");
}

#[test]
fn a_player_is_told_what_is_sent() {
    let (offer, local) = (read(CHROMIUM_PLAY), local());
    let mut answer = Answer::new(&offer, &local, 77);
    answer.send(1, &played(CHROMIUM_PUBLISH, CHROMIUM_PLAY), "web-1", "a consumer");
    let text = answer.write();
    let lines = sections(&text);
    assert!(lines[0].contains(&"a=group:BUNDLE 1"), "{text}");
    assert!(
        lines[1][0].starts_with("m=audio 0 UDP/TLS/RTP/SAVPF 111 ") && lines[1].contains(&"a=inactive"),
        "{text}"
    );
    assert!(
        lines[1].contains(&"a=rtpmap:111 opus/48000/2"),
        "aiortc wants a codec in rejected sections, too: {text}"
    );
    let fingerprint = format!("a=fingerprint:sha-256 {FINGERPRINT}");
    assert!(lines[1].contains(&fingerprint.as_str()), "GStreamer wants it in rejected sections, too: {text}");
    assert_eq!(lines[2][0], "m=video 9 UDP/TLS/RTP/SAVPF 96 97");
    for line in ["a=sendonly", "a=msid:web-1 a_consumer", "a=ssrc-group:FID 700 701"] {
        assert!(lines[2].contains(&line), "{line}: {text}");
    }
    assert_eq!(lines[2].iter().filter(|line| line.starts_with("a=ssrc:70")).count(), 2);
}

#[test]
fn roles_in_dtls_are_opposite() {
    let passive = CHROMIUM_PUBLISH.replace("a=setup:actpass", "a=setup:passive");
    assert!(published(&passive).contains("a=setup:active\r\n"));
    let active = CHROMIUM_PUBLISH.replace("a=setup:actpass", "a=setup:active");
    assert!(published(&active).contains("a=setup:passive\r\n"));
}

#[test]
fn every_answer_is_sdp_with_the_offers_sections_in_their_order() {
    for (_, text) in PUBLISH {
        let answer = published(text);
        let kinds = |text| -> Vec<_> {
            sections(text)[1..].iter().map(|lines| lines[0].split(' ').next().map(str::to_owned)).collect()
        };
        assert_eq!(kinds(&answer), kinds(text));
        assert!(Offer::read(&answer).is_ok(), "{answer}");
        assert!(answer.lines().all(|line| line.len() > 2), "{answer}");
    }
    assert!(published(GSTREAMER_PUBLISH).contains("a=group:BUNDLE audio0 video1\r\n"));
}

fn published(text: &str) -> String {
    let (offer, local) = (read(text), local());
    let mut answer = Answer::new(&offer, &local, 77);
    for one in offer.published().expect("it is understood") {
        answer.receive(one.section, &one.rtp);
    }
    answer.write()
}
