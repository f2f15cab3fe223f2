//! One `[[script]]` of the file as it was written.

use std::path::{Path, PathBuf};
use std::time::Duration;

use taoyao_types::limits;

use crate::mistake::At;
use crate::paths::Base;
use crate::read::Table;
use crate::script::{Argument, Script, is_name};

/// A script as it was written; the names of its nodes are not looked up yet.
#[derive(Debug)]
pub(crate) struct RawScript {
    pub(crate) name: At<String>,
    /// An absolute path, and what always follows it.
    pub(crate) command: (PathBuf, Vec<String>),
    pub(crate) arguments: Vec<Argument>,
    pub(crate) dir: PathBuf,
    pub(crate) timeout: Duration,
    pub(crate) nodes: Vec<At<String>>,
}

impl RawScript {
    pub(crate) fn read(mut table: Table<'_>, base: &Base) -> Option<Self> {
        let name = table.required("name", "name = \"restart-camera\"", read_name);
        let command = read_command(&mut table);
        let arguments: Vec<Argument> =
            table.tables("arguments", ARGUMENTS_EXAMPLE).into_iter().filter_map(read_argument).collect();
        let dir = table.text("dir", "dir = \"/var/lib/lights\"");
        let longest = limits::SCRIPT_TIMEOUT_MAX.as_millis() as u64;
        let timeout = table.integer("timeout_ms", "timeout_ms = 4000", 100..=longest);
        let nodes = table.texts("nodes", "nodes = [\"sh\"]");
        let name = name?;
        if Script::ORDERS.contains(&name.value.as_str()) && !arguments.is_empty() {
            let what =
                format!("the script of the signal `{}` has arguments, and the signal has none", name.value);
            table.add(&name.span, what, "fixed arguments, behind the program in `command`");
        }
        table.finish();
        Some(Self {
            name,
            command: command?,
            arguments,
            dir: dir.map_or_else(|| PathBuf::from("/"), |dir| base.resolve(&dir.value)),
            timeout: timeout.map_or(limits::SCRIPT_TIMEOUT, Duration::from_millis),
            nodes: nodes.map_or_else(Vec::new, |nodes| nodes.value),
        })
    }
}

const COMMAND_EXAMPLE: &str = "command = [\"/usr/local/bin/restart-camera\", \"--quick\"]";
const ARGUMENTS_EXAMPLE: &str = "arguments = [{ one_of = [\"on\", \"off\"] }, { min = 1, max = 16 }]";

fn read_name(text: &str) -> Result<String, String> {
    if is_name(text) || Script::ORDERS.contains(&text) {
        return Ok(text.to_owned());
    }
    let orders = Script::ORDERS.join(", ");
    Err(format!("a script is called by 1 to 64 of a-z, 0-9 and -, or like a signal that runs it: {orders}"))
}

fn read_command(table: &mut Table<'_>) -> Option<(PathBuf, Vec<String>)> {
    if !table.has("command") {
        table.missing("command", COMMAND_EXAMPLE);
    }
    let command = table.texts("command", COMMAND_EXAMPLE)?;
    let mut words = command.value.into_iter();
    let program = words.next().filter(|program| Path::new(&program.value).is_absolute());
    if program.is_none() {
        table.add(
            &command.span,
            "`command` does not begin with the absolute path of a program",
            COMMAND_EXAMPLE,
        );
    }
    Some((program?.value.into(), words.map(|word| word.value).collect()))
}

fn read_argument(mut table: Table<'_>) -> Option<Argument> {
    let one_of = table.texts("one_of", "one_of = [\"on\", \"off\"]");
    let min = table.integer("min", "min = 1", 0..=NUMBER_MAX);
    let max = table.integer("max", "max = 16", 0..=NUMBER_MAX);
    let name = table.flag("name", "name = true").is_some_and(|flag| flag.value);
    let argument = match (one_of, min, max, name) {
        (Some(words), None, None, false) if words.value.iter().all(is_word) && !words.value.is_empty() => {
            Some(Argument::OneOf(words.value.into_iter().map(|word| word.value).collect()))
        }
        (None, Some(min), Some(max), false) if min <= max => Some(Argument::Number(min..=max)),
        (None, None, None, true) => Some(Argument::Name),
        _ => {
            let advice = "one of: { one_of = [\"on\", \"off\"] }, words without blanks; { min = 1, max = 16 }; { name = true }";
            table.add(
                &table.span,
                "an argument is one of some words, a number in a range, or a name",
                advice,
            );
            None
        }
    };
    table.finish();
    argument
}

/// Arguments are separated by blanks, so a word with one could never be given.
fn is_word(word: &At<String>) -> bool {
    !word.value.is_empty() && !word.value.contains(|c: char| c.is_ascii_whitespace())
}

/// TOML's whole numbers are signed.
const NUMBER_MAX: u64 = i64::MAX as u64;
