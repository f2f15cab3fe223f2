//! RTCP against another implementation of it, both ways, and against garbage.

use rtcp_types::prelude::*;
use rtcp_types::{Compound, Fir, Nack, Packet as Other, Pli, Twcc, TwccPacketStatus};
use taoyao_sfu::rtcp::{
    DelayBlock, ExtendedBlock, NtpTime, Packet, Packets, ReportBlock, SenderInfo, TransportFeedbackHead,
    Writer,
};

const SENDER: u32 = 0x0102_0304;
const MEDIA: u32 = 0xa1b2_c3d4;

fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut buffer = [0xee; 1_500];
    let mut writer = Writer::new(&mut buffer);
    write(&mut writer);
    let len = writer.len();
    buffer[..len].to_vec()
}

fn only(bytes: &[u8]) -> Packet<'_> {
    let mut packets = Packets::new(bytes);
    let packet = packets.next().expect("there is one").expect("it is good");
    assert!(packets.next().is_none());
    packet
}

fn block() -> ReportBlock {
    ReportBlock {
        ssrc: MEDIA,
        fraction_lost: 17,
        lost: 70_000,
        highest: 0x0001_fffe,
        jitter: 99,
        last_report: 0x1234_5678,
        delay: 65_536,
    }
}

#[test]
fn the_other_reads_our_compound_of_reports() {
    let info = SenderInfo { ntp: NtpTime(0x8899_aabb_ccdd_eeff), rtp: 5, packets: 6, octets: 7 };
    let bytes = written(|writer| {
        writer.sender_report(SENDER, &info, &[block(), block()]).unwrap();
        writer.receiver_report(SENDER, &[block()]).unwrap();
        writer.cname(SENDER, "somebody").unwrap();
        writer.bye(&[SENDER, MEDIA]).unwrap();
    });
    let packets: Vec<_> = Compound::parse(&bytes).unwrap().map(Result::unwrap).collect();
    let [Other::Sr(sender), Other::Rr(receiver), Other::Sdes(sdes), Other::Bye(bye)] = &packets[..] else {
        panic!("{packets:?}")
    };
    assert_eq!((sender.ntp_timestamp(), sender.rtp_timestamp()), (0x8899_aabb_ccdd_eeff, 5));
    assert_eq!((sender.packet_count(), sender.octet_count(), sender.n_reports()), (6, 7, 2));
    let read = receiver.report_blocks().next().unwrap();
    assert_eq!((read.ssrc(), read.fraction_lost(), read.cumulative_lost()), (MEDIA, 17, 70_000));
    assert_eq!((read.extended_sequence_number(), read.interarrival_jitter()), (0x0001_fffe, 99));
    assert_eq!(read.last_sender_report_timestamp(), 0x1234_5678);
    assert_eq!(read.delay_since_last_sender_report_timestamp(), 65_536);
    let item = sdes.chunks().next().unwrap().items().next().unwrap();
    assert_eq!((item.type_(), item.value()), (1, &b"somebody"[..]));
    assert_eq!(bye.ssrcs().collect::<Vec<_>>(), [SENDER, MEDIA]);
}

#[test]
fn the_other_reads_our_requests() {
    let missing = [65_530, 65_535, 3, 10, 40, 41];
    let bytes = written(|writer| {
        assert_eq!(writer.nack(SENDER, MEDIA, &missing), Ok(6));
    });
    let Other::TransportFeedback(feedback) = Other::parse(&bytes).unwrap() else { panic!() };
    assert_eq!((feedback.sender_ssrc(), feedback.media_ssrc()), (SENDER, MEDIA));
    let nack = feedback.parse_fci::<Nack<'_>>().unwrap();
    assert_eq!(nack.entries().collect::<Vec<_>>(), missing);

    let bytes = written(|writer| writer.pli(SENDER, MEDIA).unwrap());
    let Other::PayloadFeedback(feedback) = Other::parse(&bytes).unwrap() else { panic!() };
    assert_eq!((feedback.sender_ssrc(), feedback.media_ssrc()), (SENDER, MEDIA));
    assert!(feedback.parse_fci::<Pli<'_>>().is_ok());

    let bytes = written(|writer| writer.fir(SENDER, MEDIA, 200).unwrap());
    let Other::PayloadFeedback(feedback) = Other::parse(&bytes).unwrap() else { panic!() };
    let fir = feedback.parse_fci::<Fir<'_>>().unwrap();
    let entry = fir.entries().next().unwrap();
    assert_eq!((entry.ssrc(), entry.sequence()), (MEDIA, 200));
}

#[test]
fn arrivals_survive_the_way_through_both_readers() {
    let mut rng = fastrand::Rng::with_seed(7);
    for round in 0..2_000 {
        let arrivals = random_arrivals(&mut rng);
        let head =
            TransportFeedbackHead { sender: SENDER, media: MEDIA, base: rng.u16(..), number: rng.u8(..) };
        let mut told = 0;
        let bytes = written(|writer| {
            told = writer.transport_feedback(head, arrivals.iter().copied()).unwrap();
        });
        assert!(told > 0 && bytes.len() <= 1_200, "round {round}");
        let Packet::TransportFeedback(ours) = only(&bytes) else { panic!() };
        assert_eq!((ours.base, ours.number, usize::from(ours.count)), (head.base, head.number, told));
        let read: Vec<_> = ours.statuses().map(|status| status.arrival_us).collect();
        let sent: Vec<_> = arrivals[..told].iter().map(|at| at.map(|us| us.div_euclid(250) * 250)).collect();
        assert_eq!(read, sent, "round {round}");
        assert_eq!(read_by_the_other(&bytes), sent, "round {round}");
    }
}

/// Runs, losses, reordering and pauses, as they come.
fn random_arrivals(rng: &mut fastrand::Rng) -> Vec<Option<i64>> {
    let (loss, spread) = (rng.u8(..120), 1 << rng.u32(..18));
    let mut at = rng.i64(0..1 << 33);
    let len = rng.usize(1..700);
    let mut arrivals: Vec<_> = (0..len)
        .map(|_| {
            at += rng.i64(-spread / 8..spread);
            (rng.u8(..) >= loss).then_some(at)
        })
        .collect();
    arrivals[0] = Some(at);
    arrivals
}

fn read_by_the_other(bytes: &[u8]) -> Vec<Option<i64>> {
    let Other::TransportFeedback(feedback) = Other::parse(bytes).expect("well formed") else { panic!() };
    let twcc = feedback.parse_fci::<Twcc<'_>>().expect("it is one");
    let mut at = i64::from(twcc.reference_time()) * 64_000;
    let statuses = twcc.packets().map(|packet| match packet.expect("well formed").1 {
        TwccPacketStatus::NotReceived => None,
        TwccPacketStatus::Received { delta } => {
            at += i64::from(delta) * 250;
            Some(at)
        }
    });
    statuses.collect()
}

#[test]
fn we_read_what_the_other_writes() {
    let statuses = [0, 3, 700, -5].map(|delta| TwccPacketStatus::Received { delta });
    let statuses = [&statuses[..], &[TwccPacketStatus::NotReceived; 40], &statuses[..2]].concat();
    let fci = Twcc::builder(65_534, 77, 3, &statuses, None);
    let builder = rtcp_types::TransportFeedback::builder(&fci).sender_ssrc(SENDER).media_ssrc(MEDIA);
    let mut bytes = [0; 200];
    let len = builder.write_into(&mut bytes).unwrap();
    let Packet::TransportFeedback(feedback) = only(&bytes[..len]) else { panic!() };
    let arrived: Vec<_> =
        feedback.statuses().filter_map(|status| Some((status.sequence, status.arrival_us? / 250))).collect();
    let reference = 77 * 256;
    let expected = [(65_534, 0), (65_535, 3), (0, 703), (1, 698), (42, 698), (43, 701)];
    assert_eq!(arrived, expected.map(|(sequence, ticks)| (sequence, reference + ticks)));

    let fci = Nack::builder().add_rtp_sequence(65_535).add_rtp_sequence(1).add_rtp_sequence(90);
    let builder = rtcp_types::TransportFeedback::builder(&fci).sender_ssrc(SENDER).media_ssrc(MEDIA);
    let len = builder.write_into(&mut bytes).unwrap();
    let Packet::Nack(nack) = only(&bytes[..len]) else { panic!() };
    assert_eq!((nack.sender, nack.media), (SENDER, MEDIA));
    let mut read: Vec<_> = nack.sequences().collect();
    read.sort_unstable();
    assert_eq!(read, [1, 90, 65_535]);
}

#[test]
fn estimates_and_extended_reports_read_back() {
    for bitrate in [0, 1, 262_143, 262_144, 1_500_000, 10_000_000_000, u64::MAX] {
        let bytes = written(|writer| writer.remb(SENDER, bitrate, &[1, 2, 3]).unwrap());
        let Packet::Remb(remb) = only(&bytes) else { panic!() };
        assert!(remb.bitrate <= bitrate && bitrate - remb.bitrate <= bitrate >> 17, "{bitrate}: {remb:?}");
        assert_eq!(remb.sources().collect::<Vec<_>>(), [1, 2, 3]);
    }
    let answer = DelayBlock { ssrc: MEDIA, last_reference: 5, delay: 6 };
    let bytes = written(|writer| {
        writer.reference_time(SENDER, NtpTime(99)).unwrap();
        writer.delays(SENDER, &[answer, DelayBlock::default()]).unwrap();
    });
    let mut packets = Packets::new(&bytes).map(Result::unwrap);
    let Some(Packet::Extended(report)) = packets.next() else { panic!() };
    assert!(matches!(report.blocks().next(), Some(ExtendedBlock::ReferenceTime(NtpTime(99)))));
    let Some(Packet::Extended(report)) = packets.next() else { panic!() };
    let read: Vec<_> = report.blocks().flat_map(|block| block.delays().collect::<Vec<_>>()).collect();
    assert_eq!(read, [answer, DelayBlock::default()]);
}

#[test]
fn what_does_not_fit_is_not_begun() {
    let whole = written(|writer| writer.sender_report(SENDER, &SenderInfo::default(), &[block()]).unwrap());
    for room in 0..whole.len() {
        let mut buffer = vec![0xee; room];
        let mut writer = Writer::new(&mut buffer);
        assert!(writer.sender_report(SENDER, &SenderInfo::default(), &[block()]).is_err());
        assert!(writer.is_empty());
        let told = writer.transport_feedback(
            TransportFeedbackHead { sender: 0, media: 0, base: 0, number: 0 },
            [Some(1), Some(40_000)],
        );
        assert!(told.is_err() || writer.len() <= room);
        assert!(buffer.iter().all(|&byte| byte == 0xee) || told.is_ok());
    }
    let mut buffer = [0; 24];
    let missing: Vec<u16> = (0..100).map(|n| n * 20).collect();
    assert_eq!(Writer::new(&mut buffer).nack(1, 2, &missing), Ok(3), "as many as have room");
}

#[test]
fn garbage_is_read_without_harm() {
    let mut rng = fastrand::Rng::with_seed(11);
    let good = written(|writer| {
        writer.sender_report(SENDER, &SenderInfo::default(), &[block()]).unwrap();
        writer.cname(SENDER, "a name of some length").unwrap();
        writer.nack(SENDER, MEDIA, &[1, 2, 90]).unwrap();
        writer.remb(SENDER, 1_000_000, &[1]).unwrap();
        writer.delays(SENDER, &[DelayBlock::default()]).unwrap();
        writer.fir(SENDER, MEDIA, 1).unwrap();
        let head = TransportFeedbackHead { sender: 1, media: 2, base: 3, number: 4 };
        writer.transport_feedback(head, (0..60).map(|n| (n % 7 != 1).then_some(n * 900))).unwrap();
    });
    for _ in 0..50_000 {
        let mut bytes = good[..rng.usize(..=good.len())].to_vec();
        for _ in 0..rng.usize(..8) {
            let at = rng.usize(..=bytes.len());
            if at < bytes.len() {
                bytes[at] = rng.u8(..);
            }
        }
        read_all(&bytes);
        let kinds = [200, 201, 202, 203, 205, 206, 207];
        let mut noise: Vec<u8> = (0..rng.usize(..64)).map(|_| rng.u8(..)).collect();
        if noise.len() >= 4 {
            let words = (noise.len() / 4 - 1) as u8;
            noise[..4].copy_from_slice(&[0x80 | rng.u8(..32), kinds[rng.usize(..7)], 0, words]);
        }
        read_all(&noise);
    }
}

/// Walks everything that can be walked.
fn read_all(bytes: &[u8]) -> usize {
    let count = |packet| match packet {
        Packet::SenderReport(report) => report.blocks().count(),
        Packet::ReceiverReport(report) => report.blocks().count(),
        Packet::Description(description) => description.cnames().count(),
        Packet::Bye(bye) => bye.sources().count(),
        Packet::Nack(nack) => nack.sequences().count(),
        Packet::TransportFeedback(feedback) => {
            let count = feedback.statuses().count();
            assert_eq!(count, usize::from(feedback.count), "what was read holds what it says");
            count
        }
        Packet::Fir(fir) => fir.entries().count(),
        Packet::Remb(remb) => remb.sources().count(),
        Packet::Extended(report) => report.blocks().map(|block| block.delays().count()).sum(),
        Packet::Pli { .. } | Packet::Other { .. } => 0,
    };
    Packets::new(bytes).flatten().map(count).sum()
}
