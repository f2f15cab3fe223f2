//! Forwarding allocates nothing once it has found its size: not for a packet, not for a retransmission, not for a NACK.

use std::time::Duration;

use taoyao_sfu::rtcp::Writer;
use taoyao_sfu::{Router, TransportKey};
use taoyao_types::{Instant, Now, Wall};

mod one_producer;

use one_producer::{PRODUCER, packet, room};

const CONSUMERS: u32 = 20;

struct Room {
    router: Router,
    now: Instant,
    ssrcs: Vec<u32>,
    sequence: u16,
    sent: usize,
    last: [u16; CONSUMERS as usize],
    buffer: [u8; 1_500],
}

impl Room {
    fn new() -> Self {
        let now = Instant(1_000_000);
        let (router, ssrcs) = room(now, CONSUMERS);
        Self { router, now, ssrcs, sequence: 0, sent: 0, last: [0; CONSUMERS as usize], buffer: [0; 1_500] }
    }

    /// A frame of eight packets for everybody, one of which each receiver asks for again.
    fn frame(&mut self) {
        for _ in 0..8 {
            self.router.handle_rtp(self.now, PRODUCER, &packet(self.sequence, self.sequence == 0));
            self.sequence = self.sequence.wrapping_add(1);
        }
        self.flush();
        for key in 1..=CONSUMERS {
            let (ssrc, last) = (self.ssrcs[key as usize - 1], self.last[key as usize - 1]);
            let mut nack = [0; 64];
            let mut writer = Writer::new(&mut nack);
            assert_eq!(writer.nack(1, ssrc, &[last]), Ok(1));
            let length = writer.len();
            let now = self.wall();
            self.router.handle_rtcp(now, TransportKey(key), &nack[..length]);
        }
        self.flush();
        self.now = self.now + Duration::from_millis(10);
    }

    fn flush(&mut self) {
        let now = self.wall();
        while let Some(sent) = self.router.poll_transmit(now, &mut self.buffer) {
            if sent.to != PRODUCER && self.buffer[1] & 0x7f == 101 {
                self.last[sent.to.0 as usize - 1] = u16::from_be_bytes([self.buffer[2], self.buffer[3]]);
            }
            self.sent += 1;
        }
    }

    fn wall(&self) -> Now {
        Now { mono: self.now, wall: Wall(self.now.0 / 1_000) }
    }
}

#[test]
fn forwarding_allocates_nothing_in_steady_state() {
    let mut room = Room::new();
    // Long enough for every ring to have found its size.
    for frame in 0..=600 {
        room.frame();
        // Reports are made in turns of the clock, and those are not counted: so seldom here that what waits for them has
        // found its size, too.
        if frame % 60 == 0 {
            let now = room.wall();
            room.router.handle_timeout(now);
            room.flush();
        }
    }
    let before = room.sent;
    let counted = allocation_counter::measure(|| (0..50).for_each(|_| room.frame()));
    let sent = room.sent - before;
    assert!(sent >= 50 * 9 * CONSUMERS as usize, "{sent} packets and retransmissions left");
    assert_eq!(counted.count_total, 0, "allocations for {sent} packets");
}
