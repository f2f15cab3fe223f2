//! A conversation during which somebody else misbehaves: all of it must be heard.

use taoyao_ortc::{MediaKind, ProducerId};

use crate::packets::{audio, sound, ssrc_of};
use crate::side::Side;
use crate::terminal::Terminal;

/// Alice speaks, Bob listens, Mallory is a member of the same room.
pub(crate) struct Conversation {
    pub(crate) side: Side,
    pub(crate) alice: Terminal,
    pub(crate) bob: Terminal,
    pub(crate) mallory: Terminal,
    pub(crate) producer: ProducerId,
    /// By which Bob hears Alice.
    ssrc: u32,
    said: u8,
}

impl Conversation {
    pub(crate) fn new() -> Self {
        let mut side = Side::new();
        let (alice, bob) = (Terminal::join(&mut side), Terminal::join(&mut side));
        let mallory = Terminal::join(&mut side);
        let producer = side.produce(alice.id, MediaKind::Audio, audio());
        let (_, rtp) = side.consume(bob.id, producer);
        let ssrc = rtp.encodings[0].ssrc.unwrap();
        Self { side, alice, bob, mallory, producer, ssrc, said: 0 }
    }

    /// One packet of sound more; returns it as it went out.
    pub(crate) fn say(&mut self) -> Vec<u8> {
        self.said += 1;
        let packet = sound(self.said.into());
        let mut buffer = [0; 1_600];
        buffer[..packet.len()].copy_from_slice(&packet);
        let len = self.alice.client.seal_rtp(&mut buffer, packet.len()).unwrap();
        self.alice.send_raw(&buffer[..len]);
        self.bob.turn();
        buffer[..len].to_vec()
    }

    /// All that was said is heard, once and in order, and the worker has lived all the time.
    pub(crate) fn end(mut self) -> Side {
        let (ssrc, said) = (self.ssrc, self.said);
        let heard = |bob: &Terminal| -> Vec<u8> {
            bob.rtp.iter().filter(|one| ssrc_of(one) == ssrc).map(|one| one[one.len() - 1]).collect()
        };
        self.bob.until("all packets arrive", |bob| heard(bob).len() >= said.into());
        assert_eq!(heard(&self.bob), (1..=said).collect::<Vec<u8>>());
        assert_eq!(self.side.media.stats()[0].restarts, 0);
        self.side
    }
}
