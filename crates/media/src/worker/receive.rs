//! Datagrams on their way in: whose they are, and what is done with what they hold.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use taoyao_sfu::TransportKey;
use taoyao_sfu::ice::{RemoteAddress, ufrag_of};
use taoyao_types::{Now, limits};

use super::plain::Opened;
use super::{BATCHES_PER_TURN, Worker, token};
use crate::peer::PeerInput;
use crate::socket::Inbound;

/// The first byte of STUN is below (RFC 7983).
const STUN_FIRST_BYTES: u8 = 4;

impl Worker {
    /// Takes batches of datagrams. Returns whether there may be more.
    pub(super) fn receive(&mut self, now: Now, inbound: &mut Inbound) -> bool {
        let udp = Rc::clone(&self.udp);
        for _ in 0..BATCHES_PER_TURN {
            match inbound.receive(&udp) {
                Ok(has_more) => {
                    for (addr, datagram) in inbound.datagrams() {
                        self.handle_datagram(now, RemoteAddress { addr, is_tcp: false }, datagram);
                    }
                    // The queue was seen empty, so that the poll tells of what comes next.
                    if !has_more {
                        return false;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                // Of one datagram, as an ICMP message that came back; the others are still there.
                Err(_) => {}
            }
        }
        true
    }

    /// Sockets of plain transports, and TCP connections.
    pub(super) fn read_unread(&mut self, now: Now, inbound: &mut Inbound) {
        if self.unread.is_empty() {
            return;
        }
        let mut unread = std::mem::take(&mut self.unread);
        unread.retain(|&token| match token::plain_of(token) {
            Some((key, is_rtcp)) => self.receive_plain(now, key, is_rtcp, inbound),
            None => self.read_tcp(now, token),
        });
        unread.append(&mut self.unread);
        self.unread = unread;
    }

    /// Reads some of a TCP connection. Returns whether there may be more.
    fn read_tcp(&mut self, now: Now, token: mio::Token) -> bool {
        let Some(mut tcp) = self.tcp.take() else { return false };
        let key = tcp.key_of(token);
        if let Some(key) = key {
            tcp.read(key, |addr, frame| {
                self.handle_datagram(now, RemoteAddress { addr, is_tcp: true }, frame);
            });
        }
        let has_more = key.is_some_and(|key| tcp.is_readable(key));
        self.tcp = Some(tcp);
        has_more
    }

    fn handle_datagram(&mut self, now: Now, from: RemoteAddress, datagram: &mut [u8]) {
        self.traffic.datagrams_in += 1;
        self.traffic.bytes_in += datagram.len() as u64;
        if datagram.len() > limits::MEDIA_DATAGRAM_BYTES_MAX {
            return;
        }
        let Some(key) = self.owner_of(from, datagram) else {
            self.traffic.strangers += 1;
            return;
        };
        let Some(transport) = self.transports.get_mut(key as usize) else { return };
        transport.counts.bytes_in += datagram.len() as u64;
        let room = transport.room;
        let Some(webrtc) = transport.webrtc() else { return };
        match webrtc.peer.handle_datagram(now.mono, from, datagram) {
            PeerInput::Rtp(len) => {
                self.take_rtp(now, room, key, &datagram[..len]);
            }
            PeerInput::Rtcp(len) => {
                self.take_rtcp(now, room, key, &datagram[..len]);
            }
            PeerInput::Consumed => self.soil(key),
        }
    }

    /// Returns whether it was a packet of a producer.
    fn take_rtp(&mut self, now: Now, room: usize, key: u32, packet: &[u8]) -> bool {
        let router = &mut self.rooms[room].router;
        let origin = router.handle_rtp(now.mono, TransportKey(key), packet);
        if let (Some(origin), Some(transport)) = (origin, self.transports.get_mut(key as usize)) {
            let clock_of = |out: &mut [u8]| router.write_clock(now, origin.producer, origin.stream, out);
            self.spread.pass_rtp(&mut transport.mirrors, &origin, packet, &mut self.traffic, clock_of);
        }
        self.touch(room);
        origin.is_some()
    }

    fn take_rtcp(&mut self, now: Now, room: usize, key: u32, packet: &[u8]) {
        self.rooms[room].router.handle_rtcp(now, TransportKey(key), packet);
        if let Some(transport) = self.transports.get(key as usize) {
            self.spread.pass_rtcp(&transport.mirrors, packet, &mut self.traffic);
        }
        self.touch(room);
    }

    /// A check says whom it is for; everything else is told by where it comes from.
    fn owner_of(&self, from: RemoteAddress, datagram: &[u8]) -> Option<u32> {
        let is_stun = datagram.first().is_some_and(|first| *first < STUN_FIRST_BYTES);
        let named =
            if is_stun { ufrag_of(datagram).and_then(|ufrag| self.by_ufrag.get(ufrag)) } else { None };
        named.or_else(|| self.by_address.get(&from)).copied()
    }

    /// Datagrams of a plain transport's socket. Returns whether there may be more.
    fn receive_plain(&mut self, now: Now, key: u32, is_rtcp: bool, inbound: &mut Inbound) -> bool {
        let Some(socket) = self.plain(key).and_then(|plain| plain.socket(is_rtcp)) else { return false };
        match inbound.receive(&socket) {
            Ok(_) => {
                for (from, datagram) in inbound.datagrams() {
                    self.handle_plain(now, key, is_rtcp, from, datagram);
                }
                true
            }
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }

    fn handle_plain(&mut self, now: Now, key: u32, is_rtcp: bool, from: SocketAddr, datagram: &mut [u8]) {
        self.traffic.datagrams_in += 1;
        self.traffic.bytes_in += datagram.len() as u64;
        let bytes = datagram.len() as u64;
        let opened = self.plain(key).and_then(|plain| plain.open(now.mono, is_rtcp, from, datagram));
        let Some(transport) = self.transports.get_mut(key as usize) else { return };
        transport.counts.bytes_in += bytes;
        let room = transport.room;
        let Some(Opened { input, is_first }) = opened else {
            self.traffic.strangers += 1;
            return;
        };
        let produces = self.rooms[room].router.produces(TransportKey(key));
        let is_meant = match input {
            PeerInput::Rtp(len) => self.take_rtp(now, room, key, &datagram[..len]) || !produces,
            // Its sender may have another port for it; the media are waited for.
            PeerInput::Rtcp(_) if is_first && produces && !is_rtcp => false,
            PeerInput::Rtcp(len) => {
                self.take_rtcp(now, room, key, &datagram[..len]);
                true
            }
            PeerInput::Consumed => false,
        };
        if is_first && !is_meant {
            self.traffic.strangers += 1;
        } else if let Some(plain) = self.plain(key) {
            let was_open = plain.is_open(now.mono);
            plain.accept(now.mono, input, from);
            if !was_open {
                self.settle_plain(now, key);
            }
        }
    }
}
