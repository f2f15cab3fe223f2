//! `taoyao alarms`: what terminals have raised.

use std::cmp::Reverse;

use clap::Args;
use comfy_table::Cell;
use serde::Serialize;
use taoyao_node::report::{AlarmsReport, TerminalAlarm};
use taoyao_types::{NodeName, limits};

use super::{Answer, Whom, tell_silent};
use crate::cli::exit::{Exit, Failed};
use crate::cli::output::{self, counted, local_time, printable};

/// List the alarms that terminals have raised, the newest first
///
/// An alarm is kept in the memory of the node that owns the terminal's partition. Ends with 1 if a node does not answer,
/// or if alarms still wait at other nodes for their owner.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao alarms
  taoyao alarms --node cn --limit 20
  taoyao alarms --json | jq -r '.alarms[] | .terminal + \": \" + .message'")]
pub(crate) struct Alarms {
    /// At most this many
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    #[command(flatten)]
    whom: Whom,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct List {
    alarms: Vec<TerminalAlarm>,
    /// Nodes with alarms that the owners of their partitions do not have yet.
    waiting: Vec<Waiting>,
    /// Nodes that did not answer.
    silent: Vec<NodeName>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Waiting {
    node: NodeName,
    alarms: u64,
}

impl Alarms {
    pub(crate) fn run(self) -> Result<Exit, Failed> {
        let asked = self.whom.load()?;
        // No node keeps more.
        let limit = limits::ALARMS_KEPT.min(self.limit as usize);
        let path = format!("/api/alarms?limit={limit}");
        let answers: Vec<Answer<AlarmsReport>> = self.whom.ask(&asked, &path)?;
        let list = merged(&answers, self.limit);
        if self.whom.format.json {
            output::say_json(&list)?;
        } else {
            output::say(drawn(&list.alarms))?;
            for Waiting { node, alarms } in &list.waiting {
                let alarms = counted(usize::try_from(*alarms).unwrap_or(usize::MAX), "alarm");
                output::complain(format!("{node}: {alarms} not told to the owner of the partition yet"));
            }
            tell_silent(&answers);
        }
        let is_complete = list.waiting.is_empty() && list.silent.is_empty();
        Ok(if is_complete { Exit::Fine } else { Exit::NotWell })
    }
}

/// The alarms of all nodes, the newest first. Each is kept by one node only.
fn merged(answers: &[Answer<AlarmsReport>], limit: u32) -> List {
    let mut list = List { alarms: Vec::new(), waiting: Vec::new(), silent: Vec::new() };
    for answer in answers {
        let Ok(report) = &answer.result else {
            list.silent.push(answer.node.clone());
            continue;
        };
        list.alarms.extend(report.alarms.iter().cloned());
        if report.waiting > 0 {
            list.waiting.push(Waiting { node: answer.node.clone(), alarms: report.waiting });
        }
    }
    // Stable: alarms of one node and millisecond stay in its order.
    list.alarms.sort_by_key(|alarm| Reverse(alarm.raised_at_ms));
    list.alarms.truncate(limit as usize);
    list
}

fn drawn(alarms: &[TerminalAlarm]) -> String {
    if alarms.is_empty() {
        return "no alarms".to_owned();
    }
    let mut table = output::table(&["RAISED", "TERMINAL", "NODE", "MESSAGE"]);
    for alarm in alarms {
        table.add_row([
            Cell::new(local_time(alarm.raised_at_ms)),
            Cell::new(&alarm.terminal),
            Cell::new(&alarm.node),
            Cell::new(printable(&alarm.message)),
        ]);
    }
    format!("{}\n{}", output::drawn(table), counted(alarms.len(), "alarm"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ask::client::AskError;

    fn alarm(raised_at_ms: u64, message: &str) -> TerminalAlarm {
        TerminalAlarm {
            terminal: "cam@sh.east.cn".parse().unwrap(),
            node: "cn/east/sh".parse().unwrap(),
            raised_at_ms,
            message: message.to_owned(),
            terminal_time: None,
        }
    }

    fn answer(node: &str, alarms: Vec<TerminalAlarm>, waiting: u64) -> Answer<AlarmsReport> {
        let report = AlarmsReport { alarms, waiting };
        Answer { node: node.parse().unwrap(), tier: 1, result: Ok(report) }
    }

    #[test]
    fn the_newest_of_all_nodes_come_first_and_what_waits_is_told() {
        let silent = Answer { node: "cn/west".parse().unwrap(), tier: 2, result: Err(AskError::NoListener) };
        let answers = [
            answer("cn", vec![alarm(3, "c"), alarm(1, "a")], 0),
            answer("cn/east", vec![alarm(2, "b")], 4),
            silent,
        ];
        let list = merged(&answers, 2);
        let messages: Vec<&str> = list.alarms.iter().map(|alarm| alarm.message.as_str()).collect();
        assert_eq!(messages, ["c", "b"]);
        assert_eq!(list.waiting, [Waiting { node: "cn/east".parse().unwrap(), alarms: 4 }]);
        assert_eq!(list.silent, ["cn/west".parse::<NodeName>().unwrap()]);
    }

    #[test]
    fn a_message_cannot_write_elsewhere_on_the_screen() {
        let text = drawn(&[alarm(1_685_620_800_000, "smoke\u{1b}[2J\n警报"), alarm(u64::MAX, "x")]);
        assert!(text.contains("smoke\u{fffd}[2J\u{fffd}警报"), "{text:?}");
        assert!(text.contains("2023-0") && text.ends_with("2 alarms"), "{text}");
        assert_eq!(drawn(&[]), "no alarms");
    }
}
