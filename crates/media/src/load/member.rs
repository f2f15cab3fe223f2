//! A member of a room on a bad line: sends simulcast, receives from others, says what a browser says, and loses packets both
//! ways.

use std::collections::BTreeMap;

use taoyao_ortc::{Encoding, RtpParameters, RtxEncoding};
use taoyao_sfu::congestion::{Arrivals, NackGenerator};
use taoyao_sfu::packet::Packet;
use taoyao_sfu::rtcp::{NoRoom, Writer};

use super::link::Link;
use super::packets::{self, PACKET_BYTES};
use super::producer::video;
use crate::clock;
use crate::peer::{PeerInput, SEAL_BYTES_MAX};
use crate::socket::Inbound;

/// Layers of a member's pictures.
const LAYERS: u32 = 3;
/// Between the SSRCs of two layers: a layer and its retransmissions.
const SSRCS: u32 = 2;
/// Bytes of RTCP in one datagram.
const FEEDBACK_BYTES: usize = 1_200;
/// Sequence numbers in one request.
const ASKED_MAX: usize = 64;
/// Payload type of a request for a key frame (RFC 4585, section 6.3.1), with its first byte.
const PLI: [u8; 2] = [0x81, 206];
/// Where the first byte of VP8's frame is, whose lowest bit says that it is no key frame.
const FRAME_AT: usize = 24;
/// Where the number of the transport-wide extension is.
const TRANSPORT_NUMBER_AT: usize = 17;

pub struct Member {
    link: Link,
    loss: f64,
    ssrc: u32,
    frames: u64,
    transport_number: u16,
    wants_key_frame: bool,
    arrivals: Arrivals,
    /// By the SSRCs of what it consumes.
    streams: BTreeMap<u32, NackGenerator>,
    /// What the SSRCs of retransmissions repeat.
    repairs: BTreeMap<u32, u32>,
    received: u64,
}

impl Member {
    /// `loss`: the part of packets that gets lost, each way, from 0 to 1.
    pub fn new(link: Link, loss: f64) -> Self {
        Self {
            link,
            loss,
            // Even, and never one of a neighbour's.
            ssrc: fastrand::u32(1_000..u32::MAX / 16) * LAYERS * SSRCS,
            frames: 0,
            transport_number: 0,
            wants_key_frame: true,
            arrivals: Arrivals::new(clock::mono()),
            streams: BTreeMap::new(),
            repairs: BTreeMap::new(),
            received: 0,
        }
    }

    /// What it sends, as signalling says it.
    pub fn video(&self) -> RtpParameters {
        let mut rtp = video();
        rtp.encodings = (0..LAYERS)
            .map(|layer| {
                let ssrc = self.ssrc + layer * SSRCS;
                Encoding {
                    ssrc: Some(ssrc),
                    rtx: Some(RtxEncoding { ssrc: ssrc + 1 }),
                    ..Encoding::default()
                }
            })
            .collect();
        rtp
    }

    /// It consumes this from now on.
    pub fn hear(&mut self, rtp: &RtpParameters) {
        for encoding in &rtp.encodings {
            let Some(ssrc) = encoding.ssrc else { continue };
            self.streams.insert(ssrc, NackGenerator::default());
            self.repairs.extend(encoding.rtx.map(|rtx| (rtx.ssrc, ssrc)));
        }
    }

    /// It consumes this no longer.
    pub fn forget(&mut self, rtp: &RtpParameters) {
        for encoding in &rtp.encodings {
            encoding.ssrc.map(|ssrc| self.streams.remove(&ssrc));
            encoding.rtx.map(|rtx| self.repairs.remove(&rtx.ssrc));
        }
    }

    /// Packets that have reached it.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// One frame of each layer: one packet, two and three.
    pub fn send_frame(&mut self) {
        let is_key = std::mem::take(&mut self.wants_key_frame);
        for layer in 0..LAYERS {
            let burst = u64::from(layer) + 1;
            for place in 0..burst {
                self.send_packet(layer, self.frames * burst + place, burst, is_key && place == 0);
            }
        }
        self.frames += 1;
    }

    fn send_packet(&mut self, layer: u32, number: u64, burst: u64, is_key: bool) {
        let mut packet = [0; PACKET_BYTES + SEAL_BYTES_MAX];
        packets::write(number, burst, clock::mono().0, &mut packet);
        let ssrc = self.ssrc + layer * SSRCS;
        packet[8..12].copy_from_slice(&ssrc.to_be_bytes());
        packet[TRANSPORT_NUMBER_AT..TRANSPORT_NUMBER_AT + 2]
            .copy_from_slice(&self.transport_number.to_be_bytes());
        self.transport_number = self.transport_number.wrapping_add(1);
        if is_key {
            packet[FRAME_AT] &= !1;
        }
        let sealed = self.link.client.seal_rtp(&mut packet, PACKET_BYTES);
        if let Some(len) = sealed.filter(|_| !self.is_lost()) {
            drop(self.link.socket.io.send_to(&packet[..len], self.link.to));
        }
    }

    /// Takes what has come, and says what is to be said.
    pub fn turn(&mut self, inbound: &mut LoadBuffer) {
        while inbound.0.receive(&self.link.socket).is_ok() {
            for (_, datagram) in inbound.0.datagrams() {
                if self.loss == 0.0 || fastrand::f64() >= self.loss {
                    self.take(datagram);
                }
            }
        }
        self.say_feedback();
        self.link.run_timers();
        self.link.say();
    }

    /// Says goodbye to the SFU; a member that is only dropped vanishes.
    pub fn leave(mut self) {
        self.link.client.close(clock::mono());
        self.link.say();
    }

    fn take(&mut self, datagram: &mut [u8]) {
        let now = clock::mono();
        let (number, bytes) = (packets::transport_number(datagram), datagram.len());
        match self.link.client.handle_datagram(now, datagram) {
            PeerInput::Rtp(len) => {
                if let Some(number) = number {
                    self.arrivals.handle_packet(now, number, bytes);
                }
                self.received += 1;
                self.note(&datagram[..len]);
            }
            PeerInput::Rtcp(len) => {
                self.wants_key_frame |= datagram[..len].windows(2).any(|two| two == PLI);
            }
            PeerInput::Consumed => {}
        }
    }

    /// Notes what has come, and of retransmissions what they repeat (RFC 4588, section 4).
    fn note(&mut self, packet: &[u8]) {
        let Ok(packet) = Packet::parse(packet) else { return };
        let (ssrc, sequence) = match (self.repairs.get(&packet.ssrc()), packet.payload().split_first_chunk())
        {
            (Some(ssrc), Some((original, _))) => (*ssrc, u16::from_be_bytes(*original)),
            (Some(_), None) => return,
            (None, _) => (packet.ssrc(), packet.sequence()),
        };
        if let Some(nacks) = self.streams.get_mut(&ssrc) {
            nacks.handle_packet(clock::mono(), sequence, false);
        }
    }

    fn say_feedback(&mut self) {
        let now = clock::mono();
        let mut wants_key_frame = Vec::new();
        let mut asked = [0; ASKED_MAX];
        for (ssrc, nacks) in &mut self.streams {
            let count = nacks.poll_nack(now, &mut asked);
            if count > 0 {
                say(&mut self.link, |writer| writer.nack(1, *ssrc, &asked[..count]).map(|_| ()));
            }
            if nacks.poll_key_frame() {
                wants_key_frame.push(*ssrc);
            }
        }
        for ssrc in wants_key_frame {
            say(&mut self.link, |writer| writer.pli(1, ssrc));
        }
        let arrivals = &mut self.arrivals;
        say(&mut self.link, |writer| arrivals.poll_feedback(now, 1, 0, writer).map(|_| ()));
    }

    fn is_lost(&self) -> bool {
        self.loss > 0.0 && fastrand::f64() < self.loss
    }
}

/// Sends what is written, if anything is.
fn say(link: &mut Link, write: impl FnOnce(&mut Writer<'_>) -> Result<(), NoRoom>) {
    let mut buffer = [0; FEEDBACK_BYTES + SEAL_BYTES_MAX];
    let mut writer = Writer::new(&mut buffer[..FEEDBACK_BYTES]);
    if write(&mut writer).is_err() || writer.is_empty() {
        return;
    }
    let len = writer.len();
    if let Some(sealed) = link.client.seal_rtcp(&mut buffer, len) {
        drop(link.socket.io.send_to(&buffer[..sealed], link.to));
    }
}

/// What members receive into, one after the other.
pub struct LoadBuffer(Inbound);

impl Default for LoadBuffer {
    fn default() -> Self {
        Self(Inbound::new())
    }
}
