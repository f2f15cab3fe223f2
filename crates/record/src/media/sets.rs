//! The parameter sets of H264 and H265: without them no picture can be decoded, and they need not come with each.
//!
//! They are in the description of the session alone (`sprop-parameter-sets`), once before all pictures, or before each key
//! frame. The newest of each kind are kept, and what of them a key frame lacks is put before it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, Bytes, BytesMut};

use crate::media::codec::{Codec, Description};
use crate::media::h265::H265Sets;
use crate::media::{h264, h265};

/// A set is a few dozen bytes. Larger ones are none.
const SET_BYTES_MAX: usize = 4_096;

#[derive(Debug)]
pub(crate) struct ParameterSets {
    codec: Codec,
    /// By kind, in the order in which they stand before a picture.
    kept: Vec<(u8, Bytes)>,
}

/// What a frame is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// A picture; a key frame with its description, and with all sets before it.
    Picture(Bytes, Option<Description>),
    /// Sets alone, which are kept.
    SetsOnly,
}

impl ParameterSets {
    /// None where the codec has none. `sprop` as session descriptions have it: base64, with commas between.
    pub(crate) fn new(codec: Codec, sprop: &str) -> Option<Self> {
        let kinds: &[u8] = match codec {
            Codec::H264 => &[h264::SPS, h264::PPS],
            Codec::H265 => &[h265::VPS, h265::SPS, h265::PPS],
            _ => return None,
        };
        let mut sets = Self { codec, kept: kinds.iter().map(|kind| (*kind, Bytes::new())).collect() };
        let told = sprop.split(',').filter_map(|set| STANDARD.decode(set.trim()).ok());
        told.for_each(|set| sets.keep(&set));
        Some(sets)
    }

    /// Takes a whole frame, its units behind their lengths.
    pub(crate) fn tell(&mut self, frame: Bytes) -> Told {
        let (mut in_band, mut has_picture, mut is_key) = (Vec::new(), false, false);
        for unit in h264::units(&frame) {
            let kind = self.kind(unit);
            if self.kept.iter().any(|(kept, _)| *kept == kind) {
                self.keep(unit);
                in_band.push(kind);
            }
            let (picture, key) = match self.codec {
                Codec::H264 => ((1..=h264::IDR).contains(&kind), kind == h264::IDR),
                _ => (h265::is_picture(kind), h265::is_key(kind)),
            };
            has_picture |= picture;
            is_key |= key;
        }
        if !has_picture && !in_band.is_empty() {
            return Told::SetsOnly;
        }
        match self.describe().filter(|_| is_key) {
            Some(description) => Told::Picture(self.before(frame, &in_band), Some(description)),
            None => Told::Picture(frame, None),
        }
    }

    /// The frame with what it lacks before it; behind the delimiter, if it begins with one.
    fn before(&self, frame: Bytes, in_band: &[u8]) -> Bytes {
        let lacking: Vec<&Bytes> =
            self.kept.iter().filter(|(kind, _)| !in_band.contains(kind)).map(|(_, set)| set).collect();
        if lacking.is_empty() {
            return frame;
        }
        let delimiter = h264::units(&frame).next().filter(|unit| self.is_delimiter(unit));
        let (first, rest) = frame.split_at(delimiter.map_or(0, |unit| unit.len() + 4));
        let mut whole = BytesMut::with_capacity(frame.len() + 256);
        whole.put_slice(first);
        for set in lacking {
            whole.put_u32(set.len() as u32);
            whole.put_slice(set);
        }
        whole.put_slice(rest);
        whole.freeze()
    }

    fn is_delimiter(&self, unit: &[u8]) -> bool {
        const OF_H264: u8 = 9;
        const OF_H265: u8 = 35;
        self.kind(unit) == if self.codec == Codec::H264 { OF_H264 } else { OF_H265 }
    }

    fn keep(&mut self, unit: &[u8]) {
        let kind = self.kind(unit);
        let place = self.kept.iter_mut().find(|(kept, _)| *kept == kind);
        if let Some((_, set)) = place.filter(|(_, set)| unit.len() <= SET_BYTES_MAX && set.as_ref() != unit) {
            *set = Bytes::copy_from_slice(unit);
        }
    }

    /// None before all sets are there.
    fn describe(&self) -> Option<Description> {
        match &self.kept[..] {
            [(_, sps), (_, pps)] if !pps.is_empty() => {
                Some(Description::H264 { size: h264::size(sps)?, sps: sps.to_vec(), pps: pps.to_vec() })
            }
            [(_, vps), (_, sps), (_, pps)] if !vps.is_empty() && !pps.is_empty() => {
                let (size, profile) = h265::read(sps)?;
                let sets = H265Sets { vps: vps.to_vec(), sps: sps.to_vec(), pps: pps.to_vec(), profile };
                Some(Description::H265 { size, sets })
            }
            _ => None,
        }
    }

    fn kind(&self, unit: &[u8]) -> u8 {
        if self.codec == Codec::H264 { h264::kind(unit) } else { h265::kind(unit) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPS: &[u8] = &[
        0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02, 0x27, 0xe5, 0xc0, 0x44, 0x00, 0x00, 0x03, 0x00,
        0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x60, 0xc6, 0x58,
    ];
    const PPS: &[u8] = &[0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0];
    const IDR: &[u8] = &[0x65, 0x88, 1, 2, 3];

    fn frame(units: &[&[u8]]) -> Bytes {
        let mut frame = BytesMut::new();
        for unit in units {
            frame.put_u32(unit.len() as u32);
            frame.put_slice(unit);
        }
        frame.freeze()
    }

    #[test]
    fn a_key_frame_gets_what_it_lacks_wherever_that_was_told() {
        let whole = frame(&[SPS, PPS, IDR]);
        let sprop = format!("{},{}", STANDARD.encode(SPS), STANDARD.encode(PPS));
        let mut told_before = ParameterSets::new(Codec::H264, &sprop).unwrap();
        let mut told_alone = ParameterSets::new(Codec::H264, "no base64,").unwrap();
        assert_eq!(told_alone.tell(frame(&[IDR])), Told::Picture(frame(&[IDR]), None), "nothing is known");
        assert_eq!(told_alone.tell(frame(&[SPS, PPS])), Told::SetsOnly);
        let mut told_with_it = ParameterSets::new(Codec::H264, "").unwrap();
        for (sets, came) in [
            (&mut told_before, frame(&[IDR])),
            (&mut told_alone, frame(&[IDR])),
            (&mut told_with_it, whole.clone()),
        ] {
            let Told::Picture(bytes, Some(Description::H264 { size, .. })) = sets.tell(came) else {
                panic!()
            };
            assert_eq!((bytes, size.width, size.height), (whole.clone(), 1920, 1080));
        }
        let delimiter: &[u8] = &[9, 0xf0];
        let Told::Picture(bytes, Some(_)) = told_before.tell(frame(&[delimiter, IDR])) else { panic!() };
        assert_eq!(bytes, frame(&[delimiter, SPS, PPS, IDR]));
    }
}
