//! What is spoken on a terminal's stream: WebSocket, or bare frames.

use std::sync::Arc;

use crate::close::CloseReason;
use crate::codec::{Codec, Incoming};
use crate::outbox::Text;
use crate::stats::Counters;
use crate::tcp::{FrameReader, Framing, replacement};

/// One terminal's protocol and how far it has got.
pub(crate) enum Protocol {
    WebSocket(Codec),
    Frames { framing: Arc<Framing>, reader: FrameReader },
}

impl Protocol {
    pub(crate) fn websocket() -> Self {
        Self::WebSocket(Codec::default())
    }

    /// Bytes of the longest text that a frame holds; none where frames have any length.
    pub(crate) fn text_max(&self) -> Option<usize> {
        match self {
            Self::Frames { framing, .. } => Some(framing.text_max()),
            Self::WebSocket(..) => None,
        }
    }

    pub(crate) fn frames(framing: Arc<Framing>) -> Self {
        Self::Frames { framing, reader: FrameReader::default() }
    }

    pub(crate) fn is_websocket(&self) -> bool {
        matches!(self, Self::WebSocket(_))
    }

    /// Reads what arrived. Answers of the protocol itself are appended to `out`.
    pub(crate) fn handle_bytes(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Incoming {
        match self {
            Self::WebSocket(codec) => codec.handle_bytes(bytes, out),
            Self::Frames { framing, reader } => {
                let mut texts = Vec::new();
                let end = reader.handle_bytes(framing, bytes, &mut texts).err();
                Incoming { texts, end: end.map(CloseReason::BadFrame) }
            }
        }
    }

    /// Appends a message to `out`, or what stands in for it where it does not fit.
    pub(crate) fn encode(&self, text: Text, out: &mut Vec<u8>, counters: &Counters) {
        match self {
            Self::WebSocket(_) => Codec::encode(text, out),
            Self::Frames { framing, .. } => append(framing, &text, out, counters),
        }
    }

    /// Appends our goodbye to `out`. Whether the terminal will answer it; frames have no goodbye.
    pub(crate) fn close(&mut self, reason: &CloseReason, out: &mut Vec<u8>) -> bool {
        let (Self::WebSocket(codec), Some((code, text))) = (self, reason.frame()) else { return false };
        codec.close(code, text, out);
        !reason.is_fault()
    }
}

fn append(framing: &Framing, text: &str, out: &mut Vec<u8>, counters: &Counters) {
    let Err(why) = framing.append(text, out) else { return };
    counters.texts_replaced.add(1);
    let is_told = replacement(text, why).is_some_and(|error| framing.append(&error, out).is_ok());
    if counters.lines.admits() {
        tracing::info!(%why, is_told, "a message is too long for a terminal's frames, which gets an error instead");
    }
}
