//! The way to a terminal: a bounded queue that never waits.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use futures_util::task::AtomicWaker;
use taoyao_types::limits;

use crate::close::CloseReason;

/// A text message towards a terminal: cheap to clone, so that one message to many terminals exists once.
pub type Text = tungstenite::Utf8Bytes;

/// Sends to one terminal. Clones send to the same; all of them may outlive the connection.
#[derive(Clone)]
pub struct TerminalHandle(Arc<Shared>);

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// Bytes of the longest message that the terminal can be sent; 0 where nothing but the queue bounds it.
    message_max: usize,
    /// The connection's task.
    reader: AtomicWaker,
}

#[derive(Default)]
struct Queue {
    texts: VecDeque<Text>,
    bytes: usize,
    /// Whether the node knows whose terminal this is; strangers may leave less unread.
    is_known: bool,
    end: Option<CloseReason>,
}

impl TerminalHandle {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// To a terminal whose frames hold messages of so many bytes.
    pub(crate) fn narrow(message_max: usize) -> Self {
        Self(Arc::new(Shared { message_max, ..Shared::default() }))
    }

    /// Bytes of the longest message that fits into a frame of the terminal; none for one on a WebSocket. A longer one is
    /// replaced by an error that says so.
    pub fn message_max(&self) -> Option<usize> {
        Some(self.0.message_max).filter(|max| *max > 0)
    }

    /// Queues a message. Never waits: if more than `limits::TERMINAL_QUEUE_MAX` messages or
    /// `limits::TERMINAL_QUEUE_BYTES_MAX` bytes would wait, the terminal reads too slowly and is closed with 1008.
    /// After a close it does nothing; `GatewayEvent::Closed` tells.
    pub fn send(&self, text: impl Into<Text>) {
        let text = text.into();
        let mut queue = self.queue();
        if queue.end.is_some() {
            return;
        }
        let bytes = queue.bytes + text.len();
        if queue.texts.len() >= limits::TERMINAL_QUEUE_MAX || bytes > limits::TERMINAL_QUEUE_BYTES_MAX {
            let is_known = queue.is_known;
            *queue = Queue { end: Some(CloseReason::SlowReader), is_known, ..Queue::default() };
        } else {
            queue.bytes = bytes;
            queue.texts.push_back(text);
        }
        drop(queue);
        self.0.reader.wake();
    }

    /// Closes the connection with a WebSocket status code, once what is queued has been sent or the closing time is over.
    /// A reason is cut to the 123 bytes that a closing frame holds. The first close counts.
    pub fn close(&self, code: u16, reason: &str) {
        self.end(CloseReason::ByUs { code, reason: cut(reason).into() });
    }

    /// Says that it has registered: from now on it has a terminal's share of everything, and no stranger's.
    pub fn admit(&self) {
        self.queue().is_known = true;
        self.0.reader.wake();
    }

    pub(crate) fn is_admitted(&self) -> bool {
        self.queue().is_known
    }

    /// Whether so much waits that what it says next could only provoke more: half of what closes a slow reader, and for one that
    /// has not registered `limits::TERMINAL_REPLIES_BYTES_MAX`.
    pub(crate) fn owes_reading(&self) -> bool {
        let queue = self.queue();
        let bytes_max = if queue.is_known {
            limits::TERMINAL_QUEUE_BYTES_MAX / 2
        } else {
            limits::TERMINAL_REPLIES_BYTES_MAX
        };
        queue.texts.len() > limits::TERMINAL_QUEUE_MAX / 2 || queue.bytes > bytes_max
    }

    pub(crate) fn end(&self, reason: CloseReason) {
        self.queue().end.get_or_insert(reason);
        self.0.reader.wake();
    }

    /// Why the connection shall end, once it shall.
    pub(crate) fn ended(&self) -> Option<CloseReason> {
        self.queue().end.clone()
    }

    /// Wakes `waker` at the next `send` or `close`.
    pub(crate) fn register(&self, waker: &Waker) {
        self.0.reader.register(waker);
    }

    /// Takes messages, in order, until they have at least `bytes` bytes together.
    pub(crate) fn take(&self, bytes: usize, mut each: impl FnMut(Text)) {
        let mut queue = self.queue();
        let mut taken = 0;
        while taken < bytes {
            let Some(text) = queue.texts.pop_front() else { break };
            taken += text.len();
            queue.bytes -= text.len();
            each(text);
        }
        if queue.texts.is_empty() {
            // An idle terminal keeps no buffer for what it was once sent.
            queue.texts = VecDeque::new();
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TerminalHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = self.queue();
        write!(f, "TerminalHandle({} texts, {} bytes)", queue.texts.len(), queue.bytes)
    }
}

fn cut(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(123)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_in_order_and_in_batches() {
        let handle = TerminalHandle::new();
        for text in ["one", "two", "three"] {
            handle.send(text);
        }
        assert_eq!(taken(&handle, 4), ["one", "two"]);
        assert_eq!(taken(&handle, 4), ["three"]);
        assert_eq!(taken(&handle, 4), [""; 0]);
    }

    #[test]
    fn too_many_messages_close_a_slow_reader_and_free_its_queue() {
        let handle = TerminalHandle::new();
        for _ in 0..limits::TERMINAL_QUEUE_MAX {
            handle.send("x");
        }
        assert_eq!(handle.ended(), None);
        handle.send("one too many");
        assert_eq!(handle.ended(), Some(CloseReason::SlowReader));
        handle.send("ignored");
        assert_eq!(taken(&handle, usize::MAX), [""; 0]);
    }

    #[test]
    fn too_many_bytes_close_a_slow_reader() {
        let handle = TerminalHandle::new();
        let large = Text::from("x".repeat(limits::TERMINAL_MESSAGE_BYTES_MAX));
        for _ in 0..4 {
            handle.send(large.clone());
        }
        assert_eq!(handle.ended(), None);
        handle.send("x");
        assert_eq!(handle.ended(), Some(CloseReason::SlowReader));
    }

    #[test]
    fn who_leaves_much_unread_is_not_read_and_strangers_may_leave_less() {
        let handle = TerminalHandle::new();
        assert!(!handle.owes_reading());
        handle.send("x".repeat(limits::TERMINAL_REPLIES_BYTES_MAX + 1));
        assert!(handle.owes_reading());
        handle.admit();
        assert!(!handle.owes_reading());
        for _ in 0..limits::TERMINAL_QUEUE_MAX / 2 {
            handle.send("x");
        }
        assert!(handle.owes_reading());
        taken(&handle, usize::MAX);
        assert!(!handle.owes_reading());
    }

    #[test]
    fn what_was_queued_before_a_close_is_kept_and_the_first_close_counts() {
        let handle = TerminalHandle::new();
        handle.send("before");
        handle.close(1000, "first");
        handle.send("after");
        handle.close(1001, "second");
        assert_eq!(taken(&handle, usize::MAX), ["before"]);
        assert_eq!(handle.ended(), Some(CloseReason::ByUs { code: 1000, reason: "first".into() }));
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        assert_eq!(cut(&"桃".repeat(100)), "桃".repeat(41));
        assert_eq!(cut("short"), "short");
    }

    fn taken(handle: &TerminalHandle, bytes: usize) -> Vec<String> {
        let mut texts = Vec::new();
        handle.take(bytes, |text| texts.push(text.to_string()));
        texts
    }
}
