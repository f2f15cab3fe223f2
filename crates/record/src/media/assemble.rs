//! Puts frames together from the packets of one stream, and leaves out what cannot be decoded.

use bytes::{BufMut, Bytes, BytesMut};
use taoyao_types::limits::RECORDER_FRAME_BYTES_MAX;

use crate::media::codec::{Codec, Description};
use crate::media::depacketise::Depacketiser;
use crate::media::describe::describe;
use crate::media::reorder::Ordered;
use crate::media::sets::{ParameterSets, Told};

/// A whole frame: a picture, or one packet of sound.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    pub(crate) timestamp: u32,
    pub(crate) bytes: Bytes,
    /// Of key frames of video.
    pub(crate) description: Option<Description>,
}

#[derive(Debug)]
pub(crate) struct Assembler {
    codec: Codec,
    depacketiser: Depacketiser,
    /// Of codecs that have them.
    sets: Option<ParameterSets>,
    open: Option<Open>,
    dropped: u64,
    /// Something was lost since the last frame that was asked about.
    has_lost: bool,
}

/// A frame under way.
#[derive(Debug)]
struct Open {
    timestamp: u32,
    bytes: BytesMut,
    /// Where the layers of a VP9 picture end.
    layer_ends: Vec<usize>,
    is_broken: bool,
}

impl Assembler {
    /// `sprop`: the parameter sets that the session's description has, see [`ParameterSets::new`].
    pub(crate) fn new(codec: Codec, sprop: &str) -> Self {
        let (depacketiser, sets) = (Depacketiser::new(codec), ParameterSets::new(codec, sprop));
        Self { codec, depacketiser, sets, open: None, dropped: 0, has_lost: false }
    }

    /// Takes the next packet in order; `out` gets the frames that it completes, at most two.
    pub(crate) fn push(&mut self, ordered: &Ordered, out: &mut Vec<Whole>) {
        let rtp = &ordered.rtp;
        if ordered.lost > 0 {
            self.lose();
        }
        if rtp.payload.is_empty() {
            return;
        }
        if !self.codec.is_video() {
            let (timestamp, bytes) = (rtp.timestamp, rtp.payload.clone());
            out.push(Whole { timestamp, bytes, description: None });
            return;
        }
        if self.open.as_ref().is_some_and(|open| open.timestamp != rtp.timestamp) {
            self.close(out);
        }
        let piece = self.depacketiser.read(&rtp.payload);
        let open = self.open.get_or_insert_with(|| Open {
            timestamp: rtp.timestamp,
            bytes: BytesMut::new(),
            layer_ends: Vec::new(),
            // Whoever begins in the middle has lost the beginning.
            is_broken: !piece.as_ref().is_some_and(|piece| piece.is_start),
        });
        match piece {
            Some(piece) if open.bytes.len() + piece.bytes.len() <= RECORDER_FRAME_BYTES_MAX => {
                open.bytes.extend_from_slice(&piece.bytes);
                if piece.ends_layer {
                    open.layer_ends.push(open.bytes.len());
                }
            }
            _ => open.is_broken = true,
        }
        if rtp.is_marked {
            self.close(out);
        }
    }

    /// Whether anything was lost since the last call.
    pub(crate) fn take_loss(&mut self) -> bool {
        std::mem::take(&mut self.has_lost)
    }

    /// Frames that were left out because a part of them was missing.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    fn lose(&mut self) {
        self.has_lost = true;
        self.depacketiser.reset();
        if let Some(open) = &mut self.open {
            open.is_broken = true;
        }
    }

    fn close(&mut self, out: &mut Vec<Whole>) {
        let Some(mut open) = self.open.take() else { return };
        self.depacketiser.reset();
        if open.is_broken || open.bytes.is_empty() {
            self.dropped += 1;
            self.has_lost = true;
            return;
        }
        if open.layer_ends.len() > 1 {
            put_superframe_index(&mut open);
        }
        let (timestamp, bytes) = (open.timestamp, open.bytes.freeze());
        match self.sets.as_mut().map(|sets| sets.tell(bytes.clone())) {
            Some(Told::SetsOnly) => {}
            Some(Told::Picture(bytes, description)) => out.push(Whole { timestamp, bytes, description }),
            None => {
                let description = describe(self.codec, &bytes);
                out.push(Whole { timestamp, bytes, description });
            }
        }
    }
}

/// Tells decoders where the layers of one picture begin (the VP9 bitstream specification, annex B).
fn put_superframe_index(open: &mut Open) {
    let layers = open.layer_ends.len().min(8);
    let marker = 0xc0 | (3 << 3) | (layers as u8 - 1);
    open.bytes.put_u8(marker);
    let mut start = 0;
    for &end in open.layer_ends.iter().take(layers) {
        open.bytes.put_u32_le(u32::try_from(end - start).unwrap_or(u32::MAX));
        start = end;
    }
    open.bytes.put_u8(marker);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::rtp::Rtp;
    use taoyao_types::Instant;

    fn packet(timestamp: u32, is_marked: bool, lost: u64, payload: &[u8]) -> Ordered {
        let payload = Bytes::copy_from_slice(payload);
        let rtp = Rtp { is_marked, payload_type: 96, sequence: 0, timestamp, ssrc: 1, payload };
        Ordered { arrival: Instant(0), rtp, lost, begins_anew: false }
    }

    #[test]
    fn a_frame_with_a_hole_is_left_out_and_the_next_is_not() {
        let (mut assembler, mut out) = (Assembler::new(Codec::Vp8, ""), Vec::new());
        assembler.push(&packet(1, false, 0, &[0x10, 0x01]), &mut out);
        assembler.push(&packet(1, true, 1, &[0x00, 0x02]), &mut out);
        assembler.push(&packet(2, true, 0, &[0x10, 0x03]), &mut out);
        assert!(out.len() == 1 && out[0].timestamp == 2 && assembler.dropped() == 1);
        assert!(assembler.take_loss() && !assembler.take_loss());
    }

    #[test]
    fn a_frame_without_a_marker_ends_where_the_next_begins() {
        let (mut assembler, mut out) = (Assembler::new(Codec::Vp8, ""), Vec::new());
        assembler.push(&packet(1, false, 0, &[0x10, 0x01]), &mut out);
        assembler.push(&packet(2, false, 0, &[0x10, 0x01]), &mut out);
        assert_eq!(out.iter().map(|whole| whole.timestamp).collect::<Vec<_>>(), [1]);
    }
}
