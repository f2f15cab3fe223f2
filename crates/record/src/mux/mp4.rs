//! Fragmented MP4 (ISO/IEC 14496-12, section 8.8): fragments of about a second behind a head that can be written anew.

use mp4_atom::{
    Audio, Av01, Av1c, Avc1, Avcc, Codec, Dinf, Dops, Dref, DrefEntry, Encode, FourCC, Free, Ftyp, Hdlr,
    HvcCArray, Hvcc, Mdhd, Mdia, Mehd, Mfhd, Minf, Moof, Moov, Mvex, Mvhd, Opus, Smhd, Stbl, Stsd, Tfdt,
    Tfhd, Tkhd, Traf, Trak, Trex, Trun, TrunEntry, TrunSamples, Url, Visual, Vmhd, Vp08, Vp09, VpcC, Zeroed,
};

use crate::media::codec::{Description, Size};
use crate::media::h265::{self, H265Sets};
use crate::media::timeline::Micros;
use crate::mux::{End, Head, Sample, TrackHead};

const VIDEO_TICKS: u32 = 90_000;
const AUDIO_TICKS: u32 = 48_000;
const MOVIE_TICKS: u32 = 1_000;
/// A frame that depends on no other; and one that does, and is no place to begin (section 8.8.3.1).
const KEY: u32 = 0x0200_0000;
const NO_KEY: u32 = 0x0101_0000;
const MDAT_HEAD_BYTES: usize = 8;

#[derive(Debug)]
pub(crate) struct Mp4 {
    head: Head,
    fragments: u32,
}

impl Mp4 {
    pub(crate) fn new(head: Head) -> Self {
        Self { head, fragments: 0 }
    }

    /// None if there is no room, or if a track has a codec that MP4 has no name for.
    pub(crate) fn head(&self, tracks: &[TrackHead], end: Option<End>) -> Option<Vec<u8>> {
        let mut head = encoded(&Ftyp {
            major_brand: FourCC::new(b"iso6"),
            minor_version: 0,
            compatible_brands: [b"iso6", b"iso5", b"mp41"].map(FourCC::new).to_vec(),
        });
        let duration = end.map_or(0, |end| ticks(end.duration, MOVIE_TICKS));
        let traks: Option<Vec<Trak>> = tracks.iter().map(trak).collect();
        let moov = Moov {
            mvhd: Mvhd {
                timescale: MOVIE_TICKS,
                duration: 0,
                rate: 1.into(),
                volume: 1.into(),
                next_track_id: tracks.len() as u32 + 1,
                ..Mvhd::default()
            },
            mvex: Some(Mvex {
                mehd: end.map(|_| Mehd { fragment_duration: duration }),
                trex: tracks.iter().map(|track| trex(track.number)).collect(),
            }),
            trak: traks?,
            meta: None,
            udta: None,
            ainf: None,
        };
        head.extend(encoded(&moov));
        fill(head, self.head.bytes())
    }

    pub(crate) fn chunk(&mut self, samples: &[Sample], _offset: u64) -> Vec<u8> {
        self.fragments += 1;
        let mut numbers: Vec<u32> = samples.iter().map(|sample| sample.track).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let lanes: Vec<Vec<&Sample>> = numbers
            .iter()
            .map(|number| samples.iter().filter(|sample| sample.track == *number).collect())
            .collect();
        // How far the data is from the fragment's begin depends on how long its description is, which does not depend on
        // how far it is.
        let length = encoded(&self.moof(&lanes, 0)).len() + MDAT_HEAD_BYTES;
        let mut bytes = encoded(&self.moof(&lanes, length));
        let data: usize = samples.iter().map(|sample| sample.bytes.len()).sum();
        let mdat_bytes = u32::try_from(data + MDAT_HEAD_BYTES).unwrap_or(u32::MAX);
        bytes.extend(mdat_bytes.to_be_bytes());
        bytes.extend(b"mdat");
        for sample in lanes.iter().flatten() {
            bytes.extend_from_slice(&sample.bytes);
        }
        bytes
    }

    /// Players walk along the fragments.
    pub(crate) fn tail(&self) -> Vec<u8> {
        Vec::new()
    }

    fn moof(&self, lanes: &[Vec<&Sample>], data_at: usize) -> Moof {
        let mut at = data_at;
        let mut traf = Vec::with_capacity(lanes.len());
        for lane in lanes {
            traf.extend(fragment(lane, at));
            at += lane.iter().map(|sample| sample.bytes.len()).sum::<usize>();
        }
        Moof { mfhd: Mfhd { sequence_number: self.fragments }, traf }
    }
}

/// The frames of one track, none if there are none.
fn fragment(lane: &[&Sample], data_at: usize) -> Option<Traf> {
    let first = lane.first()?;
    let rate = if first.is_video { VIDEO_TICKS } else { AUDIO_TICKS };
    let entries = lane.iter().map(|sample| {
        // Differences of places, not places of differences: rounding then does not add up.
        let decoded_at = ticks(sample.decoded_at, rate);
        let duration = ticks(sample.decoded_at + sample.duration, rate) - decoded_at;
        // Signed: what is decoded early is shown later, and the pictures in between earlier (section 8.8.8).
        let shown_after = ticks(sample.at, rate).cast_signed() - decoded_at.cast_signed();
        TrunEntry {
            duration: Some(u32::try_from(duration).unwrap_or(u32::MAX)),
            size: Some(u32::try_from(sample.bytes.len()).unwrap_or(u32::MAX)),
            flags: Some(if sample.is_key { KEY } else { NO_KEY }),
            cts: sample.is_video.then_some(shown_after),
        }
    });
    Some(Traf {
        tfhd: Tfhd { track_id: first.track, default_base_is_moof: true, ..Tfhd::default() },
        tfdt: Some(Tfdt { base_media_decode_time: ticks(first.decoded_at, rate) }),
        trun: vec![Trun {
            data_offset: Some(i32::try_from(data_at).unwrap_or(i32::MAX)),
            samples: TrunSamples::Explicit(entries.collect()),
        }],
        ..Traf::default()
    })
}

fn trak(track: &TrackHead) -> Option<Trak> {
    let size = track.description.size();
    let (vmhd, smhd) =
        if size.is_some() { (Some(Vmhd::default()), None) } else { (None, Some(Smhd::default())) };
    let (handler, name) = if size.is_some() { (b"vide", "video") } else { (b"soun", "audio") };
    let place = DrefEntry::Url(Url { location: String::new() });
    Some(Trak {
        tkhd: Tkhd {
            track_id: track.number,
            enabled: true,
            in_movie: true,
            volume: if size.is_some() { 0.into() } else { 1.into() },
            width: size.map_or(0, |size| size.width).into(),
            height: size.map_or(0, |size| size.height).into(),
            ..Tkhd::default()
        },
        mdia: Mdia {
            mdhd: Mdhd {
                timescale: if size.is_some() { VIDEO_TICKS } else { AUDIO_TICKS },
                language: "und".to_owned(),
                ..Mdhd::default()
            },
            hdlr: Hdlr { handler: FourCC::new(handler), name: name.to_owned() },
            minf: Minf {
                vmhd,
                smhd,
                dinf: Dinf { dref: Dref { entries: vec![place] } },
                stbl: Stbl {
                    stsd: Stsd { codecs: vec![sample_entry(&track.description)?] },
                    stco: Some(mp4_atom::Stco::default()),
                    ..Stbl::default()
                },
                ..Minf::default()
            },
        },
        edts: None,
        meta: None,
        senc: None,
        tref: None,
        udta: None,
    })
}

/// None if MP4 has no name for the codec.
fn sample_entry(description: &Description) -> Option<Codec> {
    Some(match description {
        Description::Opus { channels } => Codec::Opus(Opus {
            audio: Audio {
                data_reference_index: 1,
                channel_count: (*channels).into(),
                sample_size: 16,
                sample_rate: 48_000_u16.into(),
            },
            dops: Dops {
                output_channel_count: *channels,
                pre_skip: 0,
                input_sample_rate: 48_000,
                output_gain: 0,
                channel_mapping: None,
            },
            btrt: None,
        }),
        // Browsers play H265 from neither; in Matroska everybody else does.
        Description::Pcm { .. } | Description::H265 { .. } => return None,
        Description::Vp8(size) => Codec::Vp08(Vp08 {
            visual: visual(*size),
            vpcc: VpcC { chroma_subsampling: 1, ..VpcC::default() },
            btrt: None,
            colr: None,
            pasp: None,
            spatial: None,
        }),
        Description::Vp9 { size, profile } => Codec::Vp09(Vp09 {
            visual: visual(*size),
            vpcc: VpcC { profile: *profile, chroma_subsampling: 1, ..VpcC::default() },
            btrt: None,
            colr: None,
            pasp: None,
            spatial: None,
        }),
        Description::Av1 { size, profile, level, is_high_tier, sequence_header } => Codec::Av01(Av01 {
            visual: visual(*size),
            av1c: Av1c {
                seq_profile: *profile,
                seq_level_idx_0: *level & 0x1f,
                seq_tier_0: *is_high_tier,
                chroma_subsampling_x: true,
                chroma_subsampling_y: true,
                config_obus: sequence_header.clone(),
                ..Av1c::default()
            },
            btrt: None,
            ccst: None,
            colr: None,
            pasp: None,
            taic: None,
            spatial: None,
        }),
        Description::H264 { size, sps, pps } => Codec::Avc1(Avc1 {
            visual: visual(*size),
            avcc: Avcc::new(sps, pps).ok()?,
            btrt: None,
            colr: None,
            pasp: None,
            taic: None,
            fiel: None,
            spatial: None,
        }),
    })
}

fn visual(size: Size) -> Visual {
    Visual { data_reference_index: 1, width: size.width, height: size.height, ..Visual::default() }
}

fn trex(track_id: u32) -> Trex {
    Trex {
        track_id,
        default_sample_description_index: 1,
        default_sample_duration: 0,
        default_sample_size: 0,
        default_sample_flags: 0,
    }
}

/// The decoder's settings as Matroska carries them, too (ISO/IEC 14496-15, section 5.3.3); empty if the sets are none.
pub(crate) fn avc_record(sps: &[u8], pps: &[u8]) -> Vec<u8> {
    const ATOM_HEAD_BYTES: usize = 8;
    Avcc::new(sps, pps).map(|record| encoded(&record).split_off(ATOM_HEAD_BYTES)).unwrap_or_default()
}

/// The same of H265 (section 8.3.3.1).
pub(crate) fn hevc_record(sets: &H265Sets) -> Vec<u8> {
    const ATOM_HEAD_BYTES: usize = 8;
    let array = |kind: u8, unit: &[u8]| HvcCArray {
        completeness: false,
        nal_unit_type: kind,
        nalus: vec![unit.to_vec()],
    };
    let profile = &sets.profile;
    let record = Hvcc {
        general_profile_space: profile.general[0] >> 6,
        general_tier_flag: profile.general[0] & 0x20 != 0,
        general_profile_idc: profile.general[0] & 0x1f,
        general_profile_compatibility_flags: part(&profile.general, 1),
        general_constraint_indicator_flags: part(&profile.general, 5),
        general_level_idc: profile.level,
        chroma_format_idc: profile.chroma,
        bit_depth_luma_minus8: profile.luma_bits - 8,
        bit_depth_chroma_minus8: profile.chroma_bits - 8,
        num_temporal_layers: profile.layers,
        temporal_id_nested: profile.is_nested,
        length_size_minus_one: 3,
        arrays: vec![array(h265::VPS, &sets.vps), array(h265::SPS, &sets.sps), array(h265::PPS, &sets.pps)],
        ..Hvcc::new()
    };
    encoded(&record).split_off(ATOM_HEAD_BYTES)
}

fn part<const N: usize>(bytes: &[u8], from: usize) -> [u8; N] {
    let mut part = [0; N];
    bytes.iter().skip(from).zip(&mut part).for_each(|(byte, place)| *place = *byte);
    part
}

fn encoded(atom: &impl Encode) -> Vec<u8> {
    let mut bytes = Vec::new();
    atom.encode(&mut bytes).expect("memory takes all, and no field is out of its range");
    bytes
}

/// Fills a head up with an atom that players pass over.
fn fill(mut head: Vec<u8>, bytes: usize) -> Option<Vec<u8>> {
    const FREE_HEAD_BYTES: usize = 8;
    let room = bytes.checked_sub(head.len())?.checked_sub(FREE_HEAD_BYTES)?;
    head.extend(encoded(&Free { zeroed: Zeroed::new(room) }));
    Some(head)
}

fn ticks(at: Micros, rate: u32) -> u64 {
    let ticks = u128::from(at.max(0).unsigned_abs()) * u128::from(rate) / 1_000_000;
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_have_one_length_and_refuse_what_mp4_cannot_name() {
        let track = |description| TrackHead { number: 1, label: String::new(), description };
        let opus = track(Description::Opus { channels: 2 });
        let end = End { duration: 1_000_000, file_bytes: 20_000, tail_bytes: 0 };
        let mp4 = Mp4::new(Head::Small);
        assert_eq!(mp4.head(&[], None).unwrap().len(), Head::Small.bytes());
        assert_eq!(mp4.head(&[opus], Some(end)).unwrap().len(), Head::Small.bytes());
        let pcm = track(Description::Pcm { is_mu_law: true, channels: 1, rate: 8_000 });
        assert_eq!(mp4.head(&[pcm], None), None);
    }
}
