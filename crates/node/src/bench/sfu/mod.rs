//! The media forwarder: what a forwarded packet costs beside the floor, how many a core forwards, how long one takes.
//!
//! Forwarder, floor, producer and consumers are threads of this process; what is counted is the processor time of the
//! thread that forwards. On loopback it pays for receiving as well: the kernel hands packets over in the sender's time.

mod base;
mod churn;
mod idle;
mod own;
mod room;
mod thread_cpu;

use std::thread::sleep;
use std::time::{Duration, Instant};

use taoyao_media::load::{Load, Producer};
use taoyao_ortc::SrtpSuite;

use super::error::BenchError;
use super::figure::{Figure, Target, Unit};
use super::{Plan, ROUNDS};
pub(super) use churn::run as churn;
pub(super) use idle::measure as idle;
pub use idle::run_ends;

use base::Base;
use room::Gathering;
use thread_cpu::ThreadCpu;

/// The threads' names.
const WORKER: &str = "media-0";
const FLOOR: &str = "floor";
/// Packets of one frame.
const BURSTS: [u64; 2] = [1, 8];
/// Consumers, and packets per second for each: some ten thousand in all, which two cores carry beside all the ends.
const CROWDS: [(usize, f64); 5] = [(1, 2_400.0), (10, 2_400.0), (50, 800.0), (100, 400.0), (200, 200.0)];
/// Of them those at which old ciphers are measured.
const OLD_CROWDS: [usize; 2] = [50, 200];
const QUICK_CROWDS: [(usize, f64); 1] = [(50, 800.0)];
/// Over the floor, by the bursts.
const RATIOS_MAX: [f64; 2] = [1.5, 1.3];
/// More than a core forwards.
const FLOOD: Load = Load { burst: 8, rate: 4_000.0 };
const FLOODED: usize = 200;
/// Of a second of the worker's processor time.
const PACKETS_MIN: f64 = 350_000.0;
/// Consumers and packets per second for each at which the delay is measured.
const DELAYED: usize = 50;
const DELAY_RATE: f64 = 504.0;
const DELAY_P99_US_MAX: f64 = 1_000.0;
/// The estimates of what consumers can be sent have to grow first.
const WARM_UP: Duration = Duration::from_secs(3);
/// Between switching a producer on and counting.
const SETTLE: Duration = Duration::from_millis(300);

pub(super) fn forward(plan: &Plan) -> Result<Vec<Figure>, BenchError> {
    let crowds: &[(usize, f64)] = if plan.is_quick { &QUICK_CROWDS } else { &CROWDS };
    let gcm = crowds.iter().map(|crowd| (*crowd, SrtpSuite::AeadAes128Gcm));
    // The ratio does not depend on the cipher much: two crowds show it.
    let old = crowds.iter().filter(|(consumers, _)| OLD_CROWDS.contains(consumers));
    let cases = gcm.chain(old.map(|crowd| (*crowd, SrtpSuite::AesCm128HmacSha1_80)));
    let mut figures = Vec::new();
    for ((consumers, rate), suite) in cases {
        for (burst, ratio_max) in BURSTS.into_iter().zip(RATIOS_MAX) {
            figures.extend(compare(plan, consumers, Load { burst, rate }, suite, ratio_max)?);
        }
    }
    Ok(figures)
}

/// Forwarder and floor in turn, so that what else the machine does meets both.
fn compare(
    plan: &Plan,
    consumers: usize,
    load: Load,
    suite: SrtpSuite,
    ratio_max: f64,
) -> Result<Vec<Figure>, BenchError> {
    let gathering = Gathering::new(consumers, load, suite)?;
    let base = Base::new(consumers, load, suite)?;
    let (worker, floor) = (ThreadCpu::find(WORKER)?, ThreadCpu::find(FLOOR)?);
    gathering.producer.pause(false);
    sleep(WARM_UP);
    gathering.producer.pause(true);
    let (mut ours, mut floors) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(cost(plan, &gathering.producer, &worker, || gathering.room.sent())?.each_ns);
        floors.push(cost(plan, &base.producer, &floor, || base.floor.sent())?.each_ns);
    }
    let ratios: Vec<f64> = ours.iter().zip(&floors).map(|(ours, floor)| ours / floor).collect();
    let name = |what: &str| format!("1 to {consumers}, {}, frames of {}: {what}", short(suite), load.burst);
    Ok(vec![
        Figure::new(name("a packet"), Unit::Nanoseconds, None, ours),
        Figure::new(name("a packet at the floor"), Unit::Nanoseconds, None, floors),
        Figure::new(name("over the floor"), Unit::Ratio, Some(Target::AtMost(ratio_max)), ratios),
    ])
}

/// As people call it.
fn short(suite: SrtpSuite) -> &'static str {
    match suite {
        SrtpSuite::AeadAes128Gcm => "AES-128-GCM",
        SrtpSuite::AeadAes256Gcm => "AES-256-GCM",
        SrtpSuite::AesCm128HmacSha1_80 => "AES-CM-SHA1",
    }
}

/// What was spent while a producer ran.
struct Cost {
    each_ns: f64,
    per_cpu_second: f64,
    per_second: f64,
}

fn cost(
    plan: &Plan,
    producer: &Producer,
    thread: &ThreadCpu,
    sent: impl Fn() -> u64,
) -> Result<Cost, BenchError> {
    producer.pause(false);
    sleep(SETTLE);
    let (begun, cpu_before, sent_before) = (Instant::now(), thread.spent()?, sent());
    sleep(plan.load_span());
    let (cpu, packets) = (thread.spent()?.saturating_sub(cpu_before), sent() - sent_before);
    let span = begun.elapsed();
    producer.pause(true);
    if packets == 0 {
        return Err(BenchError::Late("nothing was forwarded".to_owned()));
    }
    let packets = packets as f64;
    Ok(Cost {
        each_ns: cpu.as_nanos() as f64 / packets,
        per_cpu_second: packets / cpu.as_secs_f64(),
        per_second: packets / span.as_secs_f64(),
    })
}

pub(super) fn saturated(plan: &Plan) -> Result<Vec<Figure>, BenchError> {
    let gathering = Gathering::new(FLOODED, FLOOD, SrtpSuite::AeadAes128Gcm)?;
    let worker = ThreadCpu::find(WORKER)?;
    gathering.producer.pause(false);
    sleep(WARM_UP);
    let (mut per_cpu, mut rate) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let cost = cost(plan, &gathering.producer, &worker, || gathering.room.sent())?;
        per_cpu.push(cost.per_cpu_second);
        rate.push(cost.per_second);
    }
    let name = |what: &str| format!("1 to {FLOODED}, frames of {}, saturated: {what}", FLOOD.burst);
    let target = Some(Target::AtLeast(PACKETS_MIN));
    Ok(vec![
        Figure::new(name("packets per second of a core"), Unit::PerCpuSecond, target, per_cpu),
        Figure::new(name("packets"), Unit::PerSecond, None, rate),
    ])
}

pub(super) fn delay(plan: &Plan) -> Result<Vec<Figure>, BenchError> {
    let load = Load { burst: 8, rate: DELAY_RATE };
    let gathering = Gathering::new(DELAYED, load, SrtpSuite::AeadAes128Gcm)?;
    gathering.producer.pause(false);
    sleep(WARM_UP);
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        drop(gathering.audience.delays_us());
        sleep(plan.load_span());
        let mut delays = gathering.audience.delays_us();
        delays.sort_unstable();
        let at = |part: f64| delays.get((delays.len() as f64 * part) as usize).map(|us| *us as f64);
        let late = || BenchError::Late("nothing has arrived".to_owned());
        p50.push(at(0.5).ok_or_else(late)?);
        p99.push(at(0.99).ok_or_else(late)?);
    }
    let name = |what: &str| format!("1 to {DELAYED} at {DELAY_RATE:.0} per second each: delay, {what}");
    Ok(vec![
        Figure::new(name("p50"), Unit::Microseconds, None, p50),
        Figure::new(name("p99"), Unit::Microseconds, Some(Target::AtMost(DELAY_P99_US_MAX)), p99),
    ])
}
