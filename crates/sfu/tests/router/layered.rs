//! A camera that sends one stream in three sizes and three frame rates, and a decoder that needs what its pictures refer to.

use std::collections::BTreeSet;

use taoyao_sfu::rtcp::{Packet, Packets};
use taoyao_sfu::{TransmitKind, TransportKey};

use crate::descriptor::{Described, descriptor};
use crate::packets::Rtp;
use crate::world::{DESCRIPTOR, Left, VP8, World};

const SSRC: u32 = 10;
const SIZES: u8 = 3;
/// Temporal layers by turns, and how many pictures back each refers.
const PATTERN: [(u8, u16); 4] = [(0, 4), (2, 1), (1, 2), (2, 1)];
/// What decoders of these tests read, at the end of each payload: picture, size, temporal layer, packet of the frame,
/// whether it needs a picture before it and how far that is, whether it needs the size below.
const NOTE_BYTES: usize = 7;

/// How layers are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Vp9 { is_flexible: bool, is_wide: bool },
    Av1,
}

impl Format {
    pub(crate) fn mime_type(self) -> &'static str {
        if self == Self::Av1 { "video/AV1" } else { "video/VP9" }
    }
}

/// Sends pictures of all layers, two packets for each frame.
pub(crate) struct Layered {
    format: Format,
    /// Upper sizes need lower ones in key pictures only.
    is_keyed: bool,
    picture: u16,
    /// Added to what is told as the picture's number.
    pub(crate) first_number: u16,
    sequence: u16,
    tl0: u8,
    wants_key: bool,
    pub(crate) key_pictures: u32,
}

impl Layered {
    pub(crate) fn new(format: Format, is_keyed: bool) -> Self {
        let (first_number, sequence) = (0x7ff0, 65_000);
        Self {
            format,
            is_keyed,
            picture: 0,
            first_number,
            sequence,
            tl0: 250,
            wants_key: true,
            key_pictures: 0,
        }
    }

    /// Does what it is asked for.
    pub(crate) fn obey(&mut self, left: &[Left]) {
        let own = left.iter().filter(|left| left.to == 0 && left.kind == TransmitKind::Rtcp);
        let mut packets = own.flat_map(|left| Packets::new(&left.bytes)).flatten();
        self.wants_key |= packets.any(|packet| matches!(packet, Packet::Pli { .. }));
    }

    /// The next picture.
    pub(crate) fn send(&mut self, world: &mut World) {
        let (temporal, back) = PATTERN[usize::from(self.picture % 4)];
        let is_key = temporal == 0 && std::mem::take(&mut self.wants_key);
        self.key_pictures += u32::from(is_key);
        self.tl0 = self.tl0.wrapping_add(u8::from(temporal == 0));
        for size in 0..SIZES {
            for part in 0..2 {
                let frame = Frame { size, part, temporal, back, is_key };
                self.send_packet(world, frame);
            }
        }
        self.picture += 1;
    }

    fn send_packet(&mut self, world: &mut World, frame: Frame) {
        let needs_below = frame.size > 0 && (frame.is_key || !self.is_keyed);
        let mut payload = match self.format {
            Format::Vp9 { is_flexible, is_wide } => self.vp9(frame, needs_below, is_flexible, is_wide),
            Format::Av1 => vec![if frame.is_key && frame.part == 0 && frame.size == 0 { 0x18 } else { 0x10 }],
        };
        payload.extend([0x55; 50]);
        let [high, low] = self.picture.to_be_bytes();
        let back = if frame.is_key { 0 } else { frame.back as u8 };
        payload.extend([high, low, frame.size, frame.temporal, frame.part, back, needs_below.into()]);
        let descriptor = descriptor(
            Described {
                starts: frame.part == 0,
                ends: frame.part == 1,
                is_key: frame.is_key,
                spatial: frame.size,
                temporal: frame.temporal,
                number: self.number().wrapping_mul(SIZES.into()).wrapping_add(frame.size.into()),
            },
            self.is_keyed,
        );
        let extensions: &[(u8, &[u8])] = &[(DESCRIPTOR, &descriptor)];
        let packet = Rtp {
            payload_type: VP8,
            has_marker: frame.part == 1 && frame.size + 1 == SIZES,
            sequence: self.sequence,
            timestamp: u32::from(self.picture) * 3_000,
            ssrc: SSRC,
            extensions: if self.format == Format::Av1 { extensions } else { &[] },
            payload: &payload,
        };
        self.sequence = self.sequence.wrapping_add(1);
        world.router.handle_rtp(world.now, TransportKey(0), &packet.bytes());
    }

    fn number(&self) -> u16 {
        self.picture.wrapping_add(self.first_number)
    }

    /// The descriptor of RFC 9628, section 4.2.
    fn vp9(&self, frame: Frame, needs_below: bool, is_flexible: bool, is_wide: bool) -> Vec<u8> {
        let flag = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
        let flags = 0xa0
            | flag(!frame.is_key, 0x40)
            | flag(is_flexible, 0x10)
            | flag(frame.part == 0, 0x08)
            | flag(frame.part == 1, 0x04);
        let [high, low] = (self.number() & 0x7fff).to_be_bytes();
        let mut bytes = vec![flags];
        bytes.extend(if is_wide { vec![high | 0x80, low] } else { vec![low & 0x7f] });
        // In flexible mode frames of the lowest layer refer to their own, and so free nothing.
        let frees = !is_flexible || frame.temporal > 0;
        bytes.push((frame.temporal << 5) | flag(frees, 0x10) | (frame.size << 1) | u8::from(needs_below));
        match (is_flexible, frame.is_key) {
            (false, _) => bytes.push(self.tl0),
            (true, false) => bytes.push((frame.back as u8) << 1),
            (true, true) => {}
        }
        bytes
    }
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    size: u8,
    part: u8,
    temporal: u8,
    back: u16,
    is_key: bool,
}

/// What was received lately.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) pictures: usize,
    pub(crate) sizes: BTreeSet<u8>,
    pub(crate) temporals: BTreeSet<u8>,
}

/// Decodes, and fails where something is missing.
pub(crate) struct Decoder {
    format: Format,
    /// (Picture, size) of whole frames.
    frames: BTreeSet<(u16, u8)>,
    last: Option<(u16, u32, bool)>,
    /// What the receiver's numbers are ahead of the sender's, in frames or pictures.
    number_offset: Option<u16>,
    last_number: u16,
    got: Got,
}

impl Decoder {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            frames: BTreeSet::new(),
            last: None,
            number_offset: None,
            last_number: 0,
            got: Got::default(),
        }
    }

    pub(crate) fn receive(&mut self, left: &[Left]) {
        for left in left.iter().filter(|left| left.to == 1 && left.kind == TransmitKind::Rtp) {
            self.receive_packet(left);
        }
    }

    fn receive_packet(&mut self, left: &Left) {
        let packet = left.rtp();
        if let Some((sequence, timestamp, has_marker)) = self.last {
            assert_eq!(packet.sequence(), sequence.wrapping_add(1));
            assert_eq!(packet.timestamp() != timestamp, has_marker, "pictures end with their marker");
        }
        self.last = Some((packet.sequence(), packet.timestamp(), packet.has_marker()));
        let payload = packet.payload();
        let Some(&[high, low, size, temporal, part, back, needs_below]) = payload.last_chunk::<NOTE_BYTES>()
        else {
            panic!("every payload ends with a note");
        };
        let picture = u16::from_be_bytes([high, low]);
        self.check_number(left, picture, size);
        if part == 0 {
            return;
        }
        let needed = [
            (back > 0).then(|| (picture - u16::from(back), size)),
            (needs_below > 0).then(|| (picture, size - 1)),
        ];
        for needed in needed.into_iter().flatten() {
            assert!(self.frames.contains(&needed), "{picture}/{size}/{temporal} needs {needed:?}");
        }
        self.frames.insert((picture, size));
        self.got.pictures += usize::from(packet.has_marker());
        self.got.sizes.insert(size);
        self.got.temporals.insert(temporal);
    }

    /// Numbers may begin anywhere, but distances are what frames refer by.
    fn check_number(&mut self, left: &Left, picture: u16, size: u8) {
        let (number, sent, mask) = match (self.format, left.rtp().payload(), left.rtp().element(8)) {
            (Format::Vp9 { is_wide: true, .. }, payload, _) => {
                (u16::from_be_bytes([payload[1] & 0x7f, payload[2]]), picture, 0x7fff)
            }
            (Format::Vp9 { is_wide: false, .. }, payload, _) => (u16::from(payload[1]), picture, 0x7f),
            (Format::Av1, _, Some(descriptor)) => {
                let number = u16::from_be_bytes([descriptor[1], descriptor[2]]);
                (number, picture.wrapping_mul(SIZES.into()).wrapping_add(size.into()), u16::MAX)
            }
            (Format::Av1, _, None) => panic!("the descriptor is passed on"),
        };
        let offset = number.wrapping_sub(sent) & mask;
        let known = *self.number_offset.get_or_insert_with(|| {
            let next = self.last_number.wrapping_add(1) & mask;
            assert!(self.frames.is_empty() || number == next, "{:?}: {number}, not {next}", self.format);
            offset
        });
        assert_eq!(known, offset);
        self.last_number = number;
    }

    /// The sender has begun anew with its numbers; the receiver's go on.
    pub(crate) fn begin_anew(&mut self) {
        self.number_offset = None;
    }

    /// What has come since this was last asked.
    pub(crate) fn take(&mut self) -> Got {
        std::mem::take(&mut self.got)
    }
}
