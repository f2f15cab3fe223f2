//! `taoyao terminals`: who is connected, and where.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::Args;
use comfy_table::Cell;
use serde::Serialize;
use taoyao_node::report::{TerminalReport, TerminalsReport};
use taoyao_types::{NodeName, PartitionName, TerminalName};

use super::{Answer, Whom, tell_silent};
use crate::cli::exit::{Exit, Failed};
use crate::cli::input;
use crate::cli::output::{self, age, counted, number, printable};

/// List the terminals that the nodes know, each once
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao terminals
  taoyao terminals --partition sh.east.cn --limit 20
  taoyao terminals --after cam-0999@sh.east.cn      the next page
  taoyao terminals --json | jq -r '.terminals[].name'")]
pub(crate) struct Terminals {
    /// Only terminals of this partition
    #[arg(long, value_name = "PARTITION")]
    partition: Option<PartitionName>,
    /// At most this many
    #[arg(long, value_name = "COUNT", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Only terminals that come after this one
    #[arg(long, value_name = "CLIENT@PARTITION")]
    after: Option<TerminalName>,
    #[command(flatten)]
    whom: Whom,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct List {
    terminals: Vec<TerminalReport>,
    /// Nodes whose terminals may be missing.
    incomplete: Vec<NodeName>,
}

impl Terminals {
    pub(crate) fn run(self) -> Result<Exit, Failed> {
        let asked = self.whom.load()?;
        let partitions = self.partition.iter().chain(self.after.as_ref().map(|after| &after.partition));
        partitions.into_iter().try_for_each(|name| self.whom.check_partition(&asked, name))?;
        let answers: Vec<Answer<TerminalsReport>> = self.whom.ask(&asked, &self.path())?;
        let list = merged(&answers, self.limit);
        let is_complete = list.incomplete.is_empty();
        if self.whom.format.json {
            output::say_json(&list)?;
        } else {
            output::say(drawn(&list.terminals))?;
            self.tell_rest(&list);
            tell_silent(&answers);
        }
        Ok(if is_complete { Exit::Fine } else { Exit::NotWell })
    }

    fn path(&self) -> String {
        let mut path = format!("/api/terminals?limit={}", self.limit);
        if let Some(partition) = &self.partition {
            write!(path, "&partition={partition}").expect("a String takes all");
        }
        if let Some(after) = &self.after {
            write!(path, "&after={}", escaped(&after.to_string())).expect("a String takes all");
        }
        path
    }

    fn tell_rest(&self, list: &List) {
        if !list.incomplete.is_empty() {
            let nodes: Vec<&str> = list.incomplete.iter().map(NodeName::as_str).collect();
            output::complain(format!("terminals of these nodes may be missing: {}", nodes.join(", ")));
        }
        if let Some(last) = list.terminals.last().filter(|_| list.terminals.len() == self.limit as usize) {
            output::complain(format!("there may be more: --after {}", last.name));
        }
    }
}

/// Every terminal once, the newest of its registrations, in the order of their names.
fn merged(answers: &[Answer<TerminalsReport>], limit: u32) -> List {
    let mut newest: BTreeMap<(PartitionName, String), TerminalReport> = BTreeMap::new();
    let mut incomplete: Vec<NodeName> = Vec::new();
    for answer in answers {
        let Ok(report) = &answer.result else {
            incomplete.push(answer.node.clone());
            continue;
        };
        incomplete.extend(report.incomplete.iter().cloned());
        for terminal in &report.terminals {
            let key = (terminal.name.partition.clone(), terminal.name.client.to_string());
            let known = newest.entry(key).or_insert_with(|| terminal.clone());
            if known.registered_at_ms < terminal.registered_at_ms {
                *known = terminal.clone();
            }
        }
    }
    incomplete.sort();
    incomplete.dedup();
    List { terminals: newest.into_values().take(limit as usize).collect(), incomplete }
}

fn drawn(terminals: &[TerminalReport]) -> String {
    if terminals.is_empty() {
        return "no terminals".to_owned();
    }
    let now = input::now().0;
    let mut table = output::table(&["TERMINAL", "NODE", "TYPE", "NAME", "SINCE"]);
    for terminal in terminals {
        table.add_row([
            Cell::new(&terminal.name),
            Cell::new(&terminal.node),
            Cell::new(terminal.client_type.as_deref().unwrap_or("-")),
            Cell::new(printable(terminal.display_name.as_deref().unwrap_or("-"))),
            number(age(now, terminal.registered_at_ms)),
        ]);
    }
    format!("{}\n{}", output::drawn(table), counted(terminals.len(), "terminal"))
}

/// A text as a part of a URL's query (RFC 3986, section 2.1).
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(byte.into()),
            _ => write!(escaped, "%{byte:02X}").expect("a String takes all"),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ask::client::AskError;

    #[test]
    fn a_terminal_that_two_nodes_know_is_listed_where_it_registered_last() {
        let old = terminal("ann@sh.east.cn", "cn/east/sh", 1_000);
        let new = terminal("ann@sh.east.cn", "cn/north/bj", 2_000);
        let other = terminal("bob@bj.north.cn", "cn/north/bj", 1_500);
        let list = merged(&[answer("cn", vec![new, other]), answer("cn/east/sh", vec![old])], 10);
        let shown: Vec<(String, &str)> =
            list.terminals.iter().map(|t| (t.name.to_string(), t.node.as_str())).collect();
        assert_eq!(
            shown,
            [("bob@bj.north.cn".to_owned(), "cn/north/bj"), ("ann@sh.east.cn".to_owned(), "cn/north/bj")]
        );
        assert!(list.incomplete.is_empty());
    }

    #[test]
    fn silent_nodes_are_named_and_the_limit_holds_for_all_together() {
        let silent =
            Answer { node: "cn/east/hz".parse().unwrap(), tier: 3, result: Err(AskError::NoListener) };
        let many = vec![terminal("a@cn", "cn", 1), terminal("b@cn", "cn", 1), terminal("c@cn", "cn", 1)];
        let list = merged(&[answer("cn", many), silent], 2);
        assert_eq!(list.terminals.len(), 2);
        assert_eq!(list.incomplete, ["cn/east/hz".parse::<NodeName>().unwrap()]);
    }

    #[test]
    fn any_client_id_survives_a_query() {
        assert_eq!(escaped("cam 7&é@sh.east.cn"), "cam%207%26%C3%A9%40sh.east.cn");
    }

    fn answer(node: &str, terminals: Vec<TerminalReport>) -> Answer<TerminalsReport> {
        let report = TerminalsReport { terminals, incomplete: Vec::new() };
        Answer { node: node.parse().unwrap(), tier: 1, result: Ok(report) }
    }

    fn terminal(name: &str, node: &str, registered_at_ms: u64) -> TerminalReport {
        let registered_at_ms = Some(registered_at_ms);
        TerminalReport {
            name: name.parse().unwrap(),
            node: node.parse().unwrap(),
            display_name: None,
            client_type: Some("WEB".to_owned()),
            registered_at_ms,
        }
    }
}
