//! The operators' handbook says what the program does.

use std::collections::BTreeSet;

use crate::support::Site;

/// Both languages show the same names.
const HANDBOOKS: [(&str, &str); 2] = [
    ("docs/OPERATIONS.md", include_str!("../../../../docs/OPERATIONS.md")),
    ("docs/zh/OPERATIONS.md", include_str!("../../../../docs/zh/OPERATIONS.md")),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_metrics_table_is_what_a_node_gives_out() {
    let site = Site::three_tiers();
    let _node = site.start("east").unwrap();
    let given: BTreeSet<(String, String)> = types(&crate::admin::metrics(&site, "east").await);
    assert!(given.len() > 30, "{given:?}");
    for (file, text) in HANDBOOKS {
        let documented = table(text);
        let missing: Vec<_> = given.difference(&documented).collect();
        let gone: Vec<_> = documented.difference(&given).collect();
        assert!(missing.is_empty() && gone.is_empty(), "{file}: missing {missing:?}, gone {gone:?}");
    }
}

/// Name and kind of each metric, from the `# TYPE` lines.
fn types(metrics: &str) -> BTreeSet<(String, String)> {
    let words = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    words.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect()
}

/// Name and kind of each row whose first cell is a metric's name, but for those of media: they come and go with rooms, and are
/// compared where they are made.
fn table(text: &str) -> BTreeSet<(String, String)> {
    let rows = text.lines().filter_map(|line| {
        let row = line.strip_prefix("| `taoyao_").filter(|row| !row.starts_with("media_"))?;
        let mut cells = row.split('|').map(str::trim);
        let name = format!("taoyao_{}", cells.next()?.trim_end_matches('`'));
        Some((name, cells.next()?.to_owned()))
    });
    rows.collect()
}
