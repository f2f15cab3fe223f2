//! Plain RTP: from cameras and encoders into rooms, and out of them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use taoyao_media::peer::srtp::{MasterKey, Opener, Sealer};
use taoyao_ortc::{
    Act, MediaKind, PlainRemote, Refused, Reply, SrtpParameters, SrtpSuite, TransportId, TransportLocal,
    TransportPlan,
};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use taoyao_types::limits::PLAIN_UNANSWERED_BYTES_MAX;

use crate::packets::{audio, sound, ssrc_of};
use crate::side::{LONG, Side};
use crate::terminal::Terminal;

/// Where terminals signal from.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

struct Plain {
    id: TransportId,
    to: SocketAddr,
    rtcp_port: Option<u16>,
    srtp: Option<SrtpParameters>,
}

fn create(side: &mut Side, rtcp_mux: bool, comedia: bool, srtp: Option<SrtpSuite>) -> Plain {
    let id = TransportId::of_random(side.id());
    let plan = TransportPlan::Plain { rtcp_mux, comedia, from: Some(HERE), srtp, remote_srtp: None };
    let created = side.ask(Act::CreateTransport { transport: id, plan });
    let Ok(Reply::Transport(TransportLocal::Plain { ip, port, rtcp_port, srtp })) = created else {
        panic!("{created:?}")
    };
    Plain { id, to: SocketAddr::new(ip, port), rtcp_port, srtp }
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();
    socket
}

#[test]
fn a_camera_that_just_sends_is_heard() {
    let mut side = Side::new();
    let mut bob = Terminal::join(&mut side);
    let camera = create(&mut side, true, true, None);
    assert_eq!(camera.rtcp_port, None);
    let producer = side.produce(camera.id, MediaKind::Audio, audio());
    let (_, rtp) = side.consume(bob.id, producer);
    let (real, stranger) = (socket(), socket());
    for sequence in 1..20 {
        real.send_to(&sound(sequence), camera.to).unwrap();
        stranger.send_to(&sound(sequence + 1_000), camera.to).unwrap();
    }
    let ssrc = rtp.encodings[0].ssrc.unwrap();
    bob.until("it arrives", |bob| bob.rtp.iter().filter(|one| ssrc_of(one) == ssrc).count() >= 19);
    assert!(bob.rtp.iter().all(|one| one[one.len() - 1] < 20), "the first that sends is the camera");
}

/// A sender that comes first from elsewhere, or with packets of no producer, takes neither the camera's place nor gets
/// anything.
#[test]
fn a_strangers_packet_takes_nobodys_place() {
    let mut side = Side::new();
    let mut bob = Terminal::join(&mut side);
    let camera = create(&mut side, true, true, None);
    let producer = side.produce(camera.id, MediaKind::Audio, audio());
    let (_, rtp) = side.consume(bob.id, producer);
    let elsewhere = UdpSocket::bind((Ipv4Addr::new(127, 0, 0, 2), 0)).unwrap();
    let (other_stream, real, its_reports) = (socket(), socket(), socket());
    let mut of_nobody = sound(1_000);
    of_nobody[8..12].copy_from_slice(&[7; 4]);
    for _ in 0..20 {
        elsewhere.send_to(&sound(1_000), camera.to).unwrap();
        other_stream.send_to(&of_nobody, camera.to).unwrap();
        its_reports.send_to(&[0x80, 201, 0, 1, 0, 0, 0, 9], camera.to).unwrap();
    }
    std::thread::sleep(Duration::from_millis(50));
    for sequence in 1..20 {
        real.send_to(&sound(sequence), camera.to).unwrap();
    }
    let ssrc = rtp.encodings[0].ssrc.unwrap();
    bob.until("it arrives", |bob| bob.rtp.iter().filter(|one| ssrc_of(one) == ssrc).count() >= 19);
    let mut buffer = [0; 1_500];
    assert!(real.recv(&mut buffer).is_ok(), "it is reported to");
    for stranger in [elsewhere, other_stream, its_reports] {
        stranger.set_nonblocking(true).unwrap();
        assert!(stranger.recv(&mut buffer).is_err(), "a stranger got an answer");
    }
}

/// Nothing in plain RTP says that somebody wants it. What goes to an address that never said anything ends soon, however much
/// there is to send.
#[test]
fn what_is_sent_to_an_address_that_never_answers_is_bounded() {
    let mut side = Side::new();
    let mut alice = Terminal::join(&mut side);
    let producer = side.produce(alice.id, MediaKind::Audio, audio());
    let player = create(&mut side, true, false, None);
    let victim = socket();
    victim.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    let port = Some(victim.local_addr().unwrap().port());
    let remote = PlainRemote { ip: Some(HERE), port, ..PlainRemote::default() };
    assert_eq!(side.ask(Act::ConnectPlain { transport: player.id, remote }), Ok(Reply::Done));
    side.consume(player.id, producer);
    let (mut sequence, mut received, mut quiet) = (0_u16, 0, 0);
    let mut buffer = [0; 1_500];
    // Enough for the bound twice over.
    let large = |sequence: u16| [sound(sequence), vec![0; 1_000]].concat();
    while u64::from(sequence) * 1_000 < 2 * PLAIN_UNANSWERED_BYTES_MAX {
        for _ in 0..10 {
            sequence += 1;
            alice.send_rtp(&large(sequence));
        }
        alice.turn();
        let before = received;
        while let Ok(len) = victim.recv(&mut buffer) {
            received += len as u64;
        }
        quiet = if before == received { quiet + 1 } else { 0 };
    }
    assert!(received > PLAIN_UNANSWERED_BYTES_MAX / 2, "{received}");
    assert!(received < PLAIN_UNANSWERED_BYTES_MAX + 100_000, "{received}");
    assert!(quiet > 10, "and then nothing");
    // A receiver's report shows that somebody is there.
    victim.send_to(&[0x80, 201, 0, 1, 0, 0, 0, 9], player.to).unwrap();
    victim.set_read_timeout(Some(LONG)).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    for _ in 0..20 {
        sequence += 1;
        alice.send_rtp(&large(sequence));
    }
    alice.turn();
    assert!(victim.recv(&mut buffer).is_ok(), "it goes on");
}

#[test]
fn a_player_is_sent_to_the_address_that_was_told() {
    let mut side = Side::new();
    let mut alice = Terminal::join(&mut side);
    let producer = side.produce(alice.id, MediaKind::Audio, audio());
    let player = create(&mut side, false, false, None);
    assert!(player.rtcp_port.is_some_and(|port| port != player.to.port()));
    let (rtp, rtcp) = (socket(), socket());
    let port = |socket: &UdpSocket| Some(socket.local_addr().unwrap().port());
    let remote =
        PlainRemote { ip: Some(Ipv4Addr::LOCALHOST.into()), port: port(&rtp), ..PlainRemote::default() };
    let told = side.ask(Act::ConnectPlain { transport: player.id, remote: remote.clone() });
    assert!(matches!(told, Err(Refused::Invalid(_))), "the port of RTCP is missing");
    let remote = PlainRemote { rtcp_port: port(&rtcp), ..remote };
    assert_eq!(side.ask(Act::ConnectPlain { transport: player.id, remote }), Ok(Reply::Done));
    side.consume(player.id, producer);
    let mut buffer = [0; 1_500];
    rtcp.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    for sequence in 1..5_000 {
        alice.send_rtp(&sound(sequence));
        if rtcp.recv(&mut buffer).is_ok() {
            assert_eq!(buffer[1], 200, "a sender report");
            break;
        }
    }
    let len = rtp.recv(&mut buffer).unwrap();
    assert_eq!((buffer[1] & 0x7f, buffer[len - 1]), (100, 1));
}

#[test]
fn srtp_by_given_keys_is_opened_and_sealed() {
    let mut side = Side::new();
    let mut bob = Terminal::join(&mut side);
    for suite in [SrtpSuite::AeadAes128Gcm, SrtpSuite::AeadAes256Gcm, SrtpSuite::AesCm128HmacSha1_80] {
        let camera = create(&mut side, true, true, Some(suite));
        let ours = camera.srtp.clone().unwrap();
        assert_eq!(ours.crypto_suite, suite);
        let bytes = STANDARD.decode(&ours.key_base64).unwrap();
        let mine: Vec<u8> = bytes.iter().map(|byte| byte ^ 0x55).collect();
        let told = SrtpParameters { crypto_suite: suite, key_base64: STANDARD.encode(&mine) };
        let remote = PlainRemote { srtp_parameters: Some(told), ..PlainRemote::default() };
        assert_eq!(side.ask(Act::ConnectPlain { transport: camera.id, remote }), Ok(Reply::Done));
        let producer = side.produce(camera.id, MediaKind::Audio, audio());
        let (_, rtp) = side.consume(bob.id, producer);
        let ssrc = rtp.encodings[0].ssrc.unwrap();
        let mut sealer = Sealer::new(&MasterKey::new(suite, &mine).unwrap());
        let socket = socket();
        for sequence in 1..10 {
            let mut buffer = sound(sequence);
            let len = buffer.len();
            buffer.resize(len + 32, 0);
            let len = sealer.seal_rtp(&mut buffer, len).unwrap();
            socket.send_to(&buffer[..len], camera.to).unwrap();
        }
        bob.until("it arrives", |bob| bob.rtp.iter().filter(|one| ssrc_of(one) == ssrc).count() >= 9);
        // What the SFU says (receiver reports) is sealed with its own key.
        let mut opener = Opener::new(&MasterKey::new(suite, &bytes).unwrap());
        let mut buffer = [0; 1_500];
        let len = socket.recv(&mut buffer).unwrap();
        assert!(opener.open_rtcp(&mut buffer[..len]).is_ok());
        side.ask(Act::CloseTransport { transport: camera.id }).unwrap();
    }
}

#[test]
fn a_key_that_is_told_from_the_start_needs_no_connecting() {
    let mut side = Side::new();
    let mut bob = Terminal::join(&mut side);
    let suite = SrtpSuite::AesCm128HmacSha1_80;
    let plan = |key: &[u8]| TransportPlan::Plain {
        rtcp_mux: true,
        comedia: true,
        from: Some(HERE),
        srtp: Some(suite),
        remote_srtp: Some(SrtpParameters { crypto_suite: suite, key_base64: STANDARD.encode(key) }),
    };
    let id = TransportId::of_random(side.id());
    let refused = side.ask(Act::CreateTransport { transport: id, plan: plan(&[7; 29]) });
    assert!(matches!(refused, Err(Refused::Invalid(_))), "{refused:?}");
    let created = side.ask(Act::CreateTransport { transport: id, plan: plan(&[7; 30]) });
    let Ok(Reply::Transport(TransportLocal::Plain { ip, port, .. })) = created else { panic!("{created:?}") };
    let producer = side.produce(id, MediaKind::Audio, audio());
    let (_, rtp) = side.consume(bob.id, producer);
    let ssrc = rtp.encodings[0].ssrc.unwrap();
    let mut sealer = Sealer::new(&MasterKey::new(suite, &[7; 30]).unwrap());
    let mut buffer = sound(1);
    let len = buffer.len();
    buffer.resize(len + 32, 0);
    let len = sealer.seal_rtp(&mut buffer, len).unwrap();
    socket().send_to(&buffer[..len], SocketAddr::new(ip, port)).unwrap();
    bob.until("it arrives", |bob| bob.rtp.iter().any(|one| ssrc_of(one) == ssrc));
}
