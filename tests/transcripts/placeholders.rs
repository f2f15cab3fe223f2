//! What the reference leaves free, or what depends on where the others are, behind words in braces.
//!
//! | written | stands for |
//! |:--|:--|
//! | `{B}` | B's id as the reader sees it: bare from its own partition, full from any other |
//! | `{B.partition}`, `{B.node}`, `{B.proxy}` | where B is, and whether that is another node than the reader's |
//! | `{id:1}` | the first message id that this party got from a node; another number is another id |
//! | `{room:1}`, `{session:1}`, `{transport:1}`, `{producer:1}`, `{consumer:1}` | the first id of that kind, the same for everybody |
//! | `{pass:1}`, `{index:1}` | what an invitation has in the place of a password; the number for a terminal's ids |
//!
//! Lists of terminals, whose order the reference leaves free as well, are shown in the order of ids.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;
use taoyao_types::{PartitionName, TerminalName};

use crate::party::{Party, Stage};

/// A node's message ids end in less than this, terminals' own in more (reference section 2.3).
const SERVER_IDS_END: i64 = 10_000_000;
/// What nodes call their SFUs.
const SFU: &str = "taoyao-client-media";
const ID_DIGITS: i64 = 100_000_000;
/// Where bodies have ids that a node makes, and how those are called here.
const IDS: [(&str, &str); 5] = [
    ("roomId", "room"),
    ("sessionId", "session"),
    ("transportId", "transport"),
    ("producerId", "producer"),
    ("consumerId", "consumer"),
];

/// Words and values of one play.
pub(crate) struct Placeholders {
    stage: Stage,
    common: Option<PartitionName>,
    /// Values by word: a message id's with the party that got it.
    values: BTreeMap<(Option<Party>, String), String>,
    counts: BTreeMap<(Option<Party>, &'static str), u32>,
}

impl Placeholders {
    pub(crate) fn new(stage: Stage, common: Option<PartitionName>) -> Self {
        Self { stage, common, values: BTreeMap::new(), counts: BTreeMap::new() }
    }

    pub(crate) fn name(&self, party: Party) -> TerminalName {
        self.stage.name(party, self.common.as_ref())
    }

    /// The text that `party` sends, with values in the place of words.
    pub(crate) fn fill_in(&self, party: Party, text: &str) -> String {
        let home = self.name(party).partition;
        let mut filled = text.to_owned();
        for other in Party::ALL {
            filled = filled.replace(&format!("{{{}}}", other.letter()), &self.name(other).seen_from(&home));
        }
        for ((owner, word), value) in &self.values {
            if owner.is_none_or(|owner| owner == party) {
                filled = filled.replace(&format!("{{{word}}}"), value);
            }
        }
        filled
    }

    /// The text that `party` got, with words in the place of values.
    pub(crate) fn put_in(&mut self, party: Party, text: &str) -> String {
        let message: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let mut shown = self.places(party, &sorted(text, &message["body"]));
        let header = &message["header"];
        let id = header["id"].as_i64().unwrap_or_else(|| panic!("no id: {text}"));
        if id > ID_DIGITS && id % ID_DIGITS < SERVER_IDS_END {
            let word = self.word(Some(party), "id", &id.to_string());
            shown = shown.replacen(&format!("\"id\":{id}"), &format!("\"id\":{{{word}}}"), 1);
        }
        let body = &message["body"];
        self.learn(body);
        if let Some(index) = body["index"].as_u64().filter(|index| (10_000..=99_999).contains(index)) {
            let word = self.word(Some(party), "index", &index.to_string());
            shown = shown.replace(&format!("\"index\":{index}"), &format!("\"index\":{{{word}}}"));
        }
        if let (Some("room::invite"), Some(pass)) = (header["signal"].as_str(), body["password"].as_str()) {
            let word = self.word(None, "pass", pass);
            shown = shown.replace(pass, &format!("{{{word}}}"));
        }
        self.with_known(&self.with_names(party, &shown))
    }

    /// The word of the last id of a kind that was learned.
    pub(crate) fn newest(&self, kind: &'static str) -> String {
        let count = self.counts.get(&(None, kind)).copied().unwrap_or_default();
        format!("{{{kind}:{count}}}")
    }

    /// Takes note of the ids in a body.
    pub(crate) fn learn(&mut self, body: &Value) {
        let objects = body.as_array().map_or_else(|| vec![body], |entries| entries.iter().collect());
        for (object, (key, kind)) in objects.iter().flat_map(|object| IDS.map(|id| (object, id))) {
            if let Some(id) = object[key].as_str().filter(|id| is_uuid(id)) {
                self.word(None, kind, id);
            }
        }
    }

    /// Where terminals are: `proxy` behind an id, `partition` and `node` at the end of the same state.
    fn places(&self, reader: Party, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        for (count, part) in text.split("\"clientId\":\"").enumerate() {
            if count > 0 {
                shown.push_str("\"clientId\":\"");
            }
            let written = part.split('"').next().unwrap_or_default();
            let client = written.split('@').next().unwrap_or_default();
            // The SFU that a reader is shown is where the reader is.
            let is = |party: &Party| party.client_id() == client || client == SFU && *party == reader;
            let of = Party::ALL.into_iter().find(|party| count > 0 && is(party));
            shown.push_str(&of.map_or_else(|| part.to_owned(), |of| self.place(reader, of, part)));
        }
        shown
    }

    fn place(&self, reader: Party, of: Party, part: &str) -> String {
        let (stage, letter) = (self.stage, of.letter());
        let proxy = format!("\"proxy\":{}", stage.node(of) != stage.node(reader));
        let mut shown = part.to_owned();
        if of.is_away() != reader.is_away() {
            shown = shown.replacen(&proxy, &format!("\"proxy\":{{{letter}.proxy}}"), 1);
        }
        if of.is_away() {
            let (partition, node) = (self.name(of).partition, stage.node_path(of));
            let there = format!("\"partition\":\"{partition}\",\"node\":\"{node}\"");
            let word = format!("\"partition\":\"{{{letter}.partition}}\",\"node\":\"{{{letter}.node}}\"");
            shown = shown.replacen(&there, &word, 1);
        }
        shown
    }

    /// The ids of those who may be in another partition than the reader.
    fn with_names(&self, reader: Party, text: &str) -> String {
        let home = self.name(reader).partition;
        let mut shown = text.to_owned();
        for other in Party::ALL.into_iter().filter(|other| other.is_away() != reader.is_away()) {
            let seen = self.name(other).seen_from(&home);
            let word = format!("{{{}}}", other.letter());
            // A full name that should be bare stays what it is, and is noticed.
            let full = format!("{seen}@");
            shown = shown.replace(&full, "\u{0}").replace(&seen, &word).replace('\u{0}', &full);
        }
        shown
    }

    /// Ids that are known already, wherever they are named.
    fn with_known(&self, text: &str) -> String {
        let known = self.values.iter().filter(|((owner, _), _)| owner.is_none());
        known.fold(text.to_owned(), |shown, ((_, word), value)| shown.replace(value, &format!("{{{word}}}")))
    }

    /// The word of a value: the one that it has already, or the next of its kind.
    fn word(&mut self, owner: Option<Party>, kind: &'static str, value: &str) -> String {
        let known = self.values.iter().find(|((of, word), known)| {
            *of == owner && *known == value && word.split(':').next() == Some(kind)
        });
        if let Some(((_, word), _)) = known {
            return word.clone();
        }
        let count = self.counts.entry((owner, kind)).or_default();
        *count += 1;
        let word = format!("{kind}:{count}");
        self.values.insert((owner, word.clone()), value.to_owned());
        word
    }
}

/// The text with the entries of its list of terminals, if it has one, in the order of their ids.
fn sorted(text: &str, body: &Value) -> String {
    let list = if body.is_array() { body } else { &body["clients"] };
    let is_list = list.as_array().is_some_and(|list| list.iter().all(|entry| entry["clientId"].is_string()));
    let Some(start) = text.find(":[{").filter(|_| is_list).map(|at| at + 1) else { return text.to_owned() };
    // The list is the last thing in the text, but for braces.
    let end = text.rfind(']').map_or(text.len(), |at| at + 1);
    let mut entries: Vec<&RawValue> = serde_json::from_str(&text[start..end]).unwrap();
    let client = |entry: &&RawValue| {
        let entry: Value = serde_json::from_str(entry.get()).unwrap();
        entry["clientId"].as_str().unwrap().split('@').next().map(str::to_owned)
    };
    entries.sort_by_key(client);
    let entries: Vec<&str> = entries.into_iter().map(RawValue::get).collect();
    format!("{}[{}]{}", &text[..start], entries.join(","), &text[end..])
}

/// 36 characters of version 4 (reference section 5.0).
fn is_uuid(text: &str) -> bool {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let shape = text.char_indices().all(|(place, c)| match place {
        8 | 13 | 18 | 23 => c == '-',
        14 => c == '4',
        19 => matches!(c, '8' | '9' | 'a' | 'b'),
        _ => hex(c),
    });
    text.len() == 36 && shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_keeps_its_word_and_ids_are_counted_for_each_party() {
        let mut placeholders = Placeholders::new(Stage::OneNode, None);
        let text = |id: i64| format!(r#"{{"header":{{"id":{id},"signal":"s"}}}}"#);
        let shown = |word: &str| format!(r#"{{"header":{{"id":{word},"signal":"s"}}}}"#);
        assert_eq!(placeholders.put_in(Party::A, &text(120_345_603_000_001)), shown("{id:1}"));
        assert_eq!(placeholders.put_in(Party::A, &text(120_345_603_000_007)), shown("{id:2}"));
        assert_eq!(placeholders.put_in(Party::B, &text(120_345_603_000_007)), shown("{id:1}"));
        assert_eq!(placeholders.put_in(Party::A, &text(120_345_603_000_001)), shown("{id:1}"));
        assert_eq!(placeholders.put_in(Party::A, &text(10_000_001)), text(10_000_001), "a terminal's own");
        assert_eq!(placeholders.fill_in(Party::B, "{id:1} {id:2}"), "120345603000007 {id:2}");
    }

    #[test]
    fn only_the_name_that_the_reader_should_see_becomes_a_word() {
        let text = |name: &str| format!(r#"{{"header":{{"id":1}},"body":{{"to":"{name}"}}}}"#);
        for (stage, name) in [(Stage::OneNode, "cam-b"), (Stage::TwoRegions, "cam-b@bj.north.cn")] {
            let mut placeholders = Placeholders::new(stage, None);
            assert_eq!(placeholders.put_in(Party::A, &text(name)), text("{B}"));
            assert_eq!(placeholders.put_in(Party::B, &text("cam-b")), text("cam-b"));
            assert_eq!(placeholders.fill_in(Party::A, "{B}"), name);
        }
        let mut placeholders = Placeholders::new(Stage::OneNode, None);
        let full = text("cam-b@sh.east.cn");
        assert_eq!(placeholders.put_in(Party::A, &full), full);
    }
}
