//! Request and answer between terminals at the two ends of a chain of nodes.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde_json::json;

use super::channel::{Channel, Echo, round_trip};
use super::error::{BenchError, io};
use super::figure::{Figure, Target, Unit};
use super::site::{Chain, until};
use super::terminal::{Terminal, padded, tls};
use super::{Plan, ROUNDS};

/// Round trips of one round.
const SAMPLES: usize = 5_000;
/// Round trips before the first round, so that caches, congestion windows and packet sizes are what they will be.
const WARM_UP: usize = 2_000;
/// Nobody waits longer for an answer, nanoseconds.
const TIME_NS_MAX: u64 = 60_000_000_000;
/// Bytes of the messages that terminals send each other.
pub(super) const MESSAGE_BYTES: usize = 300;

/// Medians over the rounds of each round's percentiles.
pub(super) struct Latency {
    p50_us: Vec<f64>,
    p99_us: Vec<f64>,
}

/// What a chain of so many nodes may take.
struct Bounds {
    p50_us: f64,
    p99_us: f64,
}

pub(super) fn measure(plan: &Plan, nodes: usize) -> Result<Vec<Figure>, BenchError> {
    let bounds = match nodes {
        3 => Bounds { p50_us: 300.0, p99_us: 700.0 },
        _ => Bounds { p50_us: 500.0, p99_us: 1_200.0 },
    };
    let chain = Chain::up(plan, nodes)?;
    let (mut near, mut far) = ends(&chain, nodes, "")?;
    let partner = name_at(nodes, "far");

    let status = padded("client::status", &format!(r#""clientId":"{partner}""#), MESSAGE_BYTES);
    near.converse(&status, "\"status\":");
    let answered = sample(plan, &mut near)?;

    let session = call(&mut near, &mut far, &partner)?;
    let exchange = padded("session::exchange", &format!(r#""sessionId":"{session}""#), MESSAGE_BYTES);
    near.converse(&exchange, "session::exchange");
    far.converse(&exchange, "session::exchange");
    let exchanged = echoed(plan, &mut near, far)?;

    let (mut near, mut far) = ends(&chain, nodes, "2")?;
    near.converse(&unicast(&name_at(nodes, "far2")), "client::unicast");
    far.converse(&unicast(&name_at(1, "near2")), "client::unicast");
    let told = echoed(plan, &mut near, far)?;

    let name = |what: &str| format!("{nodes} nodes: {what}");
    let mut figures = answered.figures(&name("request answered by the far node"), Some(&bounds));
    figures.extend(told.figures(&name("terminal to terminal and back, unicasts"), Some(&bounds)));
    figures.extend(exchanged.figures(&name("terminal to terminal and back, in a session"), Some(&bounds)));
    Ok(figures)
}

/// A unicast of [`MESSAGE_BYTES`].
pub(super) fn unicast(to: &str) -> String {
    padded("client::unicast", &format!(r#""to":"{to}""#), MESSAGE_BYTES)
}

/// Round trips to a partner that sends back whatever comes.
fn echoed(plan: &Plan, near: &mut Terminal, far: Terminal) -> Result<Latency, BenchError> {
    let _echo = Echo::start(far).map_err(io("the far terminal"))?;
    sample(plan, near)
}

/// A terminal at each end of the chain, the far one known to the near one's node.
pub(super) fn ends(chain: &Chain, nodes: usize, suffix: &str) -> Result<(Terminal, Terminal), BenchError> {
    let tls = tls(&chain.site.topology.certs().authority())?;
    let mut near = Terminal::register(chain.site.terminals("n1"), &tls, &format!("near{suffix}"))?;
    let far = chain.site.terminals(&format!("n{nodes}"));
    let far = Terminal::register(far, &tls, &format!("far{suffix}"))?;
    let partner = json!({ "clientId": name_at(nodes, &format!("far{suffix}")) });
    until("the far terminal is not known at the near end", || {
        Ok(near.ask("client::status", &partner)?["body"].is_object())
    })?;
    Ok((near, far))
}

/// A terminal's full name at the last of `nodes` nodes in a line.
pub(super) fn name_at(nodes: usize, client: &str) -> String {
    let labels: Vec<String> = (1..=nodes).rev().map(|number| format!("n{number}")).collect();
    format!("{client}@{}", labels.join("."))
}

/// Opens a session from one end to the other.
fn call(near: &mut Terminal, far: &mut Terminal, partner: &str) -> Result<String, BenchError> {
    let answer = near.ask("session::call", &json!({ "clientId": partner, "audio": true, "video": true }))?;
    let session = answer["body"]["sessionId"].as_str();
    let session = session.ok_or_else(|| BenchError::Answer(format!("no session: {answer}")))?.to_owned();
    far.expect("session::call")?;
    Ok(session)
}

pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(TIME_NS_MAX, 3).expect("the bounds and three digits are allowed")
}

/// Round trips of one client, one at a time, in rounds.
pub(super) fn sample(plan: &Plan, channel: &mut impl Channel) -> Result<Latency, BenchError> {
    let failed = || io("a round trip");
    for _ in 0..plan.count(WARM_UP) {
        round_trip(channel).map_err(failed())?;
    }
    let mut latency = Latency { p50_us: Vec::new(), p99_us: Vec::new() };
    for _ in 0..ROUNDS {
        let mut times = histogram();
        for _ in 0..plan.count(SAMPLES) {
            let start = Instant::now();
            round_trip(channel).map_err(failed())?;
            times.saturating_record(nanoseconds(start.elapsed()));
        }
        latency.p50_us.push(times.value_at_quantile(0.5) as f64 / 1e3);
        latency.p99_us.push(times.value_at_quantile(0.99) as f64 / 1e3);
    }
    Ok(latency)
}

impl Latency {
    /// Two rows: the median and the 99th percentile.
    fn figures(self, name: &str, bounds: Option<&Bounds>) -> Vec<Figure> {
        let [p50, p99] = [bounds.map(|b| Target::AtMost(b.p50_us)), bounds.map(|b| Target::AtMost(b.p99_us))];
        vec![
            Figure::new(format!("{name}, p50"), Unit::Microseconds, p50, self.p50_us),
            Figure::new(format!("{name}, p99"), Unit::Microseconds, p99, self.p99_us),
        ]
    }

    /// The same without a target.
    pub(super) fn shown(self, name: &str) -> Vec<Figure> {
        self.figures(name, None)
    }
}

pub(super) fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_far_end_of_three_nodes_has_its_full_name() {
        assert_eq!(name_at(3, "far"), "far@n3.n2.n1");
    }
}
