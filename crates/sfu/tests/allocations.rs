//! Forwarding allocates nothing once it has found its size: not for a packet, not for a retransmission, not for a NACK.

use std::time::Duration;

use taoyao_ortc::capabilities::uri;
use taoyao_ortc::{
    Codec, ConsumerId, Encoding, Extension, Feedback, MediaKind, ParameterValue, Parameters, ProducerId,
    RtpParameters, RtxEncoding, router_capabilities,
};
use taoyao_sfu::rtcp::Writer;
use taoyao_sfu::{Router, RouterConfig, TransportKey, TransportSetup};
use taoyao_types::{Instant, Now, Wall};

const CONSUMERS: u32 = 20;
const PRODUCER: TransportKey = TransportKey(0);

fn parameters() -> RtpParameters {
    let codec = |mime_type: &str, payload_type, feedback: &[(&str, &str)]| Codec {
        mime_type: mime_type.to_owned(),
        payload_type,
        clock_rate: 90_000,
        channels: None,
        parameters: Parameters::new(),
        rtcp_feedback: feedback.iter().map(|(what, parameter)| Feedback::new(what, parameter)).collect(),
    };
    let extension =
        |uri: &str, id| Extension { uri: uri.to_owned(), id, encrypt: false, parameters: Parameters::new() };
    let mut rtx = codec("video/rtx", 97, &[]);
    rtx.parameters.insert("apt".to_owned(), ParameterValue::Integer(96));
    let feedback = [("nack", ""), ("nack", "pli"), ("transport-cc", "")];
    RtpParameters {
        codecs: vec![codec("video/VP8", 96, &feedback), rtx],
        header_extensions: vec![extension(uri::TRANSPORT_CC, 3), extension(uri::ABS_SEND_TIME, 2)],
        encodings: vec![Encoding {
            ssrc: Some(10),
            rtx: Some(RtxEncoding { ssrc: 11 }),
            ..Encoding::default()
        }],
        ..RtpParameters::default()
    }
}

struct Room {
    router: Router,
    now: Instant,
    ssrcs: Vec<u32>,
    sequence: u16,
    sent: usize,
    last: [u16; CONSUMERS as usize],
    buffer: [u8; 1_500],
}

impl Room {
    fn new() -> Self {
        let now = Instant(1_000_000);
        let mut router = Router::new(1, now, RouterConfig::default());
        for key in 0..=CONSUMERS {
            let setup = TransportSetup { has_congestion_control: key > 0, ..TransportSetup::default() };
            router.add_transport(TransportKey(key), setup);
            router.set_connected(now, TransportKey(key), true);
        }
        let producer = ProducerId::of_random(1);
        router
            .produce(now, PRODUCER, producer, MediaKind::Video, &parameters(), false)
            .expect("it can be produced");
        let mut ssrcs = Vec::new();
        for key in 1..=CONSUMERS {
            let id = ConsumerId::of_random(key.into());
            let consumed = router
                .consume(now, TransportKey(key), id, producer, &router_capabilities())
                .expect("it can be consumed");
            router.pause_consumer(now, id, false);
            ssrcs.push(consumed.rtp.encodings[0].ssrc.expect("every consumer has one"));
        }
        Self { router, now, ssrcs, sequence: 0, sent: 0, last: [0; CONSUMERS as usize], buffer: [0; 1_500] }
    }

    /// A frame of eight packets for everybody, one of which each receiver asks for again.
    fn frame(&mut self) {
        for part in 0..8 {
            let packet = self.packet(part);
            self.router.handle_rtp(self.now, PRODUCER, &packet);
        }
        self.flush();
        for key in 1..=CONSUMERS {
            let (ssrc, last) = (self.ssrcs[key as usize - 1], self.last[key as usize - 1]);
            let mut nack = [0; 64];
            let mut writer = Writer::new(&mut nack);
            assert_eq!(writer.nack(1, ssrc, &[last]), Ok(1));
            let length = writer.len();
            let now = self.wall();
            self.router.handle_rtcp(now, TransportKey(key), &nack[..length]);
        }
        self.flush();
        self.now = self.now + Duration::from_millis(10);
    }

    fn packet(&mut self, part: u8) -> [u8; 1_200] {
        let mut packet = [0x55; 1_200];
        packet[..2].copy_from_slice(&[0x90, 96 | (u8::from(part == 7) << 7)]);
        packet[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        packet[4..8].copy_from_slice(&(u32::from(self.sequence / 8) * 900).to_be_bytes());
        packet[8..12].copy_from_slice(&10_u32.to_be_bytes());
        let [high, low] = self.sequence.to_be_bytes();
        packet[12..20].copy_from_slice(&[0xbe, 0xde, 0, 1, 0x31, high, low, 0]);
        let start = if part == 0 { 0x90 } else { 0x80 };
        let is_key = self.sequence == 0;
        let picture = (self.sequence / 8).to_be_bytes();
        packet[20..25].copy_from_slice(&[start, 0x80, picture[0] | 0x80, picture[1], u8::from(!is_key)]);
        self.sequence = self.sequence.wrapping_add(1);
        packet
    }

    fn flush(&mut self) {
        let now = self.wall();
        while let Some(sent) = self.router.poll_transmit(now, &mut self.buffer) {
            if sent.to != PRODUCER && self.buffer[1] & 0x7f == 101 {
                self.last[sent.to.0 as usize - 1] = u16::from_be_bytes([self.buffer[2], self.buffer[3]]);
            }
            self.sent += 1;
        }
    }

    fn wall(&self) -> Now {
        Now { mono: self.now, wall: Wall(self.now.0 / 1_000) }
    }
}

#[test]
fn forwarding_allocates_nothing_in_steady_state() {
    let mut room = Room::new();
    // Long enough for every ring to have found its size.
    for frame in 0..=600 {
        room.frame();
        // Reports are made in turns of the clock, and those are not counted: so seldom here that what waits for them has
        // found its size, too.
        if frame % 60 == 0 {
            let now = room.wall();
            room.router.handle_timeout(now);
            room.flush();
        }
    }
    let before = room.sent;
    let counted = allocation_counter::measure(|| (0..50).for_each(|_| room.frame()));
    let sent = room.sent - before;
    assert!(sent >= 50 * 9 * CONSUMERS as usize, "{sent} packets and retransmissions left");
    assert_eq!(counted.count_total, 0, "allocations for {sent} packets");
}
