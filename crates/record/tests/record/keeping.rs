//! What is kept: names, the index after a restart, quota, retention, reading and deleting.

use std::time::Duration;

use futures_util::TryStreamExt;
use taoyao_record::{DeleteError, Part, Recorder, RecorderConfig, StartError, State};
use taoyao_types::{Now, Wall};

use crate::source;
use crate::stage::{Stage, Stream, id, plan, play};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A recording of sound; about 40 kB.
pub(crate) fn record(stage: &Stage, name: &str, wall_ms: u64) {
    let audio = Stream::new(1, &source::opus(1));
    let feed = stage.start(name, &[&audio], wall_ms);
    play(&feed, &[&audio]);
    stage.stop(name);
}

fn names(recorder: &Recorder) -> Vec<String> {
    recorder.list().into_iter().map(|entry| entry.id.to_string()).collect()
}

#[test]
fn the_index_survives_and_a_name_is_taken_once() {
    let stage = Stage::new(|_| {});
    record(&stage, "first", 1);
    record(&stage, "second", 2);
    let again = Recorder::open(&RecorderConfig::in_folder(&stage.folder), |_| {}).unwrap();
    assert_eq!(names(&again), ["second", "first"], "the newest first");
    assert_eq!(again.get(&id("first")), stage.recorder.get(&id("first")));
    let refused = again.start(plan("first", &[]), Now::default());
    assert!(matches!(refused, Err(StartError::Exists(_))));
}

#[test]
fn files_are_read_and_deleted() {
    let stage = Stage::new(|_| {});
    record(&stage, "one", 1);
    runtime().block_on(async {
        let whole = std::fs::read(stage.folder.join("one.webm")).unwrap();
        let content = stage.recorder.read(&id("one"), Part::Media, Some(4..100)).await.unwrap();
        let pieces: Vec<bytes::Bytes> = content.try_collect().await.unwrap();
        assert_eq!(pieces.concat(), whole[4..100]);
        assert!(stage.recorder.read(&id("one"), Part::Preview, None).await.is_err(), "sound has no picture");
        stage.recorder.delete(&id("one")).await.unwrap();
        assert!(matches!(stage.recorder.delete(&id("one")).await, Err(DeleteError::Unknown(_))));
    });
    assert_eq!(std::fs::read_dir(&stage.folder).unwrap().count(), 0);
}

#[test]
fn a_recording_under_way_is_not_deleted() {
    let stage = Stage::new(|_| {});
    stage.start("busy", &[], 1);
    let refused = runtime().block_on(stage.recorder.delete(&id("busy")));
    assert!(matches!(refused, Err(DeleteError::UnderWay(_))));
    stage.recorder.close();
    assert_eq!(stage.recorder.get(&id("busy")).unwrap().state, State::Finished);
}

#[test]
fn what_is_too_old_is_deleted() {
    let stage = Stage::new(|config| config.age_max = Some(Duration::from_millis(DAY_MS)));
    record(&stage, "yesterday", 1);
    record(&stage, "today", DAY_MS);
    runtime().block_on(stage.recorder.tidy(Wall(DAY_MS + 2)));
    assert_eq!(names(&stage.recorder), ["today"]);
}

#[test]
fn what_the_recorder_cannot_take_is_dropped_and_counted() {
    let stage = Stage::new(|_| {});
    let video = Stream::new(1, &source::video("video/VP8", "320x240", 1));
    let feed = stage.start("flood", &[&video], 1);
    stage.stop("flood");
    let began = std::time::Instant::now();
    for _ in 0..100_000 {
        feed.packet(video.producer, taoyao_types::Instant(1), video.packets[0].bytes.clone());
    }
    // The queue may still stand for a moment after the recording's end, but it takes no more than it holds.
    let least = 100_000 - taoyao_types::limits::RECORDER_QUEUE_MAX as u64;
    assert!(feed.dropped_packets() >= least, "{}", feed.dropped_packets());
    assert!(began.elapsed() < Duration::from_secs(30), "nor does anybody wait");
}

#[test]
fn garbage_is_passed_over() {
    let stage = Stage::new(|_| {});
    let audio = Stream::new(1, &source::opus(1));
    let feed = stage.start("noise", &[&audio], 1);
    for length in 0..64_usize {
        let noise: Vec<u8> = (0..length).map(|at| (at * 37 + length * 11) as u8).collect();
        feed.packet(audio.producer, taoyao_types::Instant(0), noise.into());
    }
    feed.packet(taoyao_ortc::ProducerId::of_random(9), taoyao_types::Instant(0), bytes::Bytes::new());
    play(&feed, &[&audio]);
    assert_eq!(stage.stop("noise").tracks[0].frames, 50);
}
