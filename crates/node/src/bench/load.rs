//! Many pairs of clients that keep messages going back and forth through a middle process, as fast as they can.
//!
//! Each pair has a fixed number of messages under way, so nothing piles up anywhere and nothing is lost: the slowest part
//! sets the pace.

use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use super::channel::{Channel, Echo, echo_once, send};
use super::error::{BenchError, io};
use super::figure::{Figure, Target, Unit};
use super::process::Process;
use super::{Plan, ROUNDS};

/// Pairs of clients.
pub(super) const PAIRS: usize = 8;
/// Messages of one pair under way.
const WINDOW: usize = 100;
const WARM_UP: Duration = Duration::from_millis(500);

/// Running pairs; dropping it ends them.
pub(super) struct Load {
    near: Vec<(TcpStream, Option<JoinHandle<()>>)>,
    _far: Vec<Echo>,
    /// Messages that have come back.
    returned: Arc<AtomicU64>,
}

impl Load {
    pub(super) fn start<C: Channel>(pairs: Vec<(C, C)>) -> Result<Self, BenchError> {
        let returned = Arc::new(AtomicU64::new(0));
        let (mut near, mut far) = (Vec::new(), Vec::new());
        for (first, second) in pairs {
            let socket = first.socket().try_clone().map_err(io("a client's socket"))?;
            far.push(Echo::start(second).map_err(io("a client's socket"))?);
            let counter = Arc::clone(&returned);
            near.push((socket, Some(thread::spawn(move || keep_going(first, &counter)))));
        }
        Ok(Self { near, _far: far, returned })
    }

    /// Messages that the middle has passed on, both ways.
    fn passed(&self) -> u64 {
        2 * self.returned.load(Relaxed)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for (socket, thread) in &mut self.near {
            // Fails only if the other side has closed already.
            let _closed = socket.shutdown(Shutdown::Both);
            if let Some(thread) = thread.take() {
                let _ended = thread.join();
            }
        }
    }
}

/// What is measured.
pub(super) struct Subject<'a> {
    /// The first words of its figures.
    pub(super) name: &'a str,
    /// What the process is called whose processor time counts.
    pub(super) server: &'a str,
    pub(super) process: &'a Process,
    /// Of messages per second of processor time.
    pub(super) target: Option<Target>,
}

/// What the process passes on per second of its processor time and per second of the clock, while `passed` grows.
pub(super) fn rates(
    plan: &Plan,
    subject: &Subject<'_>,
    passed: impl Fn() -> u64,
) -> Result<[Figure; 2], BenchError> {
    let Subject { name, server, process, target } = subject;
    sleep(WARM_UP);
    let (mut per_cpu, mut per_clock) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (count, cpu, start) = (passed(), process.cpu()?, Instant::now());
        sleep(plan.load_span());
        let (messages, cpu, clock) = (passed() - count, process.cpu()? - cpu, start.elapsed());
        if messages == 0 {
            return Err(BenchError::Late(format!("{name}: nothing came through")));
        }
        per_cpu.push(messages as f64 / cpu.as_secs_f64());
        per_clock.push(messages as f64 / clock.as_secs_f64());
    }
    Ok([
        Figure::new(format!("{name}, per CPU-second of the {server}"), Unit::PerCpuSecond, *target, per_cpu),
        Figure::new(format!("{name}, rate"), Unit::PerSecond, None, per_clock),
    ])
}

/// The same for pairs of clients.
pub(super) fn measure(plan: &Plan, subject: &Subject<'_>, load: &Load) -> Result<[Figure; 2], BenchError> {
    rates(plan, subject, || load.passed())
}

fn keep_going(mut channel: impl Channel, returned: &AtomicU64) {
    if send(&mut channel, WINDOW).is_err() {
        return;
    }
    while let Ok(count) = echo_once(&mut channel) {
        returned.fetch_add(count as u64, Relaxed);
    }
}
