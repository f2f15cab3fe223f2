//! `taoyao recording show`: one recording and its tracks.

use clap::{Args, Subcommand};
use comfy_table::Cell;
use taoyao_node::report::{RecordingDetails, TrackReport};

use super::asked::Asked;
use super::recordings::{length, whose};
use super::{Whom, block_on};
use crate::cli::exit::{Exit, Failed};
use crate::cli::output::{self, STRONG, bytes, counted, local_time, number, painted, printable};

/// Look into one recording
#[derive(Debug, Args)]
pub(crate) struct RecordingCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Show(Show),
}

/// Show a recording: whose it is, where its file is, and what became of each track
///
/// The nodes are asked one after the other until one has the recording; its id is in `taoyao recordings`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao recording show 20260131T080000-0123456789abcdef
  taoyao recording show 20260131T080000-0123456789abcdef --json | jq '.tracks[].frames'")]
struct Show {
    /// The recording's id
    recording: String,
    #[command(flatten)]
    whom: Whom,
}

impl RecordingCommand {
    pub(crate) fn run(self) -> Result<Exit, Failed> {
        let Command::Show(show) = self.command;
        show.run()
    }
}

impl Show {
    fn run(self) -> Result<Exit, Failed> {
        let recording = block_on(self.find(&self.whom.load()?))??;
        if self.whom.format.json {
            output::say_json(&recording)?;
        } else {
            output::say(drawn(&recording))?;
        }
        Ok(Exit::Fine)
    }

    async fn find(&self, asked: &Asked) -> Result<RecordingDetails, Failed> {
        let id = &self.recording;
        // Anything else cannot be a recording's id, nor belong into a path.
        let is_id = id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') && !id.is_empty();
        if !is_id {
            let what = format!("{:?} is not a recording's id; `taoyao recordings` lists them", printable(id));
            return Err(Failed::new(Exit::Usage, what));
        }
        let missing =
            format!("no node that was asked has the recording {id}; `taoyao recordings` lists them");
        self.whom.ask_in_turn(asked, &format!("/api/recordings/{id}"), missing).await
    }
}

fn drawn(details: &RecordingDetails) -> String {
    let RecordingDetails { node, recording } = details;
    let mut table = output::table(&[]);
    let place = if recording.is_uploaded { "in the bucket of" } else { "in the folder of" };
    let mut line = |name: &str, value: String| {
        table.add_row([Cell::new(name), Cell::new(value)]);
    };
    line("member", whose(recording));
    line("room", recording.room.clone());
    line("started", local_time(recording.started_at_ms));
    line("length", length(recording));
    line("state", printable(&recording.state));
    line("file", format!("{}, {}, {place} {node}", printable(&recording.file), bytes(recording.bytes)));
    line("preview", if recording.has_preview { "yes" } else { "no" }.to_owned());
    line("dropped", counted(usize::try_from(recording.dropped_packets).unwrap_or(usize::MAX), "packet"));
    if let Some(end) = &recording.end {
        line("ended", printable(end));
    }
    if let Some(reason) = &recording.reason {
        line("reason", printable(reason));
    }
    format!(
        "{}\n{}\n\n{}\n{}",
        painted(STRONG, printable(&recording.recording)),
        output::drawn(table),
        tracks(&recording.tracks),
        counted(recording.tracks.len(), "producer")
    )
}

/// One line for each producer: one who comes back goes on in the track that it had.
fn tracks(tracks: &[TrackReport]) -> String {
    let mut table =
        output::table(&["TRACK", "NAME", "KIND", "FROM", "TO", "FRAMES", "LOST PACKETS", "LEFT OUT"]);
    for track in tracks {
        let none = || match &track.left_out {
            Some(why) => format!("not recorded: {}", printable(why)),
            None => "not recorded".to_owned(),
        };
        table.add_row([
            Cell::new(track.number.map_or_else(none, |number| number.to_string())),
            Cell::new(printable(&track.label)),
            Cell::new(printable(&track.mime_type)),
            number(seconds(track.from_ms)),
            number(seconds(track.until_ms)),
            number(track.frames),
            number(track.lost_packets),
            number(track.dropped_frames),
        ]);
    }
    output::drawn(table)
}

fn seconds(ms: Option<u64>) -> String {
    ms.map_or("-".to_owned(), |ms| format!("{:.1} s", ms as f64 / 1e3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ask::recordings::tests::report;

    #[test]
    fn a_recording_shows_its_file_and_what_became_of_each_track() {
        let mut recording = report("20260131T080000-01", 1_000, "finished");
        let silent =
            TrackReport { number: None, from_ms: None, until_ms: None, ..recording.tracks[0].clone() };
        recording.tracks.push(silent);
        let text = drawn(&RecordingDetails { node: "cn/east".parse().unwrap(), recording });
        let text = anstream::adapter::strip_str(&text).to_string();
        for part in [
            "20260131T080000-01.webm, 3.0 MiB, in the folder of cn/east",
            "61.0 s",
            "not recorded",
            "2 producers",
        ] {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
    }
}
