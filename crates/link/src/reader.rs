//! Reads a peer's streams and hands their frames on, many at a time.

use bytes::Bytes;
use quinn::{Connection, RecvStream};
use taoyao_wire::link::hello::CloseCode;
use tokio::sync::mpsc::Sender;
use tokio::task::JoinSet;

use crate::frame::Splitter;
use crate::{Ending, Lane, LinkEvent, LinkHandle, explain};

/// Packets' payloads taken from a stream at once: one look at the connection for up to 200 KiB.
const CHUNKS: usize = 32;

/// Takes the one-way streams that the peer opens on one connection, until the first of them ends or the connection does.
pub(crate) async fn read_streams(
    connection: Connection,
    link: LinkHandle,
    events: Sender<LinkEvent>,
) -> Ending {
    let mut readers = JoinSet::new();
    loop {
        tokio::select! {
            stream = connection.accept_uni() => match stream {
                Ok(stream) => {
                    let is_bulk = connection.stable_id() == link.bulk().stable_id();
                    readers.spawn(read_marked(stream, is_bulk, link.clone(), events.clone()));
                }
                Err(error) => return explain::lost(&error),
            },
            Some(ended) = readers.join_next() => {
                return ended.unwrap_or_else(|e| explain::here(CloseCode::Ended, format!("a reader failed: {e}")));
            }
        }
    }
}

/// Reads which lane the stream is, then its frames.
async fn read_marked(
    mut stream: RecvStream,
    is_bulk: bool,
    link: LinkHandle,
    events: Sender<LinkEvent>,
) -> Ending {
    let mut mark = [0];
    if let Err(error) = stream.read_exact(&mut mark).await {
        return explain::read_exact_failed(&error);
    }
    match Lane::of_mark(mark[0]) {
        Some(lane) if (lane == Lane::Bulk) == is_bulk && link.claim(lane) => {
            read_lane(lane, stream, link, events).await
        }
        Some(lane) => explain::frame_fault(format!("a second or misplaced stream for {lane:?}")),
        None => explain::frame_fault(format!("a stream of unknown kind {:#04x}", mark[0])),
    }
}

/// Reads frames until the link is down. Stops reading, and so lets QUIC slow the peer down, while the node is behind.
pub(crate) async fn read_lane(
    lane: Lane,
    mut stream: RecvStream,
    link: LinkHandle,
    events: Sender<LinkEvent>,
) -> Ending {
    let mut splitter = Splitter::default();
    let mut chunks: [Bytes; CHUNKS] = std::array::from_fn(|_| Bytes::new());
    loop {
        let count = match stream.read_chunks(&mut chunks).await {
            Ok(Some(count)) => count,
            Ok(None) => return explain::frame_fault(format!("the stream of {lane:?} ended")),
            Err(error) => return explain::read_failed(&error),
        };
        let mut frames = Vec::new();
        for chunk in &mut chunks[..count] {
            if let Err(fault) = splitter.push(std::mem::take(chunk), &mut frames) {
                return explain::frame_fault(format!("{fault} (on {lane:?})"));
            }
        }
        if !frames.is_empty() {
            let event = LinkEvent::Frames { peer: link.peer(), link: link.number(), lane, frames };
            if events.send(event).await.is_err() {
                return explain::here(CloseCode::Ended, "the node no longer listens to its links");
            }
        }
    }
}
