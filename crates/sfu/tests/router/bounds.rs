//! What a peer may send at most, and clocks of senders that have none.

use std::time::Duration;

use taoyao_ortc::MediaKind;
use taoyao_sfu::TransportSetup;
use taoyao_sfu::rtcp::{NtpTime, Packet, SenderInfo};

use crate::packets::{Rtp, vp8};
use crate::world::{OPUS, VP8, World, audio, has_rtcp, one, video};

const MAX: u64 = 400_000;

/// 1,000 bytes of one picture.
fn picture(sequence: u16) -> Vec<u8> {
    let mut payload = vp8(sequence, 0, 0, false, sequence.is_multiple_of(100));
    payload.resize(988, 0);
    let timestamp = u32::from(sequence) * 900;
    Rtp {
        payload_type: VP8,
        has_marker: true,
        sequence,
        timestamp,
        ssrc: 10,
        extensions: &[],
        payload: &payload,
    }
    .bytes()
}

fn sound(sequence: u16) -> Vec<u8> {
    let timestamp = u32::from(sequence) * 960;
    Rtp {
        payload_type: OPUS,
        has_marker: false,
        sequence,
        timestamp,
        ssrc: 77,
        extensions: &[],
        payload: &[1; 60],
    }
    .bytes()
}

/// Ten seconds of sound and of pictures every so many milliseconds, from one transport to one viewer; the bytes of pictures
/// that the viewer gets in the last eight, and how much of the sound it gets.
fn through(setup: TransportSetup, picture_every_ms: u64) -> (usize, usize, bool) {
    let mut world = World::new();
    world.join_as(0, setup);
    world.join(1);
    let producer = world.produce(0, MediaKind::Video, &video("v", one(10)));
    let microphone = world.produce(0, MediaKind::Audio, &audio(77));
    let (_, picture_ssrc, _) = world.consume(1, producer);
    world.consume(1, microphone);
    let (mut pictures, mut sounds, mut is_asked) = (0, 0, false);
    for ms in 0..10_000_u64 {
        if ms % 20 == 0 {
            world.rtp(0, &sound((ms / 20) as u16));
        }
        if ms % picture_every_ms == 0 {
            world.rtp(0, &picture((ms / picture_every_ms) as u16));
        }
        let mut left = world.flush();
        left.extend(world.pass(Duration::from_millis(1)));
        is_asked |= ms > 2_000 && has_rtcp(&left, 0, |packet| matches!(packet, Packet::Pli { .. }));
        for one in left.iter().filter(|one| one.to == 1 && one.kind == taoyao_sfu::TransmitKind::Rtp) {
            match one.rtp().ssrc() == picture_ssrc {
                true => pictures += if ms >= 2_000 { one.bytes.len() } else { 0 },
                false => sounds += 1,
            }
        }
    }
    (pictures, sounds, is_asked)
}

#[test]
fn a_peer_that_does_not_listen_gets_no_more_through_than_it_may_send() {
    let bounded = TransportSetup { max_incoming_bitrate: Some(MAX), ..TransportSetup::default() };
    let (pictures, sounds, is_asked) = through(bounded, 2);
    let most = (MAX as usize / 8 * 5 / 4) * 8;
    assert!((most / 2..=most * 6 / 5).contains(&pictures), "{pictures} of {most} bytes");
    assert_eq!(sounds, 500, "sound goes on");
    assert!(is_asked, "pictures that go on need a key frame");
    let (pictures, ..) = through(TransportSetup::default(), 2);
    assert!(pictures > 5 * most, "nothing bounds the others: {pictures}");
}

#[test]
fn a_peer_that_stays_below_loses_nothing() {
    let bounded = TransportSetup { max_incoming_bitrate: Some(MAX), ..TransportSetup::default() };
    // 364 kbit/s of pictures, and sound.
    let (pictures, sounds, _) = through(bounded, 22);
    let (all, all_sounds, _) = through(TransportSetup::default(), 22);
    assert_eq!((pictures, sounds), (all, all_sounds));
}

#[test]
fn a_report_without_a_time_says_nothing() {
    let mut world = World::new();
    (0..2).for_each(|key| world.join(key));
    let producer = world.produce(0, MediaKind::Video, &video("v", one(10)));
    let (consumer, ..) = world.consume(1, producer);
    world.rtp(0, &picture(100));
    world.flush();
    let report = |world: &mut World, ntp: NtpTime, rtp| {
        let info = SenderInfo { ntp, rtp, packets: 1, octets: 1 };
        world.rtcp(0, |writer| assert!(writer.sender_report(10, &info, &[]).is_ok()));
    };
    report(&mut world, NtpTime(0), 5);
    let now = world.now();
    assert_eq!(world.router.clock_of(now, consumer), None);
    report(&mut world, NtpTime::from_unix_us(5_000_000_000), 90_000);
    let told = world.router.clock_of(now, consumer);
    assert!(told.is_some());
    report(&mut world, NtpTime(0), 7);
    assert_eq!(world.router.clock_of(now, consumer), told);
}
