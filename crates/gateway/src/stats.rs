//! What the gateway counts.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::pace::Pace;
use crate::registry::Crowded;

/// Counts since the start, and gauges (`connections`, `terminals`) as of now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GatewayStats {
    /// Connections now, of whatever kind.
    pub connections: u64,
    /// Terminals now, by WebSocket or on bare TCP sockets.
    pub terminals: u64,
    /// Among them those on bare TCP sockets.
    pub sockets: u64,
    /// Terminals that ever connected, of both kinds.
    pub terminals_opened: u64,
    /// Among them those on bare TCP sockets.
    pub sockets_opened: u64,
    /// Connections refused because there were too many, of the node or of one address.
    pub connections_refused: u64,
    /// Among them those refused because too many of one address had not registered.
    pub strangers_refused: u64,
    /// Connections of trusted proxies whose PROXY header was missing or could not be read.
    pub proxies_unread: u64,
    /// Accepts that failed for want of file descriptors or memory.
    pub accepts_failed: u64,
    /// TLS handshakes that failed or took too long.
    pub handshakes_failed: u64,
    pub texts_received: u64,
    pub texts_sent: u64,
    /// Messages too long for a terminal's frames, which got an error in their place.
    pub texts_replaced: u64,
    /// Terminals closed because they read too slowly.
    pub slow_readers: u64,
    /// Terminals closed because nothing moved.
    pub idle_closed: u64,
    /// Terminals closed for a message that is too long, not UTF-8 or not of their protocol.
    pub faulty_closed: u64,
}

/// The same as shared counters.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) terminals_opened: Counter,
    pub(crate) sockets_opened: Counter,
    pub(crate) sockets_closed: Counter,
    pub(crate) connections_refused: Counter,
    pub(crate) strangers_refused: Counter,
    pub(crate) proxies_unread: Counter,
    pub(crate) accepts_failed: Counter,
    pub(crate) handshakes_failed: Counter,
    pub(crate) texts_received: Counter,
    pub(crate) texts_sent: Counter,
    pub(crate) texts_replaced: Counter,
    pub(crate) slow_readers: Counter,
    pub(crate) idle_closed: Counter,
    pub(crate) faulty_closed: Counter,
    /// Which of what is counted is worth a line of the log as well.
    pub(crate) lines: Pace,
}

impl Counters {
    pub(crate) fn refuse(&self, crowded: Crowded) {
        self.connections_refused.add(1);
        self.strangers_refused.add(u64::from(crowded == Crowded::Strangers));
    }

    pub(crate) fn read(&self) -> GatewayStats {
        let sockets_closed = self.sockets_closed.get();
        let sockets_opened = self.sockets_opened.get();
        GatewayStats {
            connections: 0,
            terminals: 0,
            sockets: sockets_opened.saturating_sub(sockets_closed),
            terminals_opened: self.terminals_opened.get(),
            sockets_opened,
            connections_refused: self.connections_refused.get(),
            strangers_refused: self.strangers_refused.get(),
            proxies_unread: self.proxies_unread.get(),
            accepts_failed: self.accepts_failed.get(),
            handshakes_failed: self.handshakes_failed.get(),
            texts_received: self.texts_received.get(),
            texts_sent: self.texts_sent.get(),
            texts_replaced: self.texts_replaced.get(),
            slow_readers: self.slow_readers.get(),
            idle_closed: self.idle_closed.get(),
            faulty_closed: self.faulty_closed.get(),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
