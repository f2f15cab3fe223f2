//! `taoyao links`: the links between nodes, each once, as its two ends see it.

use std::collections::BTreeMap;

use clap::Args;
use comfy_table::Cell;
use serde::Serialize;
use taoyao_node::report::{LinkReport, LinksReport};
use taoyao_types::NodeName;

use super::{Answer, Whom, tell_silent};
use crate::cli::exit::{Exit, Failed};
use crate::cli::output::{self, bytes, number, short_time, verdict};

/// List the links between nodes: up, synced, round trip, traffic
///
/// A link is shown once, from the lower node to its parent. If its two ends disagree (one has not noticed yet that the
/// other is gone) the worse of the two is shown. Ends with 1 if a link is not synced.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao links
  taoyao links --node cn                        only those of the root
  taoyao links --json | jq '.links[] | select(.state != \"synced\")'")]
pub(crate) struct Links {
    #[command(flatten)]
    whom: Whom,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct List {
    links: Vec<Link>,
    silent: Vec<Silent>,
}

/// A node that did not answer.
#[derive(Debug, Serialize)]
struct Silent {
    node: NodeName,
    error: String,
}

/// One link; the two views are what its ends said, absent for an end that was not asked or did not answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Link {
    lower: NodeName,
    upper: NodeName,
    state: State,
    lower_view: Option<LinkReport>,
    upper_view: Option<LinkReport>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Down,
    Up,
    Synced,
}

impl Links {
    pub(crate) fn run(self) -> Result<Exit, Failed> {
        let asked = self.whom.load()?;
        let answers: Vec<Answer<LinksReport>> = self.whom.ask(&asked, "/api/links")?;
        let links = joined(&answers);
        let is_well = links.iter().all(|link| link.state == State::Synced);
        if self.whom.format.json {
            output::say_json(&List { links, silent: silent(&answers) })?;
        } else {
            output::say(drawn(&links))?;
            for (link, reason) in links.iter().filter_map(|link| Some((link, link.reason()?))) {
                output::complain(format!("{} → {}: {reason}", link.lower, link.upper));
            }
            tell_silent(&answers);
        }
        let all_answered = answers.iter().all(|answer| answer.result.is_ok());
        Ok(if is_well && all_answered { Exit::Fine } else { Exit::NotWell })
    }
}

/// Brings the views of both ends of each link together.
fn joined(answers: &[Answer<LinksReport>]) -> Vec<Link> {
    let mut links: BTreeMap<(NodeName, NodeName), Link> = BTreeMap::new();
    for answer in answers {
        let Ok(report) = &answer.result else { continue };
        for view in &report.links {
            let (own, peer) = (report.node.clone(), view.peer.clone());
            let (lower, upper) = if view.is_parent { (own, peer) } else { (peer, own) };
            let link = links.entry((lower.clone(), upper.clone())).or_insert_with(|| Link {
                lower,
                upper,
                state: State::Synced,
                lower_view: None,
                upper_view: None,
            });
            link.state = link.state.min(state(view));
            let side = if view.is_parent { &mut link.lower_view } else { &mut link.upper_view };
            *side = Some(view.clone());
        }
    }
    links.into_values().collect()
}

fn state(view: &LinkReport) -> State {
    match (view.is_up, view.is_synced) {
        (false, _) => State::Down,
        (true, false) => State::Up,
        (true, true) => State::Synced,
    }
}

impl Link {
    /// The lower end's view, else the upper's.
    fn view(&self) -> Option<&LinkReport> {
        self.lower_view.as_ref().or(self.upper_view.as_ref())
    }

    /// Why it is down, said by the end that knows.
    fn reason(&self) -> Option<&str> {
        let views = [&self.lower_view, &self.upper_view];
        let mut reasons = views.into_iter().flatten().filter(|view| !view.is_up);
        reasons.next().map(|view| view.reason.as_str()).filter(|reason| !reason.is_empty())
    }

    /// Bytes towards the upper node and towards the lower one.
    fn traffic(&self) -> (u64, u64) {
        match (&self.lower_view, &self.upper_view) {
            (Some(view), _) => (view.sent_bytes, view.received_bytes),
            (None, Some(view)) => (view.received_bytes, view.sent_bytes),
            (None, None) => (0, 0),
        }
    }

    fn queued_bytes(&self) -> u64 {
        [&self.lower_view, &self.upper_view].into_iter().flatten().map(|view| view.queued_bytes).sum()
    }
}

fn silent(answers: &[Answer<LinksReport>]) -> Vec<Silent> {
    let of = |answer: &Answer<LinksReport>| {
        let error = answer.result.as_ref().err()?.to_string();
        Some(Silent { node: answer.node.clone(), error })
    };
    answers.iter().filter_map(of).collect()
}

fn drawn(links: &[Link]) -> String {
    if links.is_empty() {
        return "no links: the mesh has one node, or only such nodes were asked that have none".to_owned();
    }
    let mut table = output::table(&["LOWER", "UPPER", "STATE", "ROUND TRIP", "UP", "DOWN", "QUEUED"]);
    for link in links {
        let word = match link.state {
            State::Synced => "synced",
            State::Up => "up, not synced",
            State::Down => "down",
        };
        let round_trip = link.view().and_then(|view| view.round_trip_us);
        let (up, down) = link.traffic();
        table.add_row([
            Cell::new(&link.lower),
            Cell::new(&link.upper),
            verdict(word, link.state == State::Synced),
            number(round_trip.map_or_else(|| "-".to_owned(), short_time)),
            number(bytes(up)),
            number(bytes(down)),
            number(bytes(link.queued_bytes())),
        ]);
    }
    output::drawn(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_views_of_one_link_become_one_and_the_worse_counts() {
        let lower = answer("cn/east", vec![view("cn", true, true, 100, 7)]);
        let upper = answer("cn", vec![view("cn/east", false, false, 7, 90)]);
        let links = joined(&[upper, lower]);
        assert_eq!(links.len(), 1);
        assert_eq!((links[0].lower.as_str(), links[0].upper.as_str()), ("cn/east", "cn"));
        assert_eq!(links[0].state, State::Down);
        assert_eq!(links[0].reason(), Some("silent for 5 s"));
        assert_eq!(links[0].traffic(), (100, 7));
    }

    #[test]
    fn one_view_is_enough_and_knows_its_direction() {
        let links = joined(&[answer("cn", vec![view("cn/east", false, true, 7, 90)])]);
        assert_eq!((links[0].state, links[0].traffic(), links[0].reason()), (State::Synced, (90, 7), None));
        assert!(drawn(&links).contains("1.20 ms"));
    }

    fn answer(node: &str, links: Vec<LinkReport>) -> Answer<LinksReport> {
        let node: NodeName = node.parse().unwrap();
        Answer { node: node.clone(), tier: 1, result: Ok(LinksReport { node, links }) }
    }

    fn view(peer: &str, is_parent: bool, is_up: bool, sent_bytes: u64, received_bytes: u64) -> LinkReport {
        LinkReport {
            peer: peer.parse().unwrap(),
            is_parent,
            is_up,
            is_synced: is_up,
            reason: if is_up { String::new() } else { "silent for 5 s".to_owned() },
            round_trip_us: is_up.then_some(1_200),
            sent_bytes,
            received_bytes,
            queued_bytes: 0,
        }
    }
}
