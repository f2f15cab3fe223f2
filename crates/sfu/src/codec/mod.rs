//! What a payload says about its frame: key frames, layers, and the numbers that are rewritten.

mod aggregate;
mod bits;
mod dependency;
mod h264;
mod h265;
mod picture;
mod vp8;
mod vp9;

pub use dependency::{DependencyReader, FRAME_NUMBER_AT, Indication, Structure};
pub use picture::PictureNumbers;

use taoyao_ortc::Codec;

/// The codecs whose payload is looked into; others are forwarded as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodecKind {
    Vp8,
    Vp9,
    H264,
    H265,
    Av1,
    Other,
}

impl CodecKind {
    pub fn of(codec: &Codec) -> Self {
        let known = [
            ("video/VP8", Self::Vp8),
            ("video/VP9", Self::Vp9),
            ("video/H264", Self::H264),
            ("video/H265", Self::H265),
            ("video/AV1", Self::Av1),
        ];
        known.into_iter().find(|(mime_type, _)| codec.is(mime_type)).map_or(Self::Other, |(_, kind)| kind)
    }

    /// Whether a decoder that lost packets has to wait for a key frame.
    pub fn has_key_frames(self) -> bool {
        self != Self::Other
    }
}

/// What forwarding has to know of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// It begins a frame that needs no other: a receiver may begin here.
    pub is_key: bool,
    /// It begins the picture of one moment, over all its spatial layers.
    pub starts_picture: bool,
    /// It ends the frame of its spatial layer.
    pub ends_frame: bool,
    pub spatial: u8,
    pub temporal: u8,
    /// With this picture a receiver of fewer temporal layers may go on with its own.
    pub is_switching_point: bool,
    /// Behind this picture a receiver of its temporal layer may go on with all above it. Of VP9 only.
    pub frees_upper: bool,
    /// Of VP8 and VP9.
    pub picture: Option<PictureNumbers>,
    /// Of a dependency descriptor: two bits for each decode target (AV1 RTP, section A.4.1), the first in the lowest.
    pub targets: Option<u64>,
}

/// Reads the payload of a codec without state; what it does not understand is a packet without layers.
pub fn inspect(kind: CodecKind, payload: &[u8], has_marker: bool) -> Facts {
    match kind {
        CodecKind::Vp8 => vp8::inspect(payload, has_marker),
        CodecKind::Vp9 => vp9::inspect(payload),
        CodecKind::H264 => {
            Facts { is_key: h264::is_key(payload), ends_frame: has_marker, ..Facts::default() }
        }
        CodecKind::H265 => {
            Facts { is_key: h265::is_key(payload), ends_frame: has_marker, ..Facts::default() }
        }
        CodecKind::Av1 => {
            Facts { is_key: dependency::begins_sequence(payload), ends_frame: has_marker, ..Facts::default() }
        }
        CodecKind::Other => Facts { is_key: true, ends_frame: has_marker, ..Facts::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_payload_makes_it_panic() {
        let kinds = [
            CodecKind::Vp8,
            CodecKind::Vp9,
            CodecKind::H264,
            CodecKind::H265,
            CodecKind::Av1,
            CodecKind::Other,
        ];
        let mut state = 7_u64;
        let mut bytes = [0_u8; 40];
        for round in 0..50_000_usize {
            for byte in &mut bytes {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = (state >> 33) as u8;
            }
            let payload = &bytes[..round % 41];
            let facts = inspect(kinds[round % kinds.len()], payload, round % 2 == 0);
            if let Some(picture) = facts.picture {
                picture.patch(&mut payload.to_vec(), 1, 2);
            }
        }
    }
}
