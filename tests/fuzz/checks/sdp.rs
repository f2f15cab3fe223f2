//! What holds of SDP: what is understood is answered, section by section, with nothing that was not offered.

use taoyao_ortc::negotiate::produce;
use taoyao_ortc::{DtlsParameters, DtlsRole, Fingerprint, IceCandidate, IceParameters};
use taoyao_sdp::{Answer, Fragment, Local, Offer};

/// An offer to publish or to play, and the same text as a fragment.
pub fn sdp(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    fragment(text);
    let Ok(offer) = Offer::read(text) else { return };
    assert!(!offer.ice_ufrag().contains(['\r', '\n']) && !offer.dtls().fingerprints.is_empty());
    let local = local();
    let mut answer = Answer::new(&offer, &local, 7);
    let published = offer.published().unwrap_or_default();
    for one in &published {
        assert!(produce(one.kind, &one.rtp).is_ok(), "what is taken can be produced");
        answer.receive(one.section, &one.rtp);
    }
    for one in offer.wanted().unwrap_or_default() {
        if let Some(taken) = published.iter().find(|other| other.section != one.section) {
            answer.send(one.section, &taken.rtp, "a stream", "a\r\ntrack");
        }
    }
    let capabilities = offer.capabilities();
    let numbers: Vec<u8> = capabilities.codecs.iter().map(|codec| codec.preferred_payload_type).collect();
    assert!(numbers.iter().enumerate().all(|(at, number)| !numbers[..at].contains(number)));
    sections_are_those_of_the_offer(&answer.write(), &offer);
}

fn sections_are_those_of_the_offer(answer: &str, offer: &Offer) {
    let lines: Vec<&str> = answer.split("\r\n").collect();
    assert!(lines.iter().all(|line| !line.contains(['\r', '\n'])), "a line within a line: {answer}");
    assert_eq!((lines[0], lines[lines.len() - 1]), ("v=0", ""));
    let is_line =
        |line: &&str| line.as_bytes().get(1) == Some(&b'=') && b"vostcma".contains(&line.as_bytes()[0]);
    assert!(lines[..lines.len() - 1].iter().all(is_line), "{answer}");
    let count = lines.iter().filter(|line| line.starts_with("m=")).count();
    assert_eq!(count, offer.sections().len(), "{answer}");
}

fn fragment(text: &str) {
    let Ok(fragment) = Fragment::read(text) else { return };
    let local = local();
    let answer = fragment.answer(&local.ice, &local.candidates);
    assert!(answer.starts_with("a=ice-lite\r\n") && answer.ends_with("a=end-of-candidates\r\n"));
    let again = Fragment::read(&answer).expect("an answer is a fragment");
    assert_eq!(again.ice_ufrag(), Some("ours"));
}

fn local() -> Local {
    let candidate = IceCandidate {
        foundation: "udpcandidate".to_owned(),
        priority: 1_076_302_079,
        ip: "192.0.2.9".to_owned(),
        protocol: "udp".to_owned(),
        port: 44_444,
        kind: "host".to_owned(),
        tcp_type: None,
    };
    let fingerprint = Fingerprint { algorithm: "sha-256".to_owned(), value: "AB:CD".to_owned() };
    Local {
        ice: IceParameters {
            username_fragment: "ours".to_owned(),
            password: "theirSecretAndOursToo+1".to_owned(),
            ice_lite: true,
        },
        candidates: vec![candidate],
        dtls: DtlsParameters { role: DtlsRole::Auto, fingerprints: vec![fingerprint] },
    }
}
