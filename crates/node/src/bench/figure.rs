//! One measured number: what it is, what it should be, and whether it is.

use serde::Serialize;

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Nanoseconds,
    Microseconds,
    /// Per second of the clock.
    PerSecond,
    /// Per second of one process's processor time, user and system.
    PerCpuSecond,
    Bytes,
    Count,
    Percent,
    /// Ours over theirs.
    Ratio,
}

/// Where a number should be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    AtMost(f64),
    AtLeast(f64),
}

/// Whether it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Ok,
    Missed,
    /// There is no target: the number is for comparison.
    Shown,
}

/// One row of the report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    pub name: String,
    /// The median of `rounds`.
    pub value: f64,
    pub unit: Unit,
    pub target: Option<Target>,
    pub verdict: Verdict,
    /// What each round measured, in order.
    pub rounds: Vec<f64>,
}

impl Figure {
    /// A figure from its rounds, of which there must be at least one.
    pub(super) fn new(name: impl Into<String>, unit: Unit, target: Option<Target>, rounds: Vec<f64>) -> Self {
        let value = median(&rounds);
        let verdict = match target {
            None => Verdict::Shown,
            Some(Target::AtMost(most)) if value <= most => Verdict::Ok,
            Some(Target::AtLeast(least)) if value >= least => Verdict::Ok,
            Some(_) => Verdict::Missed,
        };
        Self { name: name.into(), value, unit, target, verdict, rounds }
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_decides_and_the_target_itself_is_good_enough() {
        let figure = |target, rounds: &[f64]| Figure::new("x", Unit::Bytes, target, rounds.to_vec());
        assert_eq!(figure(None, &[3.0, 1.0, 2.0]).value, 2.0);
        assert_eq!(figure(Some(Target::AtMost(2.0)), &[9.0, 1.0, 2.0]).verdict, Verdict::Ok);
        assert_eq!(figure(Some(Target::AtMost(1.9)), &[9.0, 1.0, 2.0]).verdict, Verdict::Missed);
        assert_eq!(figure(Some(Target::AtLeast(2.1)), &[9.0, 1.0, 2.0]).verdict, Verdict::Missed);
        assert_eq!(figure(None, &[1.0]).verdict, Verdict::Shown);
        assert!(figure(Some(Target::AtMost(1.0)), &[]).verdict == Verdict::Missed);
    }
}
