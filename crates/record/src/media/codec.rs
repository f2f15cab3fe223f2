//! The codecs that can be recorded, and how a track is described to players.

use crate::media::h265::H265Sets;

/// What an RTP stream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Opus,
    Pcmu,
    Pcma,
    Vp8,
    Vp9,
    Av1,
    H264,
    H265,
}

impl Codec {
    /// By a name such as `video/VP8`; none if it cannot be recorded.
    pub(crate) fn of_mime_type(mime_type: &str) -> Option<Self> {
        match mime_type.to_ascii_lowercase().as_str() {
            "audio/opus" => Some(Self::Opus),
            "audio/pcmu" => Some(Self::Pcmu),
            "audio/pcma" => Some(Self::Pcma),
            "video/vp8" => Some(Self::Vp8),
            "video/vp9" => Some(Self::Vp9),
            "video/av1" => Some(Self::Av1),
            "video/h264" => Some(Self::H264),
            "video/h265" => Some(Self::H265),
            _ => None,
        }
    }

    pub(crate) fn is_video(self) -> bool {
        matches!(self, Self::Vp8 | Self::Vp9 | Self::Av1 | Self::H264 | Self::H265)
    }
}

/// All that a container has to know of a track. Of video it is read from the first key frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Description {
    /// Opus always runs at 48 kHz.
    Opus {
        channels: u8,
    },
    /// G.711; `is_mu_law` or A-law.
    Pcm {
        is_mu_law: bool,
        channels: u8,
        rate: u32,
    },
    Vp8(Size),
    Vp9 {
        size: Size,
        profile: u8,
    },
    /// With the sequence header, as an OBU with its size.
    Av1 {
        size: Size,
        profile: u8,
        level: u8,
        is_high_tier: bool,
        sequence_header: Vec<u8>,
    },
    H264 {
        size: Size,
        sps: Vec<u8>,
        pps: Vec<u8>,
    },
    H265 {
        size: Size,
        sets: H265Sets,
    },
}

/// In pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: u16,
    pub(crate) height: u16,
}

impl Description {
    pub(crate) fn size(&self) -> Option<Size> {
        match self {
            Self::Opus { .. } | Self::Pcm { .. } => None,
            Self::Vp8(size)
            | Self::Vp9 { size, .. }
            | Self::Av1 { size, .. }
            | Self::H264 { size, .. }
            | Self::H265 { size, .. } => Some(*size),
        }
    }

    /// Whether pictures may be decoded in another order than they are shown in (B-frames).
    pub(crate) fn reorders(&self) -> bool {
        const BASELINE: u8 = 66;
        match self {
            Self::H264 { sps, .. } => sps.get(1).is_some_and(|profile| *profile != BASELINE),
            Self::H265 { .. } => true,
            _ => false,
        }
    }
}
