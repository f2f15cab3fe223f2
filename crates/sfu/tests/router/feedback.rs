//! Reports, transport-wide feedback, and a network that loses and reorders.

use std::time::Duration;

use taoyao_ortc::{Happening, MediaKind};
use taoyao_sfu::TransmitKind;
use taoyao_sfu::TransportSetup;
use taoyao_sfu::rtcp::{NtpTime, Packet, Packets, ReportBlock, SenderInfo, TransportFeedbackHead};

use crate::packets::{Rtp, vp8};
use crate::world::{Left, TRANSPORT_CC, VP8, World, has_rtcp, one, video};

fn frame(sequence: u16, transport_number: u16) -> Vec<u8> {
    let payload = vp8(sequence, 0, 0, false, sequence.is_multiple_of(50));
    Rtp {
        payload_type: VP8,
        has_marker: true,
        sequence,
        timestamp: u32::from(sequence) * 900,
        ssrc: 10,
        extensions: &[(TRANSPORT_CC, &transport_number.to_be_bytes())],
        payload: &payload,
    }
    .bytes()
}

#[test]
fn both_ends_get_their_reports() {
    let mut world = World::new();
    (0..2).for_each(|key| world.join(key));
    let producer = world.produce(0, MediaKind::Video, &video("v", one(10)));
    let (consumer, ssrc, _) = world.consume(1, producer);
    let info = SenderInfo { ntp: NtpTime::from_unix_us(5_000_000), rtp: 900, packets: 1, octets: 1 };
    world.rtcp(0, |writer| assert!(writer.sender_report(10, &info, &[]).is_ok()));
    let mut left = Vec::new();
    for sequence in 0..300 {
        world.rtp(0, &frame(sequence, sequence));
        left.extend(world.flush());
        left.extend(world.pass(Duration::from_millis(10)));
    }
    assert!(has_rtcp(&left, 0, |packet| {
        matches!(packet, Packet::ReceiverReport(report) if report.blocks().any(|block| {
            block.ssrc == 10 && block.fraction_lost == 0 && block.last_report == info.ntp.middle()
        }))
    }));
    assert!(has_rtcp(&left, 0, |packet| matches!(packet, Packet::TransportFeedback(_))));
    assert!(has_rtcp(&left, 1, |packet| {
        matches!(packet, Packet::Description(told) if told.cnames().any(|(of, name)| {
            of == ssrc && name == Some(b"cname")
        }))
    }));
    let reports: Vec<SenderInfo> = left
        .iter()
        .filter(|left| left.to == 1 && left.kind == TransmitKind::Rtcp)
        .flat_map(|left| Packets::new(&left.bytes).flatten())
        .filter_map(|packet| match packet {
            Packet::SenderReport(report) if report.ssrc == ssrc => Some(report.info),
            _ => None,
        })
        .collect();
    assert!(reports.len() >= 2);
    let (first, last) = (reports[0], reports[reports.len() - 1]);
    let seconds = (last.ntp.0 - first.ntp.0) as f64 / 2_f64.powi(32);
    let ticks = f64::from(last.rtp.wrapping_sub(first.rtp));
    assert!((ticks / 90_000.0 - seconds).abs() < 0.001, "both clocks run alike: {ticks} in {seconds} s");

    let block =
        ReportBlock { ssrc, fraction_lost: 128, last_report: last.ntp.middle(), ..ReportBlock::default() };
    world.rtcp(1, |writer| assert!(writer.receiver_report(1, &[block]).is_ok()));
    let stats = world.router.consumer_stats(world.now(), consumer).unwrap();
    assert!(stats[0].get("roundTripTime").is_some());
    world.pass(Duration::from_secs(2));
    let lower = |event: &Happening| matches!(event, Happening::ConsumerScore { score, .. } if *score < 10);
    assert!(world.events().iter().any(lower));
}

#[test]
fn a_lossy_way_is_repaired_at_both_ends() {
    let mut world = World::new();
    (0..2).for_each(|key| world.join(key));
    let producer = world.produce(0, MediaKind::Video, &video("v", one(10)));
    let (_, ssrc, rtx) = world.consume(1, producer);
    let mut random = fastrand::Rng::with_seed(5);
    let mut got = std::collections::BTreeSet::new();
    let mut resent = Vec::<u16>::new();
    let mut first = None;
    for sequence in 0..2_000_u16 {
        if random.f32() < 0.95 {
            world.rtp(0, &frame(sequence, sequence));
        }
        for again in std::mem::take(&mut resent) {
            let mut payload = again.to_be_bytes().to_vec();
            payload.extend(vp8(again, 0, 0, false, again.is_multiple_of(50)));
            let timestamp = u32::from(again) * 900;
            let packet = Rtp {
                payload_type: 97,
                has_marker: true,
                sequence: again,
                timestamp,
                ssrc: 11,
                extensions: &[],
                payload: &payload,
            };
            world.rtp(0, &packet.bytes());
        }
        let mut left = world.flush();
        left.extend(world.pass(Duration::from_millis(10)));
        for one in &left {
            if one.to == 0 {
                for packet in Packets::new(&one.bytes).flatten() {
                    if let Packet::Nack(nack) = packet {
                        resent.extend(nack.sequences());
                    }
                }
            } else if one.kind == TransmitKind::Rtp && random.f32() < 0.95 {
                let packet = one.rtp();
                let number = if Some(packet.ssrc()) == rtx {
                    u16::from_be_bytes([packet.payload()[0], packet.payload()[1]])
                } else {
                    packet.sequence()
                };
                got.insert(number.wrapping_sub(*first.get_or_insert(number)));
            }
        }
        let highest = got.iter().copied().filter(|n| *n < 40_000).max().unwrap_or(0);
        let missing: Vec<u16> = (highest.saturating_sub(60)..highest)
            .filter(|number| !got.contains(number))
            .map(|number| number.wrapping_add(first.unwrap_or(0)))
            .collect();
        if !missing.is_empty() {
            world.rtcp(1, |writer| assert!(writer.nack(1, ssrc, &missing).is_ok()));
        }
    }
    let missing = (0..1_850).filter(|number| !got.contains(number)).count();
    assert!(missing <= 2, "{missing} of 1,850 are missing in the end");
}

/// Answers transport-wide numbers as a receiver at the end of a way of 20 ms does.
fn answer(world: &mut World, left: &[Left], number: &mut u8) -> usize {
    let mut told: Vec<u16> = left
        .iter()
        .filter(|left| left.to == 1 && left.kind == TransmitKind::Rtp)
        .filter_map(|left| left.rtp().element(5).map(|value| u16::from_be_bytes([value[0], value[1]])))
        .collect();
    told.sort_unstable();
    let Some(&base) = told.first() else { return 0 };
    let arrived = world.now.0.cast_signed() + 20_000;
    let last = told[told.len() - 1];
    let arrivals = (base..=last).map(|one| told.contains(&one).then_some(arrived));
    let head = TransportFeedbackHead { sender: 1, media: 1, base, number: *number };
    *number = number.wrapping_add(1);
    world.rtcp(1, |writer| assert!(writer.transport_feedback(head, arrivals).is_ok()));
    left.iter()
        .filter(|left| left.to == 1 && left.kind == TransmitKind::Rtp && left.bytes[0] & 0x20 != 0)
        .count()
}

#[test]
fn a_wide_way_is_found_to_be_wide_by_padding() {
    let mut world = World::new();
    world.join(0);
    world.join_as(1, TransportSetup { has_congestion_control: true, ..TransportSetup::default() });
    let producer = world.produce(0, MediaKind::Video, &video("v", one(10)));
    let (consumer, _, _) = world.consume(1, producer);
    let (mut number, mut padded) = (0, 0);
    let available = |world: &World| {
        let stats = world.router.transport_stats(world.now(), taoyao_sfu::TransportKey(1)).unwrap();
        serde_json::to_value(stats[0].get("availableOutgoingBitrate").unwrap()).unwrap().as_u64().unwrap()
    };
    let before = available(&world);
    for sequence in 0..3_000 {
        // Each packet is eight times a frame of these tests: about 800 kbit/s.
        for part in 0..8 {
            world.rtp(0, &frame(sequence * 8 + part, sequence * 8 + part));
        }
        let mut left = world.flush();
        left.extend(world.pass(Duration::from_millis(10)));
        left.extend(world.flush());
        padded += answer(&mut world, &left, &mut number);
    }
    assert!(padded > 0, "probes were sent");
    assert!(available(&world) > 2 * before, "{before} became {}", available(&world));
    let stats = world.router.consumer_stats(world.now(), consumer).unwrap();
    assert!(stats[0].get("bitrate").is_some());
}

#[test]
fn a_narrow_way_gets_less_once_it_is_known() {
    let mut world = World::new();
    world.join(0);
    world.join_as(1, TransportSetup { has_congestion_control: true, ..TransportSetup::default() });
    let producer = world.produce(0, MediaKind::Video, &video("v", one(10)));
    let (_, _, _) = world.consume(1, producer);
    world.rtcp(1, |writer| assert!(writer.remb(1, 200_000, &[1]).is_ok()));
    for sequence in 0..100 {
        world.rtp(0, &frame(sequence, sequence));
        world.flush();
        world.pass(Duration::from_millis(10));
    }
    let stats = world.router.transport_stats(world.now(), taoyao_sfu::TransportKey(1)).unwrap();
    let available = serde_json::to_value(stats[0].get("availableOutgoingBitrate").unwrap()).unwrap();
    assert!(available.as_u64().unwrap() <= 200_000, "{available}");
}

/// RFC 3550, section 6.4.1: a sender that knows no time writes 0, and then its report says nothing of its clock.
#[test]
fn a_report_without_a_time_is_never_taken_for_one() {
    let timestamps = |reports: &[SenderInfo]| {
        let mut world = World::new();
        (0..2).for_each(|key| world.join(key));
        let producer = world.produce(0, MediaKind::Video, &video("v", one(10)));
        let (_, ssrc, _) = world.consume(1, producer);
        let mut left = Vec::new();
        for sequence in 0..300 {
            if let Some(info) = reports.get(usize::from(sequence)) {
                world.rtcp(0, |writer| assert!(writer.sender_report(10, info, &[]).is_ok()));
            }
            world.rtp(0, &frame(sequence, sequence));
            left.extend(world.flush());
            left.extend(world.pass(Duration::from_millis(10)));
        }
        let told: Vec<_> = left
            .iter()
            .filter(|left| left.kind == TransmitKind::Rtcp)
            .flat_map(|left| Packets::new(&left.bytes).flatten().map(|packet| (left.to, packet)))
            .filter_map(|(to, packet)| match packet {
                Packet::SenderReport(report) if to == 1 && report.ssrc == ssrc => Some(report.info.rtp),
                Packet::ReceiverReport(report) if to == 0 => {
                    report.blocks().next().map(|block| block.last_report)
                }
                _ => None,
            })
            .collect();
        assert!(told.len() > 3, "{told:?}");
        told
    };
    let info = |ntp, rtp| SenderInfo { ntp, rtp, packets: 1, octets: 1 };
    let nothing = info(NtpTime(0), 0xdead_beef);
    assert_eq!(timestamps(&[nothing, nothing]), timestamps(&[]), "as if it had not come");
    let told = info(NtpTime::from_unix_us(5_000_000), 77_000);
    assert_eq!(timestamps(&[told, nothing]), timestamps(&[told]), "what was told before goes on");
    assert_ne!(timestamps(&[told]), timestamps(&[]));
}
