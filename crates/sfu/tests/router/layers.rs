//! Simulcast: which stream a consumer gets, and that it sees one.

use std::time::Duration;

use taoyao_ortc::{Happening, MediaKind, ProducerId};
use taoyao_sfu::rtcp::{NtpTime, Packet, SenderInfo};

use crate::packets::{Rtp, vp8, vp8_numbers};
use crate::world::{Left, MID, RID, VP8, World, has_rtcp, rids, video};

const NAMES: [&str; 2] = ["l", "h"];

/// A terminal that sends one picture in two sizes, ten times a second, each with two temporal layers.
struct Sender {
    ssrcs: [u32; 2],
    /// Where numbers, timestamps and pictures of each size begin.
    starts: [(u16, u32, u16); 2],
    frames: u16,
    wants_key: [bool; 2],
}

impl Sender {
    fn new() -> Self {
        let starts = [(65_530, u32::MAX - 20_000, 0x7ffa), (1_000, 5_000_000, 9)];
        Self { ssrcs: [100, 200], starts, frames: 0, wants_key: [true; 2] }
    }

    fn send(&mut self, world: &mut World, sizes: &[usize]) {
        for &size in sizes {
            let (sequence, timestamp, picture) = self.starts[size];
            let temporal = (self.frames % 2) as u8;
            let is_key = temporal == 0 && std::mem::take(&mut self.wants_key[size]);
            let payload = vp8(
                picture.wrapping_add(self.frames) & 0x7fff,
                (self.frames / 2) as u8,
                temporal,
                temporal > 0,
                is_key,
            );
            let packet = Rtp {
                payload_type: VP8,
                has_marker: true,
                sequence: sequence.wrapping_add(self.frames),
                timestamp: timestamp.wrapping_add(u32::from(self.frames) * 9_000),
                ssrc: self.ssrcs[size],
                extensions: &[(MID, b"v"), (RID, NAMES[size].as_bytes())],
                payload: &payload,
            };
            world.rtp(0, &packet.bytes());
        }
        self.frames += 1;
    }
}

/// Frames until `count` have been sent, with the sender doing as it is asked; what the receiver got.
fn run(world: &mut World, sender: &mut Sender, count: usize, sizes: &[usize]) -> Vec<Left> {
    let mut got = Vec::new();
    for _ in 0..count {
        sender.send(world, sizes);
        let mut left = world.flush();
        left.extend(world.pass(Duration::from_millis(100)));
        for size in 0..2 {
            let ssrc = sender.ssrcs[size];
            let is_asked =
                |packet: &Packet<'_>| matches!(packet, Packet::Pli { media, .. } if *media == ssrc);
            sender.wants_key[size] |= has_rtcp(&left, 0, is_asked);
        }
        got.extend(left.into_iter().filter(|left| left.kind == taoyao_sfu::TransmitKind::Rtp));
    }
    got
}

fn set_up(world: &mut World) -> (Sender, ProducerId, taoyao_ortc::ConsumerId) {
    (0..2).for_each(|key| world.join(key));
    let producer = world.produce(0, MediaKind::Video, &video("v", rids(&NAMES)));
    let (consumer, _, _) = world.consume(1, producer);
    (Sender::new(), producer, consumer)
}

fn assert_is_one_stream(got: &[Left], frame_ticks_max: u32) {
    for pair in got.windows(2) {
        let (before, after) = (pair[0].rtp(), pair[1].rtp());
        assert_eq!(after.sequence(), before.sequence().wrapping_add(1));
        let (picture, _) = vp8_numbers(before.payload());
        assert_eq!(vp8_numbers(after.payload()).0, (picture + 1) & 0x7fff);
        let step = after.timestamp().wrapping_sub(before.timestamp());
        assert!(step > 0 && step <= frame_ticks_max, "{step}");
    }
}

fn is_key(left: &Left) -> bool {
    left.rtp().payload()[6] & 1 == 0
}

#[test]
fn a_consumer_rises_to_the_best_stream_and_sees_one() {
    let mut world = World::new();
    let (mut sender, _, consumer) = set_up(&mut world);
    let got = run(&mut world, &mut sender, 60, &[0, 1]);
    assert_is_one_stream(&got, 2 * 9_000);
    assert!(got.iter().filter(|left| is_key(left)).count() >= 2, "it began low, and switched at a key frame");
    let changes: Vec<_> = world
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Happening::LayersChanged { consumer: of, layers } if of == consumer => Some(layers),
            _ => None,
        })
        .collect();
    assert_eq!(changes.last(), Some(&Some((1, Some(1)))), "{changes:?}");
}

#[test]
fn layers_that_are_not_wished_are_left_out_without_gaps() {
    let mut world = World::new();
    let (mut sender, _, consumer) = set_up(&mut world);
    world.router.prefer_layers(world.now, consumer, 1, Some(0));
    let first = run(&mut world, &mut sender, 40, &[0, 1]);
    let low = run(&mut world, &mut sender, 20, &[0, 1]);
    assert!(low.len() <= 11, "every second frame: {}", low.len());
    let all: Vec<_> = first.into_iter().chain(low).collect();
    assert_is_one_stream(&all, 4 * 9_000);
    world.router.prefer_layers(world.now, consumer, 0, None);
    let down = run(&mut world, &mut sender, 20, &[0, 1]);
    assert!(down.len() > 15, "all frames of the small one: {}", down.len());
    assert_is_one_stream(&down, 4 * 9_000);
    assert!(down.iter().any(is_key));
}

#[test]
fn a_stream_that_ends_is_replaced_by_one_that_is_there() {
    let mut world = World::new();
    let (mut sender, _, _) = set_up(&mut world);
    run(&mut world, &mut sender, 40, &[0, 1]);
    let after = run(&mut world, &mut sender, 60, &[0]);
    assert!(after.len() > 30, "the small one is taken: {}", after.len());
    assert_is_one_stream(&after, 45 * 9_000);
}

#[test]
fn senders_reports_put_streams_on_one_time_line() {
    let mut world = World::new();
    let (mut sender, _, consumer) = set_up(&mut world);
    world.router.prefer_layers(world.now, consumer, 0, None);
    let mut got = run(&mut world, &mut sender, 20, &[0, 1]);
    // Both say what their clocks showed when the next frame was taken.
    let ntp = NtpTime::from_unix_us(1_700_000_000_000_000);
    for size in 0..2 {
        let rtp = sender.starts[size].1.wrapping_add(u32::from(sender.frames) * 9_000);
        let info = SenderInfo { ntp, rtp, packets: 1, octets: 1 };
        world.rtcp(0, |writer| assert!(writer.sender_report(sender.ssrcs[size], &info, &[]).is_ok()));
    }
    world.router.prefer_layers(world.now, consumer, 1, None);
    got.extend(run(&mut world, &mut sender, 20, &[0, 1]));
    let span = got.last().unwrap().rtp().timestamp().wrapping_sub(got[0].rtp().timestamp());
    // The large one's first frame was taken when the small one's last was, and has to come after it.
    assert!(span % 9_000 <= 1, "in step: {span}");
    assert_is_one_stream(&got, 3 * 9_000);
}

#[test]
fn a_stream_that_changes_its_ssrc_goes_on_after_a_key_frame() {
    let mut world = World::new();
    let (mut sender, producer, _) = set_up(&mut world);
    let mut got = run(&mut world, &mut sender, 40, &[0, 1]);
    sender.ssrcs = [101, 201];
    sender.starts = [(5, 77, 3), (40_000, 99, 0x7000)];
    sender.wants_key = [false; 2];
    let after = run(&mut world, &mut sender, 40, &[0, 1]);
    assert!(is_key(&after[0]) && after.len() > 20);
    got.extend(after);
    assert_is_one_stream(&got, 40 * 9_000);
    let stats = world.router.producer_stats(world.now(), producer).unwrap();
    let ssrcs: Vec<_> =
        stats.iter().map(|stat| serde_json::to_value(stat.get("ssrc").unwrap()).unwrap()).collect();
    assert_eq!(ssrcs, [101, 201]);
}
