//! The whole stack of a transport against a client, in virtual time over links that lose and reorder.

mod pair;

use std::time::Duration;

use bytes::Bytes;
use pair::{Pair, PairSetup, Side};
use taoyao_media::peer::{
    BINARY, CloseReason, ConnectError, MessageError, PeerEvent, PeerInput, SEAL_BYTES_MAX, STRING,
    STRING_EMPTY,
};
use taoyao_ortc::transport::{DtlsParameters, DtlsRole, Fingerprint, SctpStreamParameters, SrtpSuite};

#[test]
fn a_client_connects_and_media_flows_both_ways() {
    let mut pair = Pair::new(PairSetup::default());
    pair.run(Duration::from_secs(1));
    for side in [Side::Sfu, Side::Client] {
        assert!(
            pair.events(side).contains(&PeerEvent::Connected { suite: SrtpSuite::AeadAes128Gcm }),
            "{side:?}"
        );
    }
    let mut packet = vec![0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 1, 2, 3];
    let len = packet.len();
    packet.resize(len + SEAL_BYTES_MAX, 0);
    let mut sealed = packet.clone();
    let count = pair.client.seal_rtp(&mut sealed, len).unwrap();
    let (now, from) = (pair.now, pair.client_address);
    assert_eq!(pair.sfu.handle_datagram(now, from, &mut sealed[..count]), PeerInput::Rtp(len));
    assert_eq!(sealed[..len], packet[..len]);
    let mut sealed = packet.clone();
    let count = pair.sfu.seal_rtp(&mut sealed, len).unwrap();
    assert_eq!(pair.client.handle_datagram(now, &mut sealed[..count]), PeerInput::Rtp(len));
    let stats = pair.sfu.stats();
    assert_eq!((stats.ice_state, stats.dtls_state, stats.refused), ("completed", "connected", 0));
    assert_eq!(stats.selected, Some(from));
}

#[test]
fn either_end_may_be_the_client_of_dtls() {
    let mut pair = Pair::new(PairSetup { sfu_is_dtls_client: true, ..PairSetup::default() });
    pair.run(Duration::from_secs(1));
    assert!(pair.sfu.is_connected() && pair.client.suite() == Some(SrtpSuite::AeadAes128Gcm));
}

#[test]
fn a_handshake_survives_loss_and_disorder() {
    for seed in 0..100 {
        let mut pair = Pair::new(PairSetup { loss_percent: 15, jitter_ms: 30, seed, ..PairSetup::default() });
        pair.run(Duration::from_secs(15));
        assert!(pair.sfu.is_connected(), "seed {seed}: {:?}", pair.sfu.stats());
        assert!(pair.client.suite().is_some(), "seed {seed}");
    }
}

#[test]
fn a_client_may_be_faster_than_signalling() {
    let mut pair = Pair::new(PairSetup { connects_later: true, ..PairSetup::default() });
    pair.run(Duration::from_millis(150));
    assert!(!pair.sfu.is_connected());
    let client = pair.client_dtls();
    assert_eq!(pair.sfu.connect(pair.now, &client), Ok(DtlsRole::Server));
    pair.run(Duration::from_millis(150));
    assert!(pair.sfu.is_connected(), "its first flight was kept");
    assert_eq!(pair.sfu.connect(pair.now, &client), Err(ConnectError::Twice));
}

#[test]
fn a_certificate_that_was_not_announced_is_refused() {
    let mut pair = Pair::new(PairSetup { connects_later: true, ..PairSetup::default() });
    let mut wrong = pair.client_dtls();
    wrong.fingerprints[0].value.replace_range(0..2, "00");
    wrong.fingerprints[0].value.replace_range(3..5, "00");
    pair.sfu.connect(pair.now, &wrong).unwrap();
    pair.run(Duration::from_secs(1));
    assert!(!pair.sfu.is_connected());
    assert!(pair.events(Side::Sfu).contains(&PeerEvent::Closed(CloseReason::WrongCertificate)));
    assert!(pair.events(Side::Client).contains(&PeerEvent::Closed(CloseReason::PeerClosed)), "it is told");
    let none = DtlsParameters {
        role: DtlsRole::Auto,
        fingerprints: vec![Fingerprint { algorithm: "md5".into(), value: "00".into() }],
    };
    let mut other = Pair::new(PairSetup { connects_later: true, ..PairSetup::default() });
    assert_eq!(other.sfu.connect(other.now, &none), Err(ConnectError::NoFingerprint));
}

#[test]
fn goodbye_is_heard_at_the_other_end() {
    let mut pair = Pair::new(PairSetup::default());
    pair.run(Duration::from_secs(1));
    let now = pair.now;
    pair.client.close(now);
    pair.run(Duration::from_secs(1));
    assert!(pair.events(Side::Sfu).contains(&PeerEvent::Closed(CloseReason::PeerClosed)));
    assert!(!pair.sfu.is_connected());
}

#[test]
fn a_silent_peer_is_given_up() {
    let mut pair = Pair::new(PairSetup::default());
    pair.run(Duration::from_secs(1));
    pair.is_cut = true;
    pair.run(Duration::from_secs(40));
    assert!(pair.events(Side::Sfu).contains(&PeerEvent::Closed(CloseReason::ConsentLost)));
    assert!(pair.events(Side::Client).contains(&PeerEvent::Closed(CloseReason::ConsentLost)));
}

#[test]
fn a_peer_that_nobody_reaches_is_given_up_a_minute_after_it_was_to_connect() {
    let mut pair = Pair::new(PairSetup { connects_later: true, ..PairSetup::default() });
    pair.is_cut = true;
    pair.run(Duration::from_secs(600));
    assert!(pair.events(Side::Sfu).is_empty(), "who has not said that it connects is not late");
    let client = pair.client_dtls();
    pair.sfu.connect(pair.now, &client).unwrap();
    pair.run(Duration::from_secs(59));
    assert!(pair.events(Side::Sfu).is_empty());
    pair.run(Duration::from_secs(2));
    assert_eq!(pair.events(Side::Sfu), [PeerEvent::Closed(CloseReason::NeverReached)]);
}

#[test]
fn a_moved_client_is_followed_within_its_next_check() {
    let mut pair = Pair::new(PairSetup::default());
    pair.run(Duration::from_secs(1));
    pair.client_address.addr.set_port(4444);
    let moved = pair.client_address;
    pair.run(Duration::from_secs(6));
    assert_eq!(pair.sfu.selected(), Some(moved));
    assert!(pair.events(Side::Sfu).contains(&PeerEvent::Reached(moved)));
}

#[test]
fn strangers_reach_nothing_but_the_agent() {
    let mut pair = Pair::new(PairSetup::default());
    pair.run(Duration::from_secs(1));
    let mut stranger = pair.client_address;
    stranger.addr.set_port(1);
    let before = pair.sfu.stats().refused;
    for first in [0u8, 20, 22, 63, 64, 128, 191, 255] {
        assert_eq!(pair.sfu.handle_datagram(pair.now, stranger, &mut [first; 100]), PeerInput::Consumed);
    }
    assert_eq!(pair.sfu.stats().refused, before + 8);
    let mut buffer = [0; 1_500];
    assert_eq!(pair.sfu.poll_transmit(pair.now, &mut buffer), None);
}

#[test]
fn garbage_from_the_peers_address_does_no_harm() {
    let mut dice = fastrand::Rng::with_seed(5);
    let mut pair = Pair::new(PairSetup { has_channels: true, ..PairSetup::default() });
    pair.run(Duration::from_secs(1));
    for _ in 0..20_000 {
        let mut garbage = vec![0; dice.usize(1..200)];
        dice.fill(&mut garbage);
        garbage[0] = *[garbage[0], 20, 21, 22, 23, 0x80].get(dice.usize(0..6)).unwrap();
        let (now, from) = (pair.now, pair.client_address);
        assert_eq!(pair.sfu.handle_datagram(now, from, &mut garbage), PeerInput::Consumed);
    }
    pair.run(Duration::from_secs(1));
    assert!(pair.sfu.is_connected());
    pair.client.send_message(pair.now, 1, STRING, &Bytes::from_static(b"still here")).unwrap();
    pair.run(Duration::from_secs(1));
    assert!(pair.events(Side::Sfu).iter().any(|event| matches!(event, PeerEvent::Message { .. })));
}

#[test]
fn messages_of_all_kinds_arrive_whole_and_in_order_under_loss() {
    for seed in 0..4 {
        let mut pair = Pair::new(PairSetup {
            has_channels: true,
            loss_percent: 5,
            jitter_ms: 5,
            seed,
            ..PairSetup::default()
        });
        pair.run(Duration::from_secs(20));
        assert!(pair.events(Side::Client).contains(&PeerEvent::ChannelsOpen), "seed {seed}");
        let long: Vec<u8> = (0..100_000u32).map(|at| at as u8).collect();
        let sent = [
            (STRING, Bytes::from_static("桃夭".as_bytes())),
            (BINARY, Bytes::from(long)),
            (STRING_EMPTY, Bytes::new()),
            (BINARY, Bytes::from_static(&[0])),
        ];
        for (ppid, bytes) in &sent {
            pair.client.send_message(pair.now, 3, *ppid, bytes).unwrap();
            pair.sfu.send_message(pair.now, 4, *ppid, bytes).unwrap();
        }
        pair.run(Duration::from_secs(30));
        for (side, stream) in [(Side::Sfu, 3), (Side::Client, 4)] {
            assert_eq!(messages(&pair, side, stream), sent, "seed {seed}, {side:?}");
        }
    }
}

#[test]
fn what_is_not_to_be_repeated_is_not_waited_for() {
    let mut pair =
        Pair::new(PairSetup { has_channels: true, loss_percent: 20, seed: 3, ..PairSetup::default() });
    pair.run(Duration::from_secs(20));
    let stream = SctpStreamParameters {
        stream_id: 2,
        ordered: Some(false),
        max_packet_life_time: None,
        max_retransmits: Some(0),
    };
    pair.sfu.open_stream(pair.now, &stream).unwrap();
    for number in 0..200u8 {
        pair.sfu.send_message(pair.now, 2, BINARY, &Bytes::from(vec![number; 100])).unwrap();
        pair.run(Duration::from_millis(20));
    }
    pair.run(Duration::from_secs(10));
    let arrived = messages(&pair, Side::Client, 2).len();
    assert!((100..200).contains(&arrived), "{arrived} of 200");
}

#[test]
fn messages_are_bounded_and_need_an_open_channel() {
    let mut pair = Pair::new(PairSetup { has_channels: true, ..PairSetup::default() });
    let hello = Bytes::from_static(b"hello");
    assert_eq!(pair.sfu.send_message(pair.now, 1, STRING, &hello), Err(MessageError::NotOpen));
    pair.run(Duration::from_secs(2));
    assert_eq!(
        pair.sfu.send_message(pair.now, 1, BINARY, &Bytes::from(vec![0; 300_000])),
        Err(MessageError::TooLong)
    );
    assert_eq!(pair.sfu.send_message(pair.now, 2_000, STRING, &hello), Err(MessageError::NoSuchStream));
    pair.is_cut = true;
    let large = Bytes::from(vec![0; 200_000]);
    let taken = (0..20).take_while(|_| pair.sfu.send_message(pair.now, 1, BINARY, &large).is_ok()).count();
    assert_eq!(taken, 5, "a mebibyte waits");
    assert_eq!(pair.sfu.send_message(pair.now, 1, BINARY, &large), Err(MessageError::Full));
    pair.is_cut = false;
    pair.run(Duration::from_secs(10));
    assert!(pair.sfu.send_message(pair.now, 1, BINARY, &large).is_ok(), "it has been read");
}

#[test]
fn a_transport_without_channels_has_none() {
    let mut pair = Pair::new(PairSetup::default());
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.sfu.send_message(pair.now, 1, STRING, &Bytes::new()), Err(MessageError::NotOpen));
    assert_eq!(pair.sfu.stats().sctp_state, None);
}

fn messages(pair: &Pair, side: Side, wanted: u16) -> Vec<(u32, Bytes)> {
    let of = |event: &PeerEvent| match event {
        PeerEvent::Message { stream, ppid, bytes } if *stream == wanted => Some((*ppid, bytes.clone())),
        _ => None,
    };
    pair.events(side).iter().filter_map(of).collect()
}
