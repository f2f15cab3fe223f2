//! Frames on a stream: a length (32 bits, big-endian) and as many bytes. Splits what arrives, joins what leaves.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use taoyao_types::limits::FRAME_BYTES_MAX;

/// Bytes before each frame.
pub(crate) const LENGTH_BYTES: usize = 4;
/// Frames up to this size are copied beside their neighbours; larger ones are handed on as they are.
const COPY_MAX: usize = 8 * 1024;
/// Small frames are gathered into pieces of about this size.
const PIECE_BYTES: usize = 64 * 1024;

/// A length that the protocol does not allow; the peer's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {bytes} bytes; 1 to {FRAME_BYTES_MAX} are allowed")]
pub(crate) struct BadLength {
    bytes: usize,
}

/// Cuts a stream's bytes into frames. Whole frames are slices of the packet that brought them, without a copy; only
/// frames across a packet's end are put together.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    /// The length so far, if a packet ended within it.
    length: Vec<u8>,
    body: BytesMut,
    /// What the frame in `body` still lacks; 0 between frames.
    missing: usize,
}

impl Splitter {
    pub(crate) fn push(&mut self, mut chunk: Bytes, frames: &mut Vec<Bytes>) -> Result<(), BadLength> {
        while !chunk.is_empty() {
            if self.missing > 0 {
                self.fill(&mut chunk, frames);
                continue;
            }
            let Some(bytes) = self.next_length(&mut chunk)? else { return Ok(()) };
            if chunk.len() >= bytes {
                frames.push(chunk.split_to(bytes));
            } else {
                self.body = BytesMut::with_capacity(bytes);
                self.missing = bytes;
            }
        }
        Ok(())
    }

    fn fill(&mut self, chunk: &mut Bytes, frames: &mut Vec<Bytes>) {
        let part = chunk.split_to(self.missing.min(chunk.len()));
        self.body.extend_from_slice(&part);
        self.missing -= part.len();
        if self.missing == 0 {
            frames.push(std::mem::take(&mut self.body).freeze());
        }
    }

    fn next_length(&mut self, chunk: &mut Bytes) -> Result<Option<usize>, BadLength> {
        let bytes = if self.length.is_empty() && chunk.len() >= LENGTH_BYTES {
            chunk.get_u32()
        } else {
            let part = chunk.split_to((LENGTH_BYTES - self.length.len()).min(chunk.len()));
            self.length.extend_from_slice(&part);
            if self.length.len() < LENGTH_BYTES {
                return Ok(None);
            }
            let length = self.length.as_slice().get_u32();
            self.length.clear();
            length
        } as usize;
        if bytes == 0 || bytes > FRAME_BYTES_MAX { Err(BadLength { bytes }) } else { Ok(Some(bytes)) }
    }
}

/// Empties `frames` into as few pieces as is cheap, each frame with its length before it.
pub(crate) fn join(frames: &mut Vec<Bytes>, pieces: &mut Vec<Bytes>) {
    let small: usize = frames.iter().map(|frame| LENGTH_BYTES + copied(frame)).sum();
    let mut left = small;
    let mut piece = BytesMut::with_capacity(left.min(PIECE_BYTES + COPY_MAX));
    for frame in frames.drain(..) {
        left -= LENGTH_BYTES + copied(&frame);
        piece.put_u32(u32::try_from(frame.len()).unwrap_or(u32::MAX));
        if frame.len() <= COPY_MAX {
            piece.extend_from_slice(&frame);
        } else {
            pieces.push(piece.split().freeze());
            pieces.push(frame);
        }
        if piece.len() >= PIECE_BYTES {
            pieces.push(piece.freeze());
            piece = BytesMut::with_capacity(left.min(PIECE_BYTES + COPY_MAX));
        }
    }
    if !piece.is_empty() {
        pieces.push(piece.freeze());
    }
}

fn copied(frame: &Bytes) -> usize {
    if frame.len() <= COPY_MAX { frame.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames() -> Vec<Bytes> {
        let sizes = [1, 2, 3, 300, COPY_MAX, COPY_MAX + 1, 7, 20_000, 5];
        sizes.iter().enumerate().map(|(i, size)| Bytes::from(vec![i as u8; *size])).collect()
    }

    fn stream_of(frames: &[Bytes]) -> Vec<u8> {
        let mut pieces = Vec::new();
        join(&mut frames.to_vec(), &mut pieces);
        pieces.concat()
    }

    #[test]
    fn frames_survive_however_the_stream_is_cut() {
        let stream = stream_of(&frames());
        for step in [1, 2, 3, 5, 7, 1200, 4096, 8952, stream.len()] {
            let (mut splitter, mut out) = (Splitter::default(), Vec::new());
            for chunk in stream.chunks(step) {
                splitter.push(Bytes::copy_from_slice(chunk), &mut out).unwrap();
            }
            assert_eq!(out, frames(), "cut every {step} bytes");
        }
    }

    #[test]
    fn whole_frames_are_not_copied() {
        let stream = Bytes::from(stream_of(&frames()));
        let (mut splitter, mut out) = (Splitter::default(), Vec::new());
        splitter.push(stream.clone(), &mut out).unwrap();
        let range = stream.as_ptr_range();
        assert!(out.iter().all(|frame| range.contains(&frame.as_ptr())));
    }

    #[test]
    fn many_small_frames_become_few_pieces_and_keep_their_order() {
        let small: Vec<Bytes> = (0..2000_u32).map(|i| Bytes::from(i.to_be_bytes().repeat(75))).collect();
        let mut pieces = Vec::new();
        join(&mut small.clone(), &mut pieces);
        assert!(pieces.len() <= 2000 * 304 / PIECE_BYTES + 1, "{}", pieces.len());
        let (mut splitter, mut out) = (Splitter::default(), Vec::new());
        pieces.into_iter().for_each(|piece| splitter.push(piece, &mut out).unwrap());
        assert_eq!(out, small);
    }

    #[test]
    fn lengths_out_of_bounds_are_the_peers_fault() {
        let mut out = Vec::new();
        for length in [0, FRAME_BYTES_MAX as u32 + 1, u32::MAX] {
            let push = Splitter::default().push(Bytes::copy_from_slice(&length.to_be_bytes()), &mut out);
            assert_eq!(push, Err(BadLength { bytes: length as usize }));
        }
        assert!(out.is_empty());
    }
}
