//! What other programs send: clocks that are not told or stand still, pictures out of order, sets that come by other ways,
//! and senders that begin anew.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use taoyao_record::LeftOut;
use taoyao_types::Instant;

use crate::probe::Probe;
use crate::source::{self, FRAMES_A_SECOND, Source, decodes, h264_units};
use crate::stage::{Stage, Stream, play};

const SECONDS: u32 = 4;

#[test]
fn a_report_without_a_time_says_nothing() {
    let stage = Stage::new(|_| {});
    let mut audio = Stream::new(1, &source::opus(SECONDS));
    audio.silent_us = u64::MAX;
    let feed = stage.start("clockless", &[&audio], 0);
    let (first, rest) = (Stream { packets: Vec::new(), ..Stream::new(1, &source::opus(1)) }, audio);
    for second in 0..u64::from(SECONDS) {
        // The sender's count is right, or anything: it has no clock that it could be the count of.
        feed.report(first.producer, Instant(second * 1_000_000), 0, 77_777 * second as u32);
    }
    play(&feed, &[&rest]);
    let times = Probe::of(&stage.path(&stage.stop("clockless"))).times("opus");
    assert_eq!(times.len() as u32, SECONDS * 50);
    for (number, time) in times.iter().enumerate() {
        assert!((time - 0.02 * number as f64).abs() < 0.03, "{number}: {time}");
    }
}

#[test]
fn sound_whose_clock_stands_still_while_it_is_muted_goes_on_in_its_place() {
    for (codec, name) in [("video/VP8", "vp8"), ("video/H264", "h264")] {
        for (mute_us, silent_us) in [(600_000, 0), (2_000_000, 0), (2_000_000, u64::MAX), (5_000_000, 0)] {
            let stage = Stage::new(|_| {});
            let seconds = 10;
            let (mut audio, video) =
                (Stream::new(1, &source::opus(4)), Stream::new(2, &source::video(codec, "320x240", seconds)));
            audio.silent_us = silent_us;
            // All that was said after two seconds comes later; its timestamps go on as if nothing had been.
            let later = audio.packets.iter_mut().filter(|sent| sent.taken_us >= 2_000_000);
            later.for_each(|sent| sent.taken_us += mute_us);
            let feed = stage.start("muted", &[&audio, &video], 0);
            play(&feed, &[&audio, &video]);
            let path = stage.path(&stage.stop("muted"));
            decodes(&path);
            let times = Probe::of(&path).times("opus");
            assert_eq!(times.len(), 200, "{name}, {mute_us}");
            let from = 2.0 + mute_us as f64 / 1e6;
            for (number, time) in times.iter().enumerate().skip(100) {
                let expected = from + 0.02 * (number - 100) as f64;
                assert!(
                    (time - expected).abs() < 0.05,
                    "{name}, {mute_us}: {number} at {time}, not {expected}"
                );
            }
        }
    }
}

#[test]
fn sound_that_the_network_held_back_is_not_moved() {
    let stage = Stage::new(|_| {});
    let mut audio = Stream::new(1, &source::opus(SECONDS));
    let began = std::cell::Cell::new(0);
    // 1.5 s come at once.
    let held = audio.packets.iter_mut().filter(|sent| (1_000_000..2_500_000).contains(&sent.taken_us));
    held.for_each(|sent| {
        sent.taken_us = 2_500_000 + began.replace(began.get() + 200);
    });
    audio.silent_us = u64::MAX;
    let feed = stage.start("held", &[&audio], 0);
    play(&feed, &[&audio]);
    let times = Probe::of(&stage.path(&stage.stop("held"))).times("opus");
    for (number, time) in times.iter().enumerate() {
        assert!((time - 0.02 * number as f64).abs() < 0.03, "{number}: {time}");
    }
}

#[test]
fn pictures_that_are_decoded_in_another_order_are_shown_evenly() {
    let source = source::video_that_reorders(SECONDS);
    assert!(source.shown.windows(2).any(|pair| pair[1] < pair[0]), "the encoder reorders");
    for (name, with_sound) in [("mp4", true), ("mkv", false)] {
        let stage = Stage::new(|_| {});
        let (audio, mut video) = (Stream::new(1, &source::opus(SECONDS)), Stream::new(2, &source));
        // Pictures leave in the order in which they are decoded, at an even pace.
        let (mut number, mut last) = (0, video.packets[0].timestamp);
        for sent in &mut video.packets {
            number += u64::from(std::mem::replace(&mut last, sent.timestamp) != sent.timestamp);
            sent.taken_us = 40_000 * number;
        }
        video.silent_us = u64::MAX;
        let mut plan = crate::stage::plan(name, &[&audio, &video]);
        plan.is_whole_room = !with_sound;
        let feed = stage.start_as(plan, 0).unwrap();
        play(&feed, &[&audio, &video]);
        let entry = stage.stop(name);
        assert!(entry.file.ends_with(name), "{entry:?}");
        let path = stage.path(&entry);
        decodes(&path);
        let frames = shown(&path);
        assert_eq!(frames.len() as u32, SECONDS * FRAMES_A_SECOND);
        for pair in frames.windows(2) {
            assert!((pair[1] - pair[0] - 0.04).abs() < 0.0025, "{name}: {pair:?} of {frames:?}");
        }
    }
}

/// When ffmpeg shows each picture, in the order in which it does, in seconds.
fn shown(path: &std::path::Path) -> Vec<f64> {
    let asked = ["-of", "csv=p=0", "-select_streams", "v", "-show_entries", "frame=pts_time"];
    let told = source::run("ffprobe", &[&asked[..], &[path.to_str().unwrap()]].concat());
    let told = String::from_utf8(told).unwrap();
    let times = told.lines().map(|line| line.trim_matches(','));
    times.filter(|line| !line.is_empty()).map(|line| line.parse().unwrap()).collect()
}

#[test]
fn h264_is_recorded_wherever_its_parameter_sets_are() {
    let whole = source::video("video/H264", "320x240", SECONDS);
    let is_set = |unit: &[u8]| matches!(unit[0] & 0x1f, 7 | 8);
    let sets: Vec<_> = h264_units(&whole.frames[0]).into_iter().filter(|unit| is_set(unit)).collect();
    assert_eq!(sets.len(), 2);
    let without_sets = |frame: &bytes::Bytes| {
        let units = h264_units(frame).into_iter().filter(|unit| !is_set(unit));
        units.flat_map(|unit| [&[0, 0, 0, 1][..], &unit[..]].concat()).collect::<Vec<u8>>().into()
    };
    let bare = Source { frames: whole.frames.iter().map(without_sets).collect(), ..whole };
    for (name, in_description) in [("described", true), ("alone", false)] {
        let stage = Stage::new(|_| {});
        let mut source = bare.clone();
        if !in_description {
            // Once, before all pictures, under a timestamp of their own.
            let alone = sets.iter().flat_map(|unit| [&[0, 0, 0, 1][..], &unit[..]].concat());
            source.frames.insert(0, alone.collect::<Vec<u8>>().into());
        }
        let mut video = Stream::new(1, &source);
        if in_description {
            video.plan.parameter_sets =
                sets.iter().map(|unit| STANDARD.encode(unit)).collect::<Vec<_>>().join(",");
        }
        let feed = stage.start(name, &[&video], 0);
        play(&feed, &[&video]);
        let entry = stage.stop(name);
        decodes(&stage.path(&entry));
        assert_eq!(
            Probe::of(&stage.path(&entry)).frames("h264"),
            u64::from(SECONDS * FRAMES_A_SECOND),
            "{name}"
        );
        assert!(entry.preview.is_some(), "{name}");
    }
}

#[test]
fn h265_is_recorded_as_matroska() {
    let stage = Stage::new(|_| {});
    let (audio, video) = (
        Stream::new(1, &source::opus(SECONDS)),
        Stream::new(2, &source::video("video/H265", "320x240", SECONDS)),
    );
    let feed = stage.start("hevc", &[&audio, &video], 0);
    play(&feed, &[&audio, &video]);
    let entry = stage.stop("hevc");
    assert_eq!(entry.file, "hevc.mkv");
    decodes(&stage.path(&entry));
    let probe = Probe::of(&stage.path(&entry));
    assert_eq!(
        (probe.frames("hevc"), probe.size("hevc")),
        (u64::from(SECONDS * FRAMES_A_SECOND), (320, 240))
    );
    assert_eq!(probe.frames("opus"), u64::from(SECONDS * 50));
}

#[test]
fn a_codec_that_is_not_recorded_is_named_in_the_entry() {
    let stage = Stage::new(|_| {});
    let (audio, mut video) =
        (Stream::new(1, &source::opus(1)), Stream::new(2, &source::video("video/VP8", "320x240", 1)));
    video.plan.mime_type = "video/theora".to_owned();
    let feed = stage.start("odd", &[&audio, &video], 0);
    play(&feed, &[&audio, &video]);
    let entry = stage.stop("odd");
    assert_eq!(
        entry.tracks.iter().map(|track| track.left_out).collect::<Vec<_>>(),
        [None, Some(LeftOut::Codec)]
    );
}

#[test]
fn a_sender_that_begins_anew_is_recorded_from_its_first_key_frame_on() {
    for back in [150, 2_000, 20_000] {
        let stage = Stage::new(|_| {});
        let source = source::video("video/VP8", "320x240", SECONDS);
        let (first, mut second) = (Stream::new(1, &source), Stream::new(1, &source));
        let last = first.packets.last().unwrap();
        let end = u16::from_be_bytes([last.bytes[2], last.bytes[3]]);
        let (pt, ssrc) = (first.plan.payload_type, 1);
        // It has the same name, and lower numbers than it had.
        second.packets = source.packets(pt, ssrc, end.wrapping_sub(back), 5);
        second.packets.iter_mut().for_each(|sent| sent.taken_us += 5_000_000);
        let feed = stage.start("anew", &[&first], 0);
        play(&feed, &[&first]);
        play(&feed, &[&second]);
        let entry = stage.stop("anew");
        decodes(&stage.path(&entry));
        let times = Probe::of(&stage.path(&entry)).times("vp8");
        let of_second: Vec<f64> = times.iter().copied().filter(|time| *time > 4.5).collect();
        assert_eq!(times.len() - of_second.len(), 100, "{back}");
        // At the latest the second key frame, a second after it came.
        assert!(
            of_second.len() >= 75 && of_second[0] < 6.05,
            "{back}: {} from {}",
            of_second.len(),
            of_second[0]
        );
    }
}
