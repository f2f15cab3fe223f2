//! The arrow table of docs/ARCHITECTURE.md says exactly what the manifests say, and no arrow points upwards.

use std::collections::{BTreeMap, BTreeSet};

use crate::manifest::{Package, is_crate, packages};
use crate::{settle, tree};

const DOCUMENT: &str = "docs/ARCHITECTURE.md";
const BEGIN: &str = "<!-- arrows";
const END: &str = "<!-- /arrows -->";

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) floor: u32,
    pub(crate) kind: String,
    pub(crate) depends_on: BTreeSet<String>,
}

/// The table, by crate.
pub(crate) fn table() -> BTreeMap<String, Row> {
    parse(&tree::read(DOCUMENT))
}

#[test]
fn the_arrow_table_is_what_the_manifests_say() {
    let crates: Vec<Package> = packages().into_iter().filter(|package| is_crate(&package.path)).collect();
    settle(compare(&table(), &crates));
}

#[test]
fn arrows_point_downwards() {
    settle(upward(&table()));
}

#[test]
fn io_crates_do_not_know_core_and_nobody_knows_the_node() {
    let table = table();
    let mut wrong = Vec::new();
    for (name, row) in &table {
        if row.kind == "IO" && name != "node" && row.depends_on.contains("core") {
            wrong.push(format!("{name} knows core; let the driver in node carry what it needs"));
        }
        if row.depends_on.contains("node") {
            wrong.push(format!("{name} knows node; move what it needs into a crate below"));
        }
        let impure = row.depends_on.iter().filter(|on| table.get(*on).is_some_and(|on| on.kind != "pure"));
        if row.kind == "pure" {
            wrong.extend(impure.map(|on| format!("{name} is pure and knows {on}, which is not")));
        }
    }
    settle(wrong);
}

fn parse(document: &str) -> BTreeMap<String, Row> {
    let table = document.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END));
    let (table, _) = table.unwrap_or_else(|| panic!("{DOCUMENT} has no table between {BEGIN} and {END}"));
    table.lines().filter_map(parse_row).collect()
}

fn parse_row(line: &str) -> Option<(String, Row)> {
    let cells: Vec<&str> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
    let [floor, name, kind, on, ..] = cells[..] else { return None };
    let floor = floor.parse().ok()?;
    let depends_on = on.split_whitespace().filter(|on| *on != "–").map(|on| on.replace('`', "")).collect();
    Some((name.replace('`', ""), Row { floor, kind: kind.to_owned(), depends_on }))
}

fn compare(table: &BTreeMap<String, Row>, crates: &[Package]) -> Vec<String> {
    let mut wrong = Vec::new();
    for package in crates {
        let Some(row) = table.get(&package.name) else {
            wrong.push(format!("{DOCUMENT}: add a row for {} to the arrow table", package.path));
            continue;
        };
        let own = package.own("dependencies");
        let undrawn = own.difference(&row.depends_on);
        wrong.extend(
            undrawn.map(|on| format!("{DOCUMENT}: no arrow {} -> {on}; is it wanted?", package.name)),
        );
        let unused = row.depends_on.difference(&own);
        wrong.extend(
            unused.map(|on| format!("{DOCUMENT}: {} has no {on} for its arrow; remove it", package.path)),
        );
    }
    let known: BTreeSet<&str> = crates.iter().map(|package| package.name.as_str()).collect();
    let gone = table.keys().filter(|name| !known.contains(name.as_str()));
    wrong.extend(gone.map(|name| format!("{DOCUMENT}: there is no crate {name}; remove its row")));
    wrong
}

fn upward(table: &BTreeMap<String, Row>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, row) in table {
        for on in &row.depends_on {
            let floor = table.get(on).map(|on| on.floor);
            if floor.is_none_or(|floor| floor >= row.floor) {
                wrong.push(format!("{name} (floor {}) depends on {on} (floor {floor:?})", row.floor));
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWN: &str = "x\n<!-- arrows: y -->\n| floor | crate | kind | depends on | for |\n|:--|\n\
        | 0 | `a` | pure | – | z |\n| 1 | `b` | IO | `a` `c` | z |\n<!-- /arrows -->\n| 2 | `no` | IO | – | z |";

    #[test]
    fn a_table_is_read_between_its_marks() {
        let table = parse(DRAWN);
        assert_eq!(table.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(table["b"].depends_on, ["a", "c"].map(str::to_owned).into());
        assert_eq!((table["b"].floor, table["b"].kind.as_str()), (1, "IO"));
    }

    #[test]
    fn every_difference_is_named_in_both_directions() {
        let manifest =
            "[dependencies]\ntaoyao-a.workspace = true\ntaoyao-d.workspace = true".parse().unwrap();
        let package = Package { path: "crates/b/Cargo.toml".into(), name: "b".into(), manifest };
        let wrong = compare(&parse(DRAWN), &[package]).join("\n");
        assert!(wrong.contains("no arrow b -> d") && wrong.contains("has no c"), "{wrong}");
        assert!(wrong.contains("no crate a"), "{wrong}");
    }

    #[test]
    fn an_arrow_to_the_same_floor_or_into_nothing_is_upward() {
        assert_eq!(upward(&parse(DRAWN)), ["b (floor 1) depends on c (floor None)"]);
    }
}
