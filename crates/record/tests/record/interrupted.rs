//! A node that is killed leaves files that play, and an index that says what they are.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use taoyao_record::{Recorder, RecorderConfig, State};
use taoyao_types::{Now, Wall};

use crate::probe::Probe;
use crate::source::{self, decodes};
use crate::stage::{Stream, id, plan, play};

const SECONDS: u32 = 5;
const FOLDER: &str = "TAOYAO_TEST_RECORDINGS";
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn a_killed_recorder_leaves_playable_files_and_is_remembered_as_interrupted() {
    let kept = tempfile::tempdir().unwrap();
    let folder = kept.path().join("recordings");
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "interrupted::a_recorder_that_is_killed"])
        .env(FOLDER, &folder)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while !folder.join("ready").exists() {
        assert!(began.elapsed() < PATIENCE, "the other process records nothing");
        assert!(victim.try_wait().unwrap().is_none(), "the other process has ended");
        std::thread::sleep(Duration::from_millis(50));
    }
    victim.kill().unwrap();
    victim.wait().unwrap();
    let recorder = Recorder::open(&RecorderConfig::in_folder(&folder), |_| {}).unwrap();
    for (name, codec) in [("webm", "vp8"), ("mp4", "h264")] {
        let entry = recorder.get(&id(name)).unwrap();
        assert_eq!(entry.state, State::Interrupted);
        let path = folder.join(&entry.file);
        assert_eq!(entry.bytes, std::fs::metadata(&path).unwrap().len());
        decodes(&path);
        let probe = Probe::of(&path);
        let frames = probe.frames(codec);
        assert!(frames >= u64::from(SECONDS - 2) * 25, "{name}: {frames} frames");
        assert!(probe.frames("opus") >= u64::from(SECONDS - 2) * 50);
    }
}

/// Records until it is killed.
#[test]
#[ignore = "is run and killed by the test above"]
fn a_recorder_that_is_killed() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("the other test sets it"));
    let recorder = Recorder::open(&RecorderConfig::in_folder(&folder), |_| {}).unwrap();
    for (name, codec) in [("webm", "video/VP8"), ("mp4", "video/H264")] {
        let audio = Stream::new(1, &source::opus(SECONDS));
        let video = Stream::new(2, &source::video(codec, "320x240", SECONDS));
        let now = Now { wall: Wall(1), ..Now::default() };
        let feed = recorder.start(plan(name, &[&audio, &video]), now).unwrap();
        play(&feed, &[&audio, &video]);
    }
    // All that came is written a second after the last packet.
    std::thread::sleep(Duration::from_secs(3));
    std::fs::write(folder.join("ready"), "").unwrap();
    std::thread::sleep(PATIENCE);
}
