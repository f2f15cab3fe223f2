//! A node's recorder: starts and stops recordings, each on a thread of its own, and answers for what there is.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;
use taoyao_ortc::{ProducerId, RecordEnd};
use taoyao_types::limits::{RECORDER_QUEUE_MAX, RECORDINGS_KEPT_MAX, RECORDINGS_MAX};
use taoyao_types::{Instant, Now, Wall};

use crate::config::RecorderConfig;
use crate::disk;
use crate::file::CHUNK_EVERY;
use crate::id::RecordingId;
use crate::index::{Entry, State};
use crate::plan::{RecordingPlan, TrackPlan};
use crate::preview::preview;
use crate::quota::NoRoom;
use crate::session::{Input, Session, container_of};
use crate::shelf::{DeleteError, OpenError, Shelf};
use crate::store::{Content, StoreError};

/// The recorder of one node. Cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    shelf: Arc<Shelf>,
    running: Arc<Mutex<BTreeMap<RecordingId, Running>>>,
    events: Arc<dyn Fn(RecorderEvent) + Send + Sync>,
}

struct Running {
    feed: Feed,
    thread: Option<JoinHandle<()>>,
}

/// What a recorder says by itself, on the recording's thread; whoever listens must not block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecorderEvent {
    /// A track begins, or has lost something, and cannot go on well without a key frame. At most once a second a track.
    KeyFrameWanted { id: RecordingId, producer: ProducerId },
    /// The file and its preview are complete; an upload may follow.
    Ended(Box<Entry>),
}

/// Why nothing is being recorded.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("there is a recording {0} already; choose another id")]
    Exists(RecordingId),
    #[error("{RECORDINGS_MAX} recordings are under way at this node; stop one first")]
    Busy,
    #[error(transparent)]
    Full(#[from] NoRoom),
    #[error("the file of the recording cannot be written: {0}")]
    Io(#[from] std::io::Error),
}

/// A file of a recording was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("there is no recording {0}")]
    Unknown(RecordingId),
    #[error("recording {0} has no preview")]
    NoPreview(RecordingId),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The files of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// WebM, Matroska or MP4, as the name in the entry says.
    Media,
    /// A JPEG.
    Preview,
}

/// The way into one recording, for the SFU: never blocks, whatever the disk does.
#[derive(Clone)]
pub struct Feed {
    inputs: Sender<Input>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    queued: AtomicUsize,
    dropped: AtomicU64,
}

impl Recorder {
    /// Reads the index; recordings that were under way when the node ended are marked as interrupted.
    ///
    /// # Errors
    /// The folder cannot be used, or the bucket's settings make no sense.
    pub fn open(
        config: &RecorderConfig,
        events: impl Fn(RecorderEvent) + Send + Sync + 'static,
    ) -> Result<Self, OpenError> {
        let shelf = Arc::new(Shelf::open(config)?);
        Ok(Self { shelf, running: Arc::default(), events: Arc::new(events) })
    }

    /// Begins a recording. Its time begins at `now.mono`, on the clock of the packets' arrival. The name of its file is in
    /// its entry at once.
    ///
    /// # Errors
    /// A limit is reached, or the disk does not take a new file.
    pub fn start(&self, plan: RecordingPlan, now: Now) -> Result<Feed, StartError> {
        self.make_room(&plan)?;
        let mut running = self.running();
        running.retain(|_, running| running.thread.as_ref().is_some_and(|thread| !thread.is_finished()));
        if running.len() >= RECORDINGS_MAX {
            return Err(StartError::Busy);
        }
        if self.shelf.get(&plan.id).is_some() {
            return Err(StartError::Exists(plan.id));
        }
        let file = format!("{}.{}", plan.id, container_of(&plan).extension());
        let entry = Entry::new(&plan, file, now.wall);
        let id = plan.id.clone();
        let session = Session::create(&self.shelf.folder.join(&entry.file), now.mono, plan)?;
        if let Err(error) = self.shelf.put(entry.clone()) {
            self.shelf.discard(&entry);
            return Err(error.into());
        }
        let (inputs, received) = channel();
        let feed = Feed { inputs, counts: Arc::default() };
        let work = Work {
            shelf: Arc::clone(&self.shelf),
            events: Arc::clone(&self.events),
            counts: Arc::clone(&feed.counts),
            began: std::time::Instant::now(),
            session,
            entry: entry.clone(),
        };
        match std::thread::Builder::new().name("record".to_owned()).spawn(move || work.watched(&received)) {
            Ok(thread) => running.insert(id, Running { feed: feed.clone(), thread: Some(thread) }),
            Err(error) => {
                self.shelf.discard(&entry);
                return Err(error.into());
            }
        };
        Ok(feed)
    }

    /// Before anything is locked: a store may take its time to delete.
    fn make_room(&self, plan: &RecordingPlan) -> Result<(), NoRoom> {
        let kept = self.shelf.books().entries().len();
        if kept >= RECORDINGS_KEPT_MAX {
            return Err(NoRoom::Entries(kept));
        }
        let (holder, partition) = (&plan.holder, &plan.partition);
        wait_for(self.shelf.make_room(holder, partition))
            .unwrap_or_else(|| self.shelf.check(holder, partition))
    }

    /// Ends a recording; [`RecorderEvent::Ended`] follows. False if it is not under way.
    pub fn stop(&self, id: &RecordingId, end: RecordEnd) -> bool {
        let is_under_way = self.shelf.get(id).is_some_and(|entry| !entry.has_ended());
        is_under_way && self.running().get(id).is_some_and(|running| running.feed.tell(Input::Stop(end)))
    }

    /// Ends all recordings and waits for their files; for a node that ends. Blocks.
    pub fn close(&self) {
        let all = std::mem::take(&mut *self.running());
        let threads: Vec<JoinHandle<()>> = all
            .into_values()
            .filter_map(|running| {
                running.feed.tell(Input::Stop(RecordEnd::NodeEnded));
                running.thread
            })
            .collect();
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a recording's thread has panicked; its file plays up to then");
            }
        }
    }

    /// All recordings, the newest first.
    pub fn list(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = self.shelf.books().entries().values().cloned().collect();
        entries.sort_by(|a, b| b.started_at.cmp(&a.started_at).then_with(|| a.id.cmp(&b.id)));
        entries
    }

    /// How many recordings there are, and their bytes together.
    pub fn kept(&self) -> (u64, u64) {
        let books = self.shelf.books();
        (books.entries().len() as u64, books.bytes())
    }

    pub fn get(&self, id: &RecordingId) -> Option<Entry> {
        self.shelf.get(id)
    }

    /// A file of a recording from where it is, or `range` of its bytes. One under way can be read, too, as far as it is
    /// written.
    ///
    /// # Errors
    /// There is no such file, or the store does not give it.
    pub async fn read(
        &self,
        id: &RecordingId,
        part: Part,
        range: Option<Range<u64>>,
    ) -> Result<Content, ReadError> {
        let entry = self.get(id).ok_or_else(|| ReadError::Unknown(id.clone()))?;
        let name = match part {
            Part::Media => entry.file,
            Part::Preview => entry.preview.ok_or_else(|| ReadError::NoPreview(id.clone()))?,
        };
        Ok(self.shelf.store.read(&name, entry.is_uploaded, range).await?)
    }

    /// Deletes a recording that has ended: its files, then its entry.
    ///
    /// # Errors
    /// There is none, it is under way, or the store does not delete it.
    pub async fn delete(&self, id: &RecordingId) -> Result<(), DeleteError> {
        self.shelf.delete(id).await
    }

    /// Deletes what is too old, and tries uploads again that failed. Call it every few minutes.
    pub async fn tidy(&self, now: Wall) {
        self.shelf.retire(now).await;
        self.shelf.upload_ended().await;
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<RecordingId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Feed {
    /// One RTP packet as it is in the clear, in the router's numbers. Dropped and counted if the recorder is behind.
    pub fn packet(&self, producer: ProducerId, arrival: Instant, bytes: Bytes) {
        let queued = self.counts.queued.fetch_add(1, Ordering::Relaxed);
        let is_taken = queued < RECORDER_QUEUE_MAX && self.tell(Input::Packet { producer, arrival, bytes });
        if !is_taken {
            self.counts.queued.fetch_sub(1, Ordering::Relaxed);
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// That the sender took `rtp` at `ntp` on its own clock (RFC 3550, section 6.4.1), in the router's numbers. Tell the
    /// latest one with a new track, and each new one: sound and picture are aligned by them.
    pub fn report(&self, producer: ProducerId, arrival: Instant, ntp: u64, rtp: u32) {
        self.tell(Input::Report { producer, arrival, ntp, rtp });
    }

    /// Another track. It is in the file from its first key frame on, in the track of one like it that has ended, if there
    /// is one. Beyond 16 tracks of a file, and 128 producers one after the other, it is not recorded.
    pub fn add_track(&self, plan: TrackPlan) {
        self.tell(Input::Add(plan));
    }

    /// Nothing more comes from this producer.
    pub fn end_track(&self, producer: ProducerId) {
        self.tell(Input::EndTrack(producer));
    }

    /// Packets that were dropped because the recorder was behind.
    pub fn dropped_packets(&self) -> u64 {
        self.counts.dropped.load(Ordering::Relaxed)
    }

    /// False if the recording has ended.
    fn tell(&self, input: Input) -> bool {
        self.inputs.send(input).is_ok()
    }
}

/// What a recording's thread has.
struct Work {
    shelf: Arc<Shelf>,
    events: Arc<dyn Fn(RecorderEvent) + Send + Sync>,
    counts: Arc<Counts>,
    began: std::time::Instant,
    session: Session,
    entry: Entry,
}

/// Why a recording ends, and what is said of it besides.
struct Ending {
    end: RecordEnd,
    reason: Option<String>,
}

impl Ending {
    fn of(end: RecordEnd) -> Self {
        Self { end, reason: None }
    }

    /// The disk did not take something.
    fn fault(error: &std::io::Error) -> Self {
        let is_full = matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
        let end = if is_full { RecordEnd::DiskFull } else { RecordEnd::DiskFault };
        Self { end, reason: Some(format!("the disk did not take it: {error}")) }
    }
}

impl From<NoRoom> for Ending {
    fn from(why: NoRoom) -> Self {
        let end = if why == NoRoom::Disk { RecordEnd::DiskFull } else { RecordEnd::QuotaUsedUp };
        Self { end, reason: Some(why.to_string()) }
    }
}

impl Work {
    /// A thread that dies leaves an entry that says so, and somebody who is told.
    fn watched(self, inputs: &Receiver<Input>) {
        let (shelf, events, id) = (Arc::clone(&self.shelf), Arc::clone(&self.events), self.entry.id.clone());
        let ran = catch_unwind(AssertUnwindSafe(|| self.run(inputs)));
        let Some(mut entry) = shelf.get(&id).filter(|entry| ran.is_err() && !entry.has_ended()) else {
            return;
        };
        entry.state = State::Failed;
        entry.end = Some(RecordEnd::RecorderFailed);
        entry.reason = Some("the recorder failed; see the node's log".to_owned());
        shelf.settle(entry.clone());
        events(RecorderEvent::Ended(Box::new(entry)));
    }

    fn run(mut self, inputs: &Receiver<Input>) {
        let mut ending = self.record(inputs);
        let (duration, finished) = self.session.finish();
        if let (Err(error), false) = (&finished, ending.end.is_failure()) {
            ending = Ending::fault(error);
        }
        self.entry.state = if ending.end.is_failure() { State::Failed } else { State::Finished };
        self.entry.duration_ms = duration.max(0).unsigned_abs() / 1_000;
        (self.entry.end, self.entry.reason) = (Some(ending.end), ending.reason);
        self.entry.bytes = self.session.bytes();
        self.entry.tracks = self.session.tracks();
        self.entry.dropped_packets = self.counts.dropped.load(Ordering::Relaxed);
        self.make_preview();
        self.settle_name();
        self.shelf.settle(self.entry.clone());
        (self.events)(RecorderEvent::Ended(Box::new(self.entry.clone())));
        if self.shelf.store.has_bucket() {
            wait_for(self.shelf.upload_ended());
        }
    }

    fn record(&mut self, inputs: &Receiver<Input>) -> Ending {
        loop {
            let step = match inputs.recv_timeout(CHUNK_EVERY) {
                Ok(Input::Stop(end)) => return Ending::of(end),
                Err(RecvTimeoutError::Disconnected) => return Ending::of(RecordEnd::Stopped),
                Ok(input) => {
                    if matches!(input, Input::Packet { .. }) {
                        self.counts.queued.fetch_sub(1, Ordering::Relaxed);
                    }
                    self.session.handle(input)
                }
                Err(RecvTimeoutError::Timeout) => self.session.flush(),
            };
            if let Err(error) = step {
                return Ending::fault(&error);
            }
            if self.session.take_change() {
                self.tell_tracks();
            }
            for producer in self.session.wanted_key_frames() {
                (self.events)(RecorderEvent::KeyFrameWanted { id: self.entry.id.clone(), producer });
            }
            if let Err(why) = self.check_room() {
                return why.into();
            }
            if self.began.elapsed().max(self.session.lasted()) >= self.shelf.time_max {
                return Ending::of(RecordEnd::TooLong);
            }
        }
    }

    /// Whoever looks at a recording under way sees what is in it.
    fn tell_tracks(&mut self) {
        self.entry.tracks = self.session.tracks();
        if let Err(error) = self.shelf.put(self.entry.clone()) {
            tracing::warn!(recording = %self.entry.id, %error, "the entry of a recording cannot be written");
        }
    }

    /// Gives the file the name that suits what has come into it.
    fn settle_name(&mut self) {
        let name = format!("{}.{}", self.entry.id, self.session.extension());
        if name == self.entry.file {
            return;
        }
        let folder = &self.shelf.folder;
        match std::fs::rename(folder.join(&self.entry.file), folder.join(&name)) {
            Ok(()) => self.entry.file = name,
            Err(error) => {
                tracing::warn!(recording = %self.entry.id, %error, "a recording keeps its old name")
            }
        }
    }

    /// Looks only when something was written.
    fn check_room(&mut self) -> Result<(), NoRoom> {
        let bytes = self.session.bytes();
        if bytes == self.entry.bytes {
            return Ok(());
        }
        self.entry.bytes = bytes;
        self.shelf.books().grow(&self.entry.id, bytes);
        let (holder, partition) = (&self.entry.holder, &self.entry.partition);
        match self.shelf.check(holder, partition) {
            Ok(()) => Ok(()),
            Err(why) => wait_for(self.shelf.make_room(holder, partition)).unwrap_or(Err(why)),
        }
    }

    fn make_preview(&mut self) {
        let Some(key_frame) = self.session.take_preview() else { return };
        let name = format!("{}.jpg", self.entry.id);
        let written = preview(&key_frame.description, &key_frame.bytes)
            .map_err(|error| error.to_string())
            .and_then(|jpeg| {
                disk::replace(&self.shelf.folder.join(&name), &jpeg).map_err(|error| error.to_string())
            });
        match written {
            Ok(()) => self.entry.preview = Some(name),
            Err(error) => tracing::info!(recording = %self.entry.id, error, "there is no preview"),
        }
    }
}

/// Carries out what the store does, on this thread; none if the system has no room for a runtime.
fn wait_for<T>(work: impl Future<Output = T>) -> Option<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => Some(runtime.block_on(work)),
        Err(error) => {
            tracing::error!(%error, "there is no runtime for the store of recordings");
            None
        }
    }
}
