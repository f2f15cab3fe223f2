//! Bad input by somebody who knows the protocols: forged checks, copies, equal names, changing streams, floods of requests.
//! Who does not take part in it hears everything.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Instant;

use taoyao_ortc::{Act, MediaKind, ProducerId, Refused, Reply, StatValue};
use taoyao_sfu::ice::stun::{Check, Class, Key, Message, WRITTEN_BYTES_MAX, write_check};

use crate::conversation::Conversation;
use crate::packets::{
    AUDIO_SSRC, OPUS, VIDEO_SSRC, VP8, audio, packet, payload_of, picture, sequence_of, ssrc_of, video,
};

const ROUNDS: u16 = 40;

fn check(ufrag: &str, password: &str, number: u16) -> Vec<u8> {
    let mut out = [0; WRITTEN_BYTES_MAX];
    let username = format!("{ufrag}:stranger");
    let transaction = [number as u8; 12];
    let check = Check { transaction, username: &username, priority: 1, tie_breaker: 2, is_nominating: true };
    let len = write_check(&check, &Key::new(password), &mut out);
    out[..len].to_vec()
}

/// Source addresses are easily forged: who never showed the password of a transport gets fewer bytes than it sent, whatever it
/// sends. Of plain RTP see `plain`.
#[test]
fn a_stranger_is_sent_no_more_than_it_sent() {
    let mut random = fastrand::Rng::with_seed(29);
    let mut talk = Conversation::new();
    let name = talk.bob.ice.username_fragment.clone();
    let media = packet(OPUS, AUDIO_SSRC, 1, 960, &[1; 60]);
    let record = |kind: u8, body: &[u8]| {
        [&[kind, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, body.len() as u8], body].concat()
    };
    let sent: [(&str, Vec<u8>); 5] = [
        ("a check with a guessed password", check(&name, "a guess", 7)),
        ("a check for nobody", check("nobody", "a guess", 7)),
        (
            "a handshake",
            record(22, &[[1, 0, 0, 80, 0, 0, 0, 0, 0, 0, 0, 80, 254, 253].as_slice(), &[0; 78]].concat()),
        ),
        ("media", media),
        ("garbage", (0..200).map(|_| random.u8(..)).collect()),
    ];
    for (what, datagram) in sent {
        let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        stranger.set_nonblocking(true).unwrap();
        for _ in 0..ROUNDS {
            stranger.send_to(&datagram, talk.side.address()).unwrap();
        }
        for _ in 0..10 {
            talk.say();
        }
        let mut buffer = [0; 1_500];
        let answered: usize = std::iter::from_fn(|| stranger.recv(&mut buffer).ok()).sum();
        assert!(answered <= usize::from(ROUNDS) * datagram.len(), "{what}: {answered} bytes");
    }
    talk.end();
}

#[test]
fn checks_that_are_forged_or_broken_move_nobody() {
    let mut random = fastrand::Rng::with_seed(17);
    let mut talk = Conversation::new();
    let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    stranger.set_nonblocking(true).unwrap();
    let names: Vec<String> =
        [&talk.alice, &talk.bob].map(|one| one.ice.username_fragment.clone()).into_iter().collect();
    for round in 0..ROUNDS {
        for name in &names {
            let forged = check(name, "a guess", round);
            let mut changed = check(name, &talk.mallory.ice.password, round);
            let at = random.usize(0..changed.len());
            changed[at] ^= 1 << random.u8(0..8);
            for datagram in [&forged[..], &changed, &forged[..random.usize(0..forged.len())]] {
                stranger.send_to(datagram, talk.side.address()).unwrap();
                talk.mallory.send_raw(datagram);
            }
        }
        talk.say();
    }
    talk.end();
    let mut buffer = [0; 1_500];
    while let Ok(len) = stranger.recv(&mut buffer) {
        let answer = Message::read(&buffer[..len]).expect("strangers are answered checks, if anything");
        assert_eq!(answer.class, Class::Error);
    }
}

#[test]
fn copies_of_packets_are_heard_once_whoever_sends_them() {
    let mut talk = Conversation::new();
    let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    for _ in 0..ROUNDS {
        let sealed = talk.say();
        talk.alice.send_raw(&sealed);
        talk.mallory.send_raw(&sealed);
        stranger.send_to(&sealed, talk.side.address()).unwrap();
    }
    let producer = talk.producer;
    let mut side = talk.end();
    let Ok(Reply::Status(stats)) = side.ask(Act::ProducerStatus { producer }) else { panic!("no status") };
    assert_eq!(stats[0].get("packetCount"), Some(&StatValue::Count(ROUNDS.into())));
}

#[test]
fn equal_names_of_two_members_streams_are_kept_apart() {
    let mut talk = Conversation::new();
    let producer = talk.side.produce(talk.mallory.id, MediaKind::Audio, audio());
    let (_, rtp) = talk.side.consume(talk.bob.id, producer);
    let ssrc = rtp.encodings[0].ssrc.unwrap();
    let again = Act::Produce {
        transport: talk.mallory.id,
        producer: ProducerId::of_random(talk.side.id()),
        kind: MediaKind::Audio,
        rtp: audio(),
        is_paused: false,
    };
    assert!(matches!(talk.side.ask(again), Err(Refused::Invalid(_))), "of one member they are refused");
    for round in 1..=ROUNDS {
        talk.mallory.send_rtp(&packet(OPUS, AUDIO_SSRC, round, u32::from(round) * 960, &[0xbb; 80]));
        talk.say();
    }
    let count = usize::from(ROUNDS);
    talk.bob.until("Mallory is heard, too", |bob| {
        let of_mallory: Vec<_> = bob.rtp.iter().filter(|one| ssrc_of(one) == ssrc).collect();
        assert!(of_mallory.iter().all(|one| payload_of(one) == [0xbb; 80]));
        of_mallory.len() >= count
    });
    talk.end();
}

#[test]
fn sources_and_extensions_at_their_limits_are_not_passed_on() {
    let mut talk = Conversation::new();
    let producer = talk.side.produce(talk.mallory.id, MediaKind::Audio, audio());
    let (_, rtp) = talk.side.consume(talk.bob.id, producer);
    let ssrc = rtp.encodings[0].ssrc.unwrap();
    for round in 1..=ROUNDS {
        let plain = packet(OPUS, AUDIO_SSRC, round, u32::from(round) * 960, &[]);
        // Fifteen sources, and a block that fills the datagram, of elements of two bytes (RFC 8285, section 4.3).
        let mut crowded = vec![plain[0] | 0x1f];
        crowded.extend(&plain[1..]);
        crowded.extend([0xcc; 60]);
        crowded.extend([0x10, 0x00, 0x00, 0xff]);
        crowded.extend([[round as u8 | 1, 100]; 510].as_flattened());
        crowded.extend([0xbb; 80]);
        talk.mallory.send_rtp(&crowded);
        talk.say();
    }
    let count = usize::from(ROUNDS);
    talk.bob.until("Mallory is heard, too", |bob| {
        let of_mallory: Vec<_> = bob.rtp.iter().filter(|one| ssrc_of(one) == ssrc).collect();
        assert!(of_mallory.iter().all(|one| one[0] & 0x0f == 0 && payload_of(one) == [0xbb; 80]));
        of_mallory.len() >= count
    });
    talk.end();
}

#[test]
fn a_producer_that_becomes_another_in_mid_stream_hurts_only_itself() {
    let mut talk = Conversation::new();
    let producer = talk.side.produce(talk.mallory.id, MediaKind::Video, video());
    let (_, rtp) = talk.side.consume(talk.bob.id, producer);
    let ssrc = rtp.encodings[0].ssrc.unwrap();
    for round in 1..=ROUNDS {
        // Every tenth is a key frame of another size; in between, another codec, and a name that nobody was told.
        let mut frame = picture(round, round % 10 == 1);
        frame[12 + 7] = 16 * (1 + round as u8 / 10);
        talk.mallory.send_rtp(&frame);
        for (payload_type, name) in [(VP8, VIDEO_SSRC + 100), (77, VIDEO_SSRC), (OPUS, VIDEO_SSRC)] {
            let stray = packet(payload_type, name, 1_000 + round, u32::from(round) * 3_000, &[0xee; 300]);
            talk.mallory.send_rtp(&stray);
        }
        talk.say();
    }
    let count = usize::from(ROUNDS);
    talk.bob.until("the pictures arrive", |bob| {
        let pictures: Vec<_> = bob.rtp.iter().filter(|one| ssrc_of(one) == ssrc).collect();
        assert!(pictures.iter().all(|one| payload_of(one).len() == 900), "only what was negotiated");
        let is_next = |two: &[&Vec<u8>]| sequence_of(two[1]) == sequence_of(two[0]).wrapping_add(1);
        assert!(pictures.windows(2).all(is_next), "without a gap");
        pictures.len() >= count
    });
    talk.end();
}

#[test]
fn a_flood_of_requests_costs_the_others_nothing() {
    let mut talk = Conversation::new();
    let producer = talk.side.produce(talk.alice.id, MediaKind::Video, video());
    let (_, rtp) = talk.side.consume(talk.mallory.id, producer);
    let flooded = rtp.encodings[0].ssrc.unwrap();
    let (_, rtp) = talk.side.consume(talk.bob.id, producer);
    let ssrc = rtp.encodings[0].ssrc.unwrap();
    let begun = Instant::now();
    for round in 1..=ROUNDS {
        talk.alice.send_rtp(&picture(round, round == 1));
        talk.mallory.turn();
        let newest = talk.mallory.rtp.iter().rfind(|one| ssrc_of(one) == flooded).map(|one| sequence_of(one));
        for _ in 0..20 {
            talk.mallory.send_rtcp(&requests(flooded, newest.unwrap_or(0)));
        }
        talk.say();
        talk.alice.turn();
    }
    talk.bob.until("all pictures arrive", |bob| {
        bob.rtp.iter().filter(|one| ssrc_of(one) == ssrc).count() >= usize::from(ROUNDS)
    });
    talk.alice.turn();
    let is_request = |packets: &Vec<u8>| packets.windows(2).any(|two| two == [0x81, 206]);
    let asked = talk.alice.rtcp.iter().filter(|packets| is_request(packets)).count();
    let seconds = begun.elapsed().as_secs() as usize;
    assert!(asked <= 10 + 10 * seconds, "{asked} requests for key frames in {seconds} s, of 800");
    talk.end();
}

/// A receiver report, NACKs of 85 packets up to `newest`, and a PLI (RFC 4585, section 6).
fn requests(ssrc: u32, newest: u16) -> Vec<u8> {
    let mut packets = vec![0x80, 201, 0, 1, 0, 0, 0, 1, 0x81, 205, 0, 7, 0, 0, 0, 1];
    packets.extend(ssrc.to_be_bytes());
    for step in 0..5 {
        packets.extend(newest.wrapping_sub(17 * (step + 1)).to_be_bytes());
        packets.extend([0xff, 0xff]);
    }
    packets.extend([0x81, 206, 0, 2, 0, 0, 0, 1]);
    packets.extend(ssrc.to_be_bytes());
    packets
}
