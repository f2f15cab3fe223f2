//! Garbage of every kind: nothing panics, and nobody else loses a packet.

use std::time::Duration;

use taoyao_ortc::{MediaKind, ProducerId, Refused};
use taoyao_sfu::TransportKey;
use taoyao_sfu::packet::Packet;

use crate::packets::{self, vp8_numbers};
use crate::world::{MID, OPUS, RID, VP8, World, audio, one, rids, video};

fn frame(sequence: u16) -> Vec<u8> {
    packets::frame(sequence, sequence, sequence == 0)
}

#[test]
fn a_peer_that_sends_garbage_costs_others_nothing() {
    let mut world = World::new();
    (0..3).for_each(|key| world.join(key));
    let good = world.produce(0, MediaKind::Video, &video("v", one(10)));
    let bad = world.produce(1, MediaKind::Video, &video("w", rids(&["a", "b"])));
    let sound = world.produce(1, MediaKind::Audio, &audio(77));
    for producer in [good, bad, sound] {
        world.consume(2, producer);
    }
    let mut random = fastrand::Rng::with_seed(3);
    let mut got = 0;
    for sequence in 0..2_000 {
        world.rtp(0, &frame(sequence));
        for _ in 0..5 {
            let mut bytes: Vec<u8> = (0..random.usize(0..200)).map(|_| random.u8(..)).collect();
            if bytes.len() >= 12 {
                bytes[0] = 0x80 | (bytes[0] & 0x3f);
                bytes[1] = random.choice([VP8, 97, OPUS, 0x80 | VP8]).unwrap();
                let ssrc: u32 = random.choice([77, 78, 10, 11]).unwrap();
                bytes[8..12].copy_from_slice(&ssrc.to_be_bytes());
            }
            world.rtp(1, &bytes);
            let mut rtcp: Vec<u8> = (0..random.usize(0..120)).map(|_| random.u8(..)).collect();
            if rtcp.len() >= 4 {
                rtcp[..2].copy_from_slice(&[0x80 | random.u8(0..32), random.u8(200..208)]);
                let words = (rtcp.len() / 4).saturating_sub(1) as u16;
                rtcp[2..4].copy_from_slice(&words.to_be_bytes());
            }
            world.router.handle_rtcp(world.now(), TransportKey(1), &rtcp);
            world.router.handle_rtcp(world.now(), TransportKey(2), &rtcp);
        }
        let ssrc = world.router.consumer_stats(world.now(), taoyao_ortc::ConsumerId::of_random(4));
        assert!(ssrc.is_some());
        let mut left = world.flush();
        left.extend(world.pass(Duration::from_millis(10)));
        got += left
            .iter()
            .filter(|left| left.to == 2 && left.bytes.get(1).is_some_and(|b| b & 0x7f == 101))
            .filter(|left| left.bytes.len() > 107)
            .count();
    }
    assert!(got >= 2_000, "{got}");
}

#[test]
fn an_encoder_that_begins_anew_with_its_pictures_is_followed() {
    let mut world = World::new();
    (0..2).for_each(|key| world.join(key));
    let producer = world.produce(0, MediaKind::Video, &video("v", one(10)));
    world.consume(1, producer);
    let mut pictures = Vec::new();
    for (sequence, picture) in (0..).zip([9_000, 9_001, 9_002, 0, 1, 2]) {
        world.rtp(0, &packets::frame(sequence, picture, picture == 9_000 || picture == 0));
        pictures.extend(world.media().iter().map(|left| vp8_numbers(left.rtp().payload()).0));
    }
    assert_eq!(pictures.len(), 6);
    assert!(pictures.windows(2).all(|pair| pair[1] == (pair[0] + 1) & 0x7fff), "{pictures:?}");
}

#[test]
fn numbers_that_are_taken_are_refused() {
    let mut world = World::new();
    world.join(0);
    world.produce(0, MediaKind::Video, &video("v", one(10)));
    let again = |world: &mut World, rtp, id| {
        world.router.produce(
            world.now,
            TransportKey(0),
            ProducerId::of_random(id),
            MediaKind::Video,
            &rtp,
            false,
        )
    };
    assert!(matches!(again(&mut world, video("w", one(11)), 50), Err(Refused::Invalid(_))), "11 is its RTX");
    assert!(matches!(again(&mut world, video("w", one(20)), 1), Err(Refused::Invalid(_))), "the id is taken");
    assert!(again(&mut world, video("w", one(20)), 51).is_ok());
    let unknown = world.router.produce(
        world.now,
        TransportKey(9),
        ProducerId::of_random(60),
        MediaKind::Video,
        &video("x", one(90)),
        false,
    );
    assert_eq!(unknown, Err(Refused::Unknown("transport")));
}

#[test]
fn a_header_at_all_its_limits_does_not_reach_receivers() {
    let mut world = World::new();
    (0..2).for_each(|key| world.join(key));
    let producer = world.produce(0, MediaKind::Video, &video("v", one(10)));
    world.consume(1, producer);
    let plain = frame(0);
    let payload = Packet::parse(&plain).unwrap().payload();
    // Fifteen CSRCs, and elements nobody knows, each as long as it can be.
    let mut bytes = plain[..12].to_vec();
    bytes[0] |= 0x1f;
    bytes.extend([7; 4 * 15]);
    let mut block: Vec<u8> = (200..204).flat_map(|id| [vec![id, 255], vec![0xaa; 255]].concat()).collect();
    block.resize(block.len().next_multiple_of(4), 0);
    bytes.extend([0x10, 0x00]);
    bytes.extend((block.len() as u16 / 4).to_be_bytes());
    bytes.extend(block);
    bytes.extend(payload);
    world.rtp(0, &bytes);
    let media = world.media();
    let packet = media[0].rtp();
    assert_eq!((media.len(), media[0].bytes[0] & 0x0f), (1, 0), "forwarders are no contributors");
    assert_eq!(packet.payload().len(), payload.len());
    assert!(packet.elements().all(|(id, _)| id < 15) && packet.bytes() < payload.len() + 60);
    // One CSRC more than there are bytes.
    world.rtp(0, &bytes[..12 + 4 * 14]);
    assert!(world.media().is_empty());
}

#[test]
fn an_ssrc_stays_with_whose_it_was() {
    let mut world = World::new();
    (0..3).for_each(|key| world.join(key));
    let first = world.produce(0, MediaKind::Video, &video("v", one(10)));
    let second = world.produce(0, MediaKind::Video, &video("w", rids(&["a", "b"])));
    let other = world.produce(1, MediaKind::Video, &video("v", one(10)));
    let ssrcs = [first, second, other].map(|producer| world.consume(2, producer).1);
    let mut counts = [0; 3];
    for sequence in 0..20_u16 {
        world.rtp(0, &frame(sequence));
        // Another terminal uses the same numbers, and one stream of the first says that it is another one of its own.
        world.rtp(1, &frame(sequence));
        let payload = packets::vp8(sequence, 0, 0, false, sequence == 0);
        for rid in [&b"a"[..], b"b"] {
            let claim = packets::Rtp {
                payload_type: VP8,
                has_marker: true,
                sequence,
                timestamp: 1,
                ssrc: 10,
                extensions: &[(MID, b"w"), (RID, rid)],
                payload: &payload,
            };
            world.rtp(0, &claim.bytes());
        }
        for left in world.media() {
            let of = ssrcs.iter().position(|ssrc| *ssrc == left.rtp().ssrc()).unwrap();
            counts[of] += 1;
        }
    }
    assert_eq!(counts, [20, 0, 20]);
}

#[test]
fn a_flood_of_requests_is_answered_within_bounds() {
    let mut world = World::new();
    (0..2).for_each(|key| world.join(key));
    let producer = world.produce(0, MediaKind::Video, &video("v", one(10)));
    let (_, ssrc, _) = world.consume(1, producer);
    (0..100).for_each(|sequence| world.rtp(0, &frame(sequence)));
    let first = world.media()[0].rtp().sequence();
    let all: Vec<u16> = (0..100).map(|step| first.wrapping_add(step)).collect();
    let mut plis = 0;
    let mut resent = 0;
    for _ in 0..1_000 {
        world.rtcp(1, |writer| {
            assert!(writer.nack(1, ssrc, &all).is_ok());
            assert!(writer.pli(1, ssrc).is_ok());
        });
        let left = world.flush();
        resent += left.iter().filter(|left| left.to == 1).count();
        plis += left.iter().filter(|left| left.to == 0).count();
        world.pass(Duration::from_millis(1)).len();
    }
    assert!(plis <= 6, "{plis} requests for key frames in a second");
    assert!(resent <= 100 * 10, "{resent}");
}
