//! One stream to many receivers: numbers, pauses, sound, and what is sent again.

use std::time::Duration;

use taoyao_ortc::{Happening, MediaKind, router_capabilities};
use taoyao_sfu::rtcp::Packet;
use taoyao_sfu::{RouterConfig, TransmitKind};

use crate::packets::{self, Rtp, vp8, vp8_numbers};
use crate::world::{OPUS, VP8_RTX, World, audio, has_rtcp, one, video};

fn frame(sequence: u16, is_key: bool) -> Vec<u8> {
    packets::frame(sequence, sequence, is_key)
}

fn sound(sequence: u16, level: u8, ssrc: u32) -> Vec<u8> {
    let timestamp = u32::from(sequence) * 960;
    let extensions: &[(u8, &[u8])] = &[(10, &[level])];
    Rtp { payload_type: OPUS, has_marker: false, sequence, timestamp, ssrc, extensions, payload: &[1; 60] }
        .bytes()
}

#[test]
fn sound_reaches_all_but_those_who_paused_and_in_one_run_each() {
    let mut world = World::new();
    (0..4).for_each(|key| world.join(key));
    let producer = world.produce(0, MediaKind::Audio, &audio(10));
    let ssrcs: Vec<u32> = (1..3).map(|key| world.consume(key, producer).1).collect();
    world.consume_paused(3, producer);
    (0..5).for_each(|sequence| world.rtp(0, &sound(65_534_u16.wrapping_add(sequence), 30, 10)));
    let media = world.media();
    assert_eq!(media.iter().map(|left| left.to).collect::<Vec<_>>(), [1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
    for (key, ssrc) in (1..3).zip(ssrcs) {
        let own: Vec<_> = media.iter().filter(|left| left.to == key).collect();
        let first = own[0].rtp().sequence();
        for (step, left) in (0..).zip(own) {
            let packet = left.rtp();
            assert_eq!((packet.ssrc(), packet.payload_type()), (ssrc, 100));
            assert_eq!(packet.sequence(), first.wrapping_add(step));
            assert_eq!(packet.element(10), Some(&[30_u8][..]), "the level is passed on");
            assert_eq!(packet.payload(), [1; 60]);
        }
    }
}

#[test]
fn video_begins_with_a_key_frame_that_was_asked_for() {
    let mut world = World::new();
    (0..2).for_each(|key| world.join(key));
    let producer = world.produce(0, MediaKind::Video, &video("v", one(10)));
    let (consumer, ssrc, _) = world.consume(1, producer);
    assert!(has_rtcp(&world.flush(), 0, |packet| matches!(packet, Packet::Pli { media: 10, .. })));
    world.rtp(0, &frame(1, false));
    assert!(world.media().is_empty());
    world.rtp(0, &frame(2, true));
    world.rtp(0, &frame(3, false));
    assert_eq!(world.media().len(), 2);
    world.router.pause_consumer(world.now, consumer, true);
    world.rtp(0, &frame(4, false));
    assert!(world.media().is_empty());
    world.pass(Duration::from_secs(1));
    world.router.pause_consumer(world.now, consumer, false);
    assert!(has_rtcp(&world.flush(), 0, |packet| matches!(packet, Packet::Pli { media: 10, .. })));
    world.rtp(0, &frame(5, true));
    let media = world.media();
    assert_eq!(media.len(), 1);
    assert_eq!(media[0].rtp().ssrc(), ssrc);
}

#[test]
fn pauses_leave_no_gap_in_any_number() {
    let mut world = World::new();
    (0..2).for_each(|key| world.join(key));
    let producer = world.produce(0, MediaKind::Video, &video("v", one(10)));
    let (consumer, _, _) = world.consume(1, producer);
    world.rtp(0, &frame(100, true));
    let before = world.media().remove(0);
    world.router.pause_consumer(world.now, consumer, true);
    (101..200).for_each(|sequence| world.rtp(0, &frame(sequence, false)));
    world.router.pause_consumer(world.now, consumer, false);
    world.rtp(0, &frame(200, true));
    let after = world.media().remove(0);
    assert_eq!(after.rtp().sequence(), before.rtp().sequence().wrapping_add(1));
    assert_eq!(vp8_numbers(after.rtp().payload()).0, (vp8_numbers(before.rtp().payload()).0 + 1) & 0x7fff);
    assert_eq!(after.rtp().timestamp(), before.rtp().timestamp() + 100 * 3_000, "time goes on");
}

#[test]
fn a_lost_packet_is_sent_again_under_its_own_stream_and_not_too_often() {
    let mut world = World::new();
    (0..2).for_each(|key| world.join(key));
    let producer = world.produce(0, MediaKind::Video, &video("v", one(10)));
    let (_, ssrc, rtx) = world.consume(1, producer);
    (0..10).for_each(|sequence| world.rtp(0, &frame(sequence, sequence == 0)));
    let media = world.media();
    let lost = media[4].rtp();
    let ask = |world: &mut World| {
        world.rtcp(1, |writer| assert!(writer.nack(1, ssrc, &[lost.sequence()]).is_ok()));
        world.media()
    };
    let again = ask(&mut world);
    let packet = again[0].rtp();
    assert_eq!((packet.ssrc(), packet.payload_type()), (rtx.unwrap(), 102));
    assert_eq!(packet.timestamp(), lost.timestamp());
    assert_eq!(packet.payload()[..2], lost.sequence().to_be_bytes());
    assert_eq!(packet.payload()[2..], *lost.payload());
    assert!(ask(&mut world).is_empty(), "once in a round trip");
    world.pass(Duration::from_millis(200));
    assert_eq!(ask(&mut world)[0].rtp().sequence(), packet.sequence().wrapping_add(1));
    world.rtcp(1, |writer| assert!(writer.nack(1, ssrc, &[lost.sequence().wrapping_sub(100)]).is_ok()));
    assert!(world.media().is_empty(), "never sent");
}

/// Two packets of one number with different stamps, sealed under one key, give AES-GCM's authentication away.
#[test]
fn nothing_is_sent_twice_under_one_number() {
    let mut world = World::new();
    (0..2).for_each(|key| world.join(key));
    let producer = world.produce(0, MediaKind::Video, &video("v", one(10)));
    let mut capabilities = router_capabilities();
    capabilities.codecs.retain(|codec| codec.mime_type != "video/rtx");
    let (consumer, rtp) = world.consume_by(1, producer, &capabilities);
    assert_eq!(rtp.encodings[0].rtx, None);
    world.router.pause_consumer(world.now, consumer, false);
    (0..10).for_each(|sequence| world.rtp(0, &frame(sequence, sequence == 0)));
    let lost = world.media()[4].rtp().sequence();
    world.pass(Duration::from_millis(200));
    let ssrc = rtp.encodings[0].ssrc.unwrap();
    world.rtcp(1, |writer| assert!(writer.nack(1, ssrc, &[lost]).is_ok()));
    assert!(world.media().is_empty(), "there is no stream for it");
}

#[test]
fn what_the_router_misses_it_asks_for_and_takes_from_retransmissions() {
    let mut world = World::new();
    (0..2).for_each(|key| world.join(key));
    let producer = world.produce(0, MediaKind::Video, &video("v", one(10)));
    world.consume(1, producer);
    world.flush();
    world.rtp(0, &frame(65_534, true));
    world.rtp(0, &frame(0, false));
    let left = world.flush();
    assert!(has_rtcp(&left, 0, |packet| {
        matches!(packet, Packet::Nack(nack) if nack.sequences().eq([65_535]))
    }));
    let mut payload = 65_535_u16.to_be_bytes().to_vec();
    payload.extend(vp8(65_535, 0, 0, false, false));
    let again = Rtp {
        payload_type: VP8_RTX,
        has_marker: true,
        sequence: 9,
        timestamp: 7,
        ssrc: 11,
        extensions: &[],
        payload: &payload,
    };
    world.rtp(0, &again.bytes());
    world.rtp(0, &again.bytes());
    let media: Vec<_> = left.into_iter().filter(|left| left.kind == TransmitKind::Rtp).collect();
    let repaired = world.media();
    assert_eq!(repaired.len(), 1, "once");
    assert_eq!(repaired[0].rtp().sequence(), media[0].rtp().sequence().wrapping_add(1));
    assert_eq!(media[1].rtp().sequence(), media[0].rtp().sequence().wrapping_add(2));
    let stats = world.router.producer_stats(world.now(), producer).unwrap();
    let stat = |name| serde_json::to_value(stats[0].get(name).unwrap()).unwrap();
    assert_eq!((stat("packetsLost"), stat("nackCount"), stat("packetCount")), (0.into(), 1.into(), 3.into()));
    assert_eq!((stat("packetsRepaired"), stat("rtxPacketsDiscarded")), (1.into(), 1.into()));
}

#[test]
fn volumes_and_the_speaker_are_told_and_only_the_last_speakers_are_forwarded() {
    let mut world = World::with(RouterConfig { last_speakers: Some(1), ..RouterConfig::default() });
    (0..3).for_each(|key| world.join(key));
    let producers = [0, 1].map(|key| world.produce(key, MediaKind::Audio, &audio(10)));
    for producer in producers {
        world.consume(2, producer);
    }
    let mut heard = Vec::new();
    for sequence in 0..100 {
        world.rtp(0, &sound(sequence, 80, 10));
        world.rtp(1, &sound(sequence, 20, 10));
        world.pass(Duration::from_millis(20)).len();
        heard.extend(world.media());
        world.flush();
    }
    let events = world.events();
    let volumes = vec![(producers[1], -20), (producers[0], -80)];
    assert!(events.contains(&Happening::Volumes { volumes }));
    assert!(events.contains(&Happening::DominantSpeaker { producer: producers[1] }));
    let last = heard.last().unwrap().rtp();
    assert_eq!(last.element(10), Some(&[20_u8][..]), "the loud one alone is forwarded");
}

#[test]
fn who_is_heard_again_goes_on_without_a_gap() {
    let mut world = World::with(RouterConfig { last_speakers: Some(1), ..RouterConfig::default() });
    (0..3).for_each(|key| world.join(key));
    let ssrcs = [0, 1].map(|key| {
        let producer = world.produce(key, MediaKind::Audio, &audio(10));
        world.consume(2, producer).1
    });
    let mut heard = [Vec::new(), Vec::new()];
    for sequence in 0..600 {
        // They speak by turns, three seconds each.
        let levels = if sequence / 150 % 2 == 0 { [20, 90] } else { [90, 20] };
        world.rtp(0, &sound(sequence, levels[0], 10));
        world.rtp(1, &sound(sequence, levels[1], 10));
        for left in world.media() {
            let packet = left.rtp();
            let speaker = usize::from(packet.ssrc() == ssrcs[1]);
            heard[speaker].push((packet.sequence(), packet.timestamp()));
        }
        world.pass(Duration::from_millis(20));
    }
    for heard in heard {
        assert!((240..360).contains(&heard.len()), "half of the time: {}", heard.len());
        assert!(heard.windows(2).all(|pair| pair[1].0 == pair[0].0.wrapping_add(1)));
        assert!(heard.windows(2).any(|pair| pair[1].1.wrapping_sub(pair[0].1) > 100 * 960), "time went on");
    }
}

#[test]
fn everything_goes_with_its_transport() {
    let mut world = World::new();
    (0..3).for_each(|key| world.join(key));
    let producer = world.produce(0, MediaKind::Video, &video("v", one(10)));
    let (consumer, _, _) = world.consume(1, producer);
    let (other, _, _) = world.consume(2, producer);
    world.rtp(0, &frame(1, true));
    world.router.remove_transport(taoyao_sfu::TransportKey(1));
    assert!(world.router.consumer_stats(world.now(), consumer).is_none());
    assert_eq!(world.media().len(), 1, "the other one's");
    world.rtp(0, &frame(2, false));
    world.router.remove_transport(taoyao_sfu::TransportKey(0));
    assert!(world.router.consumer_stats(world.now(), other).is_none());
    assert!(world.media().is_empty());
    world.router.remove_transport(taoyao_sfu::TransportKey(2));
    assert_eq!(world.router.poll_timeout(), None);
}

/// A camera that is switched off and on goes on under its old SSRC with any numbers.
#[test]
fn a_sender_that_begins_anew_is_heard_from_its_second_packet_on() {
    for (first, lost) in [(500, 0), (9_000, 1), (9_897, 1), (9_950, 24), (30_000, 0), (60_000, 0)] {
        let mut world = World::new();
        (0..2).for_each(|key| world.join(key));
        let producer = world.produce(0, MediaKind::Audio, &audio(10));
        world.consume(1, producer);
        (9_000..10_000).for_each(|sequence| world.rtp(0, &sound(sequence, 30, 10)));
        let before = world.media();
        world.pass(Duration::from_millis(20));
        (0..100).for_each(|step| world.rtp(0, &sound(first + step, 30, 10)));
        let after = world.media();
        assert_eq!((before.len(), after.len()), (1_000, 100 - lost), "{first}");
        let all: Vec<_> = before.iter().chain(&after).collect();
        for pair in all.windows(2) {
            let (one, next) = (pair[0].rtp(), pair[1].rtp());
            assert_eq!(next.sequence(), one.sequence().wrapping_add(1), "{first}");
            let step = next.timestamp().wrapping_sub(one.timestamp());
            assert!((960..=1_920).contains(&step), "{first}: time goes on, {step}");
        }
    }
}

#[test]
fn who_receives_nothing_yet_is_told_when_its_stream_was_last_heard() {
    let mut world = World::new();
    (0..2).for_each(|key| world.join(key));
    let producer = world.produce(0, MediaKind::Audio, &audio(10));
    let (consumer, _) = world.consume_paused(1, producer);
    let heard = |world: &World| {
        let now = world.now();
        let stats = world.router.consumer_stats(now, consumer).unwrap();
        let ago = |name| stats.get(1)?.get(name).map(|told| (told.clone(), now.wall.0));
        (ago("firstPacketReceivedTimestamp"), ago("lastPacketReceivedTimestamp"))
    };
    assert_eq!(heard(&world), (None, None));
    let begun = world.now().wall.0;
    world.rtp(0, &sound(1, 30, 10));
    world.pass(Duration::from_secs(3));
    let again = world.now().wall.0;
    world.rtp(0, &sound(2, 30, 10));
    world.pass(Duration::from_secs(2));
    let now = world.now().wall.0;
    assert_eq!(heard(&world), (Some((begun.into(), now)), Some((again.into(), now))));
}
