//! Opens what one transport receives.

use taoyao_types::limits::SRTP_RECEIVED_STREAMS_MAX;

use super::header::{self, RTCP_HEADER, RtpHeader};
use super::index::{Streams, nearest};
use super::window::Window;
use super::{Cipher, MasterKey, OpenError, cm};

/// The receiving end of an SRTP session. Streams are remembered once a packet of theirs was authentic.
pub struct Opener {
    rtp: Cipher,
    rtcp: Cipher,
    rtp_streams: Streams<Window>,
    rtcp_streams: Streams<Window>,
}

/// The word with the SRTCP index.
const INDEX: usize = 4;

impl Opener {
    pub fn new(master: &MasterKey) -> Opener {
        Opener {
            rtp: Cipher::rtp(master),
            rtcp: Cipher::rtcp(master),
            rtp_streams: Streams::new(SRTP_RECEIVED_STREAMS_MAX),
            rtcp_streams: Streams::new(SRTP_RECEIVED_STREAMS_MAX),
        }
    }

    /// Opens an SRTP packet in place; returns the length of the RTP packet.
    ///
    /// # Errors
    /// See [`OpenError`]; the payload is then worthless.
    pub fn open_rtp(&mut self, packet: &mut [u8]) -> Result<usize, OpenError> {
        let header = RtpHeader::read(packet).ok_or(OpenError::Malformed)?;
        let known = self.rtp_streams.get_mut(header.ssrc);
        let index = match &known {
            None => u64::from(header.sequence),
            Some(window) => nearest(window.top(), header.sequence).ok_or(OpenError::Repeated)?,
        };
        is_new(known.as_deref(), index)?;
        let len = match &self.rtp {
            Cipher::Gcm(gcm) => gcm.open_rtp(packet, header.len, header.ssrc, index)?,
            Cipher::Cm(cm) => cm.open_rtp(packet, header.len, header.ssrc, index)?,
        };
        match known {
            Some(window) => window.accept(index),
            None => self.rtp_streams.insert(header.ssrc, Window::starting_at(index)),
        }
        Ok(len)
    }

    /// Opens an SRTCP packet in place; returns the length of the compound RTCP packet. One that is not encrypted is refused
    /// as malformed.
    ///
    /// # Errors
    /// See [`OpenError`]; the payload is then worthless.
    pub fn open_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, OpenError> {
        let ssrc = header::rtcp_sender(packet).ok_or(OpenError::Malformed)?;
        let index = self.rtcp_index(packet).ok_or(OpenError::Malformed)?;
        let known = self.rtcp_streams.get_mut(ssrc);
        is_new(known.as_deref(), u64::from(index))?;
        let len = match &self.rtcp {
            Cipher::Gcm(gcm) => gcm.open_rtcp(packet, ssrc, index)?,
            Cipher::Cm(cm) => cm.open_rtcp(packet, ssrc, index)?,
        };
        match known {
            Some(window) => window.accept(u64::from(index)),
            None => self.rtcp_streams.insert(ssrc, Window::starting_at(u64::from(index))),
        }
        Ok(len)
    }

    /// The index is behind the AEAD's tag, but before HMAC's.
    fn rtcp_index(&self, packet: &[u8]) -> Option<u32> {
        let behind = match &self.rtcp {
            Cipher::Gcm(_) => 0,
            Cipher::Cm(_) => cm::TAG,
        };
        let at = packet.len().checked_sub(behind + INDEX).filter(|at| *at >= RTCP_HEADER)?;
        let (word, _) = packet[at..].split_first_chunk::<INDEX>()?;
        let word = u32::from_be_bytes(*word);
        let is_encrypted = word >> 31 == 1;
        is_encrypted.then_some(word & !(1 << 31))
    }
}

fn is_new(known: Option<&Window>, index: u64) -> Result<(), OpenError> {
    if known.is_none_or(|window| window.is_new(index)) { Ok(()) } else { Err(OpenError::Repeated) }
}
