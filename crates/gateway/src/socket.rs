//! A terminal's stream with its protocol on it, and what is on its way out.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};

use taoyao_types::limits;
use tokio::time::Instant;

use crate::close::CloseReason;
use crate::codec::Incoming;
use crate::linger;
use crate::outbox::TerminalHandle;
use crate::protocol::Protocol;
use crate::stats::Counters;
use crate::stream::Stream;

/// Queued messages are written together until they have this many bytes: one TLS record.
const WRITE_BATCH_BYTES: usize = 16 * 1024;

/// Reads, of a TLS record each, in which the answer to our close is waited for: what was under way before it is a message or two.
const ANSWER_READS_MAX: usize = 128;

/// One terminal's socket. Between messages it holds no memory for them.
pub(crate) struct Socket {
    stream: Stream,
    protocol: Protocol,
    /// Frames to write; empty without capacity while nothing is on its way.
    out: Vec<u8>,
    /// How much of `out` is written.
    written: usize,
    /// Bytes of `out` that the terminal provoked by its protocol alone, such as pongs.
    replies: usize,
    /// Whether the TLS layer may hold bytes back.
    unflushed: bool,
    /// When bytes were last read or written.
    moved: Instant,
}

impl Socket {
    pub(crate) fn new(stream: Stream, protocol: Protocol) -> Self {
        let (out, written, replies) = (Vec::new(), 0, 0);
        Self { stream, protocol, out, written, replies, unflushed: false, moved: Instant::now() }
    }

    pub(crate) fn is_websocket(&self) -> bool {
        self.protocol.is_websocket()
    }

    /// When bytes were last read or written.
    pub(crate) fn moved(&self) -> Instant {
        self.moved
    }

    /// Whether the terminal has to read before it is read again: what it provokes would wait in here without end.
    pub(crate) fn owes_reading(&self) -> bool {
        self.replies > limits::TERMINAL_REPLIES_BYTES_MAX
    }

    /// Takes bytes that were read before this socket was made.
    pub(crate) fn decode(&mut self, bytes: &[u8]) -> Incoming {
        let before = self.out.len();
        let incoming = self.protocol.handle_bytes(bytes, &mut self.out);
        self.replies += self.out.len() - before;
        incoming
    }

    /// Reads once; what came may be nothing yet.
    pub(crate) fn poll_incoming(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Incoming>> {
        let before = self.out.len();
        let (protocol, out) = (&mut self.protocol, &mut self.out);
        let incoming = ready!(self.stream.poll_read(cx, |bytes| protocol.handle_bytes(bytes, out)))?;
        self.replies += self.out.len() - before;
        self.moved = Instant::now();
        Poll::Ready(Ok(incoming))
    }

    /// Writes frames and queued texts; ready when all of it is on its way.
    pub(crate) fn poll_drain(
        &mut self,
        cx: &mut Context<'_>,
        terminal: &TerminalHandle,
        counters: &Counters,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_write_out(cx))?;
            let (protocol, out) = (&self.protocol, &mut self.out);
            terminal.take(WRITE_BATCH_BYTES, |text| {
                counters.texts_sent.add(1);
                protocol.encode(text, out, counters);
            });
            if self.out.is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Writes what is queued and, if the protocol has one, the goodbye; waits for its answer, and ends the stream. The
    /// caller bounds the time.
    pub(crate) async fn close(
        &mut self,
        reason: &CloseReason,
        terminal: &TerminalHandle,
        counters: &Counters,
    ) {
        if poll_fn(|cx| self.poll_drain(cx, terminal, counters)).await.is_err() {
            return;
        }
        let is_answered = self.protocol.close(reason, &mut self.out);
        if poll_fn(|cx| self.poll_write_out(cx)).await.is_err() {
            return;
        }
        if is_answered {
            let mut reads_left = ANSWER_READS_MAX;
            poll_fn(|cx| self.poll_answer(cx, &mut reads_left)).await;
        }
        linger::close(&mut self.stream).await;
    }

    fn poll_write_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.out.len() {
            let rest = &self.out[self.written..];
            let count = ready!(self.stream.poll_write(cx, rest))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += count;
            self.unflushed = true;
            self.moved = Instant::now();
        }
        if !self.out.is_empty() {
            (self.out, self.written, self.replies) = (Vec::new(), 0, 0);
        }
        if self.unflushed {
            ready!(self.stream.poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Ready when the terminal has answered our close, is gone, or goes on talking.
    fn poll_answer(&mut self, cx: &mut Context<'_>, reads_left: &mut usize) -> Poll<()> {
        while *reads_left > 0 {
            match ready!(self.poll_incoming(cx)) {
                Ok(incoming) if incoming.end.is_none() => *reads_left -= 1,
                Ok(_) | Err(_) => return Poll::Ready(()),
            }
        }
        Poll::Ready(())
    }
}
