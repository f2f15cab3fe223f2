//! WebM and Matroska (RFC 9559): clusters of about a second behind a head that can be written anew.

use webm_iterable::WebmWriter;
use webm_iterable::WriteOptions;
use webm_iterable::matroska_spec::{Master, MatroskaSpec as Tag};

use crate::media::codec::Description;
use crate::media::timeline::Micros;
use crate::mux::{End, Head, Sample, TrackHead};

/// Blocks count milliseconds from their cluster in 16 bits.
const CLUSTER_MS_MAX: i64 = 30_000;
/// One entry of the index for so long.
const CUE_EVERY_MS: i64 = 2_000;
const NANOSECONDS_PER_TICK: u64 = 1_000_000;
/// Decoders of opus want to begin this early when they seek (RFC 7845, section 4.6), in nanoseconds.
const OPUS_PRE_ROLL: u64 = 80_000_000;
/// The size of an element of unknown size, in 8 bytes; and the mark of a known one.
const UNKNOWN_SIZE: u64 = 0x01ff_ffff_ffff_ffff;
const SIZE_MARK: u64 = 0x0100_0000_0000_0000;
const CUES_ID: [u8; 4] = [0x1c, 0x53, 0xbb, 0x6b];
const VOID_ID: u8 = 0xec;

#[derive(Debug)]
pub(crate) struct Matroska {
    head: Head,
    cues: Vec<Cue>,
}

/// Where a key frame is.
#[derive(Debug)]
struct Cue {
    at_ms: i64,
    track: u32,
    cluster_at: u64,
}

impl Matroska {
    pub(crate) fn new(head: Head) -> Self {
        Self { head, cues: Vec::new() }
    }

    pub(crate) fn head(&self, tracks: &[TrackHead], end: Option<End>) -> Option<Vec<u8>> {
        let mut head = written(&[ebml(is_webm(tracks))], false);
        let segment_at = head.len();
        let start = self.segment_start(segment_at);
        let mut tags = Vec::new();
        if let Some(end) = end.filter(|end| end.tail_bytes > 0) {
            tags.push(seek_head(end.file_bytes - start));
        }
        tags.push(info(end));
        tags.push(Tag::Tracks(Master::Full(tracks.iter().map(track_entry).collect())));
        head.extend(written(&tags, true));
        if let Some(end) = end {
            let size = SIZE_MARK | (end.file_bytes + end.tail_bytes - start);
            head[segment_at + 4..segment_at + 12].copy_from_slice(&size.to_be_bytes());
        }
        fill(head, self.head.bytes())
    }

    pub(crate) fn chunk(&mut self, samples: &[Sample], offset: u64) -> Vec<u8> {
        let start = self.segment_start(written(&[ebml(true)], false).len());
        let mut bytes = Vec::new();
        let mut rest = samples;
        while let Some(first) = rest.first() {
            let begin_ms = millis(first.at);
            let within = |sample: &Sample| (millis(sample.at) - begin_ms).abs() <= CLUSTER_MS_MAX;
            let count = rest.iter().position(|sample| !within(sample)).unwrap_or(rest.len());
            let (now, later) = rest.split_at(count);
            let at = offset + bytes.len() as u64 - start;
            self.note_cue(now, at);
            bytes.extend(cluster(begin_ms, now));
            rest = later;
        }
        bytes
    }

    pub(crate) fn tail(&self) -> Vec<u8> {
        if self.cues.is_empty() {
            return Vec::new();
        }
        let points = self.cues.iter().map(|cue| {
            let positions = vec![Tag::CueTrack(cue.track.into()), Tag::CueClusterPosition(cue.cluster_at)];
            Tag::CuePoint(Master::Full(vec![
                Tag::CueTime(cue.at_ms.unsigned_abs()),
                Tag::CueTrackPositions(Master::Full(positions)),
            ]))
        });
        let cues = Tag::Cues(Master::Full(points.collect()));
        written(&[cues], true).split_off(SEGMENT_HEAD_BYTES)
    }

    /// Positions count from behind the segment's id and size. WebM's head is as long as Matroska's but for the name, so
    /// both are written with a name of the same length.
    fn segment_start(&self, segment_at: usize) -> u64 {
        (segment_at + SEGMENT_HEAD_BYTES) as u64
    }

    fn note_cue(&mut self, samples: &[Sample], cluster_at: u64) {
        let has_video = samples.iter().any(|sample| sample.is_video);
        let Some(key) = samples.iter().find(|sample| sample.is_key && sample.is_video == has_video) else {
            return;
        };
        let at_ms = millis(key.at);
        if self.cues.last().is_none_or(|last| at_ms - last.at_ms >= CUE_EVERY_MS) {
            self.cues.push(Cue { at_ms, track: key.track, cluster_at });
        }
    }
}

const SEGMENT_HEAD_BYTES: usize = 12;

/// With `in_segment`, behind the head of a segment of unknown size.
fn written(tags: &[Tag], in_segment: bool) -> Vec<u8> {
    let mut writer = WebmWriter::new(Vec::new());
    if in_segment {
        let unknown = WriteOptions::is_unknown_sized_element();
        writer.write_advanced(&Tag::Segment(Master::Start), unknown).expect("a segment may have no size");
    }
    for tag in tags {
        writer.write(tag).expect("tags stand where Matroska has them, and memory takes all");
    }
    let mut bytes = std::mem::take(writer.get_mut());
    if in_segment && bytes.len() >= SEGMENT_HEAD_BYTES {
        bytes[4..SEGMENT_HEAD_BYTES].copy_from_slice(&UNKNOWN_SIZE.to_be_bytes());
    }
    bytes
}

/// Whether browsers know all of the codecs from WebM.
fn is_webm(tracks: &[TrackHead]) -> bool {
    !tracks.iter().any(|track| {
        matches!(
            track.description,
            Description::Pcm { .. } | Description::H264 { .. } | Description::H265 { .. }
        )
    })
}

fn ebml(is_webm: bool) -> Tag {
    // The same length for both, so that nothing behind it moves: strings may end in zeros (RFC 8794, section 7.4).
    let name = if is_webm { "webm\0\0\0\0" } else { "matroska" };
    Tag::Ebml(Master::Full(vec![
        Tag::EbmlVersion(1),
        Tag::EbmlReadVersion(1),
        Tag::EbmlMaxIdLength(4),
        Tag::EbmlMaxSizeLength(8),
        Tag::DocType(name.to_owned()),
        Tag::DocTypeVersion(4),
        Tag::DocTypeReadVersion(2),
    ]))
}

fn seek_head(cues_at: u64) -> Tag {
    let seek = vec![Tag::SeekID(CUES_ID.to_vec()), Tag::SeekPosition(cues_at)];
    Tag::SeekHead(Master::Full(vec![Tag::Seek(Master::Full(seek))]))
}

fn info(end: Option<End>) -> Tag {
    let mut tags = vec![
        Tag::TimestampScale(NANOSECONDS_PER_TICK),
        Tag::MuxingApp("taoyao".to_owned()),
        Tag::WritingApp("taoyao".to_owned()),
    ];
    if let Some(end) = end {
        tags.push(Tag::Duration(end.duration as f64 / 1_000.0));
    }
    Tag::Info(Master::Full(tags))
}

fn track_entry(track: &TrackHead) -> Tag {
    const VIDEO: u64 = 1;
    const AUDIO: u64 = 2;
    let (codec, private) = codec(&track.description);
    let mut tags = vec![
        Tag::TrackNumber(track.number.into()),
        Tag::TrackUID(track.number.into()),
        Tag::TrackType(if track.description.size().is_some() { VIDEO } else { AUDIO }),
        Tag::FlagLacing(0),
        Tag::Language("und".to_owned()),
        Tag::CodecID(codec.to_owned()),
    ];
    if !track.label.is_empty() {
        tags.push(Tag::Name(track.label.clone()));
    }
    tags.extend(private.map(Tag::CodecPrivate));
    match &track.description {
        Description::Opus { channels } => {
            tags.extend([Tag::CodecDelay(0), Tag::SeekPreRoll(OPUS_PRE_ROLL)]);
            tags.push(audio(48_000, *channels));
        }
        Description::Pcm { channels, rate, .. } => tags.push(audio(*rate, *channels)),
        video => tags.extend(video.size().map(|size| {
            Tag::Video(Master::Full(vec![
                Tag::PixelWidth(size.width.into()),
                Tag::PixelHeight(size.height.into()),
            ]))
        })),
    }
    Tag::TrackEntry(Master::Full(tags))
}

fn audio(rate: u32, channels: u8) -> Tag {
    Tag::Audio(Master::Full(vec![Tag::SamplingFrequency(rate.into()), Tag::Channels(channels.into())]))
}

/// Matroska's name of a codec and what decoders need beside the frames.
fn codec(description: &Description) -> (&'static str, Option<Vec<u8>>) {
    match description {
        Description::Opus { channels } => ("A_OPUS", Some(opus_head(*channels))),
        Description::Pcm { is_mu_law, channels, rate } => {
            ("A_MS/ACM", Some(wave_format(*is_mu_law, *channels, *rate)))
        }
        Description::Vp8(_) => ("V_VP8", None),
        Description::Vp9 { .. } => ("V_VP9", None),
        Description::Av1 { profile, level, is_high_tier, sequence_header, .. } => {
            // 4:2:0 in 8 bits, the only form that WebRTC has; decoders read the sequence header itself.
            const SUBSAMPLED: u8 = 0x0c;
            let tier = if *is_high_tier { 0x80 } else { 0 };
            let mut private = vec![0x81, (profile << 5) | (level & 0x1f), tier | SUBSAMPLED, 0];
            private.extend_from_slice(sequence_header);
            ("V_AV1", Some(private))
        }
        Description::H264 { sps, pps, .. } => ("V_MPEG4/ISO/AVC", Some(super::mp4::avc_record(sps, pps))),
        Description::H265 { sets, .. } => ("V_MPEGH/ISO/HEVC", Some(super::mp4::hevc_record(sets))),
    }
}

/// RFC 7845, section 5.1.
fn opus_head(channels: u8) -> Vec<u8> {
    let mut head = b"OpusHead\x01".to_vec();
    head.push(channels);
    head.extend([0, 0]);
    head.extend(48_000_u32.to_le_bytes());
    head.extend([0, 0, 0]);
    head
}

/// WAVEFORMATEX.
fn wave_format(is_mu_law: bool, channels: u8, rate: u32) -> Vec<u8> {
    let (tag, bytes): (u16, u16) = (if is_mu_law { 7 } else { 6 }, channels.into());
    let mut format = tag.to_le_bytes().to_vec();
    format.extend(bytes.to_le_bytes());
    format.extend(rate.to_le_bytes());
    format.extend((rate * u32::from(channels)).to_le_bytes());
    format.extend(bytes.to_le_bytes());
    format.extend(8_u16.to_le_bytes());
    format.extend([0, 0]);
    format
}

fn cluster(begin_ms: i64, samples: &[Sample]) -> Vec<u8> {
    let mut tags = vec![Tag::Timestamp(begin_ms.unsigned_abs())];
    tags.extend(samples.iter().map(|sample| Tag::SimpleBlock(simple_block(begin_ms, sample))));
    written(&[Tag::Cluster(Master::Full(tags))], true).split_off(SEGMENT_HEAD_BYTES)
}

fn simple_block(begin_ms: i64, sample: &Sample) -> Vec<u8> {
    const KEY: u8 = 0x80;
    let offset = i16::try_from(millis(sample.at) - begin_ms).unwrap_or(i16::MAX);
    let mut block = Vec::with_capacity(sample.bytes.len() + 4);
    // Track numbers are small: one byte with its mark.
    block.push(0x80 | (sample.track & 0x7f) as u8);
    block.extend(offset.to_be_bytes());
    block.push(if sample.is_key { KEY } else { 0 });
    block.extend_from_slice(&sample.bytes);
    block
}

/// Fills a head up with an element that players pass over.
fn fill(mut head: Vec<u8>, bytes: usize) -> Option<Vec<u8>> {
    const VOID_HEAD_BYTES: usize = 9;
    let room = bytes.checked_sub(head.len())?.checked_sub(VOID_HEAD_BYTES)?;
    head.push(VOID_ID);
    head.extend((SIZE_MARK | room as u64).to_be_bytes());
    head.resize(bytes, 0);
    Some(head)
}

fn millis(at: Micros) -> i64 {
    at / 1_000
}

#[cfg(test)]
mod tests {
    use taoyao_types::limits::{RECORDING_LABEL_BYTES_MAX, ROOM_RECORDING_TRACKS_MAX};

    use super::*;
    use crate::media::codec::Size;

    #[test]
    fn heads_have_one_length_and_say_no_when_they_are_full() {
        let matroska = Matroska::new(Head::Small);
        let label = || "Ann (web-1@sh.cn) camera".to_owned();
        let track =
            |number| TrackHead { number, label: label(), description: Description::Opus { channels: 2 } };
        let end = End { duration: 1_000_000, file_bytes: 20_000, tail_bytes: 50 };
        for tracks in [vec![], vec![track(1)], (1..=16).map(track).collect()] {
            assert_eq!(matroska.head(&tracks, None).unwrap().len(), Head::Small.bytes());
            assert_eq!(matroska.head(&tracks, Some(end)).unwrap().len(), Head::Small.bytes());
        }
        let all: Vec<TrackHead> = (1..=ROOM_RECORDING_TRACKS_MAX as u32)
            .map(|number| TrackHead { label: "m".repeat(RECORDING_LABEL_BYTES_MAX), ..track(number) })
            .collect();
        assert_eq!(Matroska::new(Head::Large).head(&all, Some(end)).unwrap().len(), Head::Large.bytes());
        let sps = vec![0; Head::Small.bytes()];
        let size = Size { width: 1, height: 1 };
        let long = TrackHead {
            number: 1,
            label: String::new(),
            description: Description::H264 { size, sps, pps: vec![] },
        };
        assert_eq!(matroska.head(&[long], None), None);
    }
}
