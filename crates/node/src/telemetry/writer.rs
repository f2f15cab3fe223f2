//! The thread that writes the log: the only one that a full disk, a closed pipe or a reader that has stopped can hold up.

use std::io::{self, Write};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::sleep;
use std::time::Duration;

use super::queue::{LogLines, Waiting, cost};

/// Bytes that are written at once, if so many wait.
const BATCH_BYTES: usize = 64 * 1024;
/// After a write that failed, and between looks at whoever has nothing to say in between.
const PAUSE: Duration = Duration::from_millis(200);
/// Between two tries at an output that somebody else has set to never wait.
const RETRY: Duration = Duration::from_millis(20);

/// What else the thread does.
pub(super) trait Beside {
    /// Lines were lost, and writing works again.
    fn tell_dropped(&mut self, lines: u64);
    /// Comes several times a second, unless a write takes longer.
    fn turn(&mut self);
}

/// Writes lines until nobody can send any more.
pub(super) struct LogWriter<W, B> {
    lines: LogLines,
    out: W,
    beside: B,
    batch: Vec<u8>,
    batch_lines: u64,
    /// What the lines of the batch took in the queue.
    batch_cost: usize,
    marks: Vec<mpsc::Sender<()>>,
    /// Dropped lines that the log speaks of already.
    told: u64,
}

impl<W: Write, B: Beside> LogWriter<W, B> {
    pub(super) fn new(lines: LogLines, out: W, beside: B) -> Self {
        Self {
            lines,
            out,
            beside,
            batch: Vec::with_capacity(BATCH_BYTES),
            batch_lines: 0,
            batch_cost: 0,
            marks: Vec::new(),
            told: 0,
        }
    }

    pub(super) fn run(mut self) {
        loop {
            match self.lines.waiting.recv_timeout(PAUSE) {
                Ok(first) => self.gather(first),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.batch_lines > 0 {
                self.write();
            }
            // Whoever waits for them learns by the drop that their turn has come.
            self.marks.clear();
            self.beside.turn();
        }
    }

    fn gather(&mut self, first: Waiting) {
        let mut next = Some(first);
        while let Some(waiting) = next {
            match waiting {
                Waiting::Line(line) => {
                    self.batch.extend_from_slice(&line);
                    self.batch_lines += 1;
                    self.batch_cost += cost(&line);
                }
                Waiting::Mark(mark) => self.marks.push(mark),
            }
            next = if self.batch.len() < BATCH_BYTES { self.lines.waiting.try_recv().ok() } else { None };
        }
    }

    /// Writes the batch. Its bytes count as waiting until that is done.
    fn write(&mut self) {
        let written = write_all(&mut self.out, &self.batch);
        let counts = &self.lines.counts;
        counts.waiting_bytes.fetch_sub(self.batch_cost, Relaxed);
        match written {
            Ok(()) => self.tell_dropped(),
            Err(_cannot_be_told) => {
                counts.failed_writes.fetch_add(1, Relaxed);
                counts.dropped.fetch_add(self.batch_lines, Relaxed);
                sleep(PAUSE);
            }
        }
        self.batch.clear();
        (self.batch_lines, self.batch_cost) = (0, 0);
    }

    fn tell_dropped(&mut self) {
        let dropped = self.lines.counts.dropped.load(Relaxed);
        if dropped > self.told {
            self.beside.tell_dropped(dropped - self.told);
            self.told = dropped;
        }
    }
}

/// As [`Write::write_all`], and waits where an output does not: a terminal or pipe that is shared with a program which set
/// it so.
fn write_all(out: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(RETRY),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use super::super::queue::{LogQueue, Rank, log_queue};
    use super::*;

    #[test]
    fn an_output_that_fails_costs_lines_and_what_is_lost_is_told_when_it_works_again() {
        let (queue, lines) = log_queue();
        let out = Out::default();
        let beside = Told(queue.clone());
        out.0.lock().unwrap().errors = vec![io::ErrorKind::StorageFull, io::ErrorKind::BrokenPipe];
        let writer = LogWriter::new(lines, out.clone(), beside);
        std::thread::spawn(move || writer.run());
        for line in ["one\n", "two\n", "three\n"] {
            queue.push(line.as_bytes(), Rank::Ordinary);
            written(&queue);
        }
        assert_eq!(out.text(), "three\n2 dropped\n");
        assert_eq!(queue.counts().failed_writes.load(Relaxed), 2);
        queue.push(b"four\n", Rank::Ordinary);
        written(&queue);
        assert_eq!(out.text(), "three\n2 dropped\nfour\n", "told once");
    }

    #[test]
    fn an_output_that_does_not_wait_loses_nothing() {
        let (queue, lines) = log_queue();
        let out = Out::default();
        out.0.lock().unwrap().errors = vec![io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted];
        let writer = LogWriter::new(lines, out.clone(), Told(queue.clone()));
        std::thread::spawn(move || writer.run());
        queue.push(b"one\n", Rank::Ordinary);
        written(&queue);
        assert_eq!((out.text().as_str(), queue.counts().dropped.load(Relaxed)), ("one\n", 0));
        assert_eq!(queue.counts().waiting_bytes.load(Relaxed), 0);
    }

    /// Waits until all is written, with what the log says of itself.
    fn written(queue: &LogQueue) {
        for _ in 0..2 {
            let passed = queue.mark().recv_timeout(Duration::from_secs(20));
            assert_eq!(passed, Err(RecvTimeoutError::Disconnected));
        }
    }

    /// Fails as often as it was told to, then takes everything.
    #[derive(Clone, Default)]
    struct Out(Arc<Mutex<Taken>>);

    #[derive(Default)]
    struct Taken {
        errors: Vec<io::ErrorKind>,
        bytes: Vec<u8>,
    }

    impl Out {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().bytes.clone()).unwrap()
        }
    }

    impl Write for Out {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(kind) = taken.errors.pop() {
                return Err(kind.into());
            }
            taken.bytes.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Told(LogQueue);

    impl Beside for Told {
        fn tell_dropped(&mut self, lines: u64) {
            self.0.push(format!("{lines} dropped\n").as_bytes(), Rank::Own);
        }

        fn turn(&mut self) {}
    }
}
