//! Lines of the log between whoever writes one and the thread that writes them out: bounded in bytes, and never waited for.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc;

use taoyao_types::limits::{LOG_WAITING_BYTES_MAX, LOG_WAITING_ORDINARY_BYTES_MAX};
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

use super::{AUDIT, LOG};

/// What a waiting line takes besides its bytes.
const OVERHEAD: usize = 64;

/// Where lines go; clones lead to the same thread.
#[derive(Debug, Clone)]
pub(super) struct LogQueue {
    waiting: mpsc::Sender<Waiting>,
    counts: Arc<Counts>,
}

/// The other end, of the thread that writes.
#[derive(Debug)]
pub(super) struct LogLines {
    pub(super) waiting: mpsc::Receiver<Waiting>,
    pub(super) counts: Arc<Counts>,
}

/// What the thread is given.
#[derive(Debug)]
pub(super) enum Waiting {
    Line(Box<[u8]>),
    /// To be dropped when all that came before is written.
    Mark(mpsc::Sender<()>),
}

/// What became of lines, since the program's start.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) waiting_bytes: AtomicUsize,
    pub(super) dropped: AtomicU64,
    pub(super) failed_writes: AtomicU64,
}

/// An empty queue.
pub(super) fn log_queue() -> (LogQueue, LogLines) {
    let (sender, receiver) = mpsc::channel();
    let counts = Arc::<Counts>::default();
    (LogQueue { waiting: sender, counts: Arc::clone(&counts) }, LogLines { waiting: receiver, counts })
}

/// Bytes that a line takes while it waits.
pub(super) fn cost(line: &[u8]) -> usize {
    line.len() + OVERHEAD
}

/// Who may still have a line taken when the writing is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rank {
    Ordinary,
    /// A privilege that was used: what everybody else causes leaves room for it.
    Privilege,
    /// What the log says of itself, once for each time that it writes again.
    Own,
}

impl Rank {
    fn of(metadata: &Metadata<'_>) -> Self {
        match metadata.target() {
            LOG => Rank::Own,
            AUDIT if *metadata.level() == Level::INFO => Rank::Privilege,
            _ => Rank::Ordinary,
        }
    }

    fn bytes_max(self) -> usize {
        match self {
            Rank::Ordinary => LOG_WAITING_ORDINARY_BYTES_MAX,
            Rank::Privilege => LOG_WAITING_BYTES_MAX,
            Rank::Own => usize::MAX,
        }
    }
}

impl LogQueue {
    /// Hands a line over, or drops and counts it.
    pub(super) fn push(&self, line: &[u8], rank: Rank) {
        let fits = |waiting: usize| waiting.checked_add(cost(line)).filter(|sum| *sum <= rank.bytes_max());
        let is_taken = self.counts.waiting_bytes.fetch_update(Relaxed, Relaxed, fits).is_ok()
            && self.waiting.send(Waiting::Line(line.into())).is_ok();
        if !is_taken {
            self.counts.dropped.fetch_add(1, Relaxed);
        }
    }

    /// A receiver that ends when everything up to now has been written.
    pub(super) fn mark(&self) -> mpsc::Receiver<()> {
        let (mark, passed) = mpsc::channel();
        // Fails only if the thread has ended, and then there is nothing to wait for.
        let _ended = self.waiting.send(Waiting::Mark(mark)).is_err();
        passed
    }

    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }
}

impl<'a> MakeWriter<'a> for LogQueue {
    type Writer = LineWriter<'a>;

    fn make_writer(&'a self) -> LineWriter<'a> {
        LineWriter { queue: self, rank: Rank::Ordinary }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> LineWriter<'a> {
        LineWriter { queue: self, rank: Rank::of(metadata) }
    }
}

/// Takes one line, which the subscriber writes in one piece.
pub(super) struct LineWriter<'a> {
    queue: &'a LogQueue,
    rank: Rank,
}

impl io::Write for LineWriter<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.queue.push(line, self.rank);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_in_bytes_and_the_rest_is_counted() {
        let (queue, lines) = log_queue();
        (0..100_000).for_each(|_| queue.push(&[b'x'; 100], Rank::Ordinary));
        let waiting = lines.counts.waiting_bytes.load(Relaxed);
        assert!(waiting <= LOG_WAITING_ORDINARY_BYTES_MAX && waiting > LOG_WAITING_ORDINARY_BYTES_MAX - 200);
        let kept = lines.waiting.try_iter().count() as u64;
        assert_eq!(kept + lines.counts.dropped.load(Relaxed), 100_000);
    }

    #[test]
    fn a_flood_leaves_room_for_privileges_and_for_what_the_log_says_of_itself() {
        let (queue, lines) = log_queue();
        (0..100_000).for_each(|_| queue.push(&[b'x'; 100], Rank::Ordinary));
        let dropped = lines.counts.dropped.load(Relaxed);
        queue.push(b"drained by ann", Rank::Privilege);
        (0..100_000).for_each(|_| queue.push(&[b'y'; 100], Rank::Privilege));
        assert!(lines.counts.waiting_bytes.load(Relaxed) <= LOG_WAITING_BYTES_MAX);
        queue.push(b"lines were dropped", Rank::Own);
        assert!(lines.counts.dropped.load(Relaxed) > dropped);
        let kept: Vec<Box<[u8]>> = lines.waiting.try_iter().filter_map(line).collect();
        assert!(kept.iter().any(|line| **line == *b"drained by ann"));
        assert_eq!(&**kept.last().unwrap(), b"lines were dropped");
    }

    fn line(waiting: Waiting) -> Option<Box<[u8]>> {
        match waiting {
            Waiting::Line(line) => Some(line),
            Waiting::Mark(_) => None,
        }
    }
}
