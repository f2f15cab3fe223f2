//! Figures of the soak: people's requests, mischief done, and the memory and processor time of the nodes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::stall;

/// Texts of failures that are kept.
const FAILURES_SHOWN: usize = 40;
/// Opening a connection is mostly this process's own work; it may not fail, but it is not compared.
pub(super) const CONNECT: &str = "connect";
const CALM: usize = 0;
const STORM: usize = 1;

/// Figures of both phases.
#[derive(Default)]
pub(super) struct Figures {
    phase: AtomicUsize,
    requests: Mutex<[BTreeMap<&'static str, Row>; 2]>,
    failures: Mutex<Vec<String>>,
    mischief: Mutex<BTreeMap<&'static str, u64>>,
    nodes: Mutex<BTreeMap<&'static str, Vec<Sample>>>,
}

#[derive(Default)]
struct Row {
    took_us: Vec<u32>,
    failed: usize,
}

/// Memory and processor time of a node at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) at: Instant,
    pub(super) resident_kib: u64,
    pub(super) processor_ms: u64,
}

/// A request that has begun.
pub(super) struct Begun {
    phase: usize,
    at: Instant,
    stalled: Duration,
}

impl Figures {
    pub(super) fn enter_storm(&self) {
        self.phase.store(STORM, Relaxed);
    }

    pub(super) fn begin(&self) -> Begun {
        Begun { phase: self.phase.load(Relaxed), at: Instant::now(), stalled: stall::so_far() }
    }

    /// Notes how a request ended. The time that this process stood still is no node's.
    pub(super) fn end<T>(&self, begun: &Begun, kind: &'static str, end: &Result<T, String>) {
        let took = begun.at.elapsed().saturating_sub(stall::so_far() - begun.stalled);
        let mut requests = self.requests.lock().unwrap();
        let row = requests[begun.phase].entry(kind).or_default();
        row.took_us.push(took.as_micros() as u32);
        row.failed += usize::from(end.is_err());
        drop(requests);
        if let Err(error) = end {
            self.fail(format!("{} {kind}: {error}", ["calm", "storm"][begun.phase]));
        }
    }

    fn fail(&self, text: String) {
        let mut failures = self.failures.lock().unwrap();
        if failures.len() < FAILURES_SHOWN {
            failures.push(text);
        }
    }

    pub(super) fn mischief(&self, kind: &'static str, count: u64) {
        *self.mischief.lock().unwrap().entry(kind).or_default() += count;
    }

    pub(super) fn sample(&self, node: &'static str, resident_kib: u64, processor_ms: u64) {
        let sample = Sample { at: Instant::now(), resident_kib, processor_ms };
        self.nodes.lock().unwrap().entry(node).or_default().push(sample);
    }

    /// Everything that the figures say against the nodes. `unheard` of `sent` messages never arrived.
    pub(super) fn faults(&self, floor: Duration, storm: Instant, (sent, unheard): (u64, u64)) -> Vec<String> {
        let mut wrong = Vec::new();
        let (asked, failed) = self.asked();
        if failed * 1_000 > asked {
            let failures = self.failures.lock().unwrap().join("\n    ");
            wrong.push(format!("{failed} of {asked} requests failed\n    {failures}"));
        }
        if unheard * 1_000 > sent {
            wrong.push(format!("{unheard} of {sent} messages were never heard"));
        }
        let [calm, storm_p99] = [CALM, STORM].map(|phase| self.percentile(phase, 99));
        let allowed = floor.max(2 * calm);
        if storm_p99 > allowed {
            wrong.push(format!(
                "99 % within {storm_p99:.1?} in the storm, {calm:.1?} before; {allowed:.1?} is allowed"
            ));
        }
        for (node, samples) in self.nodes.lock().unwrap().iter() {
            wrong.extend(growth(samples, storm).map(|growth| format!("{node} {growth}")));
        }
        wrong
    }

    /// Requests of people in both phases, and how many of them failed.
    fn asked(&self) -> (usize, usize) {
        let requests = self.requests.lock().unwrap();
        let rows = || requests.iter().flat_map(BTreeMap::values);
        (rows().map(|row| row.took_us.len()).sum(), rows().map(|row| row.failed).sum())
    }

    fn percentile(&self, phase: usize, percent: usize) -> Duration {
        let requests = self.requests.lock().unwrap();
        let rows = requests[phase].iter().filter(|(kind, _)| **kind != CONNECT);
        percentile(rows.flat_map(|(_, row)| row.took_us.iter().copied()).collect(), percent)
    }

    /// Names of the mischief that was done at least once.
    pub(super) fn done(&self) -> Vec<&'static str> {
        self.mischief.lock().unwrap().keys().copied().collect()
    }

    /// All of it for a person.
    pub(super) fn table(&self) -> String {
        let mut table = String::new();
        self.write_requests(&mut table);
        writeln!(table, "mischief").unwrap();
        for (kind, count) in self.mischief.lock().unwrap().iter() {
            writeln!(table, "  {kind:28}{count:>10}").unwrap();
        }
        writeln!(
            table,
            "{:8}{:>10}{:>10}{:>10}{:>12}",
            "node", "first MiB", "most MiB", "now MiB", "processor s"
        )
        .unwrap();
        for (node, samples) in self.nodes.lock().unwrap().iter() {
            let mib = |kib: u64| kib as f64 / 1024.0;
            let [first, last] = [samples.first(), samples.last()].map(Option::unwrap);
            let most = samples.iter().map(|sample| sample.resident_kib).max().unwrap_or_default();
            let used = (last.processor_ms - first.processor_ms) as f64 / 1000.0;
            let [first, most, last] = [mib(first.resident_kib), mib(most), mib(last.resident_kib)];
            writeln!(table, "{node:8}{first:>10.1}{most:>10.1}{last:>10.1}{used:>12.1}").unwrap();
        }
        writeln!(table, "this process stood still for {:.1?}", stall::so_far()).unwrap();
        table
    }

    fn write_requests(&self, table: &mut String) {
        let requests = self.requests.lock().unwrap();
        let mut line = |phase: &str, kind: &str, took_us: Vec<u32>, failed: usize| {
            let count = took_us.len();
            let [p50, p99, most] = [50, 99, 100].map(|percent| percentile(took_us.clone(), percent));
            let ms = |took: Duration| took.as_secs_f64() * 1000.0;
            let [p50, p99, most] = [ms(p50), ms(p99), ms(most)];
            writeln!(table, "{phase:6}{kind:20}{count:>9}{failed:>7}{p50:>10.1}{p99:>10.1}{most:>10.1}")
                .unwrap();
        };
        for (phase, rows) in ["calm", "storm"].into_iter().zip(requests.iter()) {
            for (kind, row) in rows {
                line(phase, kind, row.took_us.clone(), row.failed);
            }
            let compared = || rows.iter().filter(|(kind, _)| **kind != CONNECT).map(|(_, row)| row);
            let all = compared().flat_map(|row| row.took_us.iter().copied()).collect();
            line(phase, "ALL but connect", all, compared().map(|row| row.failed).sum());
        }
        let head = format!(
            "{:6}{:20}{:>9}{:>7}{:>10}{:>10}{:>10}\n",
            "", "people", "asked", "failed", "p50 ms", "p99 ms", "most ms"
        );
        table.insert_str(0, &head);
    }
}

fn percentile(mut took_us: Vec<u32>, percent: usize) -> Duration {
    took_us.sort_unstable();
    let index = (took_us.len() * percent / 100).min(took_us.len().saturating_sub(1));
    Duration::from_micros(took_us.get(index).copied().unwrap_or_default().into())
}

/// Memory that is not flat: the mean of the storm's last third against that of its middle third.
fn growth(samples: &[Sample], storm: Instant) -> Option<String> {
    let end = samples.last()?.at;
    let third = end.checked_duration_since(storm)? / 3;
    let mean = |from: Instant, to: Instant| {
        let within = samples.iter().filter(|sample| sample.at > from && sample.at <= to);
        let (sum, count) = within.fold((0, 0), |(sum, count), sample| (sum + sample.resident_kib, count + 1));
        sum / u64::max(count, 1)
    };
    let [middle, last] = [mean(storm + third, storm + 2 * third), mean(storm + 2 * third, end)];
    let allowed = middle + middle / 10 + 8 * 1024;
    (last > allowed).then(|| format!("grows: {middle} KiB, then {last} KiB; {allowed} KiB are allowed"))
}

#[test]
fn what_grows_is_noticed() {
    let storm = Instant::now();
    let sample = |second: u64, resident_kib| Sample {
        at: storm + Duration::from_secs(second),
        resident_kib,
        processor_ms: 0,
    };
    let flat: Vec<Sample> = (0..=30).map(|second| sample(second, 50_000)).collect();
    assert_eq!(growth(&flat, storm), None);
    let grows: Vec<Sample> = (0..=30).map(|second| sample(second, 50_000 + 2_000 * second)).collect();
    assert!(growth(&grows, storm).is_some());
}

#[test]
fn a_storm_that_is_slow_or_fails_is_noticed() {
    let ended = |count, phase, ago: Duration, end: Result<(), String>| {
        let figures = Figures::default();
        for index in 0..1_000 {
            let begun = Begun { phase, at: Instant::now() - ago, stalled: stall::so_far() };
            figures.end(&begun, "status", if index < count { &end } else { &Ok(()) });
        }
        figures
    };
    let faults = |figures: &Figures, lost| {
        figures.faults(Duration::from_millis(50), Instant::now(), (1_000, lost)).len()
    };
    let failed = || Err("refused".to_owned());
    assert_eq!(faults(&ended(1, CALM, Duration::ZERO, failed()), 1), 0);
    assert_eq!(faults(&ended(2, CALM, Duration::ZERO, failed()), 2), 2);
    assert_eq!(faults(&ended(0, STORM, Duration::from_secs(1), Ok(())), 0), 1);
}
