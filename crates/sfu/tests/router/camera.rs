//! A camera whose picture is sent in several sizes, at bitrates and with temporal layers as browsers have them.

use std::time::Duration;

use taoyao_sfu::rtcp::{Packet, Packets};
use taoyao_sfu::{TransmitKind, TransportKey};
use taoyao_types::Instant;

use crate::packets::{Rtp, vp8};
use crate::world::{Left, MID, RID, VP8, World};

pub(crate) const NAMES: [&str; 3] = ["l", "m", "h"];
/// What browsers give to three sizes, in bit/s.
pub(crate) const BITRATES: [f64; 3] = [150_000.0, 500_000.0, 1_600_000.0];
const FRAME: Duration = Duration::from_micros(33_333);
const PACKET_BYTES: usize = 1_100;
/// A key frame is so many times a frame.
const KEY_FRAME: f64 = 4.0;
/// Where a payload says of which size it is.
const SIZE_AT: usize = 10;

/// Sends 30 frames a second in three sizes, the frames of each by turns in its temporal layers.
pub(crate) struct Camera {
    key: u32,
    sizes: Vec<Size>,
    /// The temporal layers of frames, by turns, and what part of the mean they have.
    pattern: &'static [(u8, f64)],
    frames: u32,
    next: Instant,
    rng: fastrand::Rng,
}

struct Size {
    bitrate: f64,
    is_sent: bool,
    wants_key: bool,
    sequence: u16,
    pictures: u16,
    tl0: u8,
}

/// Two temporal layers with half of the frames each.
pub(crate) const HALVES: &[(u8, f64)] = &[(0, 1.2), (1, 0.8)];
/// Three, of which the upper ones cost less.
pub(crate) const QUARTERS: &[(u8, f64)] = &[(0, 1.6), (2, 0.7), (1, 1.0), (2, 0.7)];

impl Camera {
    pub(crate) fn new(
        key: u32,
        now: Instant,
        bitrates: [f64; 3],
        pattern: &'static [(u8, f64)],
        seed: u64,
    ) -> Self {
        let size =
            |bitrate| Size { bitrate, is_sent: true, wants_key: true, sequence: 100, pictures: 50, tl0: 0 };
        let sizes = bitrates.map(size).into();
        Self { key, sizes, pattern, frames: 0, next: now, rng: fastrand::Rng::with_seed(seed) }
    }

    /// Whether a size is sent at all: browsers stop large ones where the processor or the way does not suffice.
    pub(crate) fn set_sent(&mut self, size: usize, is_sent: bool) {
        self.sizes[size].is_sent = is_sent;
        self.sizes[size].wants_key |= is_sent;
    }

    /// Sends what is due.
    pub(crate) fn turn(&mut self, world: &mut World) {
        while self.next <= world.now {
            self.next = self.next + FRAME;
            for size in 0..self.sizes.len() {
                if self.sizes[size].is_sent {
                    self.send_frame(world, size);
                }
            }
            self.frames += 1;
        }
    }

    /// Does what it is asked for.
    pub(crate) fn obey(&mut self, left: &[Left]) {
        let own = left.iter().filter(|left| left.to == self.key && left.kind == TransmitKind::Rtcp);
        for packet in own.flat_map(|left| Packets::new(&left.bytes)).flatten() {
            if let Packet::Pli { media, .. } = packet {
                let size = (media - 100) as usize / 100;
                self.sizes[size].wants_key = true;
            }
        }
    }

    fn send_frame(&mut self, world: &mut World, at: usize) {
        let (temporal, part) = self.pattern[self.frames as usize % self.pattern.len()];
        let size = &mut self.sizes[at];
        let is_key = temporal == 0 && std::mem::take(&mut size.wants_key);
        let vary = (0.7 + 0.6 * self.rng.f64()) * if is_key { KEY_FRAME } else { 1.0 };
        let bytes = (size.bitrate * FRAME.as_secs_f64() / 8.0 * part * vary) as usize;
        size.tl0 = size.tl0.wrapping_add(u8::from(temporal == 0));
        size.pictures = (size.pictures + 1) & 0x7fff;
        let packets = bytes.div_ceil(PACKET_BYTES).max(1);
        for packet in 0..packets {
            let mut payload = vp8(size.pictures, size.tl0, temporal, temporal > 0, is_key);
            if packet > 0 {
                payload[0] &= !0x10;
            }
            payload.resize((bytes / packets).max(20), 0x55);
            payload[SIZE_AT] = at as u8;
            size.sequence = size.sequence.wrapping_add(1);
            let packet = Rtp {
                payload_type: VP8,
                has_marker: packet + 1 == packets,
                sequence: size.sequence,
                timestamp: self.frames * 3_000,
                ssrc: 100 * (at as u32 + 1),
                extensions: &[(MID, b"v"), (RID, NAMES[at].as_bytes())],
                payload: &payload,
            };
            world.router.handle_rtp(world.now, TransportKey(self.key), &packet.bytes());
        }
    }
}

/// Of which size a payload is.
pub(crate) fn size_of(payload: &[u8]) -> u8 {
    payload[SIZE_AT]
}
