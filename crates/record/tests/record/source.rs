//! Media to record: encoded by ffmpeg, cut into frames, and packed into RTP by rtc-rtp.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use bytes::Bytes;
use rtc_rtp::codec::av1::Av1Payloader;
use rtc_rtp::codec::h264::H264Payloader;
use rtc_rtp::codec::h265::HevcPayloader;
use rtc_rtp::codec::vp8::Vp8Payloader;
use rtc_rtp::codec::vp9::Vp9Payloader;
use rtc_rtp::packetizer::Payloader;

pub(crate) const FRAMES_A_SECOND: u32 = 25;
const PAYLOAD_BYTES: usize = 1_180;

/// Frames of one stream, `step` counts of its clock apart.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) mime_type: &'static str,
    pub(crate) clock_rate: u32,
    pub(crate) step: u32,
    pub(crate) frames: Vec<Bytes>,
    /// When each frame is shown, in steps, if not in the order of the frames.
    pub(crate) shown: Vec<u32>,
}

/// One packet, with the time since the stream's beginning at which its frame was taken, in microseconds.
pub(crate) struct Sent {
    pub(crate) taken_us: u64,
    pub(crate) timestamp: u32,
    pub(crate) bytes: Bytes,
}

/// What has been encoded already: encoding takes longer than recording.
static ENCODED: Mutex<BTreeMap<(&str, String, u32), Source>> = Mutex::new(BTreeMap::new());

/// Moving pictures with a key frame a second.
pub(crate) fn video(mime_type: &'static str, size: &str, seconds: u32) -> Source {
    let mut encoded = ENCODED.lock().unwrap();
    let of = (mime_type, size.to_owned(), seconds);
    encoded.entry(of).or_insert_with(|| encode_video(mime_type, size, seconds)).clone()
}

/// H264 of the profile High whose pictures are decoded in another order than they are shown in.
pub(crate) fn video_that_reorders(seconds: u32) -> Source {
    let mut encoded = ENCODED.lock().unwrap();
    let of = ("video/H264", "reordered".to_owned(), seconds);
    encoded.entry(of).or_insert_with(|| encode_reordered(seconds)).clone()
}

fn encode_reordered(seconds: u32) -> Source {
    let folder = tempfile::tempdir().unwrap();
    let (input, path) =
        (format!("testsrc2=size=320x240:rate=25:duration={seconds}"), folder.path().join("video.h264"));
    let encode = [
        "-pix_fmt",
        "yuv420p",
        "-c:v",
        "libx264",
        "-profile:v",
        "high",
        "-bf",
        "3",
        "-b_strategy",
        "0",
        "-g",
        "25",
        "-bsf:v",
        "h264_metadata=aud=insert",
    ];
    let mkv = folder.path().join("video.mkv");
    run("ffmpeg", &[&["-f", "lavfi", "-i", &input], &encode[..], &[mkv.to_str().unwrap()]].concat());
    let copy = ["-i", mkv.to_str().unwrap(), "-c", "copy", "-f", "h264", path.to_str().unwrap()];
    run("ffmpeg", &copy);
    let asked = ["-of", "csv=p=0", "-show_entries", "packet=pts_time", mkv.to_str().unwrap()];
    let told = String::from_utf8(run("ffprobe", &asked)).unwrap();
    let times = told.lines().map(|line| line.trim_matches(','));
    let times = times.filter(|line| !line.is_empty()).map(|line| line.parse::<f64>().unwrap());
    let shown = times.map(|time| (time * f64::from(FRAMES_A_SECOND)).round() as u32).collect();
    let frames = access_units(&std::fs::read(&path).unwrap());
    let step = 90_000 / FRAMES_A_SECOND;
    Source { mime_type: "video/H264", clock_rate: 90_000, step, frames, shown }
}

/// A tone, in packets of 20 ms.
pub(crate) fn opus(seconds: u32) -> Source {
    let mut encoded = ENCODED.lock().unwrap();
    encoded.entry(("audio/opus", String::new(), seconds)).or_insert_with(|| encode_opus(seconds)).clone()
}

fn encode_video(mime_type: &'static str, size: &str, seconds: u32) -> Source {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("video");
    let input = format!("testsrc2=size={size}:rate={FRAMES_A_SECOND}:duration={seconds}");
    let encode: &[&str] = match mime_type {
        "video/VP8" => &["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-f", "ivf"],
        "video/VP9" => &["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-f", "ivf"],
        "video/AV1" => &["-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8", "-f", "ivf"],
        "video/H265" => &[
            "-c:v",
            "libx265",
            "-preset",
            "ultrafast",
            "-x265-params",
            "bframes=0:aud=1:repeat-headers=1:log-level=0",
            "-f",
            "hevc",
        ],
        "video/H264" => &[
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-tune",
            "zerolatency",
            "-profile:v",
            "baseline",
            "-bsf:v",
            "h264_metadata=aud=insert",
            "-f",
            "h264",
        ],
        other => panic!("no encoder for {other}"),
    };
    let common = ["-pix_fmt", "yuv420p", "-b:v", "400k", "-g", "25"];
    run("ffmpeg", &[&["-f", "lavfi", "-i", &input], &common[..], encode, &[path.to_str().unwrap()]].concat());
    let bytes = std::fs::read(&path).unwrap();
    let frames = match mime_type {
        "video/H264" => access_units(&bytes),
        "video/H265" => {
            units_behind(&bytes, &[0, 0, 0, 1, 0x46]).iter().map(|frame| with_long_codes(frame)).collect()
        }
        _ => ivf_frames(&bytes),
    };
    let shown = Vec::new();
    assert_eq!(frames.len() as u32, seconds * FRAMES_A_SECOND);
    Source { mime_type, clock_rate: 90_000, step: 90_000 / FRAMES_A_SECOND, frames, shown }
}

fn encode_opus(seconds: u32) -> Source {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audio.ogg");
    let input = format!("sine=frequency=440:sample_rate=48000:duration={seconds}");
    let encode = ["-ac", "2", "-c:a", "libopus", "-frame_duration", "20", "-f", "ogg"];
    run("ffmpeg", &[&["-f", "lavfi", "-i", &input], &encode[..], &[path.to_str().unwrap()]].concat());
    let mut frames = ogg_packets(&std::fs::read(&path).unwrap());
    // The first two describe the stream; the last are there to fill the encoder's delay.
    frames.drain(..2);
    frames.truncate(seconds as usize * 50);
    Source { mime_type: "audio/opus", clock_rate: 48_000, step: 960, frames, shown: Vec::new() }
}

impl Source {
    /// RTP packets that begin at any timestamp and sequence number.
    pub(crate) fn packets(
        &self,
        payload_type: u8,
        ssrc: u32,
        first_sequence: u16,
        first_timestamp: u32,
    ) -> Vec<Sent> {
        let mut sent = Vec::new();
        let mut sequence = first_sequence;
        for (index, frame) in self.frames.iter().enumerate() {
            let offset = self.shown.get(index).copied().unwrap_or(index as u32) * self.step;
            let timestamp = first_timestamp.wrapping_add(offset);
            let taken_us = u64::from(offset) * 1_000_000 / u64::from(self.clock_rate);
            let payloads = self.payloads(frame);
            for (part, payload) in payloads.iter().enumerate() {
                let is_last = part + 1 == payloads.len();
                let mut bytes = vec![0x80, payload_type | if is_last { 0x80 } else { 0 }];
                bytes.extend(sequence.to_be_bytes());
                bytes.extend(timestamp.to_be_bytes());
                bytes.extend(ssrc.to_be_bytes());
                bytes.extend_from_slice(payload);
                sequence = sequence.wrapping_add(1);
                sent.push(Sent { taken_us, timestamp, bytes: bytes.into() });
            }
        }
        sent
    }

    fn payloads(&self, frame: &Bytes) -> Vec<Bytes> {
        // The payloader keeps parameter sets back until a picture follows.
        let units = if self.mime_type == "video/H264" { h264_units(frame) } else { Vec::new() };
        if !units.is_empty() && units.iter().all(|unit| matches!(unit[0] & 0x1f, 7 | 8)) {
            return units;
        }
        let packed = match self.mime_type {
            "video/VP8" => Vp8Payloader::default().payload(PAYLOAD_BYTES, frame),
            "video/VP9" => Vp9Payloader::default().payload(PAYLOAD_BYTES, frame),
            "video/AV1" => Av1Payloader::default().payload(PAYLOAD_BYTES, frame),
            "video/H265" => HevcPayloader.payload(PAYLOAD_BYTES, frame),
            "video/H264" => H264Payloader::default().payload(PAYLOAD_BYTES, frame),
            _ => Ok(vec![frame.clone()]),
        };
        packed.unwrap()
    }
}

/// Runs a program of ffmpeg's and returns what it prints.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new(program);
    if program == "ffmpeg" {
        command.args(["-nostdin", "-y"]);
    }
    let output = command.args(["-v", "error"]).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; install Debian's package ffmpeg"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {text}");
    output.stdout
}

/// Whether ffmpeg decodes all of a file without a word of complaint.
pub(crate) fn decodes(path: &Path) {
    let arguments = ["-nostdin", "-v", "error", "-i", path.to_str().unwrap(), "-f", "null", "-"];
    let output = Command::new("ffmpeg").args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.is_empty(), "{}: {text}", path.display());
}

fn ivf_frames(file: &[u8]) -> Vec<Bytes> {
    let (mut frames, mut rest) = (Vec::new(), &file[32..]);
    while let Some((head, after)) = rest.split_first_chunk::<12>() {
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        frames.push(Bytes::copy_from_slice(&after[..length]));
        rest = &after[length..];
    }
    frames
}

/// Begins each picture at its access unit delimiter.
fn access_units(file: &[u8]) -> Vec<Bytes> {
    units_behind(file, &[0, 0, 0, 1, 9])
}

fn units_behind(file: &[u8], delimiter: &[u8]) -> Vec<Bytes> {
    let windows = file.windows(delimiter.len()).enumerate();
    let mut starts: Vec<usize> =
        windows.filter(|(_, window)| *window == delimiter).map(|(at, _)| at).collect();
    starts.push(file.len());
    starts.windows(2).map(|pair| Bytes::copy_from_slice(&file[pair[0]..pair[1]])).collect()
}

/// The payloader knows start codes of one length at a time.
fn with_long_codes(frame: &[u8]) -> Bytes {
    let units = h264_units(frame).into_iter();
    units.flat_map(|unit| [&[0, 0, 0, 1][..], &unit[..]].concat()).collect::<Vec<u8>>().into()
}

/// Units of H264 or H265 in the byte stream format, without their start codes.
pub(crate) fn h264_units(frame: &[u8]) -> Vec<Bytes> {
    let mut starts: Vec<usize> =
        frame.windows(3).enumerate().filter(|(_, window)| *window == [0, 0, 1]).map(|(at, _)| at).collect();
    starts.push(frame.len());
    let unit = |pair: &[usize]| {
        let unit = &frame[pair[0] + 3..pair[1]];
        let trailing = unit.iter().rev().take_while(|byte| **byte == 0).count();
        Bytes::copy_from_slice(&unit[..unit.len() - trailing])
    };
    starts.windows(2).map(unit).collect()
}

fn ogg_packets(file: &[u8]) -> Vec<Bytes> {
    let (mut packets, mut open, mut at) = (Vec::new(), Vec::new(), 0);
    while at + 27 <= file.len() {
        let segments = &file[at + 27..at + 27 + usize::from(file[at + 26])];
        at += 27 + segments.len();
        for &length in segments {
            open.extend_from_slice(&file[at..at + usize::from(length)]);
            at += usize::from(length);
            if length < 255 {
                packets.push(Bytes::from(std::mem::take(&mut open)));
            }
        }
    }
    packets
}
