//! What holds of RTCP: a compound is read within its bounds, and what was read is written and read as the same.

use taoyao_sfu::rtcp::{
    DelayBlock, ExtendedBlock, Packet, Packets, STATUSES_MAX, TransportFeedback, TransportFeedbackHead,
    Writer,
};

/// A compound packet: each packet in it that is good can be written, and is then read as the same.
pub fn rtcp(data: &[u8]) {
    for packet in Packets::new(data).flatten() {
        let written = write(&packet);
        let mut again = Packets::new(&written);
        if written.is_empty() {
            continue;
        }
        let read = again.next().and_then(Result::ok).expect("what is written can be read");
        assert!(again.next().is_none());
        match (&packet, &read) {
            (Packet::TransportFeedback(packet), Packet::TransportFeedback(read)) => {
                arrivals_are_the_same(packet, read);
            }
            _ => assert_eq!(content(&packet), content(&read)),
        }
    }
}

/// Nothing of what is not written by the router.
fn write(packet: &Packet<'_>) -> Vec<u8> {
    let mut buffer = vec![0; 64 * 1024];
    let mut writer = Writer::new(&mut buffer);
    let written = match packet {
        Packet::SenderReport(report) => {
            let blocks: Vec<_> = report.blocks().collect();
            writer.sender_report(report.ssrc, &report.info, &blocks)
        }
        Packet::ReceiverReport(report) => {
            let blocks: Vec<_> = report.blocks().collect();
            writer.receiver_report(report.ssrc, &blocks)
        }
        Packet::Description(description) => match &description.cnames().collect::<Vec<_>>()[..] {
            [(ssrc, Some(name))] => match str::from_utf8(name) {
                Ok(name) => writer.cname(*ssrc, name),
                Err(_) => return Vec::new(),
            },
            _ => return Vec::new(),
        },
        Packet::Bye(bye) => writer.bye(&bye.sources().collect::<Vec<_>>()),
        Packet::Nack(nack) => match in_order(nack.sequences().collect()) {
            missing if missing.is_empty() => return Vec::new(),
            missing => {
                let told = writer.nack(nack.sender, nack.media, &missing).expect("there is room");
                assert_eq!(told, missing.len());
                Ok(())
            }
        },
        Packet::TransportFeedback(feedback) => {
            let head = TransportFeedbackHead {
                sender: feedback.sender,
                media: feedback.media,
                base: feedback.base,
                number: feedback.number,
            };
            let arrivals = feedback.statuses().map(|status| status.arrival_us);
            match writer.transport_feedback(head, arrivals) {
                Ok(told) => {
                    assert!(told <= STATUSES_MAX && told <= usize::from(feedback.count));
                    Ok(())
                }
                Err(_) => return Vec::new(),
            }
        }
        Packet::Pli { sender, media } => writer.pli(*sender, *media),
        Packet::Fir(fir) => match fir.entries().next() {
            Some((media, number)) if fir.entries().len() == 1 => writer.fir(fir.sender, media, number),
            _ => return Vec::new(),
        },
        Packet::Remb(remb) => writer.remb(remb.sender, remb.bitrate, &remb.sources().collect::<Vec<_>>()),
        Packet::Extended(report) => {
            let blocks: Vec<_> = report.blocks().collect();
            match &blocks[..] {
                [ExtendedBlock::ReferenceTime(ntp)] => writer.reference_time(report.ssrc, *ntp),
                [block @ ExtendedBlock::Delays(_)] => {
                    let delays: Vec<DelayBlock> = block.delays().take(31).collect();
                    writer.delays(report.ssrc, &delays)
                }
                _ => return Vec::new(),
            }
        }
        Packet::Other { .. } => return Vec::new(),
    };
    written.expect("no packet is as long as the buffer");
    let length = writer.len();
    assert!(length.is_multiple_of(4));
    buffer.truncate(length);
    buffer
}

/// Everything that a packet says, as text.
fn content(packet: &Packet<'_>) -> String {
    match packet {
        Packet::SenderReport(report) => {
            format!("{} {:?} {:?}", report.ssrc, report.info, report.blocks().collect::<Vec<_>>())
        }
        Packet::ReceiverReport(report) => {
            format!("{} {:?}", report.ssrc, report.blocks().collect::<Vec<_>>())
        }
        Packet::Description(description) => format!("{:?}", description.cnames().collect::<Vec<_>>()),
        Packet::Bye(bye) => format!("{:?}", bye.sources().collect::<Vec<_>>()),
        Packet::Nack(nack) => {
            format!("{} {} {:?}", nack.sender, nack.media, in_order(nack.sequences().collect()))
        }
        Packet::Pli { sender, media } => format!("{sender} {media}"),
        Packet::Fir(fir) => format!("{} {:?}", fir.sender, fir.entries().collect::<Vec<_>>()),
        Packet::Remb(remb) => format!(
            "{} {:?} {:?}",
            remb.sender,
            // What is beyond all measure is written as the most that there is.
            remb.bitrate.checked_ilog2().map(|bits| (bits, remb.bitrate >> bits.saturating_sub(17))),
            remb.sources().collect::<Vec<_>>()
        ),
        Packet::Extended(report) => {
            let blocks = report.blocks().map(|block| match block {
                ExtendedBlock::ReferenceTime(ntp) => format!("{ntp:?}"),
                block => format!("{:?}", block.delays().take(31).collect::<Vec<_>>()),
            });
            format!("{} {:?}", report.ssrc, blocks.collect::<Vec<_>>())
        }
        Packet::TransportFeedback(_) | Packet::Other { .. } => String::new(),
    }
}

/// Each number once, as a receiver that misses them would tell them: the first one begins.
fn in_order(mut sequences: Vec<u16>) -> Vec<u16> {
    let Some(&first) = sequences.first() else { return sequences };
    sequences.sort_unstable_by_key(|sequence| sequence.wrapping_sub(first));
    sequences.dedup();
    sequences
}

/// As many as are told again came at the same moment, up to the turn of the 24 bits of the reference time.
fn arrivals_are_the_same(packet: &TransportFeedback<'_>, read: &TransportFeedback<'_>) {
    const CIRCLE_US: i64 = (1 << 24) * 64_000;
    assert_eq!((packet.sender, packet.media, packet.base), (read.sender, read.media, read.base));
    assert_eq!(packet.number, read.number);
    assert_eq!(packet.statuses().count(), usize::from(packet.count));
    for (one, other) in packet.statuses().zip(read.statuses()) {
        assert_eq!(one.sequence, other.sequence);
        let at = |arrival: Option<i64>| arrival.map(|us| us.rem_euclid(CIRCLE_US));
        assert_eq!(at(one.arrival_us), at(other.arrival_us));
    }
}
