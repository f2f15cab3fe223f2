//! The table of bodies against the golden transcripts: what is on paper is what whole nodes say, message by message.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use taoyao_wire::bodies::{Part, bodies, bodies_markdown, bodies_schema, body_of, faults};
use taoyao_wire::signals::Signal;

use crate::held::{hold, hold_part, place, read as read_document, read_file};

const REFERENCE: &str = "docs/protocol/bodies.md";
const TRACES: &str = "docs/protocol/traces.md";
const SCHEMA: &str = "docs/protocol/schema.json";
/// Messages that the transcripts have on purpose although no table has them.
const SENSELESS: [&str; 3] = ["client::nonsense", "something::else", "platform::error"];

#[test]
fn the_document_of_bodies_is_the_codes_with_examples_out_of_transcripts() {
    let examples = examples();
    let text = bodies_markdown(|signal, part| examples.get(&(signal, part)).cloned());
    hold_part(REFERENCE, "bodies", &text);
}

#[test]
fn no_name_in_braces_is_left_in_the_documents() {
    for path in [REFERENCE, TRACES] {
        let document = read_document(path);
        let left: Vec<_> = document.lines().filter(|line| line.contains("\"{")).collect();
        assert_eq!(left, [""; 0], "{path}");
    }
}

#[test]
fn the_traces_are_transcripts() {
    for name in ["call", "room"] {
        let path = format!("tests/transcripts/traces/{name}.txt");
        hold_part(TRACES, name, &trace_markdown(&read_document(&path)));
    }
}

/// Each message under who says or hears what.
fn trace_markdown(transcript: &str) -> String {
    let mut text = String::new();
    for line in transcript.lines().filter(|line| !line.starts_with(['#', '@'])) {
        let mut words = line.splitn(3, ' ');
        let (who, way, json) =
            (words.next().unwrap(), words.next().unwrap(), words.next().unwrap_or_default());
        let Ok(message) = serde_json::from_str::<Value>(&without_placeholders(json)) else {
            text.push_str(&format!("{line}.\n\n"));
            continue;
        };
        let deed = if way == ">" { "says" } else { "hears" };
        let signal = message["header"]["signal"].as_str().unwrap();
        let shown = with_names(&shortened(&message));
        text.push_str(&format!("**{who} {deed} `{signal}`**\n\n```json\n{shown}\n```\n\n"));
    }
    text
}

/// What would fill pages is told elsewhere.
fn shortened(message: &Value) -> String {
    let mut message = message.clone();
    for long in ["media", "webrtc", "rtpCapabilities"] {
        if message["body"][long].to_string().len() > 400 {
            message["body"][long] = Value::from("…");
        }
    }
    if let Some(list) = message["body"].as_array_mut() {
        list.truncate(1);
    }
    serde_json::to_string_pretty(&message).unwrap()
}

#[test]
fn the_schema_is_the_codes() {
    hold(SCHEMA, &bodies_schema());
}

#[test]
fn everything_that_nodes_say_in_transcripts_is_as_its_table_says() {
    let mut wrong = Vec::new();
    let mut heard = BTreeMap::<(Signal, Part), usize>::new();
    for said in transcripts() {
        let Some(part) = said.part.filter(|part| *part != Part::Request) else { continue };
        let Some(body) = body_of(said.signal, part) else {
            wrong.push(format!("{}: {} has no {part:?}", said.file, said.signal.name()));
            continue;
        };
        *heard.entry((said.signal, part)).or_default() += 1;
        let faults = faults(body, said.body.as_ref());
        wrong.extend(
            faults.iter().map(|fault| format!("{}: {} {part:?}: {fault}", said.file, said.signal.name())),
        );
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
    let silent: Vec<_> = bodies()
        .filter(|body| body.part != Part::Request && !heard.contains_key(&(body.signal, body.part)))
        .map(|body| format!("{} {:?}", body.signal.name(), body.part))
        .collect();
    assert_eq!(silent, UNHEARD, "bodies that no transcript shows");
}

/// An SFU that loses a room, an error, and a machine that is switched off: what the transcripts' mesh does not play, or plays
/// as something else.
const UNHEARD: [&str; 4] =
    ["room::create Push", "platform::error Push", "system::shutdown Answer", "system::shutdown Push"];

#[test]
fn requests_that_succeed_in_transcripts_are_as_their_tables_say() {
    let mut wrong = Vec::new();
    for said in transcripts().into_iter().filter(|said| said.part == Some(Part::Request) && said.succeeds) {
        let Some(body) = body_of(said.signal, Part::Request) else { continue };
        let missing = |fault: &&String| !fault.ends_with("is in no table");
        wrong.extend(
            faults(body, said.body.as_ref())
                .iter()
                .filter(missing)
                .map(|fault| format!("{}: {}: {fault}", said.file, said.signal.name())),
        );
    }
    wrong.retain(|fault| !LIBERAL.iter().any(|known| fault.contains(known)));
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

/// What transcripts send on purpose to show that nodes read it, too.
const LIBERAL: [&str; 5] = [
    "body.clientType is no known word",
    "body.battery is no whole number",
    "it has no body",
    "client::unicast: the body.to is missing",
    "media::producer::close: the body.producerId is missing",
];

/// The first message of each kind that has most to show: the longest of the shorter ones.
fn examples() -> BTreeMap<(Signal, Part), String> {
    let mut best: BTreeMap<(Signal, Part), String> = BTreeMap::new();
    for said in transcripts() {
        let (Some(part), Some(body), true) = (said.part, &said.body, said.succeeds) else { continue };
        let is_fit = body_of(said.signal, part).is_some_and(|table| faults(table, Some(body)).is_empty());
        let text = with_names(&serde_json::to_string_pretty(body).unwrap());
        let is_empty = body.as_object().is_some_and(|object| object.is_empty());
        let most = if body.is_array() { LIST_BYTES_MAX } else { EXAMPLE_BYTES_MAX };
        if !is_fit || is_empty || text.len() > most {
            continue;
        }
        let place = best.entry((said.signal, part)).or_default();
        if text.len() > place.len() {
            *place = text;
        }
    }
    best
}

/// Enough for a configuration, not for all capabilities of an SFU.
const EXAMPLE_BYTES_MAX: usize = 4_000;
/// One terminal is enough to see what a list is.
const LIST_BYTES_MAX: usize = 600;

/// The text with names of the demo mesh for those in braces, which stand for what nodes choose.
pub(crate) fn with_names(text: &str) -> String {
    let uuid = |letter: &str| format!("{0}{0}{0}{0}{0}{0}{0}{0}-0001-4000-8000-000000000001", letter);
    let mut text = text.to_owned();
    for (placeholder, name) in [
        ("{A}", "app-a@sh.east.cn".to_owned()),
        ("{B}", "cam-b@bj.north.cn".to_owned()),
        ("{C}", "cam-c@bj.north.cn".to_owned()),
        ("{X}", "app-x@sh.east.cn".to_owned()),
        ("{Y}", "app-y@sh.east.cn".to_owned()),
        ("{B.partition}", "bj.north.cn".to_owned()),
        ("{B.node}", "cn/north/bj".to_owned()),
        ("{C.partition}", "bj.north.cn".to_owned()),
        ("{C.node}", "cn/north/bj".to_owned()),
        ("{pass:1}", "1685592600000.6Xk0cG3dVQ0Jm1l9".to_owned()),
        ("{room:1}", uuid("1")),
        ("{room:2}", uuid("2")),
        ("{session:1}", uuid("3")),
        ("{session:2}", uuid("4")),
        ("{transport:1}", uuid("5")),
        ("{transport:2}", uuid("6")),
        ("{transport:3}", uuid("7")),
        ("{producer:1}", uuid("8")),
        ("{producer:2}", uuid("9")),
        ("{consumer:1}", uuid("a")),
        ("{consumer:2}", uuid("b")),
    ] {
        text = text.replace(placeholder, &name);
    }
    text
}

/// One message of a transcript.
struct Said {
    file: String,
    signal: Signal,
    /// None of a message that is no sensible one.
    part: Option<Part>,
    body: Option<Value>,
    /// Of a request: no error has come back.
    succeeds: bool,
}

fn transcripts() -> Vec<Said> {
    let mut all = Vec::new();
    for file in files(&place("tests/transcripts")) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        // Its messages are none, on purpose.
        if name == "malformed.txt" {
            continue;
        }
        read(&name, &read_file(&file), &mut all);
    }
    assert!(all.len() > 500, "{} messages", all.len());
    all
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|end| end == "txt") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// `A > {…}` is said by a terminal, `A < {…}` to it. An answer has the id of a request of its terminal.
fn read(file: &str, text: &str, all: &mut Vec<Said>) {
    let mut asked: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.splitn(3, ' ');
        let (Some(who), Some(way @ (">" | "<")), Some(json)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let Ok(message) = serde_json::from_str::<Value>(&without_placeholders(json)) else { continue };
        let header = &message["header"];
        let Some(signal) = header["signal"].as_str() else { continue };
        let number = (who.to_owned(), header["id"].to_string().replace('"', ""));
        if signal == "platform::error" && way == "<" {
            if let Some(at) = asked.get(&number) {
                all[*at].succeeds = false;
            }
            continue;
        }
        let Some(known) = Signal::of(signal).filter(|_| !SENSELESS.contains(&signal)) else { continue };
        let is_answer = way == "<" && asked.contains_key(&number);
        // A terminal answers a control under the node's id; that is in its own words.
        let is_reply = way == ">" && header["id"].as_i64() == Some(NODES_ID);
        let part = match (way, is_answer) {
            (">", _) => (!is_reply).then_some(Part::Request),
            _ if is_answer => Some(Part::Answer),
            _ => Some(Part::Push),
        };
        if part == Some(Part::Request) {
            asked.insert(number, all.len());
        }
        let body = message.get("body").filter(|body| !body.is_null()).cloned();
        all.push(Said { file: file.to_owned(), signal: known, part, body, succeeds: true });
    }
}

/// What nodes choose stands in braces: as text within quotes, and bare where it is a number or a flag.
fn without_placeholders(json: &str) -> String {
    let mut text = String::new();
    let mut rest = json;
    while let Some(at) = rest.find('{') {
        let (before, after) = rest.split_at(at);
        text.push_str(before);
        let end = after.find('}').unwrap_or(after.len() - 1);
        let inside = &after[1..end];
        let is_bare = text.ends_with([':', ',', '[']);
        let is_name = !inside.is_empty() && inside.chars().all(|c| c.is_alphanumeric() || ".:_".contains(c));
        if is_name && is_bare {
            text.push_str(if inside.ends_with(".proxy") { "false" } else { "770000000" });
            rest = &after[end + 1..];
        } else {
            text.push('{');
            rest = &after[1..];
        }
    }
    text + rest
}

/// What stands for all ids that nodes choose.
const NODES_ID: i64 = 770_000_000;
