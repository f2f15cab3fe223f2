//! What holds of a room in which one member sends what it likes: nobody else loses a packet, and no number is sent twice
//! with different content.

use std::collections::BTreeMap;
use std::time::Duration;

use taoyao_ortc::{
    Codec, CodecCapability, ConsumerId, Encoding, Extension, MediaKind, Parameters, ProducerId,
    RtcpParameters, RtpParameters, RtxEncoding, router_capabilities,
};
use taoyao_sfu::packet::Packet;
use taoyao_sfu::stream::Unwrap;
use taoyao_sfu::{Router, Transmit, TransmitKind, TransportKey, TransportSetup};
use taoyao_types::{Instant, Now, Wall};

use super::parts::{Part, parts};

#[path = "../../../crates/sfu/tests/one_producer/mod.rs"]
mod one_producer;

use one_producer::{PACKET_BYTES, PRODUCER};

/// Packets and reports of a member that has producers of all codecs and listens to a good one: after each of them a packet
/// of the good producer arrives at who listens to it, under the next number.
///
/// A part's choice says what it is, and how much time passes.
pub fn room(data: &[u8]) {
    let mut room = Room::new();
    for part in parts(data) {
        room.play(part);
        room.hear_the_good_one();
    }
}

/// Who listens to both, and who sends what it likes.
const WITNESS: TransportKey = TransportKey(1);
const HOSTILE: TransportKey = TransportKey(9);

struct Room {
    router: Router,
    now: Instant,
    /// What the witness hears the good producer by.
    ssrc: u32,
    sent: u16,
    last_heard: Option<u16>,
    heard: u64,
    numbers: BTreeMap<(TransportKey, u32), Numbers>,
}

/// A sealed packet's number makes its nonce: all that was sent under each, of one stream.
#[derive(Default)]
struct Numbers {
    unwrap: Unwrap<16>,
    sent: BTreeMap<u64, Vec<u8>>,
}

impl Room {
    fn new() -> Self {
        let now = Instant(1_000_000);
        let (mut router, ssrcs) = one_producer::room(now, 1);
        router.add_transport(
            HOSTILE,
            TransportSetup { has_congestion_control: true, ..TransportSetup::default() },
        );
        router.set_connected(now, HOSTILE, true);
        for (number, capability) in (0..).zip(router_capabilities().codecs) {
            if capability.mime_type.ends_with("/rtx") {
                continue;
            }
            let producer = ProducerId::of_random(100 + u128::from(number));
            let rtp = producer_of(&capability, number);
            let made = router.produce(now, HOSTILE, producer, capability.kind, &rtp, false);
            assert!(made.is_ok(), "{made:?}");
            listen(&mut router, now, WITNESS, 200 + u128::from(number), producer);
        }
        listen(&mut router, now, HOSTILE, 300, ProducerId::of_random(1));
        Self { router, now, ssrc: ssrcs[0], sent: 0, last_heard: None, heard: 0, numbers: BTreeMap::new() }
    }

    fn now(&self) -> Now {
        Now { mono: self.now, wall: Wall(1_700_000_000_000 + self.now.0 / 1_000) }
    }

    fn play(&mut self, part: Part<'_>) {
        let now = self.now();
        match part.choice % 4 {
            0 | 1 => {
                self.router.handle_rtp(self.now, HOSTILE, part.bytes);
            }
            2 => self.router.handle_rtcp(now, HOSTILE, part.bytes),
            _ => self.router.handle_rtcp(now, WITNESS, part.bytes),
        }
        self.pass(Duration::from_millis(u64::from(part.choice / 4) * 4));
    }

    /// The first one begins with a key frame.
    fn hear_the_good_one(&mut self) {
        let packet = one_producer::packet(self.sent, self.sent == 0);
        assert_eq!(packet.len(), PACKET_BYTES);
        self.router.handle_rtp(self.now, PRODUCER, &packet);
        self.sent += 1;
        self.flush();
        // Paced, but within a second even at the lowest rate.
        for _ in 0..1_000 {
            if self.heard >= u64::from(self.sent) {
                return;
            }
            self.pass(Duration::from_millis(2));
        }
        panic!("{} of {} packets were heard", self.heard, self.sent);
    }

    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(due) = self.router.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.router.handle_timeout(self.now());
            assert!(self.router.poll_timeout() > Some(self.now), "a turn makes progress");
            self.flush();
        }
        self.now = end;
        self.flush();
        while self.router.poll_event().is_some() {}
    }

    fn flush(&mut self) {
        let mut buffer = [0; 1_500];
        let mut count = 0;
        while let Some(sent) = self.router.poll_transmit(self.now(), &mut buffer) {
            self.take(sent, &buffer[..sent.len]);
            count += 1;
            assert!(count < 10_000, "one packet makes too many");
        }
    }

    fn take(&mut self, sent: Transmit, bytes: &[u8]) {
        if sent.kind == TransmitKind::Rtcp {
            return;
        }
        let packet = Packet::parse(bytes).expect("the router sends whole packets");
        let numbers = self.numbers.entry((sent.to, packet.ssrc())).or_default();
        let number = numbers.unwrap.extend(packet.sequence());
        let before = numbers.sent.entry(number).or_insert_with(|| bytes.to_vec());
        assert!(before == bytes, "number {number} of {:#x} has two contents", packet.ssrc());
        if sent.to == WITNESS && packet.ssrc() == self.ssrc {
            let expected = self.last_heard.map_or(packet.sequence(), |last| last.wrapping_add(1));
            assert_eq!(packet.sequence(), expected, "a packet of the good producer is missing");
            self.last_heard = Some(packet.sequence());
            self.heard += 1;
        }
    }
}

fn listen(router: &mut Router, now: Instant, key: TransportKey, id: u128, producer: ProducerId) {
    let consumer = ConsumerId::of_random(id);
    let consumed = router.consume(now, key, consumer, producer, &router_capabilities());
    assert!(consumed.is_ok(), "{consumed:?}");
    router.pause_consumer(now, consumer, false);
}

/// Two streams for pictures, one for sound: SSRCs from 0x10 on, payload types and extensions in the router's numbers.
fn producer_of(capability: &CodecCapability, number: u32) -> RtpParameters {
    let known = router_capabilities();
    let again = known
        .codecs
        .iter()
        .find(|other| other.preferred_payload_type == capability.preferred_payload_type + 1);
    let again = again.filter(|other| other.mime_type.ends_with("/rtx"));
    let codec = |capability: &CodecCapability| Codec {
        mime_type: capability.mime_type.clone(),
        payload_type: capability.preferred_payload_type,
        clock_rate: capability.clock_rate,
        channels: capability.channels,
        parameters: capability.parameters.clone(),
        rtcp_feedback: capability.rtcp_feedback.clone(),
    };
    let extensions = known.header_extensions.iter().filter(|extension| extension.kind == capability.kind);
    let extension =
        |(uri, id): (String, u8)| Extension { uri, id, encrypt: false, parameters: Parameters::new() };
    let ssrc = 0x10 * (number + 1);
    let streams =
        if capability.kind == MediaKind::Video && capability.mime_type.ends_with("VP8") { 2 } else { 1 };
    let encoding = |stream: u32| Encoding {
        ssrc: Some(ssrc + 2 * stream),
        rtx: again.map(|_| RtxEncoding { ssrc: ssrc + 2 * stream + 1 }),
        ..Encoding::default()
    };
    RtpParameters {
        mid: Some(number.to_string()),
        codecs: std::iter::once(capability).chain(again).map(codec).collect(),
        header_extensions: extensions.map(|one| extension((one.uri.clone(), one.preferred_id))).collect(),
        encodings: (0..streams).map(encoding).collect(),
        rtcp: RtcpParameters::default(),
    }
}
