//! ICE-TCP (RFC 6544): the connections that a worker accepted, with the framing of RFC 4571 (two bytes of length).

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use slab::Slab;
use taoyao_types::net::limited_as;
use taoyao_types::{Instant, limits};

/// Bytes of a frame's length.
const LENGTH_BYTES: usize = 2;
/// Reads of one connection in a turn; then the others have theirs.
const READS_PER_TURN: usize = 16;
/// Bytes that may always be queued towards a connection, however much waits for the others.
const QUEUE_BYTES_EACH: usize = 32 * 1024;

/// The connections of one worker.
pub(crate) struct TcpPeers {
    listener: TcpListener,
    connections: Slab<Connection>,
    by_address: HashMap<SocketAddr, usize>,
    /// Connections through which no valid check has come, by the party that they are limited as.
    unchecked: HashMap<IpAddr, usize>,
    /// Bytes that wait for all connections together.
    queued_bytes: usize,
    /// Tokens of connections begin here.
    first_token: usize,
    scratch: Box<[u8]>,
}

struct Connection {
    stream: TcpStream,
    address: SocketAddr,
    /// Of a frame that is not whole yet.
    input: Vec<u8>,
    output: Vec<u8>,
    since: Instant,
    /// A valid check came through it.
    is_checked: bool,
    is_readable: bool,
}

/// A connection as its worker knows it until it is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TcpKey(usize);

impl TcpPeers {
    /// Listens where the worker's UDP socket does.
    pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
        TcpListener::bind(address)
    }

    pub(crate) fn new(listener: TcpListener, first_token: usize) -> Self {
        Self {
            listener,
            connections: Slab::new(),
            by_address: HashMap::new(),
            unchecked: HashMap::new(),
            queued_bytes: 0,
            first_token,
            scratch: vec![0; 4 * limits::MEDIA_DATAGRAM_BYTES_MAX].into_boxed_slice(),
        }
    }

    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.listener, token, Interest::READABLE)
    }

    /// Takes all connections that wait to be accepted; those beyond the limit are closed.
    pub(crate) fn accept(&mut self, now: Instant, registry: &Registry) {
        loop {
            match self.listener.accept() {
                Ok((stream, address)) => self.add(now, registry, stream, address),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    fn add(&mut self, now: Instant, registry: &Registry, mut stream: TcpStream, address: SocketAddr) {
        if self.connections.len() >= limits::MEDIA_TCP_CONNECTIONS_MAX || stream.set_nodelay(true).is_err() {
            return;
        }
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        let party = limited_as(address.ip());
        let here = self.unchecked.get(&party).copied().unwrap_or(0);
        if here >= limits::MEDIA_TCP_UNCHECKED_PER_ADDRESS_MAX {
            return;
        }
        let entry = self.connections.vacant_entry();
        let token = Token(self.first_token + entry.key());
        if registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE).is_err() {
            return;
        }
        self.by_address.insert(address, entry.key());
        self.unchecked.insert(party, here + 1);
        entry.insert(Connection {
            stream,
            address,
            input: Vec::new(),
            output: Vec::new(),
            since: now,
            is_checked: false,
            is_readable: true,
        });
    }

    pub(crate) fn key_of(&self, token: Token) -> Option<TcpKey> {
        let key = token.0.checked_sub(self.first_token)?;
        self.connections.contains(key).then_some(TcpKey(key))
    }

    /// Notes what the poll said. Returns the key if there is something to read.
    pub(crate) fn ready(&mut self, token: Token, is_readable: bool, is_writable: bool) -> Option<TcpKey> {
        let key = self.key_of(token)?;
        let connection = self.connections.get_mut(key.0)?;
        connection.is_readable |= is_readable;
        if is_writable && self.write_queued(key).is_err() {
            self.close(key);
            return None;
        }
        is_readable.then_some(key)
    }

    /// Whether the connection may have more to read without the poll saying so again.
    pub(crate) fn is_readable(&self, key: TcpKey) -> bool {
        self.connections.get(key.0).is_some_and(|connection| connection.is_readable)
    }

    /// Reads some of a connection and hands each whole frame on. Closes it if it ended or sends what cannot be.
    pub(crate) fn read(&mut self, key: TcpKey, mut take: impl FnMut(SocketAddr, &mut [u8])) {
        let Some(connection) = self.connections.get_mut(key.0) else { return };
        for _ in 0..READS_PER_TURN {
            match connection.stream.read(&mut self.scratch) {
                Ok(0) => return self.close(key),
                Ok(count) => connection.input.extend_from_slice(&self.scratch[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    connection.is_readable = false;
                    return;
                }
                Err(_) => return self.close(key),
            }
            if connection.hand_on(&mut take).is_err() {
                return self.close(key);
            }
        }
    }

    /// Sends a frame, or queues it. False if there is no such connection or if it was too slow and is closed now.
    pub(crate) fn send(&mut self, to: SocketAddr, frame: &[u8]) -> bool {
        let Some(key) = self.by_address.get(&to).copied().map(TcpKey) else { return false };
        let is_sent = self.queue(key, frame).and_then(|()| self.write_queued(key)).is_ok();
        if !is_sent {
            self.close(key);
        }
        is_sent
    }

    /// One connection may have `limits::MEDIA_TCP_QUEUE_BYTES_MAX` waiting; when all together have their bound, the next that has
    /// more than [`QUEUE_BYTES_EACH`] is the one that goes.
    fn queue(&mut self, key: TcpKey, frame: &[u8]) -> Result<(), Cut> {
        let connection = self.connections.get_mut(key.0).ok_or(Cut)?;
        let is_crowded = self.queued_bytes >= limits::MEDIA_TCP_QUEUES_BYTES_MAX;
        if is_crowded && connection.output.len() > QUEUE_BYTES_EACH {
            return Err(Cut);
        }
        let before = connection.output.len();
        connection.queue(frame)?;
        self.queued_bytes += connection.output.len() - before;
        Ok(())
    }

    fn write_queued(&mut self, key: TcpKey) -> Result<(), Cut> {
        let connection = self.connections.get_mut(key.0).ok_or(Cut)?;
        let before = connection.output.len();
        let written = connection.write_queued();
        self.queued_bytes -= before - connection.output.len();
        written
    }

    /// A valid check came from here: the connection may stay.
    pub(crate) fn keep(&mut self, address: SocketAddr) {
        let key = self.by_address.get(&address).copied();
        let connection = key.and_then(|key| self.connections.get_mut(key));
        if let Some(connection) = connection.filter(|connection| !connection.is_checked) {
            connection.is_checked = true;
            self.note_checked(address.ip());
        }
    }

    fn note_checked(&mut self, ip: IpAddr) {
        let party = limited_as(ip);
        match self.unchecked.get_mut(&party) {
            Some(here) if *here > 1 => *here -= 1,
            _ => drop(self.unchecked.remove(&party)),
        }
    }

    pub(crate) fn close_address(&mut self, address: SocketAddr) {
        if let Some(key) = self.by_address.get(&address).copied() {
            self.close(TcpKey(key));
        }
    }

    /// Closes connections through which no valid check came in time.
    pub(crate) fn close_unchecked(&mut self, now: Instant) {
        let is_late = |connection: &Connection| {
            !connection.is_checked && now.since(connection.since) > limits::MEDIA_TCP_UNCHECKED_MAX
        };
        let late: Vec<usize> =
            self.connections.iter().filter(|(_, one)| is_late(one)).map(|(key, _)| key).collect();
        for key in late {
            self.close(TcpKey(key));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// Dropping the stream takes it out of the poll.
    fn close(&mut self, key: TcpKey) {
        let Some(connection) = self.connections.try_remove(key.0) else { return };
        self.queued_bytes -= connection.output.len();
        if !connection.is_checked {
            self.note_checked(connection.address.ip());
        }
        if self.by_address.get(&connection.address) == Some(&key.0) {
            self.by_address.remove(&connection.address);
        }
    }
}

/// The connection is to be closed: it is broken, too slow, or sends what is no frame of ours.
struct Cut;

impl Connection {
    fn hand_on(&mut self, take: &mut impl FnMut(SocketAddr, &mut [u8])) -> Result<(), Cut> {
        let mut at = 0;
        while let Some(&[high, low]) = self.input.get(at..at + LENGTH_BYTES) {
            let length = usize::from(u16::from_be_bytes([high, low]));
            if length > limits::MEDIA_DATAGRAM_BYTES_MAX {
                return Err(Cut);
            }
            let begin = at + LENGTH_BYTES;
            let Some(frame) = self.input.get_mut(begin..begin + length) else { break };
            take(self.address, frame);
            at = begin + length;
        }
        self.input.drain(..at);
        Ok(())
    }

    fn queue(&mut self, frame: &[u8]) -> Result<(), Cut> {
        let length = u16::try_from(frame.len()).map_err(|_| Cut)?;
        if self.output.len() + LENGTH_BYTES + frame.len() > limits::MEDIA_TCP_QUEUE_BYTES_MAX {
            return Err(Cut);
        }
        self.output.extend_from_slice(&length.to_be_bytes());
        self.output.extend_from_slice(frame);
        Ok(())
    }

    fn write_queued(&mut self) -> Result<(), Cut> {
        let mut written = 0;
        let result = loop {
            if written == self.output.len() {
                break Ok(());
            }
            match self.stream.write(&self.output[written..]) {
                Ok(0) => break Err(Cut),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Ok(()),
                Err(_) => break Err(Cut),
            }
        };
        self.output.drain(..written);
        result
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream as Client;
    use std::time::Duration;

    use mio::{Events, Poll};

    use super::*;

    const LISTENER: Token = Token(0);
    const FIRST: usize = 10;
    const NOW: Instant = Instant(1_000_000);

    struct Side {
        poll: Poll,
        peers: TcpPeers,
        address: SocketAddr,
    }

    impl Side {
        fn new() -> Self {
            let listener = TcpPeers::listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
            let address = listener.local_addr().unwrap();
            let (poll, mut peers) = (Poll::new().unwrap(), TcpPeers::new(listener, FIRST));
            peers.register(poll.registry(), LISTENER).unwrap();
            Self { poll, peers, address }
        }

        /// One turn: the frames that came, by their senders.
        fn turn(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
            let mut events = Events::with_capacity(16);
            self.poll.poll(&mut events, Some(Duration::from_millis(20))).unwrap();
            let mut frames = Vec::new();
            for event in &events {
                if event.token() == LISTENER {
                    self.peers.accept(NOW, self.poll.registry());
                } else if let Some(key) =
                    self.peers.ready(event.token(), event.is_readable(), event.is_writable())
                {
                    self.peers.read(key, |from, frame| frames.push((from, frame.to_vec())));
                }
            }
            frames
        }

        fn until(&mut self, mut is_done: impl FnMut(&mut Self, Vec<(SocketAddr, Vec<u8>)>) -> bool) {
            for _ in 0..500 {
                let frames = self.turn();
                if is_done(self, frames) {
                    return;
                }
            }
            panic!("it does not happen");
        }
    }

    #[test]
    fn frames_are_found_wherever_the_stream_is_cut() {
        let mut side = Side::new();
        let mut client = Client::connect(side.address).unwrap();
        client.set_nodelay(true).unwrap();
        let mut got: Vec<Vec<u8>> = Vec::new();
        for part in [&[0, 3, 1, 2][..], &[3, 0], &[2, 9, 9, 0, 0, 0, 1, 7]] {
            client.write_all(part).unwrap();
            got.extend(side.turn().into_iter().map(|(_, frame)| frame));
        }
        side.until(|_, frames| {
            got.extend(frames.into_iter().map(|(_, frame)| frame));
            got.len() == 4
        });
        assert_eq!(got, [vec![1, 2, 3], vec![9, 9], vec![], vec![7]]);
    }

    #[test]
    fn answers_go_back_in_frames() {
        let mut side = Side::new();
        let mut client = Client::connect(side.address).unwrap();
        let from = client.local_addr().unwrap();
        side.until(|side, _| side.peers.send(from, b"hello"));
        let mut frame = [0; 7];
        client.read_exact(&mut frame).unwrap();
        assert_eq!(&frame, b"\0\x05hello");
    }

    #[test]
    fn whoever_sends_what_is_no_frame_or_reads_too_slowly_is_cut_off() {
        let mut side = Side::new();
        let mut garbage = Client::connect(side.address).unwrap();
        garbage.write_all(&[0xff; 64]).unwrap();
        let slow = Client::connect(side.address).unwrap();
        let to = slow.local_addr().unwrap();
        side.until(|side, _| side.peers.by_address.contains_key(&to));
        let mut sent = 0_usize;
        while side.peers.send(to, &[0; 1_200]) {
            sent += 1_200;
            assert!(sent < 64 * 1024 * 1024, "it takes without end");
        }
        side.until(|side, _| side.peers.is_empty());
    }

    #[test]
    fn one_address_opens_only_so_many_before_a_check() {
        let mut side = Side::new();
        let max = limits::MEDIA_TCP_UNCHECKED_PER_ADDRESS_MAX;
        let mut clients = Vec::new();
        while clients.len() < max {
            clients.push(Client::connect(side.address).unwrap());
            side.until(|side, _| side.peers.connections.len() == clients.len());
        }
        let mut refused = Client::connect(side.address).unwrap();
        refused.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        side.until(|_, _| refused.read(&mut [0]).is_ok_and(|count| count == 0));
        side.peers.keep(clients[0].local_addr().unwrap());
        side.peers.keep(clients[0].local_addr().unwrap());
        clients.push(Client::connect(side.address).unwrap());
        side.until(|side, _| side.peers.connections.len() == max + 1);
        side.peers.close_unchecked(NOW + 2 * limits::MEDIA_TCP_UNCHECKED_MAX);
        assert_eq!((side.peers.connections.len(), side.peers.unchecked.len()), (1, 0));
    }

    #[test]
    fn what_waits_for_all_together_is_bounded_and_who_reads_is_not_cut_off_for_it() {
        let mut side = Side::new();
        let mut reader = Client::connect(side.address).unwrap();
        let to = reader.local_addr().unwrap();
        side.until(|side, _| side.peers.by_address.contains_key(&to));
        let mut slow = Vec::new();
        while side.peers.queued_bytes < limits::MEDIA_TCP_QUEUES_BYTES_MAX {
            assert!(slow.len() < 1_024, "{} bytes wait for them", side.peers.queued_bytes);
            let client = Client::connect(side.address).unwrap();
            let to = client.local_addr().unwrap();
            slow.push(client);
            side.until(|side, _| side.peers.by_address.contains_key(&to));
            side.peers.keep(to);
            let key = side.peers.by_address[&to];
            let nearly = limits::MEDIA_TCP_QUEUE_BYTES_MAX - 4 * 1_024;
            let is_full = |peers: &TcpPeers| peers.queued_bytes >= limits::MEDIA_TCP_QUEUES_BYTES_MAX;
            while side.peers.connections[key].output.len() < nearly && !is_full(&side.peers) {
                assert!(side.peers.send(to, &[0; 1_200]));
            }
        }
        let before = side.peers.connections.len();
        assert!(
            !side.peers.send(slow[0].local_addr().unwrap(), &[0; 1_200]),
            "one of those who do not read goes"
        );
        assert_eq!(side.peers.connections.len(), before - 1);
        assert!(side.peers.send(to, b"hello"));
        let mut frame = [0; 7];
        reader.read_exact(&mut frame).unwrap();
        side.peers.close_unchecked(NOW);
        while let Some(client) = slow.pop() {
            side.peers.close_address(client.local_addr().unwrap());
        }
        assert_eq!(side.peers.queued_bytes, 0);
    }

    #[test]
    fn a_connection_without_a_valid_check_is_closed_and_one_with_it_stays() {
        let mut side = Side::new();
        let clients = [Client::connect(side.address).unwrap(), Client::connect(side.address).unwrap()];
        side.until(|side, _| side.peers.connections.len() == 2);
        side.peers.keep(clients[0].local_addr().unwrap());
        side.peers.close_unchecked(NOW + limits::MEDIA_TCP_UNCHECKED_MAX);
        assert_eq!(side.peers.connections.len(), 2);
        side.peers.close_unchecked(NOW + 2 * limits::MEDIA_TCP_UNCHECKED_MAX);
        assert_eq!(side.peers.connections.len(), 1);
    }
}
