//! What is to be sent: packets side by side in one buffer, leaving in as few calls into the kernel as possible.
//!
//! Packets of one size that follow each other to one address leave as one message that the network stack cuts up as late
//! as it can (GSO): the cost in the kernel is per message. Messages to many addresses leave in one `sendmmsg`.

use std::io::IoSlice;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use arrayvec::ArrayVec;
use nix::sys::socket::{setsockopt, sockopt};
use rustix::io::Errno;
use rustix::net::addr::SocketAddrArg;
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, SocketAddrAny, sendmmsg};
use slab::Slab;

use super::udp::Udp;
use crate::stats::Traffic;

/// Bytes of a packet's place: a full Ethernet frame and what sealing adds.
pub(crate) const SLOT_BYTES: usize = 1_600;
/// Packets that wait at most; then they are sent. What they take up stays in a core's cache.
pub(crate) const SLOTS: usize = 256;
/// Messages of one call.
const MESSAGES: usize = 64;
/// Segments of one message: the kernel's bound (`UDP_MAX_SEGMENTS` of older kernels).
const SEGMENTS: usize = 64;
/// Bytes of one message: that of IP, with its headers.
const MESSAGE_BYTES: usize = 65_000;
/// Bytes of a segment, so that it fits the way: Ethernet's 1,500 without room for tunnels would be refused on some.
const SEGMENT_BYTES_MAX: usize = 1_452;
/// How often, and how long each time, a full queue of the kernel is waited for before what waits is dropped.
const FULL_WAITS: usize = 4;
const FULL_WAIT: Duration = Duration::from_micros(200);

/// The socket that a packet leaves by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Via(usize);

struct Exit {
    socket: Rc<Udp>,
    /// The size of segments that the socket has been told; 0: none.
    segment: usize,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    via: Via,
    to: SocketAddr,
    /// 0: nothing is to be sent.
    len: usize,
}

/// Packets that wait to be sent.
pub(crate) struct Outbound {
    slots: Box<[u8]>,
    entries: Vec<Option<Entry>>,
    exits: Slab<Exit>,
    /// False once the kernel or the card has refused it.
    has_gso: bool,
}

/// Packets of one socket and one address that leave as one message.
#[derive(Clone, Copy)]
struct Message {
    first: usize,
    count: usize,
    entry: Entry,
}

impl Outbound {
    pub(crate) fn new() -> Self {
        Self {
            slots: vec![0; SLOTS * SLOT_BYTES].into_boxed_slice(),
            entries: Vec::with_capacity(SLOTS),
            exits: Slab::new(),
            has_gso: true,
        }
    }

    /// A socket that packets can leave by, until [`Self::close`].
    pub(crate) fn open(&mut self, socket: Rc<Udp>) -> Via {
        Via(self.exits.insert(Exit { socket, segment: 0 }))
    }

    /// Only when nothing waits that leaves by it.
    pub(crate) fn close(&mut self, via: Via) {
        self.exits.try_remove(via.0);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Packets that may still be written before [`Self::flush`] is due.
    pub(crate) fn room(&self) -> usize {
        SLOTS - self.entries.len()
    }

    /// Where the next packet is written. Only if there is [`Self::room`].
    pub(crate) fn next_slot(&mut self) -> &mut [u8] {
        let at = self.entries.len().min(SLOTS - 1) * SLOT_BYTES;
        &mut self.slots[at..at + SLOT_BYTES]
    }

    /// Takes the next slot; what it holds is not sent before [`Self::address`]. Returns its number.
    pub(crate) fn take(&mut self) -> usize {
        self.entries.push(None);
        self.entries.len() - 1
    }

    pub(crate) fn slot(&mut self, slot: usize) -> &mut [u8] {
        &mut self.slots[slot * SLOT_BYTES..(slot + 1) * SLOT_BYTES]
    }

    /// Says where the first `len` bytes of a slot go.
    pub(crate) fn address(&mut self, slot: usize, via: Via, to: SocketAddr, len: usize) {
        self.entries[slot] = Some(Entry { via, to, len });
    }

    /// Sends all that waits. What the kernel does not take is dropped and counted: media does not wait.
    pub(crate) fn flush(&mut self, traffic: &mut Traffic) {
        let mut next = 0;
        while next < self.entries.len() {
            next = self.send_batch(next, traffic);
        }
        self.entries.clear();
    }

    /// Sends the messages that can leave in one call, from the entry `first` on. Returns the entry after them.
    fn send_batch(&mut self, first: usize, traffic: &mut Traffic) -> usize {
        let mut messages: ArrayVec<Message, MESSAGES> = ArrayVec::new();
        let mut batch = Batch::default();
        let mut next = first;
        while next < self.entries.len() && !messages.is_full() {
            let Some(message) = message_at(&self.entries, next, self.has_gso) else {
                next += 1;
                continue;
            };
            if !batch.takes(&message) {
                break;
            }
            next = message.first + message.count;
            messages.push(message);
        }
        if let Some(via) = batch.via {
            self.send_messages(via, batch.segment, &messages, traffic);
        }
        next
    }

    fn send_messages(&mut self, via: Via, segment: usize, messages: &[Message], traffic: &mut Traffic) {
        let mut sent = 0;
        let mut waits = 0;
        while sent < messages.len() {
            traffic.sends += 1;
            match self.send_once(via, segment, &messages[sent..]) {
                Ok(0) => break,
                Ok(count) => {
                    self.count_sent(&messages[sent..sent + count], traffic);
                    sent += count;
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN | Errno::NOBUFS) if waits < FULL_WAITS => {
                    waits += 1;
                    std::thread::sleep(FULL_WAIT);
                }
                Err(Errno::AGAIN | Errno::NOBUFS) => break,
                Err(Errno::IO | Errno::INVAL) if segment > 0 && self.has_gso => {
                    self.has_gso = false;
                    tracing::warn!("the network does not take segmented UDP; sending costs more from now on");
                    return self.send_singly(via, &messages[sent..], traffic);
                }
                // One address that cannot be reached holds up no other.
                Err(_) => {
                    traffic.dropped_out += messages[sent].count as u64;
                    sent += 1;
                }
            }
        }
        let dropped: usize = messages[sent..].iter().map(|message| message.count).sum();
        traffic.dropped_out += dropped as u64;
    }

    fn count_sent(&self, messages: &[Message], traffic: &mut Traffic) {
        for message in messages {
            let packets = &self.entries[message.first..message.first + message.count];
            traffic.datagrams_out += message.count as u64;
            traffic.bytes_out += packets.iter().flatten().map(|entry| entry.len as u64).sum::<u64>();
        }
    }

    /// The same packets, one message for each.
    fn send_singly(&mut self, via: Via, messages: &[Message], traffic: &mut Traffic) {
        let singles = messages.iter().flat_map(|message| message.first..message.first + message.count);
        let singles: Vec<Message> =
            singles.filter_map(|first| message_at(&self.entries, first, false)).collect();
        for chunk in singles.chunks(MESSAGES) {
            self.send_messages(via, 0, chunk, traffic);
        }
    }

    /// One call. Returns how many messages the kernel took.
    fn send_once(&mut self, via: Via, segment: usize, messages: &[Message]) -> Result<usize, Errno> {
        let exit = self.exits.get_mut(via.0).ok_or(Errno::BADF)?;
        exit.set_segment(segment)?;
        let mut slices: ArrayVec<IoSlice<'_>, SLOTS> = ArrayVec::new();
        let mut addresses: ArrayVec<SocketAddrAny, MESSAGES> = ArrayVec::new();
        let mut controls: ArrayVec<SendAncillaryBuffer<'_, '_, '_>, MESSAGES> = ArrayVec::new();
        for message in messages {
            for at in message.first..message.first + message.count {
                let len = self.entries[at].map_or(0, |entry| entry.len);
                slices.push(IoSlice::new(&self.slots[at * SLOT_BYTES..at * SLOT_BYTES + len]));
            }
            addresses.push(exit.encode(message.entry.to).as_any());
            controls.push(SendAncillaryBuffer::default());
        }
        let mut headers: ArrayVec<MMsgHdr<'_>, MESSAGES> = ArrayVec::new();
        let mut rest = slices.as_slice();
        for ((message, address), control) in messages.iter().zip(&addresses).zip(&mut controls) {
            let (group, behind) = rest.split_at(message.count);
            headers.push(MMsgHdr::new_with_addr(address, group, control));
            rest = behind;
        }
        sendmmsg(&exit.socket.io, &mut headers, SendFlags::DONTWAIT)
    }
}

impl Exit {
    /// Has the kernel cut messages into segments of so many bytes; 0: not at all. Costs a call only where it changes.
    fn set_segment(&mut self, segment: usize) -> Result<(), Errno> {
        if self.segment == segment {
            return Ok(());
        }
        let size = i32::try_from(segment).map_err(|_| Errno::INVAL)?;
        setsockopt(&self.socket.io, sockopt::UdpGsoSegment, &size)
            .map_err(|errno| Errno::from_raw_os_error(errno as i32))?;
        self.segment = segment;
        Ok(())
    }

    /// The address as this socket's family writes it.
    fn encode(&self, to: SocketAddr) -> SocketAddr {
        match to.ip() {
            IpAddr::V4(ip) if self.socket.address().is_ipv6() => {
                SocketAddr::new(ip.to_ipv6_mapped().into(), to.port())
            }
            _ => to,
        }
    }
}

/// What a call has so far: one socket, and one size of segments for all its messages.
#[derive(Default)]
struct Batch {
    via: Option<Via>,
    /// 0: none is segmented yet.
    segment: usize,
    /// The longest message that is not segmented; it must not be longer than the segments, or it would be cut.
    longest: usize,
}

impl Batch {
    fn takes(&mut self, message: &Message) -> bool {
        let is_segmented = message.count > 1;
        let segment = if is_segmented && self.segment == 0 { message.entry.len } else { self.segment };
        let longest = if is_segmented { self.longest } else { self.longest.max(message.entry.len) };
        let fits = self.via.is_none_or(|via| via == message.entry.via)
            && (!is_segmented || segment == message.entry.len)
            && (segment == 0 || longest <= segment);
        if fits {
            *self = Self { via: Some(message.entry.via), segment, longest };
        }
        fits
    }
}

/// The message that begins at an entry: as many packets as can be one. None if nothing is to be sent there.
fn message_at(entries: &[Option<Entry>], first: usize, has_gso: bool) -> Option<Message> {
    let entry = entries[first].filter(|entry| entry.len > 0)?;
    let mut message = Message { first, count: 1, entry };
    if !has_gso || entry.len > SEGMENT_BYTES_MAX {
        return Some(message);
    }
    let mut bytes = entry.len;
    for next in entries[first + 1..].iter().take(SEGMENTS - 1) {
        let Some(next) = next.filter(|next| next.via == entry.via && next.to == entry.to && next.len > 0)
        else {
            break;
        };
        bytes += next.len;
        if next.len > entry.len || bytes > MESSAGE_BYTES {
            break;
        }
        message.count += 1;
        // Only the last segment may be shorter.
        if next.len < entry.len {
            break;
        }
    }
    Some(message)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::socket::Inbound;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn bind(ip: IpAddr) -> Udp {
        Udp::bind(ip, 0, 0).unwrap()
    }

    fn queue(outbound: &mut Outbound, via: Via, to: SocketAddr, mark: u8, len: usize) {
        outbound.next_slot()[..len].fill(mark);
        let slot = outbound.take();
        outbound.address(slot, via, to, len);
    }

    /// As first byte and length, in the order of arrival, until so many have come.
    fn received(socket: &Udp, count: usize) -> Vec<(u8, usize)> {
        let mut inbound = Inbound::new();
        let mut datagrams = Vec::new();
        for _ in 0..5_000 {
            if inbound.receive(socket).is_ok() {
                datagrams.extend(inbound.datagrams().map(|(_, datagram)| (datagram[0], datagram.len())));
            }
            if datagrams.len() >= count {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        datagrams
    }

    #[test]
    fn bursts_to_several_addresses_arrive_whole_and_in_order() {
        let (one, other) = (bind(HERE), bind(HERE));
        let mut outbound = Outbound::new();
        let via = outbound.open(Rc::new(bind(HERE)));
        let frame = |from: u8| -> Vec<(u8, usize)> {
            (from..from + 9).map(|mark| (mark, if mark == from + 8 { 400 } else { 1_200 })).collect()
        };
        let audio = [(100, 90), (101, 120), (102, 60)];
        for (socket, from) in [(&one, 0), (&other, 20)] {
            for (mark, len) in frame(from).into_iter().chain(audio) {
                queue(&mut outbound, via, socket.address(), mark, len);
            }
        }
        let mut traffic = Traffic::default();
        outbound.flush(&mut traffic);
        assert_eq!(received(&one, 12), [frame(0), audio.to_vec()].concat());
        assert_eq!(received(&other, 12), [frame(20), audio.to_vec()].concat());
        assert_eq!((traffic.datagrams_out, traffic.dropped_out), (24, 0));
        assert!(outbound.is_empty());
    }

    #[test]
    fn a_segmented_burst_costs_one_call() {
        let (there, mut outbound) = (bind(HERE), Outbound::new());
        let via = outbound.open(Rc::new(bind(HERE)));
        for mark in 0..40 {
            queue(&mut outbound, via, there.address(), mark, 1_000);
        }
        let mut traffic = Traffic::default();
        outbound.flush(&mut traffic);
        assert_eq!(received(&there, 40).len(), 40);
        assert_eq!(traffic.sends, 1);
    }

    #[test]
    fn where_segments_are_refused_packets_leave_one_by_one() {
        let (there, mut outbound) = (bind(HERE), Outbound::new());
        outbound.has_gso = false;
        let via = outbound.open(Rc::new(bind(HERE)));
        for mark in 0..100 {
            queue(&mut outbound, via, there.address(), mark, 700);
        }
        let mut traffic = Traffic::default();
        outbound.flush(&mut traffic);
        assert_eq!(received(&there, 100).len(), 100);
        assert_eq!(traffic.sends, 2, "64 messages a call");
    }

    #[test]
    fn one_address_that_cannot_be_reached_holds_up_no_other() {
        let (there, mut outbound) = (bind(HERE), Outbound::new());
        let via = outbound.open(Rc::new(bind(HERE)));
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        for (to, mark) in [(there.address(), 1), (nowhere, 2), (there.address(), 3)] {
            queue(&mut outbound, via, to, mark, 100);
        }
        // A slot that was taken and never addressed is skipped.
        outbound.take();
        let mut traffic = Traffic::default();
        outbound.flush(&mut traffic);
        assert_eq!(received(&there, 2), [(1, 100), (3, 100)]);
        assert_eq!((traffic.datagrams_out, traffic.dropped_out), (2, 1));
    }

    #[test]
    fn a_socket_of_both_families_reaches_both() {
        let Ok(both) = Udp::bind(IpAddr::from([0_u16; 8]), 0, 0) else {
            return; // This machine has no IPv6.
        };
        let (there, mut outbound) = (bind(HERE), Outbound::new());
        let via = outbound.open(Rc::new(both));
        queue(&mut outbound, via, there.address(), 7, 50);
        outbound.flush(&mut Traffic::default());
        assert_eq!(received(&there, 1), [(7, 50)]);
    }
}
