//! `taoyao recordings`: what the nodes have recorded, and what they are recording.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;
use comfy_table::Cell;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use taoyao_node::report::{RecordingReport, RecordingsReport};
use taoyao_types::NodeName;

use super::{Answer, Whom, tell_silent};
use crate::cli::exit::{Exit, Failed};
use crate::cli::output::{self, bytes, counted, local_time, long_time, number, printable};

/// List the recordings, the newest first
///
/// A recording is at the node of its room. Ends with 1 if a node does not answer.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao recordings
  taoyao recordings --since 2h
  taoyao recordings --room 5b1f2c34-0a0b-4c0d-8e0f-102030405060 --since 2026-01-31
  taoyao recordings --json | jq '.recordings[] | select(.state == \"failed\")'")]
pub(crate) struct Recordings {
    /// Only recordings of this room, by its id
    #[arg(long, value_name = "ROOM", value_parser = room_id)]
    room: Option<String>,
    /// Only recordings that began so long ago or later (`90m`, `2h`, `7d`), or on this day or later (`2026-01-31`)
    #[arg(long, value_name = "WHEN", value_parser = Since::of)]
    since: Option<Since>,
    /// At most this many
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
    #[command(flatten)]
    whom: Whom,
}

/// From when on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    Ago(Duration),
    Day(Date),
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct List {
    recordings: Vec<Listed>,
    /// Whether there are older ones.
    has_more: bool,
    /// Nodes that did not answer.
    silent: Vec<NodeName>,
    /// Nodes whose recorder cannot be used, and why.
    out_of_order: Vec<(NodeName, String)>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Listed {
    node: NodeName,
    #[serde(flatten)]
    recording: RecordingReport,
}

impl Recordings {
    pub(crate) fn run(self) -> Result<Exit, Failed> {
        let asked = self.whom.load()?;
        self.room.iter().try_for_each(|room| self.whom.check_room(&asked, room))?;
        let path = self.path(Timestamp::now());
        let answers: Vec<Answer<RecordingsReport>> = self.whom.ask(&asked, &path)?;
        let list = merged(&answers, self.limit as usize);
        let is_complete = list.silent.is_empty() && list.out_of_order.is_empty();
        if self.whom.format.json {
            output::say_json(&list)?;
        } else {
            output::say(drawn(&list.recordings))?;
            if list.has_more {
                output::complain("there are older ones: --limit COUNT");
            }
            for (node, fault) in &list.out_of_order {
                output::complain(format!("{node} records nothing: {}", printable(fault)));
            }
            tell_silent(&answers);
        }
        Ok(if is_complete { Exit::Fine } else { Exit::NotWell })
    }

    fn path(&self, now: Timestamp) -> String {
        let mut path = format!("/api/recordings?limit={}", self.limit);
        if let Some(room) = &self.room {
            write!(path, "&room={room}").expect("a String takes all");
        }
        if let Some(since) = self.since {
            write!(path, "&since={}", since.unix_ms(now)).expect("a String takes all");
        }
        path
    }
}

impl Since {
    fn of(text: &str) -> Result<Self, String> {
        let (count, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
        let seconds = match unit {
            "s" => Some(1),
            "m" => Some(60),
            "h" => Some(3_600),
            "d" => Some(86_400),
            _ => None,
        };
        let ago = count.parse::<u64>().ok().zip(seconds).and_then(|(count, of)| count.checked_mul(of));
        let day = || text.parse().ok().map(Self::Day);
        let instead = || "write a span such as 90m, 2h or 7d, or a day such as 2026-01-31".to_owned();
        ago.map(|seconds| Self::Ago(Duration::from_secs(seconds))).or_else(day).ok_or_else(instead)
    }

    /// Days begin where whoever asks is.
    fn unix_ms(self, now: Timestamp) -> u64 {
        let ms = |at: Timestamp| u64::try_from(at.as_millisecond()).unwrap_or_default();
        match self {
            Self::Ago(span) => ms(now).saturating_sub(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
            Self::Day(day) => day.to_zoned(TimeZone::system()).map_or(0, |start| ms(start.timestamp())),
        }
    }
}

/// Anything else can be no room's id.
fn room_id(text: &str) -> Result<String, String> {
    let is_id = !text.is_empty() && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    if is_id { Ok(text.to_owned()) } else { Err("not a room's id; `taoyao rooms` lists them".to_owned()) }
}

/// The newest of all nodes; each is at one node only.
fn merged(answers: &[Answer<RecordingsReport>], limit: usize) -> List {
    let mut list =
        List { recordings: Vec::new(), has_more: false, silent: Vec::new(), out_of_order: Vec::new() };
    for answer in answers {
        match &answer.result {
            Ok(report) => {
                let listed =
                    |of: &RecordingReport| Listed { node: report.node.clone(), recording: of.clone() };
                list.recordings.extend(report.recordings.iter().map(listed));
                list.has_more |= report.has_more;
                let fault = report.fault.clone().map(|fault| (report.node.clone(), fault));
                list.out_of_order.extend(fault);
            }
            Err(_) => list.silent.push(answer.node.clone()),
        }
    }
    list.recordings.sort_by_key(|listed| Reverse(listed.recording.started_at_ms));
    list.has_more |= list.recordings.len() > limit;
    list.recordings.truncate(limit);
    list
}

fn drawn(recordings: &[Listed]) -> String {
    if recordings.is_empty() {
        return "no recordings".to_owned();
    }
    let mut table =
        output::table(&["STARTED", "RECORDING", "MEMBER", "ROOM", "NODE", "LENGTH", "SIZE", "STATE"]);
    for Listed { node, recording } in recordings {
        table.add_row([
            Cell::new(local_time(recording.started_at_ms)),
            Cell::new(&recording.recording),
            Cell::new(whose(recording)),
            Cell::new(&recording.room),
            Cell::new(node),
            number(length(recording)),
            number(bytes(recording.bytes)),
            state(recording),
        ]);
    }
    format!("{}\n{}", output::drawn(table), counted(recordings.len(), "recording"))
}

pub(super) fn whose(recording: &RecordingReport) -> String {
    if recording.is_whole_room { "the whole room".to_owned() } else { printable(&recording.member) }
}

/// Nothing is known of one under way.
pub(super) fn length(recording: &RecordingReport) -> String {
    let is_known = recording.duration_ms > 0 || recording.state != "recording";
    if is_known { long_time(Duration::from_millis(recording.duration_ms)) } else { "-".to_owned() }
}

pub(super) fn state(recording: &RecordingReport) -> Cell {
    let is_well =
        recording.state == "recording" || recording.state == "finished" && recording.reason.is_none();
    let why = recording.end.as_ref().filter(|_| !is_well);
    let shown = why.map_or_else(|| recording.state.clone(), |end| format!("{}: {end}", recording.state));
    output::verdict(printable(&shown), is_well)
}

#[cfg(test)]
pub(super) mod tests {
    use taoyao_node::report::TrackReport;

    use super::*;
    use crate::cli::ask::client::AskError;

    pub(crate) fn report(id: &str, started_at_ms: u64, state: &str) -> RecordingReport {
        let track = TrackReport {
            producer: "p".to_owned(),
            label: "Ann (ann@cn) camera".to_owned(),
            mime_type: "video/VP8".to_owned(),
            number: Some(2),
            from_ms: Some(1_000),
            until_ms: Some(61_000),
            frames: 1_800,
            lost_packets: 3,
            dropped_frames: 1,
            left_out: None,
        };
        RecordingReport {
            recording: id.to_owned(),
            room: "0a0b".to_owned(),
            member: "ann\u{1b}@cn".to_owned(),
            is_whole_room: false,
            state: state.to_owned(),
            end: (state == "failed").then(|| "disk-full".to_owned()),
            reason: None,
            started_at_ms,
            duration_ms: 61_500,
            bytes: 3 << 20,
            file: format!("{id}.webm"),
            has_preview: true,
            is_uploaded: false,
            dropped_packets: 0,
            tracks: vec![track],
        }
    }

    #[test]
    fn the_newest_of_all_nodes_come_first_and_what_is_left_out_is_told() {
        let answer = |node: &str, recordings| {
            let node: NodeName = node.parse().unwrap();
            let report = RecordingsReport {
                node: node.clone(),
                records: true,
                fault: None,
                recordings,
                has_more: false,
            };
            Answer { node, tier: 1, result: Ok(report) }
        };
        let answers = [
            answer("cn", vec![report("b", 2_000, "finished")]),
            answer("cn/east", vec![report("c", 3_000, "recording"), report("a", 1_000, "failed")]),
            Answer { node: "cn/north".parse().unwrap(), tier: 2, result: Err(AskError::NoListener) },
        ];
        let list = merged(&answers, 2);
        let ids: Vec<&str> = list.recordings.iter().map(|one| one.recording.recording.as_str()).collect();
        assert_eq!((ids, list.has_more, list.silent.len()), (vec!["c", "b"], true, 1));
        let text = anstream::adapter::strip_str(&drawn(&list.recordings)).to_string();
        assert!(
            text.contains("1m 01s") && text.contains("3.0 MiB") && text.contains("ann\u{fffd}@cn"),
            "{text}"
        );
        let failed = anstream::adapter::strip_str(&drawn(&[Listed {
            node: "cn".parse().unwrap(),
            recording: RecordingReport { is_whole_room: true, ..report("d", 1, "failed") },
        }]))
        .to_string();
        assert!(failed.contains("failed: disk-full") && failed.contains("the whole room"), "{failed}");
        assert_eq!(drawn(&[]), "no recordings");
    }

    #[test]
    fn since_is_a_span_or_a_day() {
        let now = Timestamp::from_millisecond(1_000_000_000).unwrap();
        assert_eq!(Since::of("2h").map(|since| since.unix_ms(now)), Ok(1_000_000_000 - 7_200_000));
        assert_eq!(Since::of("9999999d").map(|since| since.unix_ms(now)), Ok(0));
        assert!(matches!(Since::of("2026-01-31"), Ok(Since::Day(_))));
        for bad in ["", "2", "h", "2w", "yesterday", "2026-13-01", "99999999999999999999d"] {
            assert!(Since::of(bad).is_err(), "{bad}");
        }
        assert!(room_id("0a-B9").is_ok() && room_id("../x").is_err() && room_id("").is_err());
    }
}
