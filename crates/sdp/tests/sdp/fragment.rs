//! Fragments: candidates that are trickled, and ICE that begins anew.

use taoyao_sdp::Fragment;

use crate::offers::{ice, local};

/// As RFC 9725 (section 4.4.3) shows it.
const RESTART: &str = "a=ice-options:trickle ice2\r\na=group:BUNDLE 0 1\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:ysXw\r\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n\
    a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag ysXw network-id 1\r\n";

#[test]
fn a_fragment_may_bring_new_credentials() {
    assert_eq!(Fragment::read(RESTART).unwrap().ice_ufrag(), Some("ysXw"));
    let in_front = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n\
        a=candidate:1 1 udp 1 192.0.2.1 61764 typ host\r\na=end-of-candidates\r\n";
    assert_eq!(Fragment::read(in_front).unwrap().ice_ufrag(), Some("EsAw"));
    assert_eq!(Fragment::read("").unwrap().ice_ufrag(), None);
}

#[test]
fn the_answer_has_this_ends_credentials_and_candidates() {
    let text = Fragment::read(RESTART).unwrap().answer(&ice("anew"), &local().candidates[..1]);
    let expected = "a=ice-lite\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:anew\r\n\
        a=ice-pwd:theirSecretAndOursToo+1\r\n\
        a=candidate:udpcandidate 1 udp 1076302079 192.0.2.9 44444 typ host\r\na=end-of-candidates\r\n";
    assert_eq!(text, expected);
    assert!(
        Fragment::read("")
            .unwrap()
            .answer(&ice("anew"), &[])
            .starts_with("a=ice-lite\r\na=ice-ufrag:anew\r\n")
    );
}

#[test]
fn what_is_no_fragment_is_refused() {
    assert!(Fragment::read("hello").is_err());
    assert!(Fragment::read("a=mid:0\r\nm=audio\r\n").is_err());
}
