//! A terminal's TLS stream with the WebSocket protocol on it, and what is on its way out.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncBufRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::server::TlsStream;

use crate::close::CloseReason;
use crate::codec::{Codec, Incoming};
use crate::linger;
use crate::outbox::TerminalHandle;
use crate::stats::Counters;

/// Queued messages are written together until they have this many bytes: one TLS record.
const WRITE_BATCH_BYTES: usize = 16 * 1024;

/// One terminal's socket. Between messages it holds no memory for them.
pub(crate) struct Socket {
    stream: TlsStream<TcpStream>,
    codec: Codec,
    /// Frames to write; empty without capacity while nothing is on its way.
    out: Vec<u8>,
    /// How much of `out` is written.
    written: usize,
    /// Whether the TLS layer may hold bytes back.
    unflushed: bool,
    /// When bytes were last read or written.
    moved: Instant,
}

impl Socket {
    pub(crate) fn new(stream: TlsStream<TcpStream>) -> Self {
        let (out, written) = (Vec::new(), 0);
        Self { stream, codec: Codec::default(), out, written, unflushed: false, moved: Instant::now() }
    }

    /// When bytes were last read or written.
    pub(crate) fn moved(&self) -> Instant {
        self.moved
    }

    /// Takes bytes that were read before this socket was made.
    pub(crate) fn decode(&mut self, bytes: &[u8]) -> Incoming {
        self.codec.handle_bytes(bytes, &mut self.out)
    }

    /// Reads once; what came may be nothing yet.
    pub(crate) fn poll_incoming(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Incoming>> {
        let bytes = ready!(Pin::new(&mut self.stream).poll_fill_buf(cx))?;
        if bytes.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        let incoming = self.codec.handle_bytes(bytes, &mut self.out);
        let count = bytes.len();
        Pin::new(&mut self.stream).consume(count);
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
            let out = &mut self.out;
            terminal.take(WRITE_BATCH_BYTES, |text| {
                counters.texts_sent.add(1);
                Codec::encode(text, out);
            });
            if self.out.is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Writes what is queued and the closing frame, waits for the answer, and ends the stream. The caller bounds the time.
    pub(crate) async fn close(
        &mut self,
        reason: &CloseReason,
        terminal: &TerminalHandle,
        counters: &Counters,
    ) {
        if poll_fn(|cx| self.poll_drain(cx, terminal, counters)).await.is_err() {
            return;
        }
        if let Some((code, text)) = reason.frame() {
            self.codec.close(code, text, &mut self.out);
            if poll_fn(|cx| self.poll_write_out(cx)).await.is_err() {
                return;
            }
            if !reason.is_fault() {
                poll_fn(|cx| self.poll_answer(cx)).await;
            }
        }
        linger::close(&mut self.stream).await;
    }

    fn poll_write_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.out.len() {
            let rest = &self.out[self.written..];
            let count = ready!(Pin::new(&mut self.stream).poll_write(cx, rest))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += count;
            self.unflushed = true;
            self.moved = Instant::now();
        }
        if !self.out.is_empty() {
            (self.out, self.written) = (Vec::new(), 0);
        }
        if self.unflushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Ready when the terminal has answered our close, or is gone.
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match ready!(self.poll_incoming(cx)) {
                Ok(incoming) if incoming.end.is_none() => {}
                Ok(_) | Err(_) => return Poll::Ready(()),
            }
        }
    }
}
