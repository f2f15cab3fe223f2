//! What holds of recordings: whatever a producer sends, there is a whole file in the end, with no more in it than was sent.

use std::fs;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use taoyao_ortc::{MediaKind, ProducerId};
use taoyao_record::{Feed, Recorder, RecorderConfig, RecordingPlan, State, TrackPlan};
use taoyao_types::{Instant, Now, Wall};

use super::parts::{Part, parts};

/// Packets and reports of a track of sound and one of pictures, recorded.
///
/// The first byte chooses the codecs, and with them the container; a part's choice says whose its bytes are and how much time
/// passes before them.
pub fn recording(data: &[u8]) {
    let Some((&choice, data)) = data.split_first() else { return };
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let config = RecorderConfig::in_folder(folder.path());
    let recorder = Recorder::open(&config, |_| {}).expect("the folder is new");
    let id = "fuzzed".parse().expect("it is an id");
    let plan = RecordingPlan {
        id: "fuzzed".parse().expect("it is an id"),
        room: "room".to_owned(),
        member: "web-1@sh".to_owned(),
        is_whole_room: choice & 0x80 != 0,
        holder: "ann".to_owned(),
        partition: "sh".to_owned(),
        tracks: vec![
            track(SOUND, MediaKind::Audio, SOUNDS[usize::from(choice / 8) % SOUNDS.len()]),
            track(PICTURE, MediaKind::Video, picture(choice)),
        ],
    };
    let start = Now { mono: Instant(1_000_000), wall: Wall(1_700_000_000_000) };
    let feed = recorder.start(plan, start).expect("nothing else is being recorded");
    let sent = send(&feed, data);
    recorder.close();
    let entry = recorder.get(&id).expect("it was begun");
    assert_eq!(entry.state, State::Finished, "{entry:?}");
    assert!(entry.tracks.iter().map(|track| track.frames).sum::<u64>() <= 64 * sent, "{entry:?}");
    let file = fs::read(folder.path().join(&entry.file)).expect("its file is there");
    assert_eq!(file.len() as u64, entry.bytes);
    is_whole(Path::new(&entry.file), &file);
}

const SOUND: u128 = 1;
const PICTURE: u128 = 2;
const SOUNDS: [(&str, u32); 2] = [("audio/opus", 48_000), ("audio/PCMU", 8_000)];
const PICTURES: [(&str, u32); 4] =
    [("video/VP8", 90_000), ("video/VP9", 90_000), ("video/AV1", 90_000), ("video/H264", 90_000)];
/// Chosen by a bit of its own.
const H265: (&str, u32) = ("video/H265", 90_000);

fn picture(choice: u8) -> (&'static str, u32) {
    if choice & 0x40 != 0 { H265 } else { PICTURES[usize::from(choice) % PICTURES.len()] }
}

fn track(number: u128, kind: MediaKind, (mime_type, clock_rate): (&str, u32)) -> TrackPlan {
    TrackPlan {
        producer: ProducerId::of_random(number),
        kind,
        label: "Ann (web-1@sh) camera".to_owned(),
        parameter_sets: String::new(),
        mime_type: mime_type.to_owned(),
        clock_rate,
        channels: None,
        payload_type: 96,
        cname: None,
    }
}

/// Returns how many packets there were.
fn send(feed: &Feed, data: &[u8]) -> u64 {
    let mut now = Instant(1_000_000);
    let mut count = 0;
    for Part { choice, bytes } in parts(data) {
        now = now + Duration::from_millis(10 * u64::from(choice / 4));
        let producer = ProducerId::of_random(if choice & 1 == 0 { SOUND } else { PICTURE });
        match (choice & 2, bytes.split_first_chunk::<12>()) {
            (2, Some((report, _))) => {
                let [ntp @ .., a, b, c, d] = *report;
                feed.report(producer, now, u64::from_be_bytes(ntp), u32::from_be_bytes([a, b, c, d]));
            }
            _ => {
                feed.packet(producer, now, Bytes::copy_from_slice(bytes));
                count += 1;
            }
        }
    }
    count
}

/// Its elements, or atoms, fill the file to its end.
fn is_whole(name: &Path, file: &[u8]) {
    let is_mp4 = name.extension().is_some_and(|extension| extension == "mp4");
    let mut rest = file;
    while !rest.is_empty() {
        let length = if is_mp4 { atom(rest) } else { element(rest) };
        let length = length.unwrap_or_else(|| panic!("no element {} bytes before the end", rest.len()));
        rest = rest
            .get(length..)
            .unwrap_or_else(|| panic!("an element goes {length} bytes from {}", rest.len()));
    }
}

fn atom(bytes: &[u8]) -> Option<usize> {
    let length = u32::from_be_bytes(*bytes.first_chunk()?) as usize;
    (length >= 8).then_some(length)
}

/// Of EBML: an id, a length, so many bytes; of the segment only what stands before its content.
fn element(bytes: &[u8]) -> Option<usize> {
    const SEGMENT: &[u8] = &[0x18, 0x53, 0x80, 0x67];
    let id_bytes = width(bytes)?;
    let length_bytes = width(bytes.get(id_bytes..)?)?;
    let head = id_bytes + length_bytes;
    if bytes.starts_with(SEGMENT) {
        return Some(head);
    }
    let digits = bytes.get(id_bytes..head)?;
    let marked = digits.iter().fold(0_u64, |value, &byte| value << 8 | u64::from(byte));
    let length = marked & ((1 << (7 * length_bytes)) - 1);
    Some(head + usize::try_from(length).ok()?)
}

fn width(bytes: &[u8]) -> Option<usize> {
    let zeros = bytes.first()?.leading_zeros() as usize;
    (zeros < 8).then_some(zeros + 1)
}
