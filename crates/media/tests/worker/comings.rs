//! Comings and goings in a room on three workers: whatever happens in whichever order, everything is counted and ends.

use std::time::{Duration, Instant};

use taoyao_ortc::{Act, ConsumerId, MediaKind, ProducerId, Reply, router_capabilities};

use crate::packets::{audio, picture, sound, video};
use crate::side::{LONG, Side};
use crate::terminal::{Terminal, now};

const WORKERS: usize = 3;
const MEMBERS_MAX: usize = 7;
const DEEDS: usize = 400;

struct Member {
    terminal: Terminal,
    producers: Vec<ProducerId>,
    consumers: Vec<(ConsumerId, ProducerId)>,
    sent: u16,
}

struct Room {
    side: Side,
    members: Vec<Member>,
    random: fastrand::Rng,
}

impl Room {
    fn act(&mut self) {
        let Some(at) = self.member() else { return self.join() };
        match self.random.u8(0..16) {
            0..=1 if self.members.len() < MEMBERS_MAX => self.join(),
            2 => self.leave(at),
            3..=4 => self.produce(at),
            5..=9 => self.consume(at),
            10..=11 => self.stop_consuming(at),
            12 => self.stop_producing(at),
            13 => self.pause(at),
            _ => self.send(at),
        }
    }

    fn member(&mut self) -> Option<usize> {
        (!self.members.is_empty()).then(|| self.random.usize(..self.members.len()))
    }

    fn join(&mut self) {
        let terminal = Terminal::join(&mut self.side);
        self.members.push(Member { terminal, producers: Vec::new(), consumers: Vec::new(), sent: 0 });
    }

    /// As told, or without a word to signalling.
    fn leave(&mut self, at: usize) {
        let mut member = self.members.swap_remove(at);
        let transport = member.terminal.id;
        if self.random.bool() {
            assert_eq!(self.side.ask(Act::CloseTransport { transport }), Ok(Reply::Done));
        } else {
            member.terminal.client.close(now());
            member.terminal.say();
            self.side.wait_for(&taoyao_ortc::Happening::TransportClosed { transport });
        }
        for producer in member.producers {
            self.forget(producer);
        }
    }

    fn forget(&mut self, producer: ProducerId) {
        for member in &mut self.members {
            member.consumers.retain(|(_, of)| *of != producer);
        }
    }

    fn produce(&mut self, at: usize) {
        let (kind, rtp) = match self.members[at].producers.len() {
            0 => (MediaKind::Audio, audio()),
            1 => (MediaKind::Video, video()),
            _ => return,
        };
        let transport = self.members[at].terminal.id;
        let producer = self.side.produce(transport, kind, rtp);
        self.members[at].producers.push(producer);
    }

    fn consume(&mut self, at: usize) {
        let all: Vec<_> = self.members.iter().flat_map(|member| member.producers.iter().copied()).collect();
        let Some(producer) = self.random.choice(all) else { return };
        let consumer = ConsumerId::of_random(self.side.id());
        let transport = self.members[at].terminal.id;
        let capabilities = router_capabilities().into();
        let consumed = self.side.ask(Act::Consume { transport, consumer, producer, capabilities });
        assert!(consumed.is_ok(), "{consumed:?}");
        self.side.ask(Act::PauseConsumer { consumer, is_paused: false }).unwrap();
        self.members[at].consumers.push((consumer, producer));
    }

    fn stop_consuming(&mut self, at: usize) {
        if let Some((consumer, _)) = self.members[at].consumers.pop() {
            assert_eq!(self.side.ask(Act::CloseConsumer { consumer }), Ok(Reply::Done));
        }
    }

    fn stop_producing(&mut self, at: usize) {
        if let Some(producer) = self.members[at].producers.pop() {
            assert_eq!(self.side.ask(Act::CloseProducer { producer }), Ok(Reply::Done));
            self.forget(producer);
        }
    }

    fn pause(&mut self, at: usize) {
        let is_paused = self.random.bool();
        if let Some(&producer) = self.members[at].producers.first() {
            assert_eq!(self.side.ask(Act::PauseProducer { producer, is_paused }), Ok(Reply::Done));
        }
    }

    fn send(&mut self, at: usize) {
        let member = &mut self.members[at];
        for _ in 0..5 {
            member.sent += 1;
            member.terminal.send_rtp(&sound(member.sent));
            member.terminal.send_rtp(&picture(member.sent, member.sent % 10 == 1));
        }
        member.terminal.turn();
    }

    /// Waits until the workers together have what there is, and no more mirrors than are needed.
    fn settle(&self) {
        let wanted = (
            self.members.len(),
            self.members.iter().map(|member| member.producers.len()).sum::<usize>(),
            self.members.iter().map(|member| member.consumers.len()).sum::<usize>(),
        );
        let begun = Instant::now();
        loop {
            let stats = self.side.media.stats();
            let parts: Vec<_> = stats.iter().flat_map(|worker| &worker.rooms).collect();
            let there = (
                parts.iter().map(|part| part.transports.len()).sum::<usize>(),
                parts.iter().map(|part| part.producers.len()).sum::<usize>(),
                parts.iter().map(|part| part.consumers.len()).sum::<usize>(),
            );
            let mirrors: usize = parts.iter().map(|part| part.mirrors).sum();
            if there == wanted && mirrors <= wanted.1 * (WORKERS - 1) {
                return;
            }
            assert!(begun.elapsed() < LONG, "{there:?} and {mirrors} mirrors, not {wanted:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

#[test]
fn everything_is_counted_whatever_happens_and_nothing_is_left() {
    let random = fastrand::Rng::with_seed(22);
    let mut room = Room { side: Side::over(WORKERS), members: Vec::new(), random };
    for deed in 0..DEEDS {
        room.act();
        if deed % 20 == 0 {
            room.settle();
        }
    }
    while !room.members.is_empty() {
        room.leave(0);
    }
    room.settle();
    room.side.until_mirrors(&[0]);
    room.side.ask(Act::CloseRoom).unwrap();
    room.side.until_mirrors(&[]);
    let stats = room.side.media.stats();
    assert!(stats.iter().all(|worker| worker.restarts == 0 && worker.traffic.dropped_by_pipes == 0));
    assert!(stats.iter().all(|worker| worker.traffic.piped > 0), "all workers passed something on");
}
