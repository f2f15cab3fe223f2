//! What commands print: lines, tables and JSON on stdout, coloured on terminals only.
//!
//! Everything goes through `anstream`, which takes the colours out where they are not wanted (`NO_COLOR`, pipes, files).

use std::fmt::Display;
use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use taoyao_node::telemetry;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::exit::{Exit, Failed};

pub(crate) const GOOD: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
pub(crate) const STRONG: Style = Style::new().bold();
/// Longer than any terminal or log takes; a pipe that nobody reads takes for ever.
const ANNOUNCE_MAX: Duration = Duration::from_secs(1);

/// The text in a style.
pub(crate) fn painted(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Prints lines. A reader that has seen enough and left (`| head`) is no failure.
pub(crate) fn say(text: impl Display) -> Result<(), Failed> {
    say_on(text).map(|_has_reader| ())
}

/// The same for who goes on printing; `false` when nobody reads any longer.
pub(crate) fn say_on(text: impl Display) -> Result<bool, Failed> {
    let mut out = anstream::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failed::new(Exit::Io, format!("cannot print: {error}"))),
    }
}

/// Prints what a running node or mesh has to say once, without waiting for long: it serves whether or not somebody reads.
pub(crate) async fn announce(text: String) {
    let (done, printed) = oneshot::channel();
    let print = move || {
        // Fails only if nobody waits any longer.
        let _too_late = done.send(say(text)).is_err();
    };
    let spawned = thread::Builder::new().name("standard-output".to_owned()).spawn(print).is_ok();
    let printed = async { if spawned { printed.await.ok() } else { None } };
    match timeout(ANNOUNCE_MAX, printed).await {
        Ok(Some(Ok(()))) => {}
        Ok(Some(Err(failed))) => tracing::warn!(error = failed.what(), "standard output is not to be had"),
        Ok(None) | Err(_) => tracing::warn!("standard output is not read, or there is no thread to write it"),
    }
}

/// Prints on stderr what is wrong with the thing that was asked about; its first word is the heading.
pub(crate) fn complain(text: impl Display) {
    remark(format!("{text}\n"));
}

/// Prints on stderr what a person may want to know meanwhile.
pub(crate) fn note(text: impl Display) {
    remark(format!("{text}\n"));
}

/// Prints on stderr, through the log once there is one. A stderr that takes nothing is no reason to fail: there is nobody
/// to be told.
pub(crate) fn remark(text: String) {
    let is_plain = AutoStream::choice(&io::stderr()) == ColorChoice::Never;
    let text = if is_plain { strip_str(&text).to_string() } else { text };
    if !telemetry::say(&text) {
        io::stderr().write_all(text.as_bytes()).unwrap_or_default();
    }
}

/// Prints a value as JSON of several lines.
pub(crate) fn say_json(value: &impl Serialize) -> Result<(), Failed> {
    say(json(value))
}

/// A value as JSON of several lines.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("reports have text keys and no failing parts")
}

/// An empty table without lines, for rows of [`Cell`]s; without a head if that has no names.
///
/// Cells are never broken: a terminal that is too narrow, or that does not tell its width, still shows whole addresses.
pub(crate) fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .enforce_styling();
    if !head.is_empty() {
        table.set_header(head.iter().map(|text| Cell::new(text).add_attribute(Attribute::Bold)));
    }
    table
}

/// The table's text, without the blanks at the ends of lines.
pub(crate) fn drawn(mut table: Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| trimmed(&line)).collect::<Vec<_>>().join("\n")
}

/// Takes the blanks off the end of a line, also those before the codes that end a style.
fn trimmed(line: &str) -> String {
    let line = line.trim_end();
    match line.rfind('\x1b').map(|start| line.split_at(start)) {
        Some((body, code)) if code.find('m') == Some(code.len() - 1) => trimmed(body) + code,
        _ => line.to_owned(),
    }
}

/// A cell that says whether something is well.
pub(crate) fn verdict(text: impl ToString, is_well: bool) -> Cell {
    let cell = Cell::new(text);
    if is_well { cell.fg(Color::Green) } else { cell.fg(Color::Red).add_attribute(Attribute::Bold) }
}

/// A cell with a number, on the right.
pub(crate) fn number(value: impl ToString) -> Cell {
    Cell::new(value).set_alignment(comfy_table::CellAlignment::Right)
}

/// `950 µs`, `1.24 ms`, `2.50 s`.
pub(crate) fn short_time(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{:.2} ms", us as f64 / 1e3),
        _ => format!("{:.2} s", us as f64 / 1e6),
    }
}

/// `42s`, `5m 07s`, `3h 20m`, `12d 4h`.
pub(crate) fn long_time(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h {:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// How long ago a moment in Unix milliseconds was, as [`long_time`] says it; `-` if it is not known, which zero means, too.
pub(crate) fn age(now_ms: u64, at_ms: Option<u64>) -> String {
    let at = at_ms.filter(|at| *at > 0);
    at.map_or("-".to_owned(), |at| long_time(Duration::from_millis(now_ms.saturating_sub(at))))
}

/// A moment in Unix milliseconds, in the time zone of whoever looks: `2026-01-31 08:00:00`; `-` for zero, which is no moment.
pub(crate) fn local_time(ms: u64) -> String {
    let time =
        i64::try_from(ms).ok().filter(|ms| *ms > 0).and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.map_or("-".to_owned(), |time| time.to_zoned(TimeZone::system()).strftime("%F %T").to_string())
}

/// `512 B`, `1.5 KiB`, `20.0 MiB`.
pub(crate) fn bytes(count: u64) -> String {
    let mut value = count as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1024.0 {
            return if unit == "B" { format!("{count} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1024.0;
    }
    format!("{value:.1} TiB")
}

/// `0 b/s`, `64.0 kb/s`, `1.5 Mb/s`.
pub(crate) fn bitrate(bps: u64) -> String {
    match bps {
        0..1_000 => format!("{bps} b/s"),
        1_000..1_000_000 => format!("{:.1} kb/s", bps as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} Mb/s", bps as f64 / 1e6),
        _ => format!("{:.1} Gb/s", bps as f64 / 1e9),
    }
}

/// A text that somebody else wrote, without what would move the cursor or change colours.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// `1 node`, `7 nodes`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_short_and_say_their_unit() {
        assert_eq!(
            [short_time(950), short_time(1_240), short_time(2_500_000)],
            ["950 µs", "1.24 ms", "2.50 s"]
        );
        let spans = [42, 307, 12_000, 1_051_200].map(|seconds| long_time(Duration::from_secs(seconds)));
        assert_eq!(spans, ["42s", "5m 07s", "3h 20m", "12d 4h"]);
        assert_eq!([bytes(512), bytes(1536), bytes(20 << 20)], ["512 B", "1.5 KiB", "20.0 MiB"]);
        assert_eq!([bitrate(0), bitrate(64_000), bitrate(1_500_000)], ["0 b/s", "64.0 kb/s", "1.5 Mb/s"]);
        assert_eq!([counted(1, "node"), counted(0, "node")], ["1 node", "0 nodes"]);
    }

    #[test]
    fn a_time_that_nobody_knows_is_neither_an_age_nor_a_date() {
        let now = 1_800_000_000_000;
        assert_eq!([age(now, None), age(now, Some(0))], ["-", "-"]);
        assert_eq!([age(now, Some(now - 42_000)), age(now, Some(now + 5_000))], ["42s", "0s"]);
        assert_eq!(local_time(0), "-");
        assert!(local_time(now).starts_with("2027-01-1"), "{}", local_time(now));
    }

    #[test]
    fn tables_have_no_blanks_at_the_ends_of_lines() {
        let mut table = table(&["NODE", "STATE"]);
        table.add_row([Cell::new("cn/east"), verdict("not ready", false)]);
        table.add_row([Cell::new("cn"), verdict("ready", true)]);
        let text = strip_str(&drawn(table)).to_string();
        assert!(text.lines().all(|line| !line.ends_with(' ')), "{text:?}");
        assert_eq!(text.lines().count(), 3);
    }
}
