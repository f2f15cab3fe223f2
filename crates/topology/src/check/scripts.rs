//! Scripts: each has a name of its own, and is for nodes that exist.

use std::collections::BTreeMap;

use taoyao_types::NodeId;

use crate::check::Place;
use crate::mistake::{At, Report};
use crate::raw::RawScript;
use crate::script::Script;
use crate::suggest::{closest, listed};

/// Reports every faulty script; returns the others in the order of the file.
pub(crate) fn check_scripts(scripts: Vec<RawScript>, places: &[Place], report: &Report<'_>) -> Vec<Script> {
    let mut names = BTreeMap::new();
    for script in &scripts {
        if let Some(first) = names.insert(&script.name.value, &script.name.span) {
            let line = report.line(first);
            let what = format!("two scripts are called `{}`; the first is in line {line}", script.name.value);
            report.add(&script.name.span, what, "a name of its own");
        }
    }
    scripts.into_iter().map(|script| check_script(script, places, report)).collect()
}

fn check_script(raw: RawScript, places: &[Place], report: &Report<'_>) -> Script {
    let RawScript { name, command: (program, fixed), arguments, dir, timeout, nodes } = raw;
    let nodes = nodes.iter().filter_map(|node| find(&name.value, node, places, report)).collect();
    Script { name: name.value, program, fixed, arguments, dir, timeout, nodes }
}

fn find(script: &str, node: &At<String>, places: &[Place], report: &Report<'_>) -> Option<NodeId> {
    let is_it = |place: &&Place| place.name.short() == node.value || place.name.as_str() == node.value;
    let found = places.iter().find(is_it).map(|place| NodeId::of(&place.name));
    if found.is_none() {
        let names = || places.iter().map(|place| place.name.short());
        let all = format!("the nodes are: {}", listed(names()));
        let advice = match closest(&node.value, names()) {
            Some(name) => format!("\"{name}\" ({all})"),
            None => all,
        };
        report.add(&node.span, format!("script `{script}` is for the unknown node `{}`", node.value), advice);
    }
    found
}
