//! A room whose members come, go, mute and change layers for minutes on lines that lose packets, and what that leaves behind.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use taoyao_media::load::{Link, LoadBuffer, Member, chance};
use taoyao_ortc::{Act, ConsumerId, ProducerId, RtpParameters, SrtpSuite, TransportId};

use super::super::error::BenchError;
use super::super::figure::{Figure, Target, Unit};
use super::own;
use super::room::Room;

/// Members that there are at most, and of them those that send.
const MEMBERS: usize = 12;
const SENDERS: usize = 4;
/// Of packets, each way.
const LOSS: f64 = 0.03;
/// Between two frames, and between two things that somebody does.
const FRAME: Duration = Duration::from_millis(33);
const DEED: Duration = Duration::from_millis(100);
/// Between two looks at the memory.
const LOOK: Duration = Duration::from_secs(2);
const TURN: Duration = Duration::from_millis(3);
/// The part of the time after which memory is looked at: everything has its size by then.
const WARM_UP: f64 = 0.2;
/// Of memory, in an hour.
const SLOPE_MAX_PERCENT: f64 = 1.0;

struct Churn {
    room: Room,
    members: BTreeMap<TransportId, Participant>,
    producers: BTreeMap<ProducerId, TransportId>,
    deeds: u64,
    received: u64,
}

struct Participant {
    member: Member,
    is_sender: bool,
    consumed: BTreeMap<ConsumerId, (ProducerId, RtpParameters)>,
}

/// Runs for `span`; `progress` hears of each minute.
///
/// # Errors
/// See [`BenchError`].
pub(in super::super) fn run(
    span: Duration,
    mut progress: impl FnMut(String),
) -> Result<Vec<Figure>, BenchError> {
    let before = own::holdings()?;
    let mut churn = Churn {
        room: Room::open()?,
        members: BTreeMap::new(),
        producers: BTreeMap::new(),
        deeds: 0,
        received: 0,
    };
    let opened = own::holdings()?;
    let samples = churn.keep_going(span, &mut progress)?;
    while let Some(id) = churn.members.keys().next().copied() {
        churn.leave(id, true)?;
    }
    sleep(Duration::from_secs(1));
    let emptied = own::holdings()?;
    let (deeds, received) = (churn.deeds, churn.received);
    drop(churn);
    let after = own::holdings()?;
    let none_left = |name: &str, now: usize, then: usize| {
        Figure::new(
            format!("churn, {name} left behind"),
            Unit::Count,
            Some(Target::AtMost(0.0)),
            vec![now as f64 - then as f64],
        )
    };
    Ok(vec![
        Figure::new(
            "churn, memory, growth in an hour",
            Unit::Percent,
            Some(Target::AtMost(SLOPE_MAX_PERCENT)),
            vec![slope_percent(&samples)],
        ),
        Figure::new(
            "churn, memory at the end",
            Unit::Bytes,
            None,
            vec![samples.last().map_or(f64::NAN, |last| last.1)],
        ),
        none_left("sockets of an empty room", emptied.sockets, opened.sockets),
        none_left("files", after.files, before.files),
        none_left("threads", after.threads, before.threads),
        Figure::new(
            "churn, joins, leaves, mutes and changes of layers",
            Unit::Count,
            None,
            vec![deeds as f64],
        ),
        Figure::new(
            "churn, packets received",
            Unit::Count,
            Some(Target::AtLeast(1.0)),
            vec![received as f64],
        ),
    ])
}

impl Churn {
    /// Seconds and bytes, after the warm-up.
    fn keep_going(
        &mut self,
        span: Duration,
        progress: &mut impl FnMut(String),
    ) -> Result<Vec<(f64, f64)>, BenchError> {
        let (begun, mut buffer, mut samples) = (Instant::now(), LoadBuffer::default(), Vec::new());
        let (mut frame, mut deed, mut look, mut minute) = (begun, begun, begun + span.mul_f64(WARM_UP), 1);
        while begun.elapsed() < span {
            let now = Instant::now();
            if now >= deed {
                deed = now + DEED;
                self.do_something()?;
            }
            if now >= frame {
                frame = now + FRAME;
                self.members.values_mut().filter(|one| one.is_sender).for_each(|one| one.member.send_frame());
            }
            if now >= look {
                look = now + LOOK;
                samples.push((begun.elapsed().as_secs_f64(), own::resident_bytes()? as f64));
            }
            if begun.elapsed() >= Duration::from_secs(60 * minute) {
                let mebibytes = own::resident_bytes()? / (1024 * 1024);
                progress(format!("minute {minute}: {} deeds, {mebibytes} MiB", self.deeds));
                minute += 1;
            }
            self.members.values_mut().for_each(|one| one.member.turn(&mut buffer));
            sleep(TURN);
        }
        Ok(samples)
    }

    fn do_something(&mut self) -> Result<(), BenchError> {
        self.deeds += 1;
        let is_crowded = self.members.len() >= MEMBERS;
        match chance(10) {
            0..=2 if !is_crowded => self.join(),
            0..=2 => self.leave_any(chance(2) == 0),
            3..=4 => self.mute_producer(),
            5..=6 => self.mute_consumer(),
            _ => self.change_layers(),
        }
    }

    fn join(&mut self) -> Result<(), BenchError> {
        let (id, link) = self.connect()?;
        let is_sender = self.members.values().filter(|one| one.is_sender).count() < SENDERS;
        let member = Member::new(link, LOSS);
        let video = member.video();
        self.members.insert(id, Participant { member, is_sender, consumed: BTreeMap::new() });
        for producer in self.producers.keys().copied().collect::<Vec<_>>() {
            self.consume(id, producer)?;
        }
        if is_sender {
            let producer = self.room.produce(id, video)?;
            self.producers.insert(producer, id);
            for other in self.members.keys().copied().filter(|other| *other != id).collect::<Vec<_>>() {
                self.consume(other, producer)?;
            }
        }
        Ok(())
    }

    fn connect(&mut self) -> Result<(TransportId, Link), BenchError> {
        let connected = self.room.connect(1, SrtpSuite::AeadAes128Gcm)?.pop();
        connected.ok_or_else(|| BenchError::Late("nobody is connected".to_owned()))
    }

    fn consume(&mut self, id: TransportId, producer: ProducerId) -> Result<(), BenchError> {
        let (consumer, rtp) = self.room.consume(id, producer)?;
        self.room.ask(Act::PauseConsumer { consumer, is_paused: false })?;
        if let Some(participant) = self.members.get_mut(&id) {
            participant.member.hear(&rtp);
            participant.consumed.insert(consumer, (producer, rtp));
        }
        Ok(())
    }

    fn leave_any(&mut self, is_polite: bool) -> Result<(), BenchError> {
        match any(self.members.keys()) {
            Some(id) => self.leave(id, is_polite),
            None => Ok(()),
        }
    }

    /// Somebody polite has signalling close the transport; others say goodbye by DTLS, which closes it as well.
    fn leave(&mut self, id: TransportId, is_polite: bool) -> Result<(), BenchError> {
        let Some(participant) = self.members.remove(&id) else { return Ok(()) };
        self.received += participant.member.received();
        participant.member.leave();
        if is_polite {
            // The goodbye may have come first.
            let _closed = self.room.ask(Act::CloseTransport { transport: id }).is_ok();
        }
        let gone: Vec<ProducerId> =
            self.producers.iter().filter(|(_, of)| **of == id).map(|(producer, _)| *producer).collect();
        for producer in gone {
            self.producers.remove(&producer);
            for other in self.members.values_mut() {
                other.forget(producer);
            }
            let _closed = self.room.ask(Act::CloseProducer { producer }).is_ok();
        }
        Ok(())
    }

    fn mute_producer(&mut self) -> Result<(), BenchError> {
        let Some(producer) = any(self.producers.keys()) else { return Ok(()) };
        self.room.ask(Act::PauseProducer { producer, is_paused: chance(3) == 0 }).map(|_| ())
    }

    fn mute_consumer(&mut self) -> Result<(), BenchError> {
        let Some(consumer) = self.any_consumer() else { return Ok(()) };
        self.room.ask(Act::PauseConsumer { consumer, is_paused: chance(3) == 0 }).map(|_| ())
    }

    fn change_layers(&mut self) -> Result<(), BenchError> {
        let Some(consumer) = self.any_consumer() else { return Ok(()) };
        let act = Act::PreferLayers { consumer, spatial: chance(3) as u8, temporal: None };
        self.room.ask(act).map(|_| ())
    }

    fn any_consumer(&self) -> Option<ConsumerId> {
        any(self.members.values().flat_map(|one| one.consumed.keys()))
    }
}

impl Participant {
    fn forget(&mut self, producer: ProducerId) {
        let member = &mut self.member;
        self.consumed.retain(|_, (of, rtp)| {
            if *of == producer {
                member.forget(rtp);
            }
            *of != producer
        });
    }
}

fn any<'a, T: Copy + 'a>(of: impl Iterator<Item = &'a T>) -> Option<T> {
    let all: Vec<T> = of.copied().collect();
    (!all.is_empty()).then(|| all[chance(all.len())])
}

/// By the line that fits (seconds, bytes) best, in percent of the mean.
fn slope_percent(samples: &[(f64, f64)]) -> f64 {
    const HOUR: f64 = 3_600.0;
    let count = samples.len() as f64;
    let mean = |of: &dyn Fn(&(f64, f64)) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (mean_at, mean_bytes) = (mean(&|sample| sample.0), mean(&|sample| sample.1));
    let both = mean(&|sample| (sample.0 - mean_at) * (sample.1 - mean_bytes));
    let spread = mean(&|sample| (sample.0 - mean_at).powi(2));
    both / spread * HOUR / mean_bytes * 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percent_in_an_hour_is_seen_in_minutes() {
        let samples: Vec<(f64, f64)> =
            (0..600).map(|at| (f64::from(at), 1e8 * (1.0 + 0.01 * f64::from(at) / 3_600.0))).collect();
        assert!((slope_percent(&samples) - 1.0).abs() < 0.01);
        assert_eq!(slope_percent(&[(1.0, 5.0), (2.0, 5.0)]), 0.0);
    }
}
