//! `taoyao bench mesh`, `node` and `sfu`: measure what runs on this machine against its targets.
//!
//! Nodes are processes of this same program on loopback, with QUIC between them and WebSockets over TLS at their ends.
//! What each part measures and how to read it is told in `docs/BENCHMARKS.md`. Everything here blocks: a benchmark that
//! shares its threads with what it measures would measure itself.

mod admin;
mod channel;
mod error;
mod figure;
mod idle;
mod latency;
mod load;
mod machine;
mod mesh_load;
mod nats;
mod nats_client;
mod nats_one;
mod neighbour;
mod one_node;
mod paced;
mod process;
mod records;
mod sfu;
mod site;
mod terminal;
mod transit;

use std::path::PathBuf;
use std::time::Duration;

pub use error::BenchError;
pub use figure::{Figure, Target, Unit, Verdict};
pub use machine::Machine;
use serde::Serialize;
pub use sfu::run_ends;

/// Each figure is the median of this many rounds.
const ROUNDS: usize = 3;

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Request and answer across a chain of three nodes.
    Chain3,
    /// The same across five.
    Chain5,
    /// What the middle of three nodes forwards in a second of its processor time.
    Middle,
    /// A million proxy terminals at the root.
    Records,
    /// The memory of terminals that say nothing.
    Idle,
    /// `nats-server` in the same places, for comparison.
    Nats,
    /// Two terminals of one node.
    Unicast,
    /// One `nats-server` in its place, for comparison.
    NatsOne,
    /// Processor time of one forwarded packet of media, beside the floor.
    Forward,
    /// What a core forwards when it can do no more.
    Saturated,
    /// How long a packet of media takes.
    Delay,
    /// The memory of consumers that are sent nothing.
    IdleConsumers,
}

/// What to measure, and how long.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The program that is started as a node: `taoyao` itself.
    pub program: PathBuf,
    pub parts: Vec<Part>,
    /// Fewer samples and terminals: below a minute instead of below four.
    pub is_quick: bool,
}

/// What was measured, where, and what could not be.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Before the first part.
    pub machine: Machine,
    pub figures: Vec<Figure>,
    /// Parts that could not be measured, and why.
    pub skipped: Vec<String>,
}

impl Part {
    /// What is measured of a mesh.
    pub const MESH: [Part; 6] =
        [Part::Chain3, Part::Chain5, Part::Middle, Part::Records, Part::Idle, Part::Nats];
    /// What is measured of one node.
    pub const NODE: [Part; 2] = [Part::Unicast, Part::NatsOne];
    /// What is measured of the media forwarder.
    pub const SFU: [Part; 4] = [Part::Forward, Part::Saturated, Part::Delay, Part::IdleConsumers];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Part::Chain3 => "chain3",
            Part::Chain5 => "chain5",
            Part::Middle => "middle",
            Part::Records => "records",
            Part::Idle | Part::IdleConsumers => "idle",
            Part::Nats | Part::NatsOne => "nats",
            Part::Unicast => "unicast",
            Part::Forward => "forward",
            Part::Saturated => "saturated",
            Part::Delay => "delay",
        }
    }

    fn measure(self, plan: &Plan) -> Result<Vec<Figure>, BenchError> {
        match self {
            Part::Chain3 => latency::measure(plan, 3),
            Part::Chain5 => latency::measure(plan, 5),
            Part::Middle => {
                let mut figures = transit::measure(plan)?;
                figures.extend(mesh_load::measure(plan)?);
                Ok(figures)
            }
            Part::Records => records::measure(plan),
            Part::Idle => idle::measure(plan),
            Part::Nats => nats::measure(plan),
            Part::Unicast => one_node::measure(plan),
            Part::NatsOne => nats_one::measure(plan),
            Part::Forward => sfu::forward(plan),
            Part::Saturated => sfu::saturated(plan),
            Part::Delay => sfu::delay(plan),
            Part::IdleConsumers => sfu::idle(plan),
        }
    }
}

/// Measures one part after the other; `progress` hears which one begins. A part that fails does not keep the others from
/// being measured.
pub fn run(plan: &Plan, mut progress: impl FnMut(Part)) -> Report {
    let mut report = Report { machine: Machine::look(), figures: Vec::new(), skipped: Vec::new() };
    for part in &plan.parts {
        progress(*part);
        match part.measure(plan) {
            Ok(figures) => report.figures.extend(figures),
            Err(error) => report.skipped.push(format!("{}: {error}", part.name())),
        }
    }
    let ratios = one_node::ratios(&report.figures);
    report.figures.extend(ratios);
    report
}

/// Lets members of a room come and go for `span`, and looks at what that leaves behind; `progress` hears of each minute.
pub fn churn(span: Duration, progress: impl FnMut(String)) -> Report {
    let machine = Machine::look();
    let (figures, skipped) = match sfu::churn(span, progress) {
        Ok(figures) => (figures, Vec::new()),
        Err(error) => (Vec::new(), vec![format!("churn: {error}")]),
    };
    Report { machine, figures, skipped }
}

impl Plan {
    /// `full` samples, a fifth of them if the run is quick.
    fn count(&self, full: usize) -> usize {
        if self.is_quick { full / 5 } else { full }
    }

    /// How long one round of load lasts.
    fn load_span(&self) -> Duration {
        if self.is_quick { Duration::from_secs(1) } else { Duration::from_secs(4) }
    }
}
