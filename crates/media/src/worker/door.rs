//! The way into a worker from other threads: its inbox, its waker, and a pipe from each worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};

use mio::Waker;

use super::Ask;
use super::pipe::Pipe;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Door {
    inbox: Sender<Ask>,
    shared: Arc<Shared>,
    waker: Arc<Waker>,
    /// By the worker that they come from.
    pipes: Arc<[Pipe]>,
}

/// The worker's end of the inbox.
pub(crate) struct Inbox {
    receiver: Receiver<Ask>,
    shared: Arc<Shared>,
}

/// What both sides see.
#[derive(Default)]
struct Shared {
    /// Asks that the worker has not taken yet.
    waiting: AtomicUsize,
    is_stopping: AtomicBool,
}

impl Door {
    /// Of a worker among so many.
    pub(super) fn new(waker: Waker, workers: usize) -> (Self, Inbox) {
        let (inbox, receiver) = mpsc::channel();
        let shared = Arc::new(Shared::default());
        let pipes = (0..workers).map(|_| Pipe::default()).collect();
        let door = Self { inbox, shared: Arc::clone(&shared), waker: Arc::new(waker), pipes };
        (door, Inbox { receiver, shared })
    }

    pub(crate) fn ask(&self, ask: Ask) {
        self.shared.waiting.fetch_add(1, Ordering::Relaxed);
        // A worker that has ended answers nothing; the process is ending with it.
        drop(self.inbox.send(ask));
        drop(self.waker.wake());
    }

    pub(crate) fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::Relaxed)
    }

    /// The pipe into this worker from another.
    pub(super) fn pipe(&self, from: usize) -> &Pipe {
        &self.pipes[from]
    }

    pub(super) fn stop(&self) {
        self.shared.is_stopping.store(true, Ordering::Release);
        drop(self.waker.wake());
    }
}

impl Inbox {
    pub(crate) fn is_stopping(&self) -> bool {
        self.shared.is_stopping.load(Ordering::Acquire)
    }

    /// As if it had never been stopped.
    #[cfg(test)]
    pub(super) fn go_on(&self) {
        self.shared.is_stopping.store(false, Ordering::Release);
    }

    pub(crate) fn next(&self) -> Option<Ask> {
        let ask = self.receiver.try_recv().ok()?;
        self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
        Some(ask)
    }

    pub(crate) fn has_more(&self) -> bool {
        self.shared.waiting.load(Ordering::Relaxed) > 0
    }
}
