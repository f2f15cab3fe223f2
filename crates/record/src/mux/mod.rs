//! Containers: frames into the bytes of a file. Pure: nothing here knows a file.
//!
//! A file begins with a head of [`HEAD_BYTES`], most of it room to spare: it is written anew, in its place, when a track is
//! added and when the recording ends. Behind it chunks of about a second follow, each complete in itself, so that a file
//! whose writer was killed plays up to its last chunk.

mod matroska;
mod mp4;

use bytes::Bytes;

use crate::media::codec::Description;
use crate::media::timeline::Micros;
use crate::mux::matroska::Matroska;
use crate::mux::mp4::Mp4;

/// The room of the head: 16 tracks with long parameter sets fit.
pub(crate) const HEAD_BYTES: usize = 16 * 1024;

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
    pub(crate) description: Description,
}

/// One frame as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) track: u32,
    pub(crate) at: Micros,
    /// Until the next frame of its track.
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
    pub(crate) fn new(container: Container) -> Self {
        match container {
            Container::WebM | Container::Matroska => Self::Matroska(Matroska::default()),
            Container::Mp4 => Self::Mp4(Mp4::default()),
        }
    }

    /// Exactly [`HEAD_BYTES`]; none if the tracks do not fit into them.
    pub(crate) fn head(&self, tracks: &[TrackHead], end: Option<End>) -> Option<Vec<u8>> {
        match self {
            Self::Matroska(matroska) => matroska.head(tracks, end),
            Self::Mp4(mp4) => mp4.head(tracks, end),
        }
    }

    /// The bytes of these frames, which will stand at `offset` in the file; sorted by time, and not empty.
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
