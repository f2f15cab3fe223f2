//! One recording under way: what is said of it and its packets in, its file out. No thread, no clock.

use std::io;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use taoyao_ortc::{ProducerId, RecordEnd};
use taoyao_types::Instant;
use taoyao_types::limits::{
    RECORDING_PRODUCERS_MAX, RECORDING_TRACKS_MAX, ROOM_RECORDING_PRODUCERS_MAX, ROOM_RECORDING_TRACKS_MAX,
};

use crate::file::{AddError, RecordingFile};
use crate::index::{LeftOut, TrackEntry};
use crate::media::codec::{Codec, Description};
use crate::media::timeline::{Micros, Report, SenderClocks};
use crate::media::track::{Frame, Track, micros_between};
use crate::mux::{Container, Head};
use crate::plan::{RecordingPlan, TrackPlan};

/// A track without a key frame asks for one this often.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// People are in the picture by then, and it is no longer black.
const PREVIEW_FROM: Micros = 3_000_000;

/// What a recording is told.
#[derive(Debug)]
pub(crate) enum Input {
    Packet { producer: ProducerId, arrival: Instant, bytes: Bytes },
    Report { producer: ProducerId, arrival: Instant, ntp: u64, rtp: u32 },
    Add(TrackPlan),
    EndTrack(ProducerId),
    Stop(RecordEnd),
}

/// How much one file takes.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    tracks: usize,
    /// One after the other.
    producers: usize,
}

const OF_MEMBER: Bounds = Bounds { tracks: RECORDING_TRACKS_MAX, producers: RECORDING_PRODUCERS_MAX };
const OF_ROOM: Bounds = Bounds { tracks: ROOM_RECORDING_TRACKS_MAX, producers: ROOM_RECORDING_PRODUCERS_MAX };

pub(crate) struct Session {
    began: Instant,
    now: Instant,
    container: Container,
    bounds: Bounds,
    is_whole_room: bool,
    file: RecordingFile,
    lanes: Vec<Lane>,
    clocks: SenderClocks,
    preview: Option<KeyFrame>,
    /// Whether a track has begun or ended since that was asked.
    has_changed: bool,
}

/// A key frame from which a preview can be made.
pub(crate) struct KeyFrame {
    at: Micros,
    pub(crate) description: Description,
    pub(crate) bytes: Bytes,
}

/// One producer.
struct Lane {
    producer: ProducerId,
    form: Form,
    label: String,
    /// None once it has ended, and where the codec cannot be recorded.
    track: Option<Track>,
    asked: Option<Instant>,
    /// With its number in the file, from its first frame on.
    entry: TrackEntry,
}

impl Session {
    pub(crate) fn create(path: &Path, began: Instant, plan: RecordingPlan) -> io::Result<Self> {
        let container = container_of(&plan);
        let head = if plan.is_whole_room { Head::Large } else { Head::Small };
        let mut session = Self {
            began,
            now: began,
            container,
            bounds: if plan.is_whole_room { OF_ROOM } else { OF_MEMBER },
            is_whole_room: plan.is_whole_room,
            file: RecordingFile::create(path, container, head)?,
            lanes: Vec::new(),
            clocks: SenderClocks::default(),
            preview: None,
            has_changed: false,
        };
        plan.tracks.into_iter().for_each(|track| session.add(track));
        Ok(session)
    }

    /// # Errors
    /// The disk does not take more; the recording is over.
    pub(crate) fn handle(&mut self, input: Input) -> io::Result<()> {
        match input {
            Input::Packet { producer, arrival, bytes } => self.packet(producer, arrival, &bytes),
            Input::Report { producer, arrival, ntp, rtp } => {
                let at = micros_between(self.began, arrival);
                if let Some(index) = self.open_lane(producer)
                    && let Some(track) = &mut self.lanes[index].track
                {
                    track.report(&mut self.clocks, Report { ntp, rtp }, at);
                }
                Ok(())
            }
            Input::Add(plan) => {
                self.add(plan);
                Ok(())
            }
            Input::EndTrack(producer) => {
                self.open_lane(producer).map_or(Ok(()), |index| self.end_lane(index))
            }
            Input::Stop(_) => Ok(()),
        }
    }

    /// Writes what is there; for whoever has waited in vain for more.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    /// The producers that should be asked for a key frame now.
    pub(crate) fn wanted_key_frames(&mut self) -> Vec<ProducerId> {
        let now = self.now;
        let mut wanted = Vec::new();
        for lane in &mut self.lanes {
            let needs = lane.track.as_ref().is_some_and(Track::needs_key_frame);
            if needs && lane.asked.is_none_or(|asked| now.since(asked) >= ASK_EVERY) {
                lane.asked = Some(now);
                wanted.push(lane.producer);
            }
        }
        wanted
    }

    /// Ends all tracks and the file; returns its length in time, and whether the disk has taken it all.
    pub(crate) fn finish(&mut self) -> (Micros, io::Result<()>) {
        let written = (0..self.lanes.len()).try_for_each(|index| self.end_lane(index));
        let (duration, finished) = self.file.finish();
        (duration, written.and(finished))
    }

    /// From the beginning to the newest packet.
    pub(crate) fn lasted(&self) -> Duration {
        self.now.since(self.began)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.file.bytes()
    }

    pub(crate) fn tracks(&self) -> Vec<TrackEntry> {
        self.lanes.iter().map(Lane::counted).collect()
    }

    /// Whether there is something new to be seen of the tracks since the last call.
    pub(crate) fn take_change(&mut self) -> bool {
        std::mem::take(&mut self.has_changed)
    }

    /// What its file's name should end with: WebM that has got a track of another codec is Matroska.
    pub(crate) fn extension(&self) -> &'static str {
        let recorded = self.lanes.iter().filter(|lane| lane.entry.is_recorded);
        let codecs: Vec<Codec> = recorded.filter_map(|lane| lane.form.codec).collect();
        let is_webm = self.container == Container::WebM && codecs.iter().all(|codec| WEBM.contains(codec));
        match self.container {
            Container::WebM if !is_webm => Container::Matroska.extension(),
            container => container.extension(),
        }
    }

    pub(crate) fn take_preview(&mut self) -> Option<KeyFrame> {
        self.preview.take()
    }

    fn packet(&mut self, producer: ProducerId, arrival: Instant, bytes: &Bytes) -> io::Result<()> {
        self.now = self.now.max(arrival);
        let Some(index) = self.open_lane(producer) else { return Ok(()) };
        if let Some(track) = &mut self.lanes[index].track {
            track.push(arrival, bytes);
        }
        self.collect()
    }

    /// All tracks are looked at: time also passes for those that wait for a packet. While one waits to be told where it
    /// belongs, all do, so that the file is written in its order.
    fn collect(&mut self) -> io::Result<()> {
        let now = self.now;
        let mut is_waiting = false;
        for track in self.lanes.iter_mut().filter_map(|lane| lane.track.as_mut()) {
            track.advance(now);
            is_waiting |= track.is_waiting(now);
        }
        if is_waiting {
            return Ok(());
        }
        for index in 0..self.lanes.len() {
            let frames = self.lanes[index].track.as_mut().map(Track::frames);
            self.write(index, frames.unwrap_or_default())?;
        }
        Ok(())
    }

    fn add(&mut self, plan: TrackPlan) {
        let is_known = self.open_lane(plan.producer).is_some();
        if is_known || self.lanes.len() >= self.bounds.producers {
            return;
        }
        let codec = Codec::of_mime_type(&plan.mime_type);
        let form = Form { codec, clock_rate: plan.clock_rate, channels: plan.channels };
        let label = plan.label.clone();
        let mut entry = TrackEntry::new(&plan);
        if codec.is_none() {
            entry.left_out = Some(LeftOut::Codec);
            tracing::warn!(producer = %plan.producer, codec = plan.mime_type, "this codec is not recorded");
        }
        let producer = plan.producer;
        let track = codec.map(|codec| Track::new(codec, plan, self.began));
        self.lanes.push(Lane { producer, form, label, track, asked: None, entry });
        self.has_changed = true;
    }

    fn end_lane(&mut self, index: usize) -> io::Result<()> {
        let Some(track) = &mut self.lanes[index].track else { return Ok(()) };
        let frames = track.end();
        let written = self.write(index, frames);
        let lane = &mut self.lanes[index];
        lane.entry = lane.counted();
        lane.track = None;
        self.has_changed = true;
        written
    }

    fn write(&mut self, index: usize, frames: Vec<Frame>) -> io::Result<()> {
        for frame in frames {
            if frame.is_key {
                self.note_preview(&frame);
            }
            let Some(number) = self.number_of(index, frame.description.as_ref())? else { return Ok(()) };
            let at_ms = millis(frame.at);
            self.file.push(number, frame)?;
            let entry = &mut self.lanes[index].entry;
            entry.frames += 1;
            entry.from_ms.get_or_insert(at_ms);
            entry.until_ms = Some(at_ms);
        }
        Ok(())
    }

    /// The track's number in the file; it gets one with its first frame, which says how it is to be described. None if
    /// the file cannot hold it.
    fn number_of(&mut self, index: usize, description: Option<&Description>) -> io::Result<Option<u32>> {
        if let Some(number) = self.lanes[index].entry.number {
            return Ok(Some(number));
        }
        let Some(description) = description else { return Ok(None) };
        let added = match self.free_number(index) {
            Some(number) => Ok(number),
            None if self.file.tracks() >= self.bounds.tracks => Err(AddError::TooMany),
            None => self.file.add(description.clone(), self.lanes[index].label.clone()),
        };
        let lane = &mut self.lanes[index];
        self.has_changed = true;
        match added {
            Ok(number) => {
                lane.entry.number = Some(number);
                lane.entry.is_recorded = true;
                Ok(Some(number))
            }
            Err(AddError::Io(error)) => Err(error),
            Err(error) => {
                let why = if error.is_full() { LeftOut::TooMany } else { LeftOut::Container };
                tracing::warn!(producer = %lane.producer, %error, "a track is not recorded");
                lane.entry = lane.counted();
                lane.entry.left_out = Some(why);
                lane.track = None;
                Ok(None)
            }
        }
    }

    /// Who comes back goes on in the track of the file in which somebody of the same kind has ended: players show one
    /// picture and play one sound. In the file of a whole room only in one of the same name.
    fn free_number(&self, index: usize) -> Option<u32> {
        let own = &self.lanes[index];
        let is_alike =
            |lane: &&Lane| lane.form == own.form && (!self.is_whole_room || lane.label == own.label);
        let is_taken = |number: &u32| {
            self.lanes.iter().any(|lane| lane.track.is_some() && lane.entry.number == Some(*number))
        };
        let numbers = self.lanes.iter().filter(is_alike).filter_map(|lane| lane.entry.number);
        numbers.filter(|number| !is_taken(number)).min()
    }

    fn note_preview(&mut self, frame: &Frame) {
        let is_better = match &self.preview {
            None => true,
            Some(kept) => kept.at < PREVIEW_FROM && frame.at >= PREVIEW_FROM,
        };
        if let Some(description) =
            frame.description.as_ref().filter(|description| description.size().is_some())
            && is_better
        {
            let (at, description, bytes) = (frame.at, description.clone(), frame.bytes.clone());
            self.preview = Some(KeyFrame { at, description, bytes });
        }
    }

    fn open_lane(&self, producer: ProducerId) -> Option<usize> {
        self.lanes.iter().position(|lane| lane.producer == producer && lane.track.is_some())
    }
}

/// What a track of a file cannot change on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form {
    /// None where it cannot be recorded.
    codec: Option<Codec>,
    clock_rate: u32,
    channels: Option<u8>,
}

impl Lane {
    /// Its entry with the counts of now.
    fn counted(&self) -> TrackEntry {
        let mut entry = self.entry.clone();
        if let Some(track) = &self.track {
            entry.lost_packets = track.lost_packets;
            entry.dropped_frames = track.dropped_frames();
        }
        entry
    }
}

const WEBM: [Codec; 4] = [Codec::Opus, Codec::Vp8, Codec::Vp9, Codec::Av1];

fn millis(at: Micros) -> u64 {
    at.max(0).unsigned_abs() / 1_000
}

/// By what is to be in it: what browsers and phones play best. A room may come to hold anything.
pub(crate) fn container_of(plan: &RecordingPlan) -> Container {
    let named = plan.tracks.iter().filter_map(|track| Codec::of_mime_type(&track.mime_type));
    let codecs: Vec<Codec> = named.collect();
    let has_h264 = codecs.contains(&Codec::H264);
    let fits = |known: &[Codec]| codecs.iter().all(|codec| known.contains(codec));
    if plan.is_whole_room {
        Container::Matroska
    } else if fits(&WEBM) {
        Container::WebM
    } else if has_h264 && fits(&[Codec::Opus, Codec::H264]) {
        Container::Mp4
    } else {
        Container::Matroska
    }
}
