//! `taoyao bench`: measures a mesh of processes, one node, or its media forwarder, on this machine and compares with the targets.

use std::env;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{Args, Subcommand, ValueEnum};
use comfy_table::Cell;
use taoyao_node::bench::{self, Figure, Part, Plan, Report, Target, Unit, Verdict};

use super::exit::{Exit, Failed};
use super::output::{self, number, verdict};

/// Measure on this machine
#[derive(Debug, Args)]
pub(crate) struct BenchCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Mesh(MeshBench),
    Node(NodeBench),
    Sfu(SfuBench),
    /// The other ends of idle consumers, for `bench sfu`
    #[command(hide = true)]
    SfuEnds,
}

/// Measure a mesh of real processes: latency, throughput, memory
///
/// Starts nodes on free ports of this machine, with QUIC between them and terminals over TLS at their ends, and ends them
/// again. Takes up to four minutes. Close other programs first: every figure gets worse when others compute.
/// Ends with 1 if a target is missed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao bench mesh
  taoyao bench mesh --quick --only chain3,middle
  taoyao bench mesh --json")]
struct MeshBench {
    /// Measure only these parts
    #[arg(long, value_name = "PART", value_delimiter = ',', num_args = 1..)]
    only: Vec<MeshPart>,
    #[command(flatten)]
    how: How,
}

/// Measure one node: unicasts between two terminals
///
/// Starts a node on free ports of this machine with two terminals over TLS, lets them send as fast as they can and then
/// 30,000 in a second, does the same with nats-server, and shows the ratios. Takes about a minute.
/// Ends with 1 if a target is missed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao bench node
  taoyao bench node --quick --only unicast
  taoyao bench node --json")]
struct NodeBench {
    /// Measure only these parts
    #[arg(long, value_name = "PART", value_delimiter = ',', num_args = 1..)]
    only: Vec<NodePart>,
    #[command(flatten)]
    how: How,
}

/// Measure the media forwarder: processor time of a packet, and how long it takes
///
/// Runs the forwarder in this process with one worker, one producer and up to 200 consumers over ICE, DTLS and SRTP on
/// loopback, and beside it the floor: a program that only opens, seals and sends. Takes about ten minutes.
/// Ends with 1 if a target is missed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao bench sfu
  taoyao bench sfu --quick --only forward
  taoyao bench sfu --churn 30
  taoyao bench sfu --json")]
struct SfuBench {
    /// Measure only these parts
    #[arg(long, value_name = "PART", value_delimiter = ',', num_args = 1..)]
    only: Vec<SfuPart>,
    /// Instead let members of a room come, go, mute and change layers for so long at 3 % loss, and look at what is left behind
    #[arg(long, value_name = "MINUTES", conflicts_with = "only")]
    churn: Option<u16>,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Args)]
struct How {
    /// Fewer samples: faster, and less exact
    #[arg(long)]
    quick: bool,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// What `--only` takes of a mesh.
#[derive(Debug, Clone, Copy)]
struct MeshPart(Part);

impl ValueEnum for MeshPart {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [MeshPart; Part::MESH.len()] = [
            MeshPart(Part::Chain3),
            MeshPart(Part::Chain5),
            MeshPart(Part::Middle),
            MeshPart(Part::Records),
            MeshPart(Part::Idle),
            MeshPart(Part::Nats),
        ];
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name()))
    }
}

/// What `--only` takes of a node.
#[derive(Debug, Clone, Copy)]
struct NodePart(Part);

impl ValueEnum for NodePart {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [NodePart; Part::NODE.len()] = [NodePart(Part::Unicast), NodePart(Part::NatsOne)];
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name()))
    }
}

/// What `--only` takes of the media forwarder.
#[derive(Debug, Clone, Copy)]
struct SfuPart(Part);

impl ValueEnum for SfuPart {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [SfuPart; Part::SFU.len()] = [
            SfuPart(Part::Forward),
            SfuPart(Part::Saturated),
            SfuPart(Part::Delay),
            SfuPart(Part::IdleConsumers),
        ];
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name()))
    }
}

impl BenchCommand {
    pub(crate) fn run(self) -> Result<Exit, Failed> {
        match self.what {
            What::Mesh(MeshBench { only, how }) => {
                how.run(only.iter().map(|part| part.0).collect(), &Part::MESH)
            }
            What::Node(NodeBench { only, how }) => {
                how.run(only.iter().map(|part| part.0).collect(), &Part::NODE)
            }
            What::Sfu(SfuBench { churn: Some(minutes), how, .. }) => how.churn(minutes),
            What::SfuEnds => {
                bench::run_ends().map_err(|error| Failed::new(Exit::Io, error.to_string()))?;
                Ok(Exit::Fine)
            }
            What::Sfu(SfuBench { only, how, .. }) => {
                how.run(only.iter().map(|part| part.0).collect(), &Part::SFU)
            }
        }
    }
}

impl How {
    /// Measures the parts that were chosen, or all there are.
    fn run(self, only: Vec<Part>, all: &[Part]) -> Result<Exit, Failed> {
        let program = env::current_exe()
            .map_err(|error| Failed::new(Exit::Io, format!("this program's own file: {error}")))?;
        let parts = if only.is_empty() { all.to_vec() } else { only };
        let plan = Plan { program, parts, is_quick: self.quick };
        self.show(&bench::run(&plan, |part| output::note(format!("measuring {}", part.name()))))
    }

    fn churn(self, minutes: u16) -> Result<Exit, Failed> {
        self.show(&bench::churn(Duration::from_secs(60 * u64::from(minutes)), output::note))
    }

    fn show(self, report: &Report) -> Result<Exit, Failed> {
        if self.json {
            output::say_json(report)?;
        } else {
            tell(report)?;
        }
        let is_well = report.skipped.is_empty()
            && report.figures.iter().all(|figure| figure.verdict != Verdict::Missed);
        Ok(if is_well { Exit::Fine } else { Exit::NotWell })
    }
}

fn tell(report: &Report) -> Result<(), Failed> {
    let machine = &report.machine;
    output::say(format!("{} cores, {}, load {:.1}\n", machine.cores, machine.processor, machine.load_1m))?;
    let mut table = output::table(&["FIGURE", "MEASURED", "TARGET", ""]);
    for figure in &report.figures {
        table.add_row(row(figure));
    }
    output::say(output::drawn(table))?;
    for skipped in &report.skipped {
        output::complain(format!("not measured: {skipped}"));
    }
    Ok(())
}

fn row(figure: &Figure) -> Vec<Cell> {
    let show = |value| shown(value, figure.unit);
    let target = match figure.target {
        Some(Target::AtMost(value)) => format!("<= {}", show(value)),
        Some(Target::AtLeast(value)) => format!(">= {}", show(value)),
        None => String::new(),
    };
    let word = match figure.verdict {
        Verdict::Ok => verdict("ok", true),
        Verdict::Missed => verdict("missed", false),
        Verdict::Shown => Cell::new(""),
    };
    vec![Cell::new(&figure.name), number(show(figure.value)), number(target), word]
}

fn shown(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Nanoseconds => format!("{value:.0} ns"),
        Unit::Microseconds => format!("{value:.0} µs"),
        Unit::PerSecond => format!("{:.0} k/s", value / 1e3),
        Unit::PerCpuSecond => format!("{:.0} k/CPU-s", value / 1e3),
        Unit::Bytes if value >= 10_240.0 => format!("{:.1} KiB", value / 1024.0),
        Unit::Count => format!("{value:.0}"),
        Unit::Percent => format!("{value:.2} %"),
        Unit::Bytes => format!("{value:.0} B"),
        Unit::Ratio => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_say_their_unit() {
        let texts = [
            shown(299.6, Unit::Microseconds),
            shown(812_345.0, Unit::PerCpuSecond),
            shown(1e6, Unit::PerSecond),
            shown(130.0, Unit::Bytes),
            shown(24_576.0, Unit::Bytes),
        ];
        assert_eq!(texts, ["300 µs", "812 k/CPU-s", "1000 k/s", "130 B", "24.0 KiB"]);
    }

    #[test]
    fn every_part_can_be_chosen() {
        let mesh: Vec<Part> = MeshPart::value_variants().iter().map(|part| part.0).collect();
        let node: Vec<Part> = NodePart::value_variants().iter().map(|part| part.0).collect();
        let sfu: Vec<Part> = SfuPart::value_variants().iter().map(|part| part.0).collect();
        assert_eq!((mesh.as_slice(), node.as_slice()), (&Part::MESH[..], &Part::NODE[..]));
        assert_eq!(sfu, Part::SFU);
    }
}
