//! A producer of another router: served from its mirror, and asked for nothing but key frames.

use std::time::Duration;

use taoyao_ortc::{Happening, MediaKind, ProducerId};
use taoyao_sfu::rtcp::{NtpTime, Packet, Packets, SenderInfo};
use taoyao_sfu::{PacketOrigin, RouterConfig, TransmitKind, TransportKey, TransportSetup};

use crate::packets::{Rtp, frame, vp8};
use crate::world::{Left, MID, OPUS, RID, TRANSPORT_CC, VP8, World, audio, one, rids, video};

const SENDER: TransportKey = TransportKey(0);
const MIRROR: TransportKey = TransportKey(0);
const LISTENER: u32 = 1;
const ORIENTATION: u8 = 11;

/// Two routers of one room: the sender's own, and one with a mirror of its transport and a listener.
struct Pair {
    own: World,
    far: World,
}

impl Pair {
    fn new() -> Self {
        let mut own = World::new();
        own.join(SENDER.0);
        let mut far = World::with(RouterConfig { is_branch: true, ..RouterConfig::default() });
        far.join_as(MIRROR.0, TransportSetup { is_mirror: true, ..TransportSetup::default() });
        far.join(LISTENER);
        Self { own, far }
    }

    fn produce(&mut self, kind: MediaKind, rtp: &taoyao_ortc::RtpParameters) -> ProducerId {
        let producer = self.own.produce(SENDER.0, kind, rtp);
        assert_eq!(producer, self.far.produce(MIRROR.0, kind, rtp), "both count from one");
        producer
    }

    fn send(&mut self, packet: &[u8]) -> PacketOrigin {
        let origin = self.own.router.handle_rtp(self.own.now, SENDER, packet).expect("its stream is known");
        self.far.router.handle_mirrored_rtp(self.far.now, MIRROR, &origin, packet);
        origin
    }

    fn pass(&mut self, span: Duration) -> (Vec<Left>, Vec<Left>) {
        let [own, far] = [&mut self.own, &mut self.far].map(|world| {
            let mut left = world.flush();
            left.extend(world.pass(span));
            left
        });
        (own, far)
    }
}

#[test]
fn a_mirror_asks_its_sender_for_nothing_but_key_frames() {
    let mut pair = Pair::new();
    let producer = pair.produce(MediaKind::Video, &video("v", one(10)));
    pair.far.consume(LISTENER, producer);
    let mut asked = Vec::new();
    for sequence in (1..200_u16).filter(|sequence| sequence % 7 != 0) {
        let number = sequence.to_be_bytes();
        let payload = vp8(sequence, 0, 0, false, sequence == 1);
        let packet = Rtp {
            payload_type: VP8,
            has_marker: true,
            sequence,
            timestamp: u32::from(sequence) * 3_000,
            ssrc: 10,
            extensions: &[(TRANSPORT_CC, &number)],
            payload: &payload,
        };
        pair.send(&packet.bytes());
        let (own, far) = pair.pass(Duration::from_millis(33));
        asked.extend(far.into_iter().filter(|left| left.to == MIRROR.0));
        drop(own);
    }
    assert!(!asked.is_empty() && asked.iter().all(|left| left.kind == TransmitKind::Rtcp));
    let packets = asked.iter().flat_map(|left| Packets::new(&left.bytes)).flatten();
    for packet in packets {
        assert!(matches!(packet, Packet::Pli { media: 10, .. }), "{packet:?}");
    }
}

#[test]
fn a_mirrors_wish_becomes_a_request_of_the_senders_own_router() {
    let mut pair = Pair::new();
    let producer = pair.produce(MediaKind::Video, &video("v", one(10)));
    pair.send(&frame(1, 1, false));
    assert!(pair.pass(Duration::from_millis(500)).0.iter().all(|left| left.kind == TransmitKind::Rtcp));
    pair.far.consume(LISTENER, producer);
    let (_, far) = pair.pass(Duration::from_millis(10));
    let wishes: Vec<_> = far.iter().filter(|left| left.to == MIRROR.0).collect();
    assert_eq!(wishes.len(), 1);
    for _ in 0..3 {
        pair.own.router.handle_mirrors_wish(pair.own.now, SENDER, &wishes[0].bytes);
    }
    let (own, _) = pair.pass(Duration::from_millis(100));
    let is_pli = |left: &&Left| {
        Packets::new(&left.bytes).flatten().any(|packet| matches!(packet, Packet::Pli { media: 10, .. }))
    };
    assert_eq!(own.iter().filter(is_pli).count(), 1, "three wishes are one request");
}

#[test]
fn streams_are_known_to_a_mirror_that_came_after_their_names() {
    let mut pair = Pair::new();
    let rtp = video("v", rids(&["l", "h"]));
    let producer = pair.own.produce(SENDER.0, MediaKind::Video, &rtp);
    let packet = |sequence, extensions: &[(u8, &[u8])]| {
        let payload = vp8(sequence, 0, 0, false, true);
        let (timestamp, ssrc) = (u32::from(sequence) * 3_000, 200);
        Rtp { payload_type: VP8, has_marker: true, sequence, timestamp, ssrc, extensions, payload: &payload }
            .bytes()
    };
    pair.own.rtp(SENDER.0, &packet(1, &[(MID, b"v"), (RID, b"h")]));
    pair.far.produce(MIRROR.0, MediaKind::Video, &rtp);
    pair.far.consume(LISTENER, producer);
    let mut got = 0;
    for sequence in 2..20 {
        let origin = pair.send(&packet(sequence, &[]));
        assert_eq!(origin, PacketOrigin { producer, stream: 1, is_rtx: false });
        let (_, far) = pair.pass(Duration::from_millis(100));
        got += far.iter().filter(|left| left.to == LISTENER && left.kind == TransmitKind::Rtp).count();
    }
    assert!(got > 0, "the large picture is shown");
}

#[test]
fn news_of_a_producer_are_told_by_its_own_router_alone() {
    let mut pair = Pair::new();
    pair.produce(MediaKind::Video, &video("v", one(10)));
    pair.produce(MediaKind::Audio, &audio(20));
    for sequence in 0..100_u16 {
        let payload = vp8(sequence, 0, 0, false, sequence == 0);
        let (has_marker, timestamp) = (true, u32::from(sequence) * 3_000);
        let picture = Rtp {
            payload_type: VP8,
            has_marker,
            sequence,
            timestamp,
            ssrc: 10,
            extensions: &[(ORIENTATION, &[1])],
            payload: &payload,
        };
        pair.send(&picture.bytes());
        let sound =
            Rtp { payload_type: OPUS, ssrc: 20, extensions: &[(10, &[10])], payload: &[7; 50], ..picture };
        pair.send(&sound.bytes());
        pair.pass(Duration::from_millis(20));
    }
    let own = pair.own.events();
    assert!(own.iter().any(|what| matches!(what, Happening::ProducerScore { .. })));
    assert!(own.iter().any(|what| matches!(what, Happening::OrientationChanged { .. })));
    assert!(own.iter().any(|what| matches!(what, Happening::DominantSpeaker { .. })));
    assert_eq!(pair.far.events(), []);
}

#[test]
fn a_mirror_takes_its_senders_clock_even_if_it_came_after_the_report() {
    let mut pair = Pair::new();
    let producer = pair.own.produce(SENDER.0, MediaKind::Video, &video("v", one(10)));
    pair.own.rtp(SENDER.0, &frame(1, 1, true));
    let told = SenderInfo { ntp: NtpTime(1 << 40), rtp: 3_000, packets: 1, octets: 100 };
    pair.own.rtcp(SENDER.0, |writer| assert!(writer.sender_report(10, &told, &[]).is_ok()));
    let reported_at = pair.own.now;
    pair.pass(Duration::from_secs(3));
    pair.far.produce(MIRROR.0, MediaKind::Video, &video("v", one(10)));
    let (_, ssrc, _) = pair.far.consume(LISTENER, producer);
    pair.send(&frame(91, 91, true));
    let mut report = [0; 28];
    let now = pair.own.now();
    let length = pair.own.router.write_clock(now, producer, 0, &mut report).expect("it was told");
    pair.far.router.handle_mirrored_rtcp(pair.far.now(), MIRROR, &report[..length]);
    let (_, far) = pair.pass(Duration::from_secs(2));
    let to_listener = far.iter().filter(|left| left.to == LISTENER && left.kind == TransmitKind::Rtcp);
    let packets = to_listener.flat_map(|left| Packets::new(&left.bytes)).flatten();
    let told = packets.filter_map(|packet| match packet {
        Packet::SenderReport(report) if report.ssrc == ssrc => Some(report.info),
        _ => None,
    });
    let told = told.last().expect("a report each second");
    let unix_us = ((u128::from(told.ntp.0) * 1_000_000) >> 32) - 2_208_988_800_000_000;
    let since_us = unix_us - 1_700_000_000_000_000 - u128::from(reported_at.0);
    let wanted = 3_000 + u32::try_from(since_us * 90 / 1_000).expect("seconds");
    assert!(told.rtp.abs_diff(wanted) < 90, "{} is not {wanted}", told.rtp);
}
