//! The file of a recording under way: frames in, complete chunks of about a second on the disk.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use crate::media::codec::Description;
use crate::media::timeline::Micros;
use crate::media::track::Frame;
use crate::mux::{Container, End, HEAD_BYTES, Mux, Sample, TrackHead};

/// What a killed node may lose.
pub(crate) const CHUNK_EVERY: Duration = Duration::from_secs(1);
const CHUNK_MICROS: Micros = 1_000_000;
/// A chunk is also written when it has so many bytes.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;
/// How long a frame lasts of which it is not known.
const FIRST_DURATION: Micros = 20_000;

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
    /// Its last frame, until the next tells how long it lasts.
    held: Option<Sample>,
    /// Where the last one lies.
    last: Option<Micros>,
    duration: Micros,
}

/// Why a track is not in the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AddError {
    #[error("the container cannot hold the track beside those that it has")]
    DoesNotFit,
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl RecordingFile {
    /// # Errors
    /// The file is there already, or cannot be made.
    pub(crate) fn create(path: &Path, container: Container) -> io::Result<Self> {
        let file = File::options().write(true).create_new(true).open(path)?;
        let mut new = Self {
            file,
            mux: Mux::new(container),
            lanes: Vec::new(),
            pending: Vec::new(),
            pending_bytes: 0,
            bytes: HEAD_BYTES as u64,
            end: 0,
        };
        new.write_head(None).map_err(io::Error::other)?;
        Ok(new)
    }

    /// Returns the number of the new track.
    pub(crate) fn add(&mut self, description: Description) -> Result<u32, AddError> {
        let number = self.lanes.len() as u32 + 1;
        let head = TrackHead { number, description };
        self.lanes.push(Lane { head, held: None, last: None, duration: FIRST_DURATION });
        let written = self.write_head(None);
        if written.is_err() {
            self.lanes.pop();
        }
        written.map(|()| number)
    }

    pub(crate) fn tracks(&self) -> usize {
        self.lanes.len()
    }

    /// Takes a frame of the track `number`. It lies behind the one before, even if that was somebody else's.
    pub(crate) fn push(&mut self, number: u32, mut frame: Frame) -> io::Result<()> {
        let Some(lane) = self.lanes.get_mut(number as usize - 1) else { return Ok(()) };
        frame.at = frame.at.max(lane.last.map_or(0, |last| last + 1_000));
        lane.last = Some(frame.at);
        if let Some(mut held) = lane.held.take() {
            held.duration = frame.at - held.at;
            // What follows a gap tells nothing of the frames' pace.
            if held.duration < CHUNK_MICROS / 2 {
                lane.duration = held.duration;
            }
            self.pending_bytes += held.bytes.len();
            self.pending.push(held);
        }
        let is_video = lane.head.description.size().is_some();
        let Frame { at, is_key, bytes, .. } = frame;
        self.end = self.end.max(at + lane.duration);
        lane.held = Some(Sample { track: number, at, duration: lane.duration, is_key, is_video, bytes });
        let began = self.pending.iter().map(|sample| sample.at).min().unwrap_or(at);
        if at - began >= CHUNK_MICROS || self.pending_bytes >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what is there, and the last frames of tracks that have fallen silent.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let newest = self.lanes.iter().filter_map(|lane| lane.held.as_ref()).map(|held| held.at).max();
        for lane in &mut self.lanes {
            let is_silent = |held: &Sample| newest.is_some_and(|newest| newest - held.at >= CHUNK_MICROS);
            if lane.held.as_ref().is_some_and(is_silent) {
                self.pending.extend(lane.held.take());
            }
        }
        self.write_pending()
    }

    /// Ends the file: the last frames, the index, and how long it is. Returns its length in time.
    pub(crate) fn finish(&mut self) -> io::Result<Micros> {
        for lane in &mut self.lanes {
            self.pending.extend(lane.held.take());
        }
        self.write_pending()?;
        let tail = self.mux.tail();
        let end = End { duration: self.end, file_bytes: self.bytes, tail_bytes: tail.len() as u64 };
        self.append(&tail)?;
        self.write_head(Some(end)).map_err(io::Error::other)?;
        self.file.sync_all()?;
        Ok(self.end)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn write_pending(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.pending.sort_by_key(|sample| sample.at);
        let chunk = self.mux.chunk(&self.pending, self.bytes);
        self.pending.clear();
        self.pending_bytes = 0;
        self.append(&chunk)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.bytes))?;
        self.file.write_all(bytes)?;
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
