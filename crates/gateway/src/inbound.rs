//! The way from the terminals to the node: one bounded channel for all.

use std::sync::Arc;

use taoyao_types::{ConnId, limits};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc};

use crate::event::{GatewayEvent, Received};

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

    /// Waits for room, by bytes if the text is long.
    pub(crate) async fn send_text(&self, conn: ConnId, text: Box<str>) -> Result<(), NobodyListens> {
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
