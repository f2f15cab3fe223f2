//! One terminal's connection, from the upgrade or the first frame to the last byte.

use std::future::poll_fn;
use std::mem;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use taoyao_types::ConnId;
use tokio::time::{Instant, Sleep, sleep, timeout};

use crate::close::CloseReason;
use crate::codec::Incoming;
use crate::connection::Shared;
use crate::event::GatewayEvent;
use crate::inbound::NobodyListens;
use crate::outbox::{TerminalHandle, Text};
use crate::protocol::Protocol;
use crate::seat::Seat;
use crate::socket::Socket;
use crate::stream::Stream;

/// A terminal's socket and all that its task keeps.
pub(crate) struct Session {
    conn: ConnId,
    ip: IpAddr,
    terminal: TerminalHandle,
    socket: Socket,
    /// What came behind the request for the upgrade.
    early: Bytes,
    shared: Arc<Shared>,
    seat: Seat,
    /// `None` on bare sockets: a terminal there may be silent for as long as the node lets it (reference section 3.6).
    idle: Option<Pin<Box<Sleep>>>,
}

impl Session {
    /// A session for an upgraded stream or one of frames, unless the node is going away.
    pub(crate) fn enter(
        shared: Arc<Shared>,
        stream: Stream,
        protocol: Protocol,
        early: Bytes,
        ip: IpAddr,
        seat: Seat,
    ) -> Option<Box<Self>> {
        let terminal = protocol.text_max().map_or_else(TerminalHandle::new, TerminalHandle::narrow);
        let conn = shared.registry.enter(&terminal)?;
        shared.counters.terminals_opened.add(1);
        let socket = Socket::new(stream, protocol);
        let idle = if socket.is_websocket() {
            Some(Box::pin(sleep(shared.config.timeouts.idle)))
        } else {
            shared.counters.sockets_opened.add(1);
            None
        };
        Some(Box::new(Self { conn, ip, terminal, socket, early, shared, seat, idle }))
    }

    /// Serves the terminal until its connection is over.
    pub(crate) async fn run(mut self: Box<Self>) {
        let Self { conn, ip, .. } = *self;
        let opened = GatewayEvent::Opened { conn, ip, terminal: self.terminal.clone(), account: None };
        if self.shared.inbound.send(opened).await.is_err() {
            return;
        }
        let reason = self.talk().await;
        self.count(&reason);
        self.terminal.end(reason.clone());
        match &reason {
            // Mostly an operator's mistake, and the terminal cannot be told.
            CloseReason::BadFrame(_) if self.shared.counters.lines.admits() => {
                tracing::info!(conn = conn.0, %ip, %reason, "terminal disconnected");
            }
            _ => tracing::debug!(conn = conn.0, %reason, "terminal disconnected"),
        }
        // Both at once: a node that is slow to hear of it, or stopping, keeps no terminal from its closing frame.
        let shared = Arc::clone(&self.shared);
        let closed = GatewayEvent::Closed { conn, reason: reason.clone() };
        let (told, ()) = tokio::join!(shared.inbound.send(closed), self.say_goodbye(&reason));
        tracing::trace!(conn = conn.0, ?told, "session over");
    }

    /// Moves texts both ways until something ends it.
    async fn talk(&mut self) -> CloseReason {
        let mut incoming = self.socket.decode(&mem::take(&mut self.early));
        loop {
            for text in incoming.texts {
                self.shared.counters.texts_received.add(1);
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
        let shared = Arc::clone(&self.shared);
        let mut sending = pin!(shared.inbound.send_text(self.conn, text));
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

    /// One turn: writes what is queued, then reads what is there, then looks at the clock. A terminal that provokes answers and
    /// does not read them is not read itself.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<Incoming, CloseReason>> {
        if let Poll::Ready(reason) = self.poll_outgoing(cx) {
            return Poll::Ready(Err(reason));
        }
        if self.seat.is_stranger() && self.terminal.is_admitted() {
            self.seat.know();
        }
        loop {
            if self.socket.owes_reading() || self.terminal.owes_reading() {
                // Its own reading wakes this task, as a socket that takes more.
                return self.poll_idle(cx).map(Err);
            }
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
        match self.socket.poll_drain(cx, &self.terminal, &self.shared.counters) {
            Poll::Ready(Err(_)) => Poll::Ready(CloseReason::Lost),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
        }
    }

    /// The timer is moved only when it fires, not with each message.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<CloseReason> {
        let Some(idle) = &mut self.idle else { return Poll::Pending };
        loop {
            ready!(idle.as_mut().poll(cx));
            let deadline = self.socket.moved() + self.shared.config.timeouts.idle;
            if deadline <= Instant::now() {
                return Poll::Ready(CloseReason::Idle(self.shared.config.timeouts.idle));
            }
            idle.as_mut().reset(deadline);
        }
    }

    fn count(&self, reason: &CloseReason) {
        match reason {
            CloseReason::Idle(_) => self.shared.counters.idle_closed.add(1),
            CloseReason::SlowReader => self.shared.counters.slow_readers.add(1),
            fault if fault.is_fault() => self.shared.counters.faulty_closed.add(1),
            _ => {}
        }
    }

    /// Closes as far as the closing time allows; a socket that is lost has nobody to say goodbye to.
    async fn say_goodbye(&mut self, reason: &CloseReason) {
        if *reason == CloseReason::Lost {
            return;
        }
        let wait = self.shared.config.timeouts.close;
        let closing = self.socket.close(reason, &self.terminal, &self.shared.counters);
        if timeout(wait, closing).await.is_err() {
            tracing::debug!(conn = self.conn.0, "the terminal did not finish the closing handshake");
        }
    }
}

/// However the session ends, even by being dropped.
impl Drop for Session {
    fn drop(&mut self) {
        if !self.socket.is_websocket() {
            self.shared.counters.sockets_closed.add(1);
        }
        self.shared.registry.leave(self.conn);
    }
}

fn gone() -> CloseReason {
    CloseReason::ByUs { code: 1001, reason: Text::from_static("node is going away") }
}
