//! Files of each codec: what they hold, how long they are, and that sound and picture lie together.

use std::path::Path;

use taoyao_record::{Entry, State};

use crate::probe::Probe;
use crate::source::{self, FRAMES_A_SECOND, Source, decodes};
use crate::stage::{Stage, Stream, play};

const SECONDS: u32 = 4;
const OFFSET_MAX: f64 = 0.040;

#[test]
fn opus_and_vp8_become_webm_with_a_preview() {
    let (stage, entry) = recorded(&source::video("video/VP8", "320x240", SECONDS));
    judge(&stage, &entry, "matroska,webm", "vp8");
    judge_preview(&stage, &entry, (320, 240));
}

#[test]
fn opus_and_vp9_become_webm() {
    let (stage, entry) = recorded(&source::video("video/VP9", "320x240", SECONDS));
    judge(&stage, &entry, "matroska,webm", "vp9");
}

#[test]
fn opus_and_av1_become_webm() {
    let (stage, entry) = recorded(&source::video("video/AV1", "320x240", SECONDS));
    judge(&stage, &entry, "matroska,webm", "av1");
}

#[test]
fn opus_and_h264_become_mp4_with_a_preview() {
    let (stage, entry) = recorded(&source::video("video/H264", "1280x720", SECONDS));
    judge(&stage, &entry, "mov,mp4,m4a,3gp,3g2,mj2", "h264");
    judge_preview(&stage, &entry, (640, 360));
}

#[test]
fn a_picture_that_changes_its_size_goes_on() {
    for (codec, name) in [("video/VP8", "vp8"), ("video/H264", "h264")] {
        let small = source::video(codec, "320x240", 2);
        let large = source::video(codec, "640x480", 2);
        let frames = small.frames.into_iter().chain(large.frames).collect();
        let (stage, entry) = recorded(&Source { frames, ..small });
        decodes(&stage.path(&entry));
        let probe = Probe::of(&stage.path(&entry));
        assert_eq!(probe.frames(name), u64::from(SECONDS * FRAMES_A_SECOND));
    }
}

#[test]
fn packets_out_of_order_and_twice_make_no_difference() {
    let stage = Stage::new(|_| {});
    let mut video = Stream::new(1, &source::video("video/VP8", "320x240", SECONDS));
    for at in (7..video.packets.len() - 3).step_by(7) {
        let early = video.packets[at + 3].bytes.clone();
        video.packets[at + 3].bytes = video.packets[at].bytes.clone();
        video.packets[at].bytes = early;
    }
    let feed = stage.start("shuffled", &[&video], 0);
    play(&feed, &[&video]);
    let entry = stage.stop("shuffled");
    decodes(&stage.path(&entry));
    assert_eq!(Probe::of(&stage.path(&entry)).frames("vp8"), u64::from(SECONDS * FRAMES_A_SECOND));
    assert_eq!((entry.tracks[0].lost_packets, entry.tracks[0].dropped_frames), (0, 0));
}

#[test]
fn a_loss_is_counted_asks_for_a_key_frame_and_leaves_a_gap_in_time() {
    let stage = Stage::new(|_| {});
    let mut video = Stream::new(1, &source::video("video/VP8", "320x240", SECONDS));
    let lost = video.packets.iter().position(|sent| sent.taken_us == 1_400_000).unwrap();
    video.packets.remove(lost);
    let feed = stage.start("lossy", &[&video], 0);
    play(&feed, &[&video]);
    let entry = stage.stop("lossy");
    decodes(&stage.path(&entry));
    let track = &entry.tracks[0];
    // From the loss at 1.4 s until the key frame at 2 s.
    assert_eq!((track.lost_packets, track.dropped_frames), (1, 15), "{track:?}");
    let times = Probe::of(&stage.path(&entry)).times("vp8");
    assert!(times.windows(2).any(|pair| (pair[1] - pair[0] - 0.64).abs() < 0.01), "{times:?}");
    assert_eq!(stage.asked(), 2, "at the beginning, and after the loss");
}

#[test]
fn a_track_may_begin_late_and_end_early() {
    let stage = Stage::new(|_| {});
    let (audio, mut video) =
        (Stream::new(1, &source::opus(SECONDS)), Stream::new(2, &source::video("video/VP8", "320x240", 1)));
    video.delay_us = 2_000_000;
    let feed = stage.start("late", &[&audio], 0);
    feed.add_track(video.plan.clone());
    // The camera was switched on two seconds after the microphone.
    for sent in &mut video.packets {
        sent.taken_us += video.delay_us;
    }
    video.delay_us = 0;
    play(&feed, &[&audio, &video]);
    feed.end_track(video.producer);
    let entry = stage.stop("late");
    let probe = Probe::of(&stage.path(&entry));
    assert_eq!((probe.frames("vp8"), probe.frames("opus")), (25, u64::from(SECONDS) * 50));
    assert!((probe.times("vp8")[0] - 2.0).abs() < OFFSET_MAX, "{:?}", probe.times("vp8"));
}

#[test]
fn sound_that_pauses_goes_on_in_its_place() {
    for (codec, name) in [("video/VP8", "vp8"), ("video/H264", "h264")] {
        let stage = Stage::new(|_| {});
        let (mut audio, video) = (
            Stream::new(1, &source::opus(SECONDS)),
            Stream::new(2, &source::video(codec, "320x240", SECONDS)),
        );
        audio.packets.retain(|sent| !(1_000_000..3_000_000).contains(&sent.taken_us));
        let feed = stage.start("muted", &[&audio, &video], 0);
        play(&feed, &[&audio, &video]);
        let entry = stage.stop("muted");
        let probe = Probe::of(&stage.path(&entry));
        let times = probe.times("opus");
        assert!((times[50] - times[49] - 2.02).abs() < 0.03, "{codec}: {:?}", &times[48..52]);
        assert_eq!(probe.frames(name), u64::from(SECONDS * FRAMES_A_SECOND));
    }
}

/// Sound, and a picture whose packets come 150 ms later.
fn recorded(source: &Source) -> (Stage, Entry) {
    let stage = Stage::new(|_| {});
    let (audio, mut video) = (Stream::new(1, &source::opus(SECONDS)), Stream::new(2, source));
    video.delay_us = 150_000;
    let feed = stage.start("both", &[&audio, &video], 0);
    play(&feed, &[&audio, &video]);
    let entry = stage.stop("both");
    (stage, entry)
}

fn judge(stage: &Stage, entry: &Entry, format: &str, codec: &str) {
    let path = stage.path(entry);
    decodes(&path);
    let probe = Probe::of(&path);
    assert_eq!(probe.format(), format);
    let mut codecs = probe.codecs();
    codecs.sort_unstable();
    assert_eq!(codecs, if codec < "opus" { [codec, "opus"] } else { ["opus", codec] });
    assert!((probe.duration() - f64::from(SECONDS)).abs() < 0.1, "{}", probe.duration());
    assert_eq!(probe.frames(codec), u64::from(SECONDS * FRAMES_A_SECOND));
    assert_eq!(probe.frames("opus"), u64::from(SECONDS * 50));
    judge_offset(&path, codec);
    assert_eq!((entry.state, entry.dropped_packets), (State::Finished, 0), "{entry:?}");
    assert!(entry.duration_ms.abs_diff(u64::from(SECONDS) * 1_000) < 100, "{entry:?}");
    assert_eq!(entry.bytes, std::fs::metadata(&path).unwrap().len());
}

/// What was taken at the same moment is shown at the same moment, all the way.
fn judge_offset(path: &Path, codec: &str) {
    let probe = Probe::of(path);
    let (audio, video) = (probe.times("opus"), probe.times(codec));
    for (index, shown) in video.iter().enumerate() {
        // A frame is as long as two packets of sound.
        let offset = shown - audio[2 * index];
        assert!(offset.abs() <= OFFSET_MAX, "frame {index}: {offset}");
    }
}

fn judge_preview(stage: &Stage, entry: &Entry, size: (u64, u64)) {
    let path = stage.folder.join(entry.preview.as_ref().expect("there is a preview"));
    let probe = Probe::of(&path);
    assert_eq!(probe.size("mjpeg"), size);
    // The preview is the key frame at 3 s, as ffmpeg decodes it from the file.
    let frame = thumbnail(&["-ss", "3"], &stage.path(entry));
    let difference: u32 =
        thumbnail(&[], &path).iter().zip(&frame).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
    assert!(difference <= 4 * frame.len() as u32, "{difference}");
}

/// 64 shades of grey.
fn thumbnail(from: &[&str], path: &Path) -> Vec<u8> {
    let shrink = ["-frames:v", "1", "-vf", "scale=8:8,format=gray", "-f", "rawvideo", "-"];
    source::run("ffmpeg", &[from, &["-i", path.to_str().unwrap()], &shrink].concat())
}
