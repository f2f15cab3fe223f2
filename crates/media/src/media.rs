//! The handle of an SFU: starts the workers, gives each room to one of them, and ends them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use taoyao_ortc::control::{Act, Command, Done, Refused, RoomName};
use taoyao_ortc::{Event, ProducerId};
use taoyao_types::limits;

use crate::config::{Config, StartError};
use crate::peer::Certificate;
use crate::stats::WorkerStats;
use crate::tap::{TapId, TapPlan};
use crate::worker::{Ask, Handle, Origin};

/// Takes what the SFU tells; called from its threads, must not wait.
pub type EventSink = Arc<dyn Fn(Event) + Send + Sync>;

/// How long a snapshot waits for a worker.
const STATS_WAIT: Duration = Duration::from_secs(1);

/// An SFU with its threads. Dropping it ends them.
pub struct Media {
    workers: Vec<Handle>,
    rooms: Mutex<HashMap<RoomName, usize>>,
    events: EventSink,
    taps: AtomicU64,
}

impl Media {
    /// Opens the sockets and starts the threads. `events` is called from them and must not wait.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(config: Config, events: impl Fn(Event) + Send + Sync + 'static) -> Result<Self, StartError> {
        let events: EventSink = Arc::new(events);
        let config = Arc::new(config);
        let certificate = Certificate::generate().map_err(|_| StartError::Random)?;
        let start = |index| {
            let origin = Origin {
                index,
                config: Arc::clone(&config),
                certificate: certificate.clone(),
                events: Arc::clone(&events),
            };
            Handle::start(origin)
        };
        let workers = (0..config.worker_count()).map(start).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { workers, rooms: Mutex::default(), events, taps: AtomicU64::new(1) })
    }

    /// Has a command carried out. Its [`Done`], if it has a number, comes as an event.
    pub fn send(&self, command: Command) {
        let index = match command.act {
            Act::OpenRoom => self.place(&command.room),
            Act::CloseRoom => self.forget(&command.room),
            _ => self.worker_of(&command.room),
        };
        let Some(worker) = index.and_then(|index| self.workers.get(index)) else {
            return self.refuse(&command, Refused::Unknown("room"));
        };
        if worker.waiting() >= limits::MEDIA_COMMANDS_WAITING_MAX && is_refusable(&command.act) {
            return self
                .refuse(&command, Refused::Full("the room's media worker has too much to do".to_owned()));
        }
        worker.ask(Ask::Command(command));
    }

    /// Copies what the producers send into the plan's channel until [`Media::untap`], or until they end.
    pub fn tap(&self, plan: TapPlan) -> TapId {
        let id = TapId(self.taps.fetch_add(1, Ordering::Relaxed));
        if let Some(worker) = self.worker_of(&plan.room).and_then(|index| self.workers.get(index)) {
            worker.ask(Ask::Tap(id, plan));
        }
        id
    }

    /// Ends a tap of this room; its channel is dropped.
    pub fn untap(&self, room: &RoomName, tap: TapId) {
        if let Some(worker) = self.worker_of(room).and_then(|index| self.workers.get(index)) {
            worker.ask(Ask::Untap(room.clone(), tap));
        }
    }

    /// Has the producer send a key frame for a tap.
    pub fn request_key_frame(&self, room: &RoomName, tap: TapId, producer: ProducerId) {
        if let Some(worker) = self.worker_of(room).and_then(|index| self.workers.get(index)) {
            worker.ask(Ask::TapKeyFrame(room.clone(), tap, producer));
        }
    }

    /// The numbers of all workers, of each within a second or not at all. Waits; not for an async task.
    pub fn stats(&self) -> Vec<WorkerStats> {
        let (sender, receiver) = mpsc::channel();
        for worker in &self.workers {
            worker.ask(Ask::Stats(sender.clone()));
        }
        drop(sender);
        let mut stats = Vec::with_capacity(self.workers.len());
        while let Ok(of_worker) = receiver.recv_timeout(STATS_WAIT) {
            stats.push(of_worker);
        }
        stats.sort_by_key(|of_worker: &WorkerStats| of_worker.index);
        stats
    }

    /// Where the workers listen.
    pub fn addresses(&self) -> Vec<std::net::SocketAddr> {
        self.workers.iter().map(Handle::address).collect()
    }

    /// The worker with the fewest rooms, for a room that is new.
    fn place(&self, room: &RoomName) -> Option<usize> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counts = vec![0_usize; self.workers.len()];
        if let Some(index) = rooms.get(room) {
            return Some(*index);
        }
        #[expect(clippy::iter_over_hash_type, reason = "counting does not depend on the order")]
        for index in rooms.values() {
            counts[*index] += 1;
        }
        let index = counts.iter().enumerate().min_by_key(|(_, count)| **count).map(|(index, _)| index)?;
        rooms.insert(room.clone(), index);
        Some(index)
    }

    fn worker_of(&self, room: &RoomName) -> Option<usize> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner).get(room).copied()
    }

    fn forget(&self, room: &RoomName) -> Option<usize> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner).remove(room)
    }

    fn refuse(&self, command: &Command, why: Refused) {
        if command.number == 0 {
            return;
        }
        let done = Done { room: command.room.clone(), number: command.number, result: Err(why) };
        (self.events)(Event::Done(done));
    }
}

/// Whether leaving it undone leaves nothing behind.
fn is_refusable(act: &Act) -> bool {
    matches!(
        act,
        Act::OpenRoom
            | Act::CreateTransport { .. }
            | Act::Produce { .. }
            | Act::Consume { .. }
            | Act::ProduceData { .. }
            | Act::ConsumeData { .. }
            | Act::TransportStatus { .. }
            | Act::ProducerStatus { .. }
            | Act::ConsumerStatus { .. }
            | Act::RequestKeyFrame { .. }
    )
}
