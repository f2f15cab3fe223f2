//! A client of the NATS text protocol over TLS, as lean as the benchmark's terminals.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::channel::Channel;

const ANSWER_MAX: Duration = Duration::from_secs(10);
const READ_BYTES: usize = 64 * 1024;

/// One connection with at most one subscription and one prepared message.
pub(super) struct Client {
    stream: StreamOwned<ClientConnection, TcpStream>,
    input: Vec<u8>,
    message: Vec<u8>,
}

/// What a server sends, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Message,
    Ping,
    Other,
}

impl Client {
    /// Connects and waits until the server answers.
    pub(super) fn connect(server: SocketAddr, tls: &Arc<ClientConfig>) -> io::Result<Self> {
        let mut socket = TcpStream::connect(server)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(ANSWER_MAX))?;
        // The server begins with a line about itself, and is silent then until TLS begins.
        let mut byte = [0];
        while byte != *b"\n" {
            socket.read_exact(&mut byte)?;
        }
        let name = ServerName::IpAddress(server.ip().into());
        let connection = ClientConnection::new(Arc::clone(tls), name).map_err(io::Error::other)?;
        let stream = StreamOwned::new(connection, socket);
        let mut client = Self { stream, input: Vec::new(), message: Vec::new() };
        client
            .stream
            .write_all(b"CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false}\r\nPING\r\n")?;
        while !client.input.windows(6).any(|window| window == b"PONG\r\n") {
            client.fill()?;
        }
        client.input.clear();
        Ok(client)
    }

    /// Listens on one subject and prepares a message for another.
    pub(super) fn converse(&mut self, own: &str, partner: &str, text: &str) -> io::Result<()> {
        self.message = format!("PUB {partner} {}\r\n{text}\r\n", text.len()).into_bytes();
        self.stream.write_all(format!("SUB {own} 1\r\n").as_bytes())
    }

    fn fill(&mut self) -> io::Result<()> {
        let start = self.input.len();
        self.input.resize(start + READ_BYTES, 0);
        let count = self.stream.read(&mut self.input[start..]);
        self.input.truncate(start + count.as_ref().map_or(0, |count| *count));
        if count? == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

impl Channel for Client {
    fn message(&self) -> &[u8] {
        &self.message
    }

    fn write(&mut self, messages: &[u8]) -> io::Result<()> {
        self.stream.write_all(messages)
    }

    fn receive(&mut self, each: &mut dyn FnMut(&[u8])) -> io::Result<usize> {
        self.fill()?;
        let (mut used, mut count, mut pings) = (0, 0, 0);
        while let Some((part, length)) = next_part(&self.input[used..]) {
            if part == Part::Message {
                count += 1;
                each(&self.input[used..used + length]);
            }
            pings += usize::from(part == Part::Ping);
            used += length;
        }
        self.input.drain(..used);
        if pings > 0 {
            self.stream.write_all(b"PONG\r\n")?;
        }
        Ok(count)
    }

    fn socket(&self) -> &TcpStream {
        &self.stream.sock
    }
}

/// The first part of `bytes` and its length, if all of it is there.
fn next_part(bytes: &[u8]) -> Option<(Part, usize)> {
    let line = bytes.windows(2).position(|window| window == b"\r\n")?;
    let text = &bytes[..line];
    if !text.starts_with(b"MSG ") {
        return Some((if text == b"PING" { Part::Ping } else { Part::Other }, line + 2));
    }
    let size = text.rsplit(|byte| *byte == b' ').next()?;
    let size: usize = std::str::from_utf8(size).ok()?.parse().ok()?;
    let length = line + 2 + size + 2;
    (bytes.len() >= length).then_some((Part::Message, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart_and_waited_for() {
        let bytes = b"MSG load.near 1 5\r\nhello\r\nPING\r\n+OK\r\n";
        assert_eq!(next_part(bytes), Some((Part::Message, 26)));
        assert_eq!(next_part(&bytes[..25]), None);
        assert_eq!(next_part(&bytes[26..]), Some((Part::Ping, 6)));
        assert_eq!(next_part(&bytes[32..]), Some((Part::Other, 5)));
    }
}
