//! Seals what one transport sends.

use taoyao_types::limits::SRTP_SENT_STREAMS_MAX;

use super::header::{self, RtpHeader};
use super::index::{Streams, nearest};
use super::{Cipher, MasterKey, SealError};
use crate::peer::SEAL_BYTES_MAX;

/// The sending end of an SRTP session.
pub struct Sealer {
    rtp: Cipher,
    rtcp: Cipher,
    /// The highest index of each stream. The router draws its SSRCs at random and never takes one twice, so that a stream
    /// that was forgotten does not return and use an index again.
    streams: Streams<u64>,
    /// One for all senders: it only has to grow.
    next_rtcp_index: u32,
}

impl Sealer {
    pub fn new(master: &MasterKey) -> Sealer {
        Sealer {
            rtp: Cipher::rtp(master),
            rtcp: Cipher::rtcp(master),
            streams: Streams::new(SRTP_SENT_STREAMS_MAX),
            next_rtcp_index: 0,
        }
    }

    /// Seals the RTP packet in the first `len` bytes in place; returns the sealed length. A packet whose number was sealed
    /// before must be the same byte for byte, since its index makes the nonce.
    ///
    /// # Errors
    /// See [`SealError`]; the buffer is as it was.
    pub fn seal_rtp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, SealError> {
        has_room(buffer, len)?;
        let header = RtpHeader::read(&buffer[..len]).ok_or(SealError::Malformed)?;
        let index = self.index(header.ssrc, header.sequence)?;
        Ok(match &self.rtp {
            Cipher::Gcm(gcm) => gcm.seal_rtp(buffer, header.len, len, header.ssrc, index),
            Cipher::Cm(cm) => cm.seal_rtp(buffer, header.len, len, header.ssrc, index),
        })
    }

    /// As [`Self::seal_rtp`], of a compound RTCP packet.
    ///
    /// # Errors
    /// See [`SealError`]; the buffer is as it was.
    pub fn seal_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, SealError> {
        has_room(buffer, len)?;
        let ssrc = header::rtcp_sender(&buffer[..len]).ok_or(SealError::Malformed)?;
        let index = self.next_rtcp_index;
        if index >= 1 << 31 {
            return Err(SealError::NoIndex);
        }
        self.next_rtcp_index += 1;
        Ok(match &self.rtcp {
            Cipher::Gcm(gcm) => gcm.seal_rtcp(buffer, len, ssrc, index),
            Cipher::Cm(cm) => cm.seal_rtcp(buffer, len, ssrc, index),
        })
    }

    fn index(&mut self, ssrc: u32, sequence: u16) -> Result<u64, SealError> {
        if let Some(top) = self.streams.get_mut(ssrc) {
            let index = nearest(*top, sequence).ok_or(SealError::NoIndex)?;
            *top = index.max(*top);
            return Ok(index);
        }
        let index = u64::from(sequence);
        self.streams.insert(ssrc, index);
        Ok(index)
    }
}

fn has_room(buffer: &[u8], len: usize) -> Result<(), SealError> {
    if buffer.len() < len + SEAL_BYTES_MAX { Err(SealError::NoRoom) } else { Ok(()) }
}
