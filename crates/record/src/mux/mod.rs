//! Containers: frames into the bytes of a file. Pure: nothing here knows a file.
//!
//! A file begins with a [`Head`] of a fixed length, most of it room to spare: it is written anew, in its place, when a track is
//! added and when the recording ends. Behind it chunks of about a second follow, each complete in itself, so that a file
//! whose writer was killed plays up to its last chunk.

mod matroska;
mod mp4;

use bytes::Bytes;

use crate::media::codec::Description;
use crate::media::timeline::Micros;
use crate::mux::matroska::Matroska;
use crate::mux::mp4::Mp4;

/// How much room a head has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// 16 tracks with long parameter sets fit.
    Small,
    /// All tracks of a whole room fit.
    Large,
}

/// The kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    WebM,
    Matroska,
    Mp4,
}

/// What the head says of one track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrackHead {
    /// From 1.
    pub(crate) number: u32,
    /// What people call it; may be empty.
    pub(crate) label: String,
    pub(crate) description: Description,
}

/// One frame as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) track: u32,
    /// When it is shown.
    pub(crate) at: Micros,
    /// When it is decoded: frames of a track stand in this order. A picture that others refer to is decoded before those
    /// that are shown earlier.
    pub(crate) decoded_at: Micros,
    /// Until the next frame of its track is decoded.
    pub(crate) duration: Micros,
    pub(crate) is_key: bool,
    pub(crate) is_video: bool,
    pub(crate) bytes: Bytes,
}

/// What is known when a recording has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) duration: Micros,
    /// Bytes of the file without the tail.
    pub(crate) file_bytes: u64,
    /// Bytes of the tail.
    pub(crate) tail_bytes: u64,
}

/// One file's writer.
#[derive(Debug)]
pub(crate) enum Mux {
    Matroska(Matroska),
    Mp4(Mp4),
}

impl Head {
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Small => 16 * 1024,
            Self::Large => 64 * 1024,
        }
    }
}

impl Container {
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::WebM => "webm",
            Self::Matroska => "mkv",
            Self::Mp4 => "mp4",
        }
    }
}

impl Mux {
    pub(crate) fn new(container: Container, head: Head) -> Self {
        match container {
            Container::WebM | Container::Matroska => Self::Matroska(Matroska::new(head)),
            Container::Mp4 => Self::Mp4(Mp4::new(head)),
        }
    }

    /// Exactly as long as a head of its kind; none if the tracks do not fit into them.
    pub(crate) fn head(&self, tracks: &[TrackHead], end: Option<End>) -> Option<Vec<u8>> {
        match self {
            Self::Matroska(matroska) => matroska.head(tracks, end),
            Self::Mp4(mp4) => mp4.head(tracks, end),
        }
    }

    /// The bytes of these frames, which will stand at `offset` in the file; in the order in which they are decoded, and not empty.
    pub(crate) fn chunk(&mut self, samples: &[Sample], offset: u64) -> Vec<u8> {
        match self {
            Self::Matroska(matroska) => matroska.chunk(samples, offset),
            Self::Mp4(mp4) => mp4.chunk(samples, offset),
        }
    }

    /// An index of what was written, for players that seek.
    pub(crate) fn tail(&self) -> Vec<u8> {
        match self {
            Self::Matroska(matroska) => matroska.tail(),
            Self::Mp4(mp4) => mp4.tail(),
        }
    }
}
