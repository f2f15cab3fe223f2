//! `taoyao status`: how every node of the mesh is.

use std::time::Duration;

use clap::Args;
use comfy_table::Cell;
use serde::Serialize;
use taoyao_node::report::StatusReport;

use super::{Answer, Whom, tell_silent};
use crate::cli::exit::{Exit, Failed};
use crate::cli::output::{self, long_time, number, verdict};

/// Tell how the nodes are: ready or what is missing, terminals, links
///
/// Ends with 0 if every node that was asked is ready, with 1 if one is not or does not answer, with 69 if none answers.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao status
  taoyao status --node sh --topology topology/seven.toml
  taoyao status --json | jq '.[] | select(.error) | .node'")]
pub(crate) struct Status {
    #[command(flatten)]
    whom: Whom,
}

/// One node in `--json`: its report, or why there is none.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    node: &'a str,
    tier: usize,
    status: Option<&'a StatusReport>,
    error: Option<String>,
}

impl Status {
    pub(crate) fn run(self) -> Result<Exit, Failed> {
        let topology = self.whom.load()?;
        let answers: Vec<Answer<StatusReport>> = self.whom.ask(&topology, "/api/status")?;
        if self.whom.format.json {
            output::say_json(&answers.iter().map(entry).collect::<Vec<_>>())?;
            return Ok(exit(&answers));
        }
        output::say(drawn(&answers))?;
        for report in answers.iter().filter_map(|answer| answer.result.as_ref().ok()) {
            for what in &report.not_ready {
                output::complain(format!("{}: not ready: {what}", report.node));
            }
        }
        tell_silent(&answers);
        Ok(exit(&answers))
    }
}

fn exit(answers: &[Answer<StatusReport>]) -> Exit {
    let is_well = |answer: &Answer<StatusReport>| {
        answer.result.as_ref().is_ok_and(|report| report.not_ready.is_empty())
    };
    if answers.iter().all(is_well) { Exit::Fine } else { Exit::NotWell }
}

fn entry(answer: &Answer<StatusReport>) -> Entry<'_> {
    Entry {
        node: answer.node.as_str(),
        tier: answer.tier,
        status: answer.result.as_ref().ok(),
        error: answer.result.as_ref().err().map(ToString::to_string),
    }
}

fn drawn(answers: &[Answer<StatusReport>]) -> String {
    let mut table = output::table(&[
        "NODE",
        "TIER",
        "STATE",
        "UP FOR",
        "TERMINALS",
        "KNOWS",
        "ALARMS",
        "LINKS",
        "VERSION",
    ]);
    for answer in answers {
        let name = Cell::new(&answer.node);
        match &answer.result {
            Ok(report) => table.add_row([vec![name], row(report)].concat()),
            Err(_) => table.add_row([name, number(answer.tier), verdict("no answer", false)]),
        };
    }
    output::drawn(table)
}

fn row(report: &StatusReport) -> Vec<Cell> {
    let is_ready = report.not_ready.is_empty();
    let synced = report.links.iter().filter(|link| link.is_synced).count();
    let links = format!("{synced} of {} synced", report.links.len());
    vec![
        number(report.tier),
        verdict(if is_ready { "ready" } else { "not ready" }, is_ready),
        number(long_time(Duration::from_secs(report.uptime_seconds))),
        number(report.terminals),
        number(report.directory_records),
        number(report.alarms),
        verdict(links, synced == report.links.len()),
        Cell::new(&report.version),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ask::client::AskError;

    fn answer(node: &str, not_ready: &[&str]) -> Answer<StatusReport> {
        let report = StatusReport {
            node: node.parse().unwrap(),
            org: "demo".to_owned(),
            tier: 1,
            partitions: vec!["cn".parse().unwrap()],
            version: "0.1.0".to_owned(),
            generation: 1,
            epoch: 7,
            uptime_seconds: 61,
            not_ready: not_ready.iter().map(ToString::to_string).collect(),
            terminals: 3,
            directory_records: 12,
            alarms: 2,
            links: Vec::new(),
        };
        Answer { node: report.node.clone(), tier: 1, result: Ok(report) }
    }

    #[test]
    fn one_node_that_is_not_ready_or_silent_makes_the_whole_not_well() {
        assert_eq!(exit(&[answer("cn", &[]), answer("cn/east", &[])]), Exit::Fine);
        assert_eq!(
            exit(&[answer("cn", &[]), answer("cn/east", &["the parent link is down"])]),
            Exit::NotWell
        );
        let silent = Answer { node: "cn/east".parse().unwrap(), tier: 2, result: Err(AskError::NoListener) };
        let answers = [answer("cn", &[]), silent];
        assert_eq!(exit(&answers), Exit::NotWell);
        let text = anstream::adapter::strip_str(&drawn(&answers)).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].contains("ready") && lines[1].contains("1m 01s"), "{text}");
        assert!(lines[2].contains("no answer"), "{text}");
    }

    #[test]
    fn json_has_a_report_or_an_error_for_every_node() {
        let silent = Answer { node: "cn/east".parse().unwrap(), tier: 2, result: Err(AskError::NoListener) };
        let answers = [answer("cn", &[]), silent];
        let json = serde_json::to_value(answers.iter().map(entry).collect::<Vec<_>>()).unwrap();
        assert_eq!(json[0]["status"]["terminals"], 3);
        assert!(json[0]["error"].is_null() && json[1]["status"].is_null());
        assert!(json[1]["error"].as_str().unwrap().contains("admin"));
    }
}
