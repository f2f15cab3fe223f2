//! Shares of the disk: nobody's recording falls to make place for another's.

use std::os::unix::fs::PermissionsExt;

use taoyao_ortc::RecordEnd;
use taoyao_record::{KeepFree, NoRoom, RecordingPlan, StartError, WhenFull};

use crate::source;
use crate::stage::{Stage, Stream, id, plan, play};

/// About 20 kB of sound for this account in this partition.
fn record(stage: &Stage, name: &str, wall_ms: u64, of: (&str, &str)) -> Result<(), StartError> {
    let audio = Stream::new(1, &source::opus(1));
    let feed = stage.start_as(owned(name, &[&audio], of), wall_ms)?;
    play(&feed, &[&audio]);
    stage.recorder.stop(&id(name), RecordEnd::Stopped);
    stage.ended();
    Ok(())
}

fn owned(name: &str, streams: &[&Stream], (holder, partition): (&str, &str)) -> RecordingPlan {
    RecordingPlan { holder: holder.into(), partition: partition.into(), ..plan(name, streams) }
}

fn names(stage: &Stage) -> Vec<String> {
    stage.recorder.list().into_iter().map(|entry| entry.id.to_string()).collect()
}

fn full(result: Result<(), StartError>) -> NoRoom {
    match result {
        Err(StartError::Full(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_share_is_refused_by_its_name_and_others_record_on() {
    let stage = Stage::new(|config| {
        (config.account_bytes_max, config.partition_bytes_max, config.bytes_max) = (20_000, 40_000, 60_000);
    });
    record(&stage, "a", 1, ("ann", "sh")).unwrap();
    assert_eq!(full(record(&stage, "b", 2, ("ann", "sh"))), NoRoom::Account(20_000));
    assert_eq!(full(record(&stage, "b", 2, ("ann", "hz"))), NoRoom::Account(20_000), "wherever it is");
    record(&stage, "c", 3, ("bob", "sh")).unwrap();
    assert_eq!(full(record(&stage, "d", 4, ("eve", "sh"))), NoRoom::Partition(40_000));
    record(&stage, "e", 5, ("eve", "hz")).unwrap();
    assert_eq!(full(record(&stage, "f", 6, ("joe", "bj"))), NoRoom::Node(60_000));
    assert_eq!(names(&stage), ["e", "c", "a"], "nothing was deleted");
}

#[test]
fn the_oldest_make_room_for_those_of_the_same_account_alone() {
    let one = Stage::new(|_| {});
    record(&one, "size", 1, ("ann", "sh")).unwrap();
    let size = one.recorder.list()[0].bytes;
    let stage = Stage::new(|config| {
        (config.account_bytes_max, config.bytes_max) = (size * 5 / 2, size * 9 / 2);
        config.when_full = WhenFull::DeleteOldest;
    });
    record(&stage, "first", 1, ("ann", "sh")).unwrap();
    for (name, wall_ms) in [("b", 2), ("c", 3), ("d", 4), ("e", 5), ("f", 6)] {
        record(&stage, name, wall_ms, ("eve", "sh")).unwrap();
    }
    assert_eq!(names(&stage), ["f", "e", "first"], "eve's own are deleted, and not the oldest of all");
    record(&stage, "g", 7, ("joe", "sh")).unwrap();
    record(&stage, "h", 8, ("joe", "sh")).unwrap();
    assert_eq!(names(&stage), ["h", "f", "e", "first"], "joe's own makes room where the node has no more");
    // Who has nothing to delete ends there, and whoever comes next is refused.
    record(&stage, "i", 9, ("zoe", "sh")).unwrap();
    assert_eq!(stage.recorder.get(&id("i")).unwrap().end, Some(RecordEnd::QuotaUsedUp));
    assert_eq!(full(record(&stage, "j", 10, ("max", "sh"))), NoRoom::Node(size * 9 / 2));
    assert_eq!(names(&stage), ["i", "h", "f", "e", "first"]);
}

#[test]
fn one_that_grows_beyond_its_share_ends_itself_and_nothing_of_others() {
    let stage = Stage::new(|config| {
        (config.account_bytes_max, config.when_full) = (80_000, WhenFull::DeleteOldest);
    });
    record(&stage, "kept", 1, ("ann", "sh")).unwrap();
    let video = Stream::new(1, &source::video("video/VP8", "320x240", 4));
    let feed = stage.start_as(owned("long", &[&video], ("eve", "sh")), 2).unwrap();
    play(&feed, &[&video]);
    let entry = stage.ended();
    assert_eq!(entry.end, Some(RecordEnd::QuotaUsedUp));
    assert!(entry.reason.unwrap().contains("account_bytes_max"));
    assert_eq!(names(&stage), ["long", "kept"]);
}

#[test]
fn a_disk_without_what_is_kept_free_refuses_and_the_index_is_there_all_the_same() {
    let kept = tempfile::tempdir().unwrap();
    let open = |keep_free| {
        Stage::new(|config| (config.folder, config.keep_free) = (kept.path().to_owned(), keep_free))
    };
    record(&open(KeepFree::Bytes(0)), "a", 1, ("ann", "sh")).unwrap();
    let stage = open(KeepFree::Percent(100));
    assert_eq!(full(record(&stage, "b", 2, ("ann", "sh"))), NoRoom::Disk);
    assert_eq!(names(&stage), ["a"]);
}

#[test]
fn nobody_else_on_the_machine_reads_recordings() {
    let stage = Stage::new(|_| {});
    let video = Stream::new(1, &source::video("video/VP8", "320x240", 1));
    let feed = stage.start("secret", &[&video], 1);
    play(&feed, &[&video]);
    stage.stop("secret");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&stage.folder), 0o700);
    let files: Vec<_> = std::fs::read_dir(&stage.folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 3, "media, preview, entry: {files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}
