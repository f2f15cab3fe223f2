//! `taoyao trace FROM TO`: the way of a signal between two terminals, hop by hop, and the way of its answer.

use clap::Args;
use comfy_table::Cell;
use serde::Serialize;
use taoyao_node::report::{TraceReport, TraceRequest};
use taoyao_topology::Topology;
use taoyao_types::{NodeId, NodeName, PartitionId, TerminalName};

use super::asked::{Asked, Target};
use super::client::AskError;
use super::{Answer, Whom, block_on};
use crate::cli::exit::{Exit, Failed};
use crate::cli::output::{self, STRONG, counted, number, painted, short_time};

/// Trace the way of a signal between two terminals: each hop, its time, the way back
///
/// A small request really goes from the node of FROM to the node of TO and back; the terminals notice nothing. Times
/// are round trips: the time of a link is the difference between what its two ends measured. Any node can be asked;
/// without --node the nodes of FROM's partition come first.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao trace ann@sh.east.cn bob@bj.north.cn
  taoyao trace ann@sh.east.cn bob@bj.north.cn --json | jq '.total_round_trip_us'")]
pub(crate) struct Trace {
    /// The terminal where the signal starts, clientId@partition
    from: TerminalName,
    /// The terminal where it goes
    to: TerminalName,
    #[command(flatten)]
    whom: Whom,
}

/// A trace as `--json` prints it.
#[derive(Debug, PartialEq, Serialize)]
struct Way {
    from: TerminalName,
    to: TerminalName,
    /// The node that was asked to trace.
    asked: NodeName,
    total_round_trip_us: u64,
    /// From the node of `from` to that of `to`.
    there: Vec<Hop>,
    /// From the node of `to` to that of `from`.
    back: Vec<NodeName>,
    /// The answer passed the same nodes as the request.
    same_way_back: bool,
}

/// One node on the way there. Times are absent at the first node, and where the answer did not pass.
#[derive(Debug, PartialEq, Serialize)]
struct Hop {
    node: NodeName,
    tier: Option<usize>,
    /// Of the link that leads here from the hop before.
    link_round_trip_us: Option<u64>,
    /// From the first node to here and back.
    round_trip_us: Option<u64>,
}

impl Trace {
    pub(crate) fn run(self) -> Result<Exit, Failed> {
        let asked = self.whom.load()?;
        for terminal in [&self.from, &self.to] {
            self.whom.check_partition(&asked, &terminal.partition)?;
        }
        let (node, report) = block_on(self.ask_first_that_answers(self.askable(&asked)?))??;
        let way = self.way(asked.topology(), node, &report);
        if self.whom.format.json {
            output::say_json(&way)?;
        } else {
            output::say(drawn(&way))?;
        }
        Ok(Exit::Fine)
    }

    /// The nodes to try, those that are likely to have the first terminal before the others.
    fn askable(&self, asked: &Asked) -> Result<Vec<Target>, Failed> {
        let mut targets = self.whom.targets(asked)?;
        let partition = PartitionId::of(&self.from.partition);
        let home = asked.topology().and_then(|topology| topology.partition(partition));
        targets
            .sort_by_key(|target| !home.is_some_and(|home| home.servers.contains(&NodeId::of(&target.node))));
        Ok(targets)
    }

    async fn ask_first_that_answers(&self, targets: Vec<Target>) -> Result<(NodeName, TraceReport), Failed> {
        let request = TraceRequest { from: self.from.clone(), to: self.to.clone() };
        let mut silent: Vec<Answer<()>> = Vec::new();
        for Target { node, tier, admin } in targets {
            let answer = match admin {
                Ok(admin) => admin.post("/api/trace", &request).await,
                Err(error) => Err(error),
            };
            match answer {
                Ok(report) => return Ok((node, report)),
                Err(error) if error.is_silence() => {
                    silent.push(Answer { node, tier, result: Err(error) });
                }
                Err(refused) => return Err(self.untraceable(&refused)),
            }
        }
        Err(self.whom.all_silent(silent))
    }

    fn untraceable(&self, refused: &AskError) -> Failed {
        let what = match refused {
            AskError::Refused { message, .. } => message.clone(),
            other => other.to_string(),
        };
        Failed::new(refused.exit(), format!("no way from {} to {}: {what}", self.from, self.to))
    }

    fn way(&self, topology: Option<&Topology>, asked: NodeName, report: &TraceReport) -> Way {
        let measured =
            |node: &NodeName| report.back.iter().find(|hop| hop.node == *node).map(|hop| hop.round_trip_us);
        let total = report.there.first().and_then(measured).unwrap_or(0);
        let mut there: Vec<Hop> = Vec::with_capacity(report.there.len());
        for (index, node) in report.there.iter().enumerate() {
            let before = index.checked_sub(1).and_then(|before| measured(&report.there[before]));
            let here = measured(node).filter(|_| index > 0);
            there.push(Hop {
                node: node.clone(),
                tier: topology.and_then(|topology| topology.by_name(node.as_str())).map(|node| node.tier),
                link_round_trip_us: before.zip(here).map(|(before, here)| before.saturating_sub(here)),
                round_trip_us: here.map(|here| total.saturating_sub(here)),
            });
        }
        let back: Vec<NodeName> = report.back.iter().map(|hop| hop.node.clone()).collect();
        let same_way_back = back.iter().rev().eq(&report.there) || report.there.len() < 2;
        let (from, to) = (self.from.clone(), self.to.clone());
        Way { from, to, asked, total_round_trip_us: total, there, back, same_way_back }
    }
}

fn drawn(way: &Way) -> String {
    let links = way.there.len().saturating_sub(1);
    let head = format!(
        "{} → {}: {}, {}, {} there and back",
        way.from,
        way.to,
        counted(way.there.len(), "node"),
        counted(links, "link"),
        painted(STRONG, short_time(way.total_round_trip_us))
    );
    let mut table = output::table(&["#", "NODE", "TIER", "LINK", "TO HERE AND BACK"]);
    let time = |us: Option<u64>| number(us.map_or_else(|| "-".to_owned(), short_time));
    for (index, hop) in way.there.iter().enumerate() {
        table.add_row([
            number(index + 1),
            Cell::new(&hop.node),
            number(hop.tier.map_or_else(|| "?".to_owned(), |tier| tier.to_string())),
            time(hop.link_round_trip_us),
            time(hop.round_trip_us),
        ]);
    }
    let back: Vec<&str> = way.back.iter().map(NodeName::as_str).collect();
    let back = match (back.is_empty(), way.same_way_back) {
        (true, _) => "both terminals are at this node".to_owned(),
        (false, true) => format!("back the same way: {}", back.join(" → ")),
        (false, false) => format!("back by another way: {}", back.join(" → ")),
    };
    format!("{head}\n\n{}\n\n{back}", output::drawn(table))
}

#[cfg(test)]
mod tests {
    use taoyao_node::report::BackHop;

    use super::*;

    const FIVE: [&str; 5] = ["cn/east/sh", "cn/east", "cn", "cn/north", "cn/north/bj"];

    #[test]
    fn the_time_of_a_link_is_the_difference_between_its_two_ends() {
        let way = way(
            &FIVE,
            &[("cn/north/bj", 0), ("cn/north", 90), ("cn", 190), ("cn/east", 300), ("cn/east/sh", 420)],
        );
        assert_eq!(way.total_round_trip_us, 420);
        let links: Vec<Option<u64>> = way.there.iter().map(|hop| hop.link_round_trip_us).collect();
        assert_eq!(links, [None, Some(120), Some(110), Some(100), Some(90)]);
        let reached: Vec<Option<u64>> = way.there.iter().map(|hop| hop.round_trip_us).collect();
        assert_eq!(reached, [None, Some(120), Some(230), Some(330), Some(420)]);
        assert!(way.same_way_back);
        assert_eq!(way.there.iter().filter_map(|hop| hop.tier).collect::<Vec<_>>(), [3, 2, 1, 2, 3]);
    }

    #[test]
    fn five_hops_are_five_lines() {
        let text = drawn(&way(
            &FIVE,
            &[("cn/north/bj", 0), ("cn/north", 90), ("cn", 190), ("cn/east", 300), ("cn/east/sh", 420)],
        ));
        let text = anstream::adapter::strip_str(&text).to_string();
        assert!(
            text.starts_with("ann@sh.east.cn → bob@bj.north.cn: 5 nodes, 4 links, 420 µs there and back\n"),
            "{text}"
        );
        assert_eq!(
            text.lines().filter(|line| line.trim_start().starts_with(char::is_numeric)).count(),
            5,
            "{text}"
        );
        assert!(
            text.ends_with("back the same way: cn/north/bj → cn/north → cn → cn/east → cn/east/sh"),
            "{text}"
        );
    }

    #[test]
    fn another_way_back_is_told_and_leaves_times_open() {
        let way = way(&FIVE, &[("cn/north/bj", 0), ("cn", 190), ("cn/east", 300), ("cn/east/sh", 420)]);
        assert!(!way.same_way_back);
        assert_eq!(way.there[3].link_round_trip_us, None);
        assert_eq!(way.there[4].round_trip_us, Some(420));
        assert!(drawn(&way).contains("back by another way"));
    }

    #[test]
    fn two_terminals_of_one_node_need_no_link() {
        let way = way(&["cn/east/sh"], &[]);
        assert!(drawn(&way).contains("1 node, 0 links"));
        assert!(drawn(&way).ends_with("both terminals are at this node"));
    }

    fn way(there: &[&str], back: &[(&str, u64)]) -> Way {
        let demo = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../topology/demo.toml");
        let topology = crate::cli::input::load(&demo).unwrap();
        let line = ["trace", "ann@sh.east.cn", "bob@bj.north.cn"];
        let trace = <Line as clap::Parser>::parse_from(line).trace;
        let report = TraceReport {
            there: there.iter().map(|node| node.parse().unwrap()).collect(),
            back: back
                .iter()
                .map(|(node, us)| BackHop { node: node.parse().unwrap(), round_trip_us: *us })
                .collect(),
        };
        trace.way(Some(&topology), there[0].parse().unwrap(), &report)
    }

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        trace: Trace,
    }
}
