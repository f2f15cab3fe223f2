//! `taoyao bench mesh`: measures a mesh of processes on this machine and compares with the targets.

use std::env;

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
    /// Fewer samples: below a minute, and less exact
    #[arg(long)]
    quick: bool,
    /// Measure only these parts
    #[arg(long, value_name = "PART", value_delimiter = ',', num_args = 1..)]
    only: Vec<PartName>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// What `--only` takes.
#[derive(Debug, Clone, Copy)]
struct PartName(Part);

impl ValueEnum for PartName {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [PartName; Part::ALL.len()] = [
            PartName(Part::Chain3),
            PartName(Part::Chain5),
            PartName(Part::Middle),
            PartName(Part::Records),
            PartName(Part::Idle),
            PartName(Part::Nats),
        ];
        &ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.0.name()))
    }
}

impl BenchCommand {
    pub(crate) fn run(self) -> Result<Exit, Failed> {
        let What::Mesh(mesh) = self.what;
        mesh.run()
    }
}

impl MeshBench {
    fn run(self) -> Result<Exit, Failed> {
        let program = env::current_exe()
            .map_err(|error| Failed::new(Exit::Io, format!("this program's own file: {error}")))?;
        let parts = if self.only.is_empty() {
            Part::ALL.to_vec()
        } else {
            self.only.iter().map(|name| name.0).collect()
        };
        let plan = Plan { program, parts, is_quick: self.quick };
        let report = bench::run(&plan, |part| output::note(format!("measuring {}", part.name())));
        if self.json {
            output::say_json(&report)?;
        } else {
            tell(&report)?;
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
        Unit::Microseconds => format!("{value:.0} µs"),
        Unit::PerSecond => format!("{:.0} k/s", value / 1e3),
        Unit::PerCpuSecond => format!("{:.0} k/CPU-s", value / 1e3),
        Unit::Bytes if value >= 10_240.0 => format!("{:.1} KiB", value / 1024.0),
        Unit::Bytes => format!("{value:.0} B"),
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
        let names: Vec<&str> = PartName::value_variants().iter().map(|name| name.0.name()).collect();
        assert_eq!(names, Part::ALL.map(Part::name));
    }
}
