//! One stream with layers inside: what consumers are sent can always be decoded, and has no gap.

use std::time::Duration;

use taoyao_ortc::{ConsumerId, MediaKind};

use crate::layered::{Decoder, Format, Got, Layered};
use crate::packets::{Rtp, vp8, vp8_numbers};
use crate::world::{VP8, World, layered, one, video, video_of};

const FORMATS: [Format; 4] = [
    Format::Vp9 { is_flexible: false, is_wide: true },
    Format::Vp9 { is_flexible: false, is_wide: false },
    Format::Vp9 { is_flexible: true, is_wide: true },
    Format::Av1,
];
const MODES: [(&str, bool); 2] = [("L3T3", false), ("L3T3_KEY", true)];

struct Room {
    world: World,
    camera: Layered,
    decoder: Decoder,
    consumer: ConsumerId,
}

impl Room {
    fn new(format: Format, mode: &str, is_keyed: bool) -> Self {
        let mut world = World::new();
        (0..2).for_each(|key| world.join(key));
        let rtp = video_of(format.mime_type(), "v", layered(10, mode));
        let producer = world.produce(0, MediaKind::Video, &rtp);
        let (consumer, _, _) = world.consume(1, producer);
        Self { world, camera: Layered::new(format, is_keyed), decoder: Decoder::new(format), consumer }
    }

    /// Pictures, 30 a second; what came of them.
    fn run(&mut self, pictures: usize) -> Got {
        for _ in 0..pictures {
            self.camera.send(&mut self.world);
            let mut left = self.world.flush();
            left.extend(self.world.pass(Duration::from_millis(33)));
            self.camera.obey(&left);
            self.decoder.receive(&left);
        }
        self.decoder.take()
    }

    /// What comes of so many pictures after a while for changes.
    fn prefer(&mut self, spatial: u8, temporal: u8, pictures: usize) -> Got {
        self.world.router.prefer_layers(self.world.now, self.consumer, spatial, Some(temporal));
        self.run(12);
        self.run(pictures)
    }
}

fn got(pictures: usize, sizes: u8, temporals: u8) -> Got {
    Got { pictures, sizes: (0..=sizes).collect(), temporals: (0..=temporals).collect() }
}

fn each_room(check: impl Fn(&mut Room, bool)) {
    for format in FORMATS {
        for (mode, is_keyed) in MODES {
            check(&mut Room::new(format, mode, is_keyed), format == Format::Av1 && is_keyed);
        }
    }
}

/// Where only key pictures need lower sizes, AV1's descriptor leaves them out of the others.
fn sizes_of(got: Got, is_sparse: bool) -> Got {
    let largest = got.sizes.last().copied().unwrap_or_default();
    if is_sparse { Got { sizes: (0..=largest).collect(), ..got } } else { got }
}

#[test]
fn layers_come_and_go_as_is_wished_and_all_can_be_decoded() {
    each_room(|room, is_sparse| {
        room.run(40);
        assert_eq!(sizes_of(room.run(40), is_sparse), got(40, 2, 2));
        for (spatial, temporal, part) in
            [(2, 1, 2), (1, 1, 2), (1, 0, 4), (0, 2, 1), (2, 0, 4), (1, 2, 1), (2, 2, 1)]
        {
            let came = room.prefer(spatial, temporal, 40);
            assert_eq!(sizes_of(came, is_sparse), got(40 / part, spatial, temporal));
        }
    });
}

#[test]
fn only_larger_sizes_need_a_key_frame() {
    each_room(|room, is_sparse| {
        room.run(40);
        let before = room.camera.key_pictures;
        room.prefer(2, 0, 4);
        room.prefer(2, 2, 4);
        assert_eq!(room.camera.key_pictures, before, "frame rates");
        room.prefer(1, 2, 4);
        room.prefer(0, 2, 4);
        let down = room.camera.key_pictures - before;
        assert_eq!(down, if is_sparse { 2 } else { 0 }, "smaller sizes, which may not have been sent");
        room.prefer(2, 2, 4);
        assert_eq!(room.camera.key_pictures, before + down + 1);
    });
}

#[test]
fn a_stream_that_begins_anew_goes_on_for_its_receivers() {
    each_room(|room, _| {
        room.run(40);
        room.world.router.pause_consumer(room.world.now, room.consumer, true);
        room.run(8);
        // As an encoder does that begins anew.
        room.camera.first_number = room.camera.first_number.wrapping_add(5_003);
        room.decoder.begin_anew();
        room.world.router.pause_consumer(room.world.now, room.consumer, false);
        assert!(room.run(40).pictures >= 36);
    });
}

#[test]
fn a_simple_stream_of_vp8_has_its_frame_rates() {
    let mut world = World::new();
    (0..2).for_each(|key| world.join(key));
    let producer = world.produce(0, MediaKind::Video, &video("v", one(10)));
    let (consumer, _, _) = world.consume(1, producer);
    let mut last = None;
    let mut run = |world: &mut World, from: u16| {
        let mut count = 0;
        for frame in from..from + 40 {
            let temporal = [0, 2, 1, 2][usize::from(frame % 4)];
            let payload = vp8(frame, (frame / 4) as u8, temporal, temporal > 0, frame == 0);
            let packet = Rtp {
                payload_type: VP8,
                has_marker: true,
                sequence: frame,
                timestamp: u32::from(frame) * 3_000,
                ssrc: 10,
                extensions: &[],
                payload: &payload,
            };
            world.rtp(0, &packet.bytes());
            for left in world.media() {
                let numbers = (left.rtp().sequence(), vp8_numbers(left.rtp().payload()).0);
                if let Some((sequence, picture)) = last.replace(numbers) {
                    assert_eq!(numbers, (u16::wrapping_add(sequence, 1), (picture + 1) & 0x7fff));
                }
                count += 1;
            }
            world.pass(Duration::from_millis(33));
        }
        count
    };
    assert_eq!(run(&mut world, 0), 40);
    world.router.prefer_layers(world.now, consumer, 0, Some(1));
    assert_eq!(run(&mut world, 40), 20);
    world.router.prefer_layers(world.now, consumer, 0, Some(0));
    assert_eq!(run(&mut world, 80), 10);
    world.router.prefer_layers(world.now, consumer, 0, None);
    assert!(run(&mut world, 120) >= 37);
}
