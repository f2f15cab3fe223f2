//! Writes one lane's frames to its stream, many at a time.

use bytes::Bytes;
use quinn::SendStream;
use taoyao_wire::link::hello::CloseCode;
use tokio::sync::mpsc::{Sender, UnboundedReceiver};

use crate::{Ending, Lane, LaneClass, LinkEvent, LinkHandle, explain, frame};

/// Frames taken from the queue at once: 150 KiB of ordinary signals.
const BATCH: usize = 512;

/// One lane on its way out.
pub(crate) struct Writer {
    pub(crate) lane: Lane,
    pub(crate) class: LaneClass,
    pub(crate) queue: UnboundedReceiver<Bytes>,
    pub(crate) link: LinkHandle,
    pub(crate) events: Sender<LinkEvent>,
}

impl Writer {
    /// Writes until the link is down. `open` is the lane's stream if there is one already (control); others are opened
    /// with their first frame.
    pub(crate) async fn run(mut self, open: Option<SendStream>) -> Ending {
        let mut stream = open;
        let (mut frames, mut pieces) = (Vec::new(), Vec::new());
        while self.queue.recv_many(&mut frames, BATCH).await > 0 {
            let written = match &mut stream {
                Some(stream) => self.write(stream, &mut frames, &mut pieces).await,
                none => match self.open().await {
                    Ok(opened) => self.write(none.insert(opened), &mut frames, &mut pieces).await,
                    Err(ending) => Err(ending),
                },
            };
            if let Err(ending) = written {
                return ending;
            }
        }
        explain::here(CloseCode::Ended, "nobody can send on the link any more")
    }

    async fn open(&self) -> Result<SendStream, Ending> {
        let connection = match self.class {
            LaneClass::Bulk => self.link.bulk(),
            LaneClass::Control | LaneClass::Signals | LaneClass::Directory | LaneClass::Broadcasts => {
                self.link.signal()
            }
        };
        let mut stream = connection.open_uni().await.map_err(|e| explain::lost(&e))?;
        // Fails only if the connection is gone, which the write below tells.
        let _gone = stream.set_priority(self.lane.priority());
        stream.write_all(&[self.lane.mark()]).await.map_err(|e| explain::write_failed(&e))?;
        Ok(stream)
    }

    async fn write(
        &self,
        stream: &mut SendStream,
        frames: &mut Vec<Bytes>,
        pieces: &mut Vec<Bytes>,
    ) -> Result<(), Ending> {
        frame::join(frames, pieces);
        let (mut rest, mut waiting) = (pieces.as_mut_slice(), 0);
        while !rest.is_empty() {
            let written = stream.write_chunks(rest).await.map_err(|e| explain::write_failed(&e))?;
            waiting = self.link.taken(self.class, written.bytes);
            rest = &mut rest[written.chunks..];
        }
        pieces.clear();
        if waiting == 0 && self.class.tells_when_drained() {
            let (peer, link) = (self.link.peer(), self.link.number());
            // A node that no longer listens ends the link by the readers.
            let _gone = self.events.send(LinkEvent::Drained { peer, link, class: self.class }).await;
        }
        Ok(())
    }
}
