//! Messages at a given rate from one client to another, whether or not the ones before have arrived, and how long each took
//! from the moment in which it should have been sent. A server that stops for a moment shows it in every message of that
//! moment.

use std::io;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::channel::Channel;
use super::error::{self, BenchError};
use super::figure::{Figure, Target, Unit};
use super::latency::{histogram, nanoseconds};
use super::{Plan, ROUNDS};

/// What a stamped message has before its stamp.
pub(super) const MARK: &str = "\"at\":\"";
/// A stamp that has not been set: nanoseconds as so many digits.
pub(super) const STAMP: &str = "00000000000000000000";
/// Between two writes; what falls due meanwhile goes out together.
const PAUSE: Duration = Duration::from_micros(100);
/// Messages in one write of a sender that is late: a receiver's queue takes some more.
const BURST_MAX: u64 = 256;
const WARM_UP: Duration = Duration::from_millis(500);

/// At what pace, and how long it may take.
pub(super) struct Pace<'a> {
    /// The first words of its figures.
    pub(super) name: &'a str,
    /// Messages per second.
    pub(super) rate: f64,
    /// Of the 99th percentile, microseconds.
    pub(super) p99_us: Option<f64>,
}

/// The median and the 99th percentile of each round. Both clients' prepared messages are stamped.
pub(super) fn measure<C: Channel>(
    plan: &Plan,
    pace: &Pace<'_>,
    mut sender: C,
    mut receiver: C,
) -> Result<Vec<Figure>, BenchError> {
    let failed = || error::io(format!("{}: a message", pace.name));
    let clock = Instant::now();
    let (mut p50_us, mut p99_us) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let span = if round == 0 { WARM_UP } else { plan.load_span() };
        let count = (pace.rate * span.as_secs_f64()) as u64;
        let (sent, times) = thread::scope(|scope| {
            let times = scope.spawn(|| receive(&mut receiver, clock, count));
            (send(&mut sender, clock, pace.rate, count), times.join().expect("the receiver does not panic"))
        });
        sent.map_err(failed())?;
        let times = times.map_err(failed())?;
        if round > 0 {
            p50_us.push(times.value_at_quantile(0.5) as f64 / 1e3);
            p99_us.push(times.value_at_quantile(0.99) as f64 / 1e3);
        }
    }
    let name = |what: &str| format!("{} at {:.0} per second, {what}", pace.name, pace.rate);
    Ok(vec![
        Figure::new(name("p50"), Unit::Microseconds, None, p50_us),
        Figure::new(name("p99"), Unit::Microseconds, pace.p99_us.map(Target::AtMost), p99_us),
    ])
}

fn send(sender: &mut impl Channel, clock: Instant, rate: f64, count: u64) -> io::Result<()> {
    let template = sender.message().to_vec();
    let place = stamp_in(&template).ok_or_else(|| io::Error::other("the message has no stamp"))?;
    let (start, mut sent) = (clock.elapsed(), 0);
    let mut batch = Vec::new();
    while sent < count {
        let due = ((clock.elapsed() - start).as_secs_f64() * rate) as u64;
        let due = due.min(count).min(sent + BURST_MAX);
        batch.clear();
        for number in sent..due {
            let at = start + Duration::from_secs_f64(number as f64 / rate);
            let begin = batch.len() + place;
            batch.extend_from_slice(&template);
            let stamp = format!("{:0width$}", at.as_nanos(), width = STAMP.len());
            batch[begin..begin + STAMP.len()].copy_from_slice(stamp.as_bytes());
        }
        if !batch.is_empty() {
            sender.write(&batch)?;
        }
        sent = sent.max(due);
        sleep(PAUSE);
    }
    Ok(())
}

fn receive(receiver: &mut impl Channel, clock: Instant, count: u64) -> io::Result<Histogram<u64>> {
    let mut times = histogram();
    let mut received = 0;
    while received < count {
        received += receiver.receive(&mut |message| {
            if let Some(at) = stamped_at(message) {
                times.saturating_record(nanoseconds(clock.elapsed().saturating_sub(at)));
            }
        })? as u64;
    }
    Ok(times)
}

/// Where the stamp of a message begins.
fn stamp_in(message: &[u8]) -> Option<usize> {
    let mark = message.windows(MARK.len()).position(|window| window == MARK.as_bytes())?;
    Some(mark + MARK.len())
}

fn stamped_at(message: &[u8]) -> Option<Duration> {
    let begin = stamp_in(message)?;
    let digits = std::str::from_utf8(message.get(begin..begin + STAMP.len())?).ok()?;
    digits.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_where_it_was_written() {
        let message = format!("MSG x 1 40\r\n{{{MARK}{STAMP}\"}}");
        let place = stamp_in(message.as_bytes()).unwrap();
        assert_eq!(&message[place..place + STAMP.len()], STAMP);
        let stamped = message.replace(STAMP, "00000000000000001234");
        assert_eq!(stamped_at(stamped.as_bytes()), Some(Duration::from_nanos(1_234)));
        assert_eq!(stamped_at(b"nothing"), None);
        assert_eq!(stamped_at(MARK.as_bytes()), None);
    }
}
