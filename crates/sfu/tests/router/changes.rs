//! What senders do in the middle of a stream: other sizes, other payload types, another way up, an end that is none.

use std::time::Duration;

use taoyao_ortc::{Encoding, Happening, MediaKind};
use taoyao_sfu::TransmitKind;
use taoyao_sfu::rtcp::{NtpTime, Packet, Packets, SenderInfo};

use crate::packets::{self, Rtp, vp8};
use crate::world::{OPUS, VP8, World, audio, has_rtcp, one, video};

/// The numbers of extensions and payload types that these senders never agreed on.
const UNKNOWN: u8 = 13;
const ORIENTATION: u8 = 11;

fn video_packet(sequence: u16, payload_type: u8, extensions: &[(u8, &[u8])]) -> Vec<u8> {
    let payload = vp8(sequence, 0, 0, false, sequence == 0);
    let timestamp = u32::from(sequence) * 3_000;
    Rtp { payload_type, has_marker: true, sequence, timestamp, ssrc: 10, extensions, payload: &payload }
        .bytes()
}

/// A room in which one terminal sends video to another.
fn room() -> World {
    let mut world = World::new();
    (0..2).for_each(|key| world.join(key));
    let producer = world.produce(0, MediaKind::Video, &video("v", one(10)));
    world.consume(1, producer);
    world.flush();
    world
}

#[test]
fn a_picture_may_become_another_size_at_a_key_frame_of_its_own() {
    let mut world = room();
    let mut last = None;
    for sequence in 0..60 {
        // The first one was asked for; what an encoder does by itself needs no request.
        world.rtp(0, &packets::frame(sequence, sequence, sequence % 30 == 0));
        let left = world.flush();
        assert!(!has_rtcp(&left, 0, |packet| matches!(packet, Packet::Pli { .. })));
        let media: Vec<_> = left.iter().filter(|left| left.kind == TransmitKind::Rtp).collect();
        assert_eq!(media.len(), 1);
        let sequence = media[0].rtp().sequence();
        assert!(last.replace(sequence).is_none_or(|last: u16| sequence == last.wrapping_add(1)));
    }
}

#[test]
fn a_payload_type_that_was_not_agreed_on_gets_to_nobody() {
    let mut world = room();
    for sequence in 0..30 {
        world.rtp(0, &video_packet(sequence, VP8, &[]));
        // Under numbers of its own: the stream's must not follow them.
        world.rtp(0, &video_packet(20_000 + sequence, UNKNOWN, &[]));
    }
    let sequences: Vec<u16> = world.media().iter().map(|left| left.rtp().sequence()).collect();
    assert_eq!(sequences.len(), 30);
    assert!(sequences.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)));
}

#[test]
fn another_way_up_is_told_once() {
    let mut world = room();
    for (sequence, byte) in (0..).zip([0_u8, 0, 0b1101, 0b1101, 0]) {
        world.rtp(0, &video_packet(sequence, VP8, &[(ORIENTATION, &[byte])]));
    }
    let turned: Vec<_> = world
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Happening::OrientationChanged { camera, flip, rotation, .. } => Some((camera, flip, rotation)),
            _ => None,
        })
        .collect();
    assert_eq!(turned, [(false, false, 0), (true, true, 90), (false, false, 0)]);
}

#[test]
fn a_goodbye_is_a_stop_and_what_follows_goes_on() {
    let mut world = room();
    let scores = |world: &mut World| {
        let told = world.events().into_iter().filter_map(|event| match event {
            Happening::ProducerScore { scores, .. } => scores.first().map(|score| score.score),
            _ => None,
        });
        told.collect::<Vec<_>>()
    };
    world.rtp(0, &packets::frame(0, 0, true));
    world.pass(Duration::from_millis(1_300));
    assert_eq!(scores(&mut world).last(), Some(&10));
    world.rtp(0, &packets::frame(1, 1, false));
    world.rtcp(0, |writer| assert!(writer.bye(&[10, 99]).is_ok()));
    world.pass(Duration::from_millis(1_300));
    assert_eq!(scores(&mut world).last(), Some(&0));
    world.flush();
    world.rtp(0, &packets::frame(2, 2, false));
    assert_eq!(world.media().len(), 1);
    world.pass(Duration::from_millis(1_300));
    assert_eq!(scores(&mut world).last(), Some(&10));
}

#[test]
fn a_size_that_says_goodbye_is_left_at_once() {
    let mut world = World::new();
    (0..2).for_each(|key| world.join(key));
    let sizes = [100, 200].map(|ssrc| Encoding { ssrc: Some(ssrc), ..Encoding::default() });
    let producer = world.produce(0, MediaKind::Video, &video("v", sizes.into()));
    world.consume(1, producer);
    let mut asked = Vec::new();
    for sequence in 0..100 {
        let mut left = Vec::new();
        for (size, ssrc) in [100, 200].into_iter().enumerate().take(if sequence < 80 { 2 } else { 1 }) {
            let payload = vp8(sequence, 0, 0, false, sequence.is_multiple_of(20) && sequence < 80);
            let packet = Rtp {
                payload_type: VP8,
                has_marker: true,
                sequence: sequence + 1_000 * size as u16,
                timestamp: u32::from(sequence) * 3_000,
                ssrc,
                extensions: &[],
                payload: &payload,
            };
            world.rtp(0, &packet.bytes());
            left.extend(world.flush());
        }
        if sequence == 80 {
            world.rtcp(0, |writer| assert!(writer.bye(&[200]).is_ok()));
        }
        left.extend(world.flush());
        let asks_small = |packet: &Packet<'_>| matches!(packet, Packet::Pli { media: 100, .. });
        if sequence > 70 && has_rtcp(&left, 0, asks_small) {
            asked.push(sequence);
        }
        world.pass(Duration::from_millis(33));
    }
    assert_eq!(asked.first(), Some(&80), "the small one is wanted");
}

#[test]
fn who_knows_no_picture_loss_indication_is_asked_otherwise() {
    let mut world = World::new();
    (0..2).for_each(|key| world.join(key));
    let mut rtp = video("v", one(10));
    rtp.codecs[0].rtcp_feedback.retain(|feedback| feedback.parameter != "pli");
    let producer = world.produce(0, MediaKind::Video, &rtp);
    world.consume(1, producer);
    world.rtp(0, &packets::frame(0, 0, false));
    let mut left = world.flush();
    left.extend(world.pass(Duration::from_secs(3)));
    let rtcp = left.iter().filter(|left| left.to == 0 && left.kind == TransmitKind::Rtcp);
    let numbers: Vec<u8> = rtcp
        .flat_map(|left| Packets::new(&left.bytes).flatten())
        .flat_map(|packet| match packet {
            Packet::Fir(fir) => {
                fir.entries().map(|(media, number)| (media == 10).then_some(number)).collect()
            }
            _ => Vec::new(),
        })
        .flatten()
        .collect();
    assert!(
        numbers.len() >= 2 && numbers.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)),
        "{numbers:?}"
    );
}

/// What players keep sound and picture together by: both reports of a terminal lead from what was taken at one moment to
/// one moment.
#[test]
fn sound_and_picture_of_one_moment_have_one_time() {
    const ELAPSED_US: u64 = 7_000_000;
    let mut world = World::new();
    (0..2).for_each(|key| world.join(key));
    let picture = world.produce(0, MediaKind::Video, &video("v", one(10)));
    let sound = world.produce(0, MediaKind::Audio, &audio(77));
    let picture = world.consume(1, picture).1;
    let sound = world.consume(1, sound).1;
    // The sender's wall clock is hours off, its reports come apart, and the way of the second one takes longer.
    let report = |world: &mut World, ssrc, us: u64, rtp| {
        let ntp = NtpTime::from_unix_us(5_000_000_000 + us);
        let info = SenderInfo { ntp, rtp, packets: 1, octets: 1 };
        world.rtcp(0, |writer| assert!(writer.sender_report(ssrc, &info, &[]).is_ok()));
    };
    report(&mut world, 10, 0, 1_000);
    world.pass(Duration::from_millis(90));
    report(&mut world, 77, 40_000, 500_000);
    let mut left = Vec::new();
    for sequence in 0..100_u16 {
        world.rtp(0, &packets::frame(sequence, sequence, sequence == 0));
        let timestamp = u32::from(sequence) * 960;
        let payload = &[1; 60];
        let extensions = &[];
        let packet =
            Rtp { payload_type: OPUS, has_marker: false, sequence, timestamp, ssrc: 77, extensions, payload };
        world.rtp(0, &packet.bytes());
        left.extend(world.flush());
        left.extend(world.pass(Duration::from_millis(30)));
    }
    // What the receiver takes for the moment of these timestamps, which were taken together.
    let moment = |ssrc: u32, rtp: u32, clock_rate: f64| {
        let told = left.iter().filter(|left| left.to == 1 && left.kind == TransmitKind::Rtcp);
        let reports =
            told.flat_map(|left| Packets::new(&left.bytes).flatten()).filter_map(|packet| match packet {
                Packet::SenderReport(report) if report.ssrc == ssrc => Some(report.info),
                _ => None,
            });
        let info = reports.last().expect("there are reports");
        let distance = f64::from(rtp.wrapping_sub(info.rtp).cast_signed()) / clock_rate;
        info.ntp.0 as f64 / 2_f64.powi(32) + distance
    };
    let picture = moment(picture, 1_000 + (ELAPSED_US / 100 * 9) as u32, 90_000.0);
    let sound = moment(sound, 500_000 + ((ELAPSED_US - 40_000) / 1_000 * 48) as u32, 48_000.0);
    assert!((picture - sound).abs() < 0.002, "{} ms apart", (picture - sound) * 1_000.0);
}
