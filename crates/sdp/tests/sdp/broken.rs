//! Offers that cannot be answered, and texts that are none.

use taoyao_sdp::{Answer, BadSdp, Offer};

use crate::offers::{CHROMIUM_PUBLISH, GSTREAMER_PUBLISH, MUTILATED, local};

#[test]
fn each_lack_has_its_reason() {
    let without = |line: &str| {
        CHROMIUM_PUBLISH.lines().filter(|one| !one.starts_with(line)).collect::<Vec<_>>().join("\r\n")
    };
    let alone = CHROMIUM_PUBLISH.replace("a=group:BUNDLE 0 1", "a=x:y").replace("m=audio 9", "m=audio 0");
    let has_no_name = |line: &&str| !line.starts_with("a=ssrc") && !line.starts_with("a=mid");
    let nameless = alone.lines().filter(has_no_name).collect::<Vec<_>>().join("\r\n");
    let table = [
        (String::new(), "no SDP"),
        ("<html>".to_owned(), "no SDP"),
        ("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n".to_owned(), "no section"),
        (without("a=group:BUNDLE"), "bundlePolicy"),
        (without("a=rtcp-mux"), "rtcpMuxPolicy"),
        (without("a=ice-ufrag"), "ice-ufrag"),
        (without("a=ice-pwd"), "ice-ufrag"),
        (without("a=fingerprint"), "fingerprint"),
        (nameless, "names no stream"),
        (CHROMIUM_PUBLISH.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), "UDP/TLS/RTP/SAVPF"),
        (CHROMIUM_PUBLISH.replace("a=setup:actpass", "a=setup:holdconn"), "actpass"),
        (CHROMIUM_PUBLISH.replace("m=audio", "m=application").replace("m=video", "m=text"), "m=audio"),
        (GSTREAMER_PUBLISH.replace("m=audio 9", "m=audio 0").replace("a=bundle-only", "a=x"), "m=audio"),
    ];
    for (text, reason) in table {
        let why = Offer::read(&text).and_then(|offer| offer.published()).unwrap_err().to_string();
        assert!(why.contains(reason), "{reason}: {why}");
    }
}

#[test]
fn an_offer_has_an_end() {
    let long = CHROMIUM_PUBLISH.to_owned() + &"m=video 9 UDP/TLS/RTP/SAVPF 96\r\n".repeat(31);
    assert_eq!(Offer::read(&long).unwrap_err(), BadSdp::TooLong { count: 33, max: 32 });
}

#[test]
fn one_section_needs_no_bundle() {
    let alone = CHROMIUM_PUBLISH.replace("a=group:BUNDLE 0 1", "a=x:y").replace("m=audio 9", "m=audio 0");
    assert_eq!(Offer::read(&alone).unwrap().published().unwrap().len(), 1);
}

/// Every prefix, every line left out, every byte changed in turn: nothing panics, and what is still understood can be
/// answered.
#[test]
fn mutilated_offers_are_answered_or_refused() {
    for text in MUTILATED {
        (0..text.len()).step_by(37).for_each(|end| answer(&text[..end]));
        let lines: Vec<_> = text.lines().collect();
        for left_out in 0..lines.len() {
            let mut rest = lines.clone();
            rest.remove(left_out);
            answer(&rest.join("\r\n"));
        }
        for (at, byte) in (0..text.len()).step_by(29).zip((32..127_u8).cycle()) {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = byte;
            answer(&String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
fn numbers_at_their_limits_are_read_or_passed_over() {
    let table = ["-1", "256", "65536", "4294967296", "99999999999999999999", "0x10", "", "９"];
    for number in table {
        for line in
            ["a=rtpmap:96 VP8/", "a=fmtp:97 apt=", "a=extmap:", "a=ssrc:", "m=video ", "a=rtcp-fb:", "a=rid:"]
        {
            let text = CHROMIUM_PUBLISH.lines().map(|one| match one.starts_with(line) {
                true => format!("{line}{number}\r\n"),
                false => format!("{one}\r\n"),
            });
            answer(&text.collect::<String>());
        }
    }
}

fn answer(text: &str) {
    let Ok(offer) = Offer::read(text) else { return };
    let local = local();
    let mut answer = Answer::new(&offer, &local, 1);
    for one in offer.published().unwrap_or_default() {
        answer.receive(one.section, &one.rtp);
    }
    let wanted = offer.wanted().unwrap_or_default().len();
    let _known = offer.capabilities();
    let text = answer.write();
    assert!(text.starts_with("v=0\r\n"), "{wanted} {text}");
}
