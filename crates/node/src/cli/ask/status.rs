//! `taoyao status`: how every node of the mesh is.

use std::io::{self, IsTerminal};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use comfy_table::Cell;
use serde::Serialize;
use taoyao_node::REMIND_BEFORE;
use taoyao_node::report::{CertificateReport, StatusReport};

use super::asked::Asked;
use super::{Answer, Whom, tell_silent};
use crate::cli::exit::{Exit, Failed};
use crate::cli::input;
use crate::cli::output::{self, counted, local_time, long_time, number, verdict};

/// Between two looks of `--wait`, and of `--watch`.
const WAIT_EVERY: Duration = Duration::from_millis(500);
const WATCH_EVERY: Duration = Duration::from_secs(2);
/// Takes the cursor to the upper left corner of an empty screen.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// Tell how the nodes are: ready or what is missing, terminals, links, certificates
///
/// Ends with 0 if every node that was asked is ready, with 1 if one is not, does not answer or shows a certificate that
/// is over, with 69 if none answers.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao status
  taoyao status --wait 60                       as soon as all are ready; in a minute as they are
  taoyao status --watch
  taoyao status --node sh --topology topology/seven.toml
  taoyao status --json | jq '.[] | select(.error) | .node'")]
pub(crate) struct Status {
    /// Wait until every node that is asked is ready, so many seconds at most
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    wait: Option<u64>,
    /// Show it anew every two seconds, until Ctrl-C
    #[arg(long, conflicts_with = "wait")]
    watch: bool,
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
        let asked = self.whom.load()?;
        if self.watch {
            return self.watch(&asked);
        }
        let answers = self.waited(&asked)?;
        self.tell(&answers)?;
        Ok(exit(&answers))
    }

    fn ask(&self, asked: &Asked) -> Result<Vec<Answer<StatusReport>>, Failed> {
        self.whom.ask(asked, "/api/status")
    }

    /// The answers when all is well, or when the time is over.
    fn waited(&self, asked: &Asked) -> Result<Vec<Answer<StatusReport>>, Failed> {
        let end = Instant::now() + Duration::from_secs(self.wait.unwrap_or_default());
        loop {
            let answers = self.ask(asked);
            let is_well = answers.as_ref().is_ok_and(|answers| exit(answers) == Exit::Fine);
            // What waiting does not mend is told at once.
            let is_final = answers.as_ref().is_err_and(|failed| failed.exit != Exit::Unreachable);
            if is_well || is_final || Instant::now() >= end {
                return answers;
            }
            sleep(WAIT_EVERY);
        }
    }

    /// Ends when nobody reads any longer.
    fn watch(&self, asked: &Asked) -> Result<Exit, Failed> {
        loop {
            let answers = match self.ask(asked) {
                Err(failed) if failed.exit == Exit::Unreachable => Err(failed),
                answers => Ok(answers?),
            };
            if io::stdout().is_terminal() && !self.whom.format.json && !output::say_on(CLEAR)? {
                return Ok(Exit::Fine);
            }
            match answers {
                Ok(answers) if !self.tell(&answers)? => return Ok(Exit::Fine),
                Ok(_) => {}
                Err(failed) => failed.tell(),
            }
            sleep(WATCH_EVERY);
        }
    }

    /// Shows the answers; `false` when nobody reads.
    fn tell(&self, answers: &[Answer<StatusReport>]) -> Result<bool, Failed> {
        if self.whom.format.json {
            return output::say_on(output::json(&answers.iter().map(entry).collect::<Vec<_>>()));
        }
        let has_reader = output::say_on(drawn(answers))?;
        for report in answers.iter().filter_map(|answer| answer.result.as_ref().ok()) {
            for what in &report.not_ready {
                output::complain(format!("{}: not ready: {what}", report.node));
            }
            for what in report.certificates.iter().filter_map(|certificate| due(certificate, input::now().0))
            {
                output::complain(format!("{}: {what}", report.node));
            }
        }
        tell_silent(answers);
        Ok(has_reader)
    }
}

/// What to say of a certificate that somebody has to renew.
fn due(certificate: &CertificateReport, now_ms: u64) -> Option<String> {
    let CertificateReport { kind, path, not_after_ms } = certificate;
    let left = Duration::from_millis(not_after_ms.saturating_sub(now_ms));
    let until = local_time(*not_after_ms);
    if left.is_zero() {
        return Some(format!(
            "the {kind} certificate is over since {until}: renew {path} and restart the node"
        ));
    }
    let days = counted(usize::try_from(left.as_secs() / 86_400).unwrap_or(usize::MAX), "day");
    (left < REMIND_BEFORE).then(|| {
        format!("the {kind} certificate is over in {days}, {until}: renew {path} and restart the node")
    })
}

fn is_over(report: &StatusReport, now_ms: u64) -> bool {
    report.certificates.iter().any(|certificate| certificate.not_after_ms <= now_ms)
}

fn exit(answers: &[Answer<StatusReport>]) -> Exit {
    let now = input::now().0;
    let is_well = |answer: &Answer<StatusReport>| {
        answer.result.as_ref().is_ok_and(|report| report.not_ready.is_empty() && !is_over(report, now))
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
        "CERTIFICATES",
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
        certificates(report, input::now().0),
        Cell::new(&report.version),
    ]
}

/// How long the first of them that ends is good for.
fn certificates(report: &StatusReport, now_ms: u64) -> Cell {
    let first = report.certificates.iter().map(|certificate| certificate.not_after_ms).min();
    let Some(left_ms) = first.map(|end| end.saturating_sub(now_ms)) else { return Cell::new("-") };
    let text = if left_ms == 0 { "over".to_owned() } else { long_time(Duration::from_millis(left_ms)) };
    verdict(text, u128::from(left_ms) >= REMIND_BEFORE.as_millis())
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
            clock_ahead_ms: 0,
            not_ready: not_ready.iter().map(ToString::to_string).collect(),
            terminals: 3,
            directory_records: 12,
            alarms: 2,
            links: Vec::new(),
            certificates: Vec::new(),
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
    fn a_certificate_is_spoken_of_in_time_and_one_that_is_over_is_not_well() {
        let day = 86_400_000;
        let of = |not_after_ms| CertificateReport {
            kind: "link".to_owned(),
            path: "certs/nodes/sh.crt".to_owned(),
            not_after_ms,
        };
        let now = input::now().0;
        assert_eq!(due(&of(now + 31 * day), now), None);
        let soon = due(&of(now + 12 * day + 1), now).unwrap();
        assert!(soon.starts_with("the link certificate is over in 12 days, 2"), "{soon}");
        assert!(due(&of(now), now).unwrap().contains("is over since 2"));

        let mut with = answer("cn", &[]);
        with.result.as_mut().unwrap().certificates = vec![of(now + 300 * day), of(now + 40 * day + 5_000)];
        let text = anstream::adapter::strip_str(&drawn(std::slice::from_ref(&with))).to_string();
        assert!(text.contains("40d 0h"), "{text}");
        assert_eq!(exit(std::slice::from_ref(&with)), Exit::Fine);
        with.result.as_mut().unwrap().certificates.push(of(now - 1));
        assert_eq!(exit(&[with]), Exit::NotWell);
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
