//! The file of a recording under way: frames in, complete chunks of about a second on the disk.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use crate::disk;
use crate::media::codec::Description;
use crate::media::timeline::Micros;
use crate::media::track::Frame;
use crate::mux::{Container, End, Head, Mux, Sample, TrackHead};
use crate::order::{DecodeOrder, Placed};

/// What a killed node may lose.
pub(crate) const CHUNK_EVERY: Duration = Duration::from_secs(1);
const CHUNK_MICROS: Micros = 1_000_000;
/// A chunk is also written when it has so many bytes.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct RecordingFile {
    file: File,
    mux: Mux,
    lanes: Vec<Lane>,
    pending: Vec<Sample>,
    pending_bytes: usize,
    bytes: u64,
    /// The end of the last frame.
    end: Micros,
}

/// One track of the file.
#[derive(Debug)]
struct Lane {
    head: TrackHead,
    order: DecodeOrder,
}

/// Why a track is not in the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AddError {
    #[error("the container cannot hold the track beside those that it has")]
    DoesNotFit,
    #[error("the file has as many tracks as one may have")]
    TooMany,
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl AddError {
    pub(crate) fn is_full(&self) -> bool {
        matches!(self, Self::TooMany)
    }
}

impl RecordingFile {
    /// # Errors
    /// The file is there already, or cannot be made.
    pub(crate) fn create(path: &Path, container: Container, head: Head) -> io::Result<Self> {
        Self::in_file(disk::private_file(path)?, container, head)
    }

    fn in_file(file: File, container: Container, head: Head) -> io::Result<Self> {
        let mut new = Self {
            file,
            mux: Mux::new(container, head),
            lanes: Vec::new(),
            pending: Vec::new(),
            pending_bytes: 0,
            bytes: head.bytes() as u64,
            end: 0,
        };
        new.write_head(None).map_err(|error| match error {
            AddError::Io(error) => error,
            other => io::Error::other(other),
        })?;
        Ok(new)
    }

    /// Returns the number of the new track.
    pub(crate) fn add(&mut self, description: Description, label: String) -> Result<u32, AddError> {
        let number = self.lanes.len() as u32 + 1;
        let order = DecodeOrder::new(description.reorders());
        self.lanes.push(Lane { head: TrackHead { number, label, description }, order });
        let written = self.write_head(None);
        if written.is_err() {
            self.lanes.pop();
        }
        written.map(|()| number)
    }

    pub(crate) fn tracks(&self) -> usize {
        self.lanes.len()
    }

    /// Takes a frame of the track `number`. It is decoded behind the one before, even if that was somebody else's.
    pub(crate) fn push(&mut self, number: u32, frame: Frame) -> io::Result<()> {
        let Some(lane) = self.lanes.get_mut(number as usize - 1) else { return Ok(()) };
        lane.order.push(frame);
        while let Some(placed) = lane.order.pop() {
            let sample = sample_of(&lane.head, placed);
            self.end = self.end.max(sample.at + sample.duration);
            self.pending_bytes += sample.bytes.len();
            self.pending.push(sample);
        }
        let newest = lane.order.newest();
        let began = self.pending.iter().map(|sample| sample.decoded_at).min();
        let is_due = began.is_some_and(|began| newest.is_some_and(|newest| newest - began >= CHUNK_MICROS));
        if is_due || self.pending_bytes >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what is there, and the last frames of tracks that have fallen silent.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let newest = self.lanes.iter().filter_map(|lane| lane.order.newest()).max();
        let is_silent = |lane: &Lane| {
            let last = lane.order.newest();
            newest.zip(last).is_some_and(|(newest, last)| newest - last >= CHUNK_MICROS)
        };
        let silent: Vec<usize> =
            self.lanes.iter().enumerate().filter(|(_, lane)| is_silent(lane)).map(|(at, _)| at).collect();
        silent.into_iter().for_each(|at| self.drain(at));
        self.write_pending()
    }

    /// Ends the file: the last frames, the index, and how long it is. Whatever the disk does not take of that is cut off, so
    /// that what is there plays. Returns its length in time, and whether all is there.
    pub(crate) fn finish(&mut self) -> (Micros, io::Result<()>) {
        (0..self.lanes.len()).for_each(|at| self.drain(at));
        let mut finished = self.write_pending();
        let tail = if finished.is_ok() { self.mux.tail() } else { Vec::new() };
        let mut end = End { duration: self.end, file_bytes: self.bytes, tail_bytes: tail.len() as u64 };
        let appended = self.append(&tail);
        if appended.is_err() {
            end.tail_bytes = 0;
        }
        finished = finished.and(appended).and(self.write_head(Some(end)).map_err(io::Error::other));
        (self.end, finished.and(self.file.sync_all()))
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn drain(&mut self, lane: usize) {
        let Lane { head, order } = &mut self.lanes[lane];
        while let Some(placed) = order.drain() {
            let sample = sample_of(head, placed);
            self.end = self.end.max(sample.at + sample.duration);
            self.pending.push(sample);
        }
    }

    fn write_pending(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.pending.sort_by_key(|sample| sample.decoded_at);
        let chunk = self.mux.chunk(&self.pending, self.bytes);
        self.pending.clear();
        self.pending_bytes = 0;
        self.append(&chunk)
    }

    /// All of it, or nothing.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.bytes))?;
        if let Err(error) = self.file.write_all(bytes) {
            if let Err(error) = self.file.set_len(self.bytes) {
                tracing::warn!(%error, "a part of a chunk stays at the end of a recording");
            }
            return Err(error);
        }
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn write_head(&mut self, end: Option<End>) -> Result<(), AddError> {
        let tracks: Vec<TrackHead> = self.lanes.iter().map(|lane| lane.head.clone()).collect();
        let head = self.mux.head(&tracks, end).ok_or(AddError::DoesNotFit)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&head)?;
        Ok(())
    }
}

fn sample_of(head: &TrackHead, placed: Placed) -> Sample {
    let Placed { frame, decoded_at, duration } = placed;
    let Frame { at, is_key, bytes, .. } = frame;
    let is_video = head.description.size().is_some();
    Sample { track: head.number, at, decoded_at, duration, is_key, is_video, bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_full_is_known_by_its_error() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let error = RecordingFile::in_file(full, Container::WebM, Head::Small).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
