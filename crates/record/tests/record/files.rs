//! Files of each codec: what they hold, how long they are, and that sound and picture lie together.

use std::path::Path;

use taoyao_record::{Entry, State};
use taoyao_types::Instant;

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
fn senders_that_report_late_are_in_step_from_the_first_frame_on() {
    for codec in ["video/VP8", "video/H264"] {
        let stage = Stage::new(|_| {});
        let (mut audio, mut video) = (
            Stream::new(1, &source::opus(SECONDS)),
            Stream::new(2, &source::video(codec, "320x240", SECONDS)),
        );
        video.delay_us = 150_000;
        (audio.silent_us, video.silent_us) = (2_300_000, 500_000);
        let feed = stage.start("late", &[&audio, &video], 0);
        play(&feed, &[&audio, &video]);
        let entry = stage.stop("late");
        decodes(&stage.path(&entry));
        judge_offset(&stage.path(&entry), if codec == "video/VP8" { "vp8" } else { "h264" });
        let times = Probe::of(&stage.path(&entry)).times("opus");
        assert_eq!(times.len() as u32, SECONDS * 50);
    }
}

#[test]
fn a_sender_that_never_reports_is_recorded_as_it_arrives() {
    let stage = Stage::new(|_| {});
    let mut audio = Stream::new(1, &source::opus(SECONDS));
    audio.silent_us = u64::MAX;
    let feed = stage.start("mute", &[&audio], 0);
    play(&feed, &[&audio]);
    let entry = stage.stop("mute");
    assert_eq!(Probe::of(&stage.path(&entry)).frames("opus"), u64::from(SECONDS) * 50);
}

#[test]
fn what_was_taken_before_the_recording_is_not_heard() {
    let stage = Stage::new(|_| {});
    let mut audio = Stream::new(1, &source::opus(SECONDS));
    audio.silent_us = u64::MAX;
    let feed = stage.start("early", &[&audio], 0);
    // Half a second of sound was on its way when the recording began.
    feed.report(audio.producer, Instant(0), 1 << 32, audio.packets[25].timestamp);
    play(&feed, &[&audio]);
    let times = Probe::of(&stage.path(&stage.stop("early"))).times("opus");
    assert!(times.len() == 175 && times[0] < 0.03, "{} from {}", times.len(), times[0]);
}

#[test]
fn who_comes_back_goes_on_in_its_track() {
    for codec in ["video/VP8", "video/H264"] {
        let stage = Stage::new(|_| {});
        let (audio, first, mut second) = (
            Stream::new(1, &source::opus(SECONDS)),
            Stream::new(2, &source::video(codec, "320x240", 1)),
            Stream::new(3, &source::video(codec, "640x480", 1)),
        );
        for sent in &mut second.packets {
            sent.taken_us += 2_000_000;
        }
        let feed = stage.start("back", &[&audio, &first], 0);
        play(&feed, &[&audio, &first]);
        feed.end_track(first.producer);
        feed.add_track(second.plan.clone());
        play(&feed, &[&second]);
        let entry = stage.stop("back");
        decodes(&stage.path(&entry));
        let numbers: Vec<_> = entry.tracks.iter().map(|track| track.number).collect();
        assert!(numbers[1].is_some() && numbers[1] == numbers[2] && numbers[0] != numbers[1], "{entry:?}");
        let times = Probe::of(&stage.path(&entry)).times(if codec == "video/VP8" { "vp8" } else { "h264" });
        assert!(times.len() == 50 && (times[25] - 2.0).abs() < OFFSET_MAX, "{times:?}");
        let spans: Vec<_> = entry.tracks.iter().map(|track| (track.from_ms, track.until_ms)).collect();
        assert_eq!(spans[1..], [(Some(0), Some(960)), (Some(2_000), Some(2_960))]);
    }
}

#[test]
fn a_track_of_another_codec_has_its_own_place_and_gives_the_file_another_name() {
    let stage = Stage::new(|_| {});
    let (audio, video) =
        (Stream::new(1, &source::opus(2)), Stream::new(2, &source::video("video/H264", "320x240", 2)));
    let feed = stage.start("mixed", &[&audio], 0);
    feed.add_track(video.plan.clone());
    play(&feed, &[&audio, &video]);
    let entry = stage.stop("mixed");
    assert_eq!(entry.file, "mixed.mkv");
    decodes(&stage.path(&entry));
    let probe = Probe::of(&stage.path(&entry));
    assert_eq!((probe.frames("opus"), probe.frames("h264")), (100, 50));
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
