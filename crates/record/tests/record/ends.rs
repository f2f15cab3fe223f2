//! Every way in which a recording ends by itself leaves an entry that says why, and a file that plays up to there.

use std::process::Command;
use std::time::Duration;

use taoyao_ortc::RecordEnd;
use taoyao_record::{Entry, KeepFree, RecorderConfig, RecorderEvent, State};

use crate::source::{self, decodes};
use crate::stage::{Stage, Stream, play};

/// What the recorder is like, what happens to it, and why the recording is over.
type Way = (&'static str, fn(&mut RecorderConfig), fn(&Stage), RecordEnd);

const WAYS: [Way; 5] = [
    ("it is stopped", |_| {}, |stage| assert!(stage.recorder.stop(&id(), RecordEnd::Left)), RecordEnd::Left),
    ("its node ends", |_| {}, |stage| stage.recorder.close(), RecordEnd::NodeEnded),
    ("it lasts too long", |config| config.time_max = Duration::from_secs(3), |_| {}, RecordEnd::TooLong),
    ("its account has no more", |config| config.account_bytes_max = 100_000, |_| {}, RecordEnd::QuotaUsedUp),
    (
        "its partition has no more",
        |config| config.partition_bytes_max = 100_000,
        |_| {},
        RecordEnd::QuotaUsedUp,
    ),
];

#[test]
fn every_end_is_in_the_entry_and_the_file_plays() {
    for (what, configure, happen, end) in WAYS {
        let stage = Stage::new(configure);
        let video = Stream::new(1, &source::video("video/VP8", "320x240", 4));
        let feed = stage.start("end", &[&video], 1);
        play(&feed, &[&video]);
        happen(&stage);
        let entry = stage.ended();
        judge(&entry, what, end);
        assert!(entry.duration_ms > 900, "{what}: {entry:?}");
        decodes(&stage.path(&entry));
        assert_eq!(stage.recorder.get(&entry.id).as_ref(), Some(&entry), "{what}");
    }
}

#[test]
fn a_disk_that_fills_up_ends_it_and_keeps_what_is_to_be_kept_free() {
    let kept = tempfile::tempdir().unwrap();
    let free = || rustix::fs::statvfs(kept.path()).map(|told| told.f_bavail * told.f_frsize).unwrap();
    let before = free();
    let stage = Stage::new(|config| {
        config.folder = kept.path().join("recordings");
        config.keep_free = KeepFree::Bytes(before - before / 8);
    });
    let video = Stream::new(1, &source::video("video/VP8", "320x240", 4));
    let feed = stage.start("full", &[&video], 1);
    let (mut before_it, mut behind_it) = (video.clone_silent(), video.clone_silent());
    (before_it.packets, behind_it.packets) =
        video.packets.into_iter().partition(|sent| sent.taken_us < 2_500_000);
    play(&feed, &[&before_it]);
    while stage.recorder.get(&crate::stage::id("full")).unwrap().bytes < 60_000 {
        std::thread::sleep(Duration::from_millis(10));
    }
    // Somebody else fills the disk; space that is only taken is full at once.
    let ballast = std::fs::File::create(kept.path().join("ballast")).unwrap();
    rustix::fs::fallocate(&ballast, rustix::fs::FallocateFlags::empty(), 0, before / 4).unwrap();
    play(&feed, &[&behind_it]);
    let entry = stage.ended();
    judge(&entry, "the disk is full", RecordEnd::DiskFull);
    decodes(&kept.path().join("recordings").join(&entry.file));
    let refused = stage.start_as(crate::stage::plan("next", &[]), 2);
    assert!(refused.is_err_and(|error| error.to_string().contains("kept free")));
}

const SMALL_DISK: &str = "TAOYAO_TEST_SMALL_DISK";

/// On a disk of its own, in a namespace where everybody may mount one.
#[test]
fn a_disk_that_does_not_take_a_chunk_leaves_a_file_that_plays() {
    let may_mount = Command::new("unshare").args(["-rm", "true"]).status();
    if !may_mount.is_ok_and(|status| status.success()) {
        eprintln!("this system lets nobody make a namespace; nothing was tested");
        return;
    }
    let disk = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=160k none \"$TAOYAO_TEST_SMALL_DISK\" && exec \"$0\" \"$@\"";
    let ended = Command::new("unshare")
        .args(["-rm", "sh", "-c", script])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "ends::records_on_a_small_disk"])
        .env(SMALL_DISK, disk.path())
        .status();
    assert!(ended.unwrap().success());
}

#[test]
#[ignore = "is run by the test above, on a disk of its own"]
fn records_on_a_small_disk() {
    let disk = std::env::var_os(SMALL_DISK).expect("the other test sets it");
    for codec in ["video/VP8", "video/H264"] {
        let stage = Stage::new(|config| {
            config.folder = std::path::PathBuf::from(&disk).join("recordings");
            config.keep_free = KeepFree::Bytes(0);
        });
        let video = Stream::new(1, &source::video(codec, "320x240", 4));
        let feed = stage.start("end", &[&video], 1);
        play(&feed, &[&video]);
        let entry = stage.ended();
        judge(&entry, codec, RecordEnd::DiskFull);
        assert!(entry.duration_ms > 900 && entry.tracks[0].is_recorded, "{entry:?}");
        decodes(&std::path::PathBuf::from(&disk).join("recordings").join(&entry.file));
        std::fs::remove_dir_all(std::path::PathBuf::from(&disk).join("recordings")).unwrap();
    }
}

#[test]
fn a_thread_that_dies_leaves_an_entry_and_somebody_who_is_told() {
    let panics = |event: &RecorderEvent| {
        assert!(!matches!(event, RecorderEvent::KeyFrameWanted { .. }), "a listener with a fault");
    };
    let stage = Stage::with(|_| {}, panics);
    let video = Stream::new(1, &source::video("video/VP8", "320x240", 1));
    let feed = stage.start("dies", &[&video], 1);
    play(&feed, &[&video]);
    let entry = stage.ended();
    judge(&entry, "its thread dies", RecordEnd::RecorderFailed);
    assert!(!stage.recorder.stop(&entry.id, RecordEnd::Stopped), "it is over");
    stage.start("next", &[&video], 2);
    stage.recorder.close();
}

fn judge(entry: &Entry, what: &str, end: RecordEnd) {
    let state = if end.is_failure() { State::Failed } else { State::Finished };
    assert_eq!((entry.end, entry.state), (Some(end), state), "{what}");
    assert_eq!(entry.reason.is_some(), end.is_failure(), "{what}: {entry:?}");
}

fn id() -> taoyao_record::RecordingId {
    crate::stage::id("end")
}
