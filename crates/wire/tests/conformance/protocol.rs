//! `docs/PROTOCOL.md` and the client module show the same tables as the code has.

use crate::held::{hold, hold_part};
use taoyao_wire::signals::{SIGNALS, classes_markdown, signals_javascript, signals_markdown};

const ENGLISH: &str = "docs/PROTOCOL.md";
const CHINESE: &str = include_str!("../../../../docs/zh/PROTOCOL.md");
const MODULE: &str = "crates/gateway/assets/taoyao/signals.js";

#[test]
fn the_signal_table_is_the_codes() {
    hold_part(ENGLISH, "signals", &signals_markdown());
}

#[test]
fn the_class_table_is_the_codes() {
    hold_part(ENGLISH, "classes", &classes_markdown());
}

#[test]
fn the_client_modules_signals_are_the_codes() {
    hold(MODULE, &signals_javascript());
}

#[test]
fn the_chinese_document_names_every_signal() {
    for row in &SIGNALS {
        assert!(
            CHINESE.contains(&format!("`{}`", row.name)),
            "{} is missing in docs/zh/PROTOCOL.md",
            row.name
        );
    }
}
