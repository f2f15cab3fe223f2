//! The signal table as a JavaScript module, for the client module in `crates/gateway/assets/taoyao`.

use super::{Row, SIGNALS, Sender};

/// The module's text: the names as types for editors, and a table that tells who sends what and whether it is answered.
pub fn signals_javascript() -> String {
    let mut text = String::from(
        "// Every signal of the terminal protocol: who sends it, and whether it is answered. Made from the nodes' own table.\n\n",
    );
    let asked = |row: &&Row| row.sender != Sender::Node && row.answered;
    let told = |row: &&Row| row.sender != Sender::Node && !row.answered;
    text.push_str(&names("RequestName", "What a terminal sends and gets an answer to.", asked));
    text.push_str(&names(
        "NoticeName",
        "What a terminal sends and gets no answer to, unless it failed.",
        told,
    ));
    text.push_str(&names("PushName", "What a node sends without being asked.", |row| {
        row.sender != Sender::Terminal
    }));
    text.push_str(
        "/**\n * @typedef {object} SignalRow\n * @property {boolean} sent whether terminals send it\n \
         * @property {boolean} pushed whether nodes send it without being asked\n \
         * @property {boolean} answered whether its sender gets an answer under the message's own id; errors come in any \
         case\n */\n\n/** @type {Readonly<Record<string, SignalRow>>} by name */\n\
         export const SIGNALS = Object.freeze({\n",
    );
    for Row { name, sender, answered, .. } in &SIGNALS {
        let (sent, pushed) = (*sender != Sender::Node, *sender != Sender::Terminal);
        text.push_str(&format!("  '{name}': {{ sent: {sent}, pushed: {pushed}, answered: {answered} }},\n"));
    }
    text.push_str("});\n");
    text
}

fn names(kind: &str, about: &str, wanted: impl Fn(&&Row) -> bool) -> String {
    let names: Vec<String> =
        SIGNALS.iter().filter(wanted).map(|row| format!(" *   | '{}'\n", row.name)).collect();
    format!("/**\n * {about}\n *\n * @typedef {{(\n{} * )}} {kind}\n */\n\n", names.concat())
}
