//! What routers have to send on its way out: sealed for each transport, padded to one size where that lets packets leave
//! together, and queued.

use taoyao_sfu::{TransmitKind, TransportKey};
use taoyao_types::Now;

use super::Worker;
use super::timers::Owner;
use super::transport::Kind;
use crate::socket::outbound::SLOT_BYTES;
use crate::socket::{Outbound, TcpPeers, Via};
use crate::stats::Traffic;

/// Packets of one frame differ by a byte or two, the larger ones last; so many bytes are filled up.
const PADDING_MAX: usize = 3;
/// The flag of padding in the first byte (RFC 3550, section 5.1).
const PADDING_FLAG: u8 = 0x20;

/// Packets of one transport in slots that follow each other, not sealed yet. One is used again and again.
#[derive(Default)]
pub(super) struct Group {
    to: Option<TransportKey>,
    first: usize,
    /// By slot from `first` on: how long, and of which kind.
    packets: Vec<(usize, TransmitKind)>,
}

/// Packets that are sealed together at most.
const GROUP_PACKETS: usize = 64;

impl Worker {
    pub(super) fn room_timeout(&mut self, now: Now, room: usize) {
        let Some(of_index) = self.rooms.get_mut(room) else { return };
        if of_index.armed.is_due(now.mono) {
            of_index.router.handle_timeout(now);
            self.touch(room);
        }
    }

    /// Sends what the routers of touched rooms have, and tells what they noticed.
    pub(super) fn forward_touched(&mut self, now: Now) {
        while let Some(room) = self.touched.pop() {
            self.forward(now, room);
            let Some(of_index) = self.rooms.get_mut(room) else { continue };
            of_index.is_touched = false;
            let at = of_index.router.poll_timeout();
            self.timers.arm(Owner::Room(room), &mut of_index.armed, at);
            while let Some(what) = of_index.router.poll_event() {
                (self.events)(taoyao_ortc::Event::Happened { room: of_index.name.clone(), what });
            }
        }
    }

    fn forward(&mut self, now: Now, room: usize) {
        let mut group = std::mem::take(&mut self.group);
        while let Some(of_index) = self.rooms.get_mut(room) {
            if self.outbound.room() == 0 {
                self.finish_group(now, room, &mut group);
                self.outbound.flush(&mut self.traffic);
                continue;
            }
            let Some(transmit) = of_index.router.poll_transmit(now, self.outbound.next_slot()) else { break };
            let slot = self.outbound.take();
            if group.to != Some(transmit.to) || group.packets.len() >= GROUP_PACKETS {
                self.finish_group(now, room, &mut group);
                (group.to, group.first) = (Some(transmit.to), slot);
            }
            group.packets.push((transmit.len, transmit.kind));
        }
        self.finish_group(now, room, &mut group);
        self.group = group;
    }

    fn finish_group(&mut self, now: Now, room: usize, group: &mut Group) {
        if let Some(to) = group.to.take() {
            self.send_group(now, room, to, group);
        }
        group.packets.clear();
    }

    /// Pads, seals and addresses the packets of one transport.
    fn send_group(&mut self, now: Now, room: usize, to: TransportKey, group: &mut Group) {
        let Some(transport) = self.transports.get_mut(to.0 as usize) else { return };
        let outbound = &mut self.outbound;
        match &mut transport.kind {
            Kind::WebRtc(webrtc) => {
                let Some(remote) = webrtc.peer.selected() else { return };
                if !remote.is_tcp {
                    pad(group, outbound);
                }
                for (slot, (len, kind)) in (group.first..).zip(group.packets.iter().copied()) {
                    let buffer = outbound.slot(slot);
                    let sealed = match kind {
                        TransmitKind::Rtp => webrtc.peer.seal_rtp(buffer, len),
                        TransmitKind::Rtcp => webrtc.peer.seal_rtcp(buffer, len),
                    };
                    let Some(sealed) = sealed else { continue };
                    transport.counts.bytes_out += sealed as u64;
                    let way = Way { via: self.via, tcp: self.tcp.as_mut(), traffic: &mut self.traffic };
                    way.send(outbound, slot, remote, sealed);
                }
            }
            Kind::Plain(plain) => {
                pad(group, outbound);
                for (slot, (len, kind)) in (group.first..).zip(group.packets.iter().copied()) {
                    let is_rtcp = kind == TransmitKind::Rtcp;
                    let Some((via, to)) = plain.way(now.mono, is_rtcp) else { continue };
                    let Some(sealed) = plain.seal(is_rtcp, outbound.slot(slot), len) else { continue };
                    transport.counts.bytes_out += sealed as u64;
                    plain.note_sent(sealed);
                    outbound.address(slot, via, to, sealed);
                }
            }
            Kind::Mirror => {
                let Some(mirror) = self.spread.mirror_of(to.0) else { return };
                for (slot, (len, _)) in (group.first..).zip(group.packets.iter().copied()) {
                    self.spread.wish(mirror, &outbound.slot(slot)[..len], &mut self.traffic);
                }
            }
            Kind::Tap(tap) => {
                let Some(room) = self.rooms.get_mut(room) else { return };
                let Some(tap) = room.taps.get_mut(tap) else { return };
                for (slot, (len, kind)) in (group.first..).zip(group.packets.iter().copied()) {
                    tap.take(now, &mut room.router, kind, &outbound.slot(slot)[..len]);
                }
            }
        }
    }
}

/// How a sealed packet leaves a WebRTC transport.
struct Way<'a> {
    via: Via,
    tcp: Option<&'a mut TcpPeers>,
    traffic: &'a mut Traffic,
}

impl Way<'_> {
    fn send(self, outbound: &mut Outbound, slot: usize, to: taoyao_sfu::ice::RemoteAddress, len: usize) {
        if !to.is_tcp {
            return outbound.address(slot, self.via, to.addr, len);
        }
        let frame = &outbound.slot(slot)[..len];
        let is_sent = self.tcp.is_some_and(|tcp| tcp.send(to.addr, frame));
        if is_sent {
            self.traffic.datagrams_out += 1;
            self.traffic.bytes_out += len as u64;
        } else {
            self.traffic.dropped_out += 1;
        }
    }
}

/// Makes runs of RTP packets of nearly one size be of one size: they then leave as one message. The last of a run stays
/// as it is.
fn pad(group: &mut Group, outbound: &mut Outbound) {
    let mut first = 0;
    while first < group.packets.len() {
        let (end, longest) = run(&group.packets[first..]);
        let end = first + end;
        for at in first..end.saturating_sub(1) {
            let (len, _) = group.packets[at];
            if let Some(padded) = pad_to(outbound.slot(group.first + at), len, longest) {
                group.packets[at].0 = padded;
            }
        }
        first = end;
    }
}

/// How many packets from the beginning on are of nearly one size, and the longest of them.
fn run(packets: &[(usize, TransmitKind)]) -> (usize, usize) {
    let (mut longest, mut shortest) = (0, usize::MAX);
    for (at, &(len, kind)) in packets.iter().enumerate() {
        let (up, down) = (longest.max(len), shortest.min(len));
        if kind == TransmitKind::Rtcp || (at > 0 && up - down > PADDING_MAX) {
            return (at.max(1), longest);
        }
        (longest, shortest) = (up, down);
    }
    (packets.len(), longest)
}

/// Adds RTP padding up to a length. None if the packet has it already, or is as long.
fn pad_to(packet: &mut [u8], len: usize, longest: usize) -> Option<usize> {
    let missing = longest.checked_sub(len).filter(|missing| *missing > 0)?;
    if packet[0] & PADDING_FLAG != 0 || longest > SLOT_BYTES - crate::peer::SEAL_BYTES_MAX {
        return None;
    }
    packet[0] |= PADDING_FLAG;
    packet[len..longest].fill(0);
    packet[longest - 1] = u8::try_from(missing).ok()?;
    Some(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTP: TransmitKind = TransmitKind::Rtp;

    #[test]
    fn a_frame_whose_last_packets_are_a_byte_longer_is_one_run() {
        assert_eq!(run(&[(1185, RTP), (1185, RTP), (1186, RTP)]), (3, 1186));
        assert_eq!(run(&[(1185, RTP), (1185, RTP), (400, RTP), (1185, RTP)]), (2, 1185));
        assert_eq!(run(&[(80, TransmitKind::Rtcp), (80, RTP)]).0, 1);
    }

    #[test]
    fn padding_is_as_rtp_has_it() {
        let mut packet = [0x80, 96, 0, 1, 9, 9, 9, 9];
        let mut buffer = [0xff; 64];
        buffer[..8].copy_from_slice(&packet);
        assert_eq!(pad_to(&mut buffer, 8, 10), Some(10));
        assert_eq!(buffer[0], 0xa0);
        assert_eq!(buffer[8..10], [0, 2]);
        packet[0] = 0xa0;
        buffer[..8].copy_from_slice(&packet);
        assert_eq!(pad_to(&mut buffer, 8, 10), None, "it has padding of its own");
    }
}
