//! Notices when bytes last moved on a connection.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until};

/// When bytes last moved.
#[derive(Debug, Clone)]
pub(crate) struct Progress(Arc<State>);

#[derive(Debug)]
struct State {
    began: Instant,
    /// Milliseconds after `began`.
    moved_ms: AtomicU64,
}

/// A stream whose progress is noted.
#[derive(Debug)]
pub(crate) struct Noted<S> {
    stream: S,
    progress: Progress,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self(Arc::new(State { began: Instant::now(), moved_ms: AtomicU64::new(0) }))
    }

    pub(crate) fn of<S>(&self, stream: S) -> Noted<S> {
        Noted { stream, progress: self.clone() }
    }

    /// Waits until nothing has moved for so long.
    pub(crate) async fn stalled(&self, time: Duration) {
        loop {
            let moved = self.0.began + Duration::from_millis(self.0.moved_ms.load(Ordering::Relaxed));
            if moved + time <= Instant::now() {
                return;
            }
            sleep_until(moved + time).await;
        }
    }

    fn note(&self) {
        self.0.moved_ms.store(self.0.began.elapsed().as_millis() as u64, Ordering::Relaxed);
    }
}

impl<S> Noted<S> {
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }

    fn note_written(&self, written: &Poll<io::Result<usize>>) {
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.progress.note();
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Noted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.progress.note();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note_written(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.note_written(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
