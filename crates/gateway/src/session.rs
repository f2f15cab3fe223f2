//! One terminal's WebSocket, from the upgrade to the last byte.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use taoyao_types::{ConnId, limits};
use tokio::io::{AsyncBufRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_rustls::server::TlsStream;

use crate::close::CloseReason;
use crate::codec::{Codec, Incoming};
use crate::config::Timeouts;
use crate::event::{GatewayEvent, Received};
use crate::linger;
use crate::outbox::{TerminalHandle, Text};
use crate::stats::Counters;

/// Queued messages are written together until they have this many bytes: one TLS record.
const WRITE_BATCH_BYTES: usize = 16 * 1024;
/// Received messages up to this size need no share of the memory for unread messages.
const SHORT_BYTES: usize = 4 * 1024;

/// Where sessions leave what they receive.
#[derive(Debug)]
pub(crate) struct Inbound {
    events: mpsc::Sender<GatewayEvent>,
    /// Bytes of long messages that may still be waiting in `events`.
    unread: Arc<Semaphore>,
}

impl Inbound {
    pub(crate) fn new(events: mpsc::Sender<GatewayEvent>) -> Self {
        Self { events, unread: Arc::new(Semaphore::new(limits::TERMINAL_UNREAD_BYTES_MAX)) }
    }

    /// Waits for room. An error means that the node reads no events any more.
    pub(crate) async fn send(&self, event: GatewayEvent) -> Result<(), NobodyListens> {
        self.events.send(event).await.map_err(|_| NobodyListens)
    }

    async fn send_text(&self, conn: ConnId, text: Box<str>) -> Result<(), NobodyListens> {
        let share = if text.len() > SHORT_BYTES {
            let bytes = u32::try_from(text.len()).map_err(|_| NobodyListens)?;
            Some(Arc::clone(&self.unread).acquire_many_owned(bytes).await.map_err(|_| NobodyListens)?)
        } else {
            None
        };
        let event = GatewayEvent::Text { conn, text: Received::new(text, share) };
        match self.events.try_send(event) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(event)) => self.send(event).await,
            Err(TrySendError::Closed(_)) => Err(NobodyListens),
        }
    }
}

/// The node's end of the event channel is gone.
#[derive(Debug)]
pub(crate) struct NobodyListens;

/// A WebSocket and the one task that serves it.
pub(crate) struct Session {
    conn: ConnId,
    terminal: TerminalHandle,
    socket: Socket,
    inbound: Arc<Inbound>,
    counters: Arc<Counters>,
    timeouts: Timeouts,
    idle: Pin<Box<Sleep>>,
}

impl Session {
    pub(crate) fn new(
        conn: ConnId,
        terminal: TerminalHandle,
        stream: TlsStream<TcpStream>,
        inbound: Arc<Inbound>,
        counters: Arc<Counters>,
        timeouts: Timeouts,
    ) -> Self {
        let idle = Box::pin(sleep(timeouts.idle));
        Self { conn, terminal, socket: Socket::new(stream), inbound, counters, timeouts, idle }
    }

    /// Serves the terminal until its connection is over; `early` is what it sent behind its request for the upgrade.
    pub(crate) async fn run(mut self, early: &[u8]) {
        let reason = self.talk(early).await;
        self.count(&reason);
        self.terminal.end(reason.clone());
        tracing::debug!(conn = self.conn.0, %reason, "terminal disconnected");
        let closed = GatewayEvent::Closed { conn: self.conn, reason: reason.clone() };
        // Nobody left to tell means that the node is stopping; the terminal still gets its closing frame.
        let told = self.inbound.send(closed).await;
        tracing::trace!(?told);
        self.say_goodbye(&reason).await;
    }

    /// Moves texts both ways until something ends it.
    async fn talk(&mut self, early: &[u8]) -> CloseReason {
        let mut incoming = self.socket.decode(early);
        loop {
            for text in incoming.texts {
                self.counters.texts_received.add(1);
                if let Err(reason) = self.deliver(text).await {
                    return reason;
                }
            }
            if let Some(reason) = incoming.end {
                return reason;
            }
            incoming = match poll_fn(|cx| self.poll_turn(cx)).await {
                Ok(incoming) => incoming,
                Err(reason) => return reason,
            };
        }
    }

    /// Hands one text to the node. While the node has no room for it, the terminal is not read but still written to.
    async fn deliver(&mut self, text: Box<str>) -> Result<(), CloseReason> {
        let inbound = Arc::clone(&self.inbound);
        let mut sending = pin!(inbound.send_text(self.conn, text));
        poll_fn(|cx| {
            if let Poll::Ready(sent) = sending.as_mut().poll(cx) {
                return Poll::Ready(sent.map_err(|NobodyListens| gone()));
            }
            match self.poll_outgoing(cx) {
                Poll::Ready(reason) => Poll::Ready(Err(reason)),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    /// One turn: writes what is queued, then reads what is there, then looks at the clock.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<Incoming, CloseReason>> {
        if let Poll::Ready(reason) = self.poll_outgoing(cx) {
            return Poll::Ready(Err(reason));
        }
        loop {
            match self.socket.poll_incoming(cx) {
                Poll::Ready(Ok(incoming)) if incoming.is_nothing() => {
                    // A ping's answer may be waiting now.
                    if let Poll::Ready(reason) = self.poll_outgoing(cx) {
                        return Poll::Ready(Err(reason));
                    }
                }
                Poll::Ready(Ok(incoming)) => return Poll::Ready(Ok(incoming)),
                Poll::Ready(Err(_)) => return Poll::Ready(Err(CloseReason::Lost)),
                Poll::Pending => return self.poll_idle(cx).map(Err),
            }
        }
    }

    /// Writes until the socket or the queue has no more; ready when the connection shall end.
    fn poll_outgoing(&mut self, cx: &mut Context<'_>) -> Poll<CloseReason> {
        self.terminal.register(cx.waker());
        if let Some(reason) = self.terminal.ended() {
            return Poll::Ready(reason);
        }
        match self.socket.poll_drain(cx, &self.terminal, &self.counters) {
            Poll::Ready(Err(_)) => Poll::Ready(CloseReason::Lost),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
        }
    }

    /// The timer is moved only when it fires, not with each message.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<CloseReason> {
        loop {
            ready!(self.idle.as_mut().poll(cx));
            let deadline = self.socket.moved + self.timeouts.idle;
            if deadline <= Instant::now() {
                return Poll::Ready(CloseReason::Idle(self.timeouts.idle));
            }
            self.idle.as_mut().reset(deadline);
        }
    }

    fn count(&self, reason: &CloseReason) {
        match reason {
            CloseReason::Idle(_) => self.counters.idle_closed.add(1),
            CloseReason::SlowReader => self.counters.slow_readers.add(1),
            CloseReason::TooLong | CloseReason::NotUtf8 | CloseReason::Protocol(_) => {
                self.counters.faulty_closed.add(1);
            }
            CloseReason::ByPeer { .. } | CloseReason::Lost | CloseReason::ByUs { .. } => {}
        }
    }

    /// Sends the rest and the closing frame, waits for the answer, closes the socket; all within the closing time.
    async fn say_goodbye(&mut self, reason: &CloseReason) {
        if *reason == CloseReason::Lost {
            return;
        }
        let wait = self.timeouts.close;
        if timeout(wait, self.close(reason)).await.is_err() {
            tracing::debug!(conn = self.conn.0, "the terminal did not finish the closing handshake");
        }
    }

    async fn close(&mut self, reason: &CloseReason) {
        let Self { socket, terminal, counters, .. } = self;
        if let Some((code, text)) = reason.frame() {
            if poll_fn(|cx| socket.poll_drain(cx, terminal, counters)).await.is_err() {
                return;
            }
            socket.codec.close(code, text, &mut socket.out);
        }
        if poll_fn(|cx| socket.poll_drain(cx, terminal, counters)).await.is_err() {
            return;
        }
        if matches!(reason, CloseReason::ByUs { .. } | CloseReason::Idle(_) | CloseReason::SlowReader) {
            poll_fn(|cx| socket.poll_closed_by_peer(cx)).await;
        }
        linger::close(&mut socket.stream).await;
    }
}

/// The TLS stream with the protocol's state and what is on its way out.
struct Socket {
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
    fn new(stream: TlsStream<TcpStream>) -> Self {
        let (out, written) = (Vec::new(), 0);
        Self { stream, codec: Codec::default(), out, written, unflushed: false, moved: Instant::now() }
    }

    fn decode(&mut self, bytes: &[u8]) -> Incoming {
        self.codec.handle_bytes(bytes, &mut self.out)
    }

    /// Reads once; what came may be nothing yet.
    fn poll_incoming(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Incoming>> {
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
    fn poll_drain(
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
    fn poll_closed_by_peer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match ready!(self.poll_incoming(cx)) {
                Ok(incoming) if incoming.end.is_none() => {}
                Ok(_) | Err(_) => return Poll::Ready(()),
            }
        }
    }
}

fn gone() -> CloseReason {
    CloseReason::ByUs { code: 1001, reason: Text::from_static("node is going away") }
}
