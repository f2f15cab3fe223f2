//! One node and two terminals that send each other unicasts: as fast as they can, then one to the other at half the rate that
//! is wanted at least.

use super::Plan;
use super::error::BenchError;
use super::figure::{Figure, Target, Unit};
use super::latency::{MESSAGE_BYTES, ends, name_at};
use super::load::{self, Load, Subject};
use super::paced::{self, MARK, Pace, STAMP};
use super::site::Chain;
use super::terminal::{Terminal, padded};

/// The first words of the figures, and of those of the comparison.
const NAME: &str = "1 node, 2 terminals: unicasts";
pub(super) const COMPARED: &str = "nats-server, 2 clients: messages";
/// Of a second of the node's processor time.
const UNICASTS_MIN: f64 = 60_000.0;
const P99_US_MAX: f64 = 5_000.0;
/// Unicasts per second of which the latency is measured.
pub(super) const PACE: f64 = UNICASTS_MIN / 2.0;

pub(super) fn measure(plan: &Plan) -> Result<Vec<Figure>, BenchError> {
    let chain = Chain::up(plan, 1)?;
    let process = &chain.nodes[0];
    let target = Some(Target::AtLeast(UNICASTS_MIN));
    let subject = Subject { name: NAME, server: "node", process, target };
    let [per_cpu, rate] = load::measure(plan, &subject, &Load::start(vec![pair(&chain, "fast")?])?)?;
    let pace = Pace { name: NAME, rate: PACE, p99_us: Some(P99_US_MAX) };
    let (near, far) = pair(&chain, "paced")?;
    let mut figures = vec![per_cpu, rate];
    figures.extend(paced::measure(plan, &pace, near, far)?);
    Ok(figures)
}

/// Figures of the node over those of the comparison, where both were measured.
pub(super) fn ratios(figures: &[Figure]) -> Vec<Figure> {
    let ours = figures.iter().filter_map(|figure| Some((figure, figure.name.strip_prefix(NAME)?)));
    let ratio = |(figure, what): (&Figure, &str)| {
        let what = what.replace("node", "server");
        let other = figures.iter().find(|other| other.name == format!("{COMPARED}{what}"))?;
        let name = format!("1 node / nats-server{what}");
        Some(Figure::new(name, Unit::Ratio, None, vec![figure.value / other.value]))
    };
    ours.filter_map(ratio).collect()
}

/// Two terminals of the node that send each other stamped unicasts.
fn pair(chain: &Chain, suffix: &str) -> Result<(Terminal, Terminal), BenchError> {
    let (mut near, mut far) = ends(chain, 1, suffix)?;
    let unicast = |to: &str| {
        let body = format!(r#""to":"{}",{MARK}{STAMP}""#, name_at(1, &format!("{to}{suffix}")));
        padded("client::unicast", &body, MESSAGE_BYTES)
    };
    near.converse(&unicast("far"), "client::unicast");
    far.converse(&unicast("near"), "client::unicast");
    Ok((near, far))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_compared_with_its_like() {
        let figure = |name: String, value| Figure::new(name, Unit::PerSecond, None, vec![value]);
        let figures = [
            figure(format!("{NAME}, per CPU-second of the node"), 90.0),
            figure(format!("{NAME}, rate"), 50.0),
            figure(format!("{COMPARED}, per CPU-second of the server"), 60.0),
        ];
        let ratios = ratios(&figures);
        let shown: Vec<_> = ratios.iter().map(|ratio| (ratio.name.as_str(), ratio.value)).collect();
        assert_eq!(shown, [("1 node / nats-server, per CPU-second of the server", 1.5)]);
    }
}
