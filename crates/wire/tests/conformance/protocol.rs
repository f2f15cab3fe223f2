//! `docs/PROTOCOL.md` and the client module show the same tables as the code has.

use taoyao_wire::signals::{SIGNALS, classes_markdown, signals_javascript, signals_markdown};

const ENGLISH: &str = include_str!("../../../../docs/PROTOCOL.md");
const CHINESE: &str = include_str!("../../../../docs/zh/PROTOCOL.md");
const MODULE: &str = include_str!("../../../gateway/assets/taoyao/signals.js");

/// What stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`.
fn part<'a>(document: &'a str, name: &str) -> &'a str {
    let (begin, end) = (format!("<!-- {name}:begin -->\n"), format!("<!-- {name}:end -->"));
    let rest = document.split_once(&begin).unwrap_or_else(|| panic!("no {begin}")).1;
    rest.split_once(&end).unwrap_or_else(|| panic!("no {end}")).0
}

#[test]
fn the_signal_table_is_the_codes() {
    let table = signals_markdown();
    assert!(part(ENGLISH, "signals") == table, "put this between the markers of docs/PROTOCOL.md:\n{table}");
}

#[test]
fn the_class_table_is_the_codes() {
    let table = classes_markdown();
    assert!(part(ENGLISH, "classes") == table, "put this between the markers of docs/PROTOCOL.md:\n{table}");
}

#[test]
fn the_client_modules_signals_are_the_codes() {
    let module = signals_javascript();
    assert!(MODULE == module, "put this into crates/gateway/assets/taoyao/signals.js:\n{module}");
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
