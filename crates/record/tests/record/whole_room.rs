//! One file of a whole room: everybody's tracks by their names, each where it belongs in time.

use serde_json::Value;
use taoyao_record::{LeftOut, RecordingPlan, State};
use taoyao_types::limits::ROOM_RECORDING_TRACKS_MAX;

use crate::probe::Probe;
use crate::source::{self, decodes, run};
use crate::stage::{Stage, Stream, plan, play};

fn named(number: u128, label: &str, source: &source::Source, from_us: u64) -> Stream {
    let mut stream = Stream::new(number, source);
    stream.plan.label = label.to_owned();
    stream.packets.iter_mut().for_each(|sent| sent.taken_us += from_us);
    stream
}

fn room(name: &str, streams: &[&Stream]) -> RecordingPlan {
    let member = "taoyao-client-media@sh".into();
    RecordingPlan { is_whole_room: true, member, ..plan(name, streams) }
}

#[test]
fn everybody_is_in_one_file_by_name_from_when_they_came() {
    let stage = Stage::new(|_| {});
    let ann = named(1, "Ann (web-1@sh) audio", &source::opus(4), 0);
    let camera = named(2, "Ann (web-1@sh) camera", &source::video("video/VP8", "320x240", 4), 0);
    let bob = named(3, "Bob (cam@sh) camera", &source::video("video/H264", "320x240", 2), 1_500_000);
    let screen = named(4, "Bob (cam@sh) screen", &source::video("video/VP9", "320x240", 1), 2_500_000);
    let feed = stage.start_as(room("room", &[&ann, &camera]), 1).unwrap();
    // They come later, and the camera's owner comes back.
    feed.add_track(bob.plan.clone());
    feed.add_track(screen.plan.clone());
    play(&feed, &[&ann, &camera, &bob, &screen]);
    feed.end_track(camera.producer);
    let again = named(5, "Ann (web-1@sh) camera", &source::video("video/VP8", "320x240", 1), 5_000_000);
    feed.add_track(again.plan.clone());
    play(&feed, &[&again]);
    let entry = stage.stop("room");
    let path = stage.path(&entry);
    assert!(entry.file == "room.mkv" && entry.is_whole_room && entry.state == State::Finished, "{entry:?}");
    decodes(&path);
    let told = run("ffprobe", &["-of", "json", "-show_streams", path.to_str().unwrap()]);
    let told: Value = serde_json::from_slice(&told).unwrap();
    let titles: Vec<(&str, &str)> = told["streams"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stream| (stream["tags"]["title"].as_str().unwrap(), stream["codec_name"].as_str().unwrap()))
        .collect();
    let mut sorted = titles.clone();
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        [
            ("Ann (web-1@sh) audio", "opus"),
            ("Ann (web-1@sh) camera", "vp8"),
            ("Bob (cam@sh) camera", "h264"),
            ("Bob (cam@sh) screen", "vp9"),
        ]
    );
    let probe = Probe::of(&path);
    for (codec, from, frames) in [("opus", 0.0, 200), ("vp8", 0.0, 125), ("h264", 1.5, 50), ("vp9", 2.5, 25)]
    {
        let times = probe.times(codec);
        assert!(
            (times[0] - from).abs() < 0.04 && times.len() == frames,
            "{codec}: {} {}",
            times[0],
            times.len()
        );
    }
    assert!((probe.times("vp8")[100] - 5.0).abs() < 0.04, "who comes back goes on in its own track");
    assert!(stage.folder.join(entry.preview.unwrap()).exists());
}

#[test]
fn a_room_may_be_silent_when_its_recording_begins() {
    let stage = Stage::new(|_| {});
    let feed = stage.start_as(room("quiet", &[]), 1).unwrap();
    let ann = named(1, "Ann audio", &source::opus(1), 500_000);
    feed.add_track(ann.plan.clone());
    play(&feed, &[&ann]);
    let entry = stage.stop("quiet");
    decodes(&stage.path(&entry));
    assert!((Probe::of(&stage.path(&entry)).times("opus")[0] - 0.5).abs() < 0.04);
}

#[test]
fn a_room_with_more_tracks_than_a_file_takes_says_which_it_leaves_out() {
    let stage = Stage::new(|_| {});
    let source = source::opus(1);
    let all: Vec<Stream> = (1..=ROOM_RECORDING_TRACKS_MAX as u128 + 2)
        .map(|number| {
            let mut stream = named(number, &format!("member {number} audio"), &source, 0);
            stream.plan.payload_type = 100;
            stream.packets = source.packets(100, number as u32, 1, 1);
            stream.packets.truncate(3);
            stream
        })
        .collect();
    let all: Vec<&Stream> = all.iter().collect();
    let feed = stage.start_as(room("crowd", &all), 1).unwrap();
    play(&feed, &all);
    let entry = stage.stop("crowd");
    let recorded = entry.tracks.iter().filter(|track| track.is_recorded).count();
    let left_out = entry.tracks.iter().filter(|track| track.left_out == Some(LeftOut::TooMany)).count();
    assert_eq!((recorded, left_out), (ROOM_RECORDING_TRACKS_MAX, 2));
    decodes(&stage.path(&entry));
    let times = Probe::of(&stage.path(&entry)).codecs().len();
    assert_eq!(times, ROOM_RECORDING_TRACKS_MAX);
}
