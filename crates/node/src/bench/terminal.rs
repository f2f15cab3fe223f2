//! A terminal as lean as it can be: blocking TLS, the frames of RFC 6455 by hand, one prepared message.
//!
//! A WebSocket library would write each message by itself; here whatever is to be said goes out in one TLS record, so
//! that the clients take as little as possible of the processors that the nodes need as well.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};
use taoyao_pki::load_chain;

use super::channel::Channel;
use super::error::{BenchError, io};

/// No answer of a healthy mesh takes as long.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Decrypted bytes taken at once.
const READ_BYTES: usize = 64 * 1024;
const UPGRADE: &str = "GET /websocket.signal HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
     sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n";

/// A registered terminal.
pub(super) struct Terminal {
    stream: StreamOwned<ClientConnection, TcpStream>,
    input: Vec<u8>,
    count: u64,
    /// The frame that is sent again and again.
    message: Vec<u8>,
    /// What the partner's messages have in them and no others.
    mark: &'static [u8],
}

/// What TLS to the nodes of a site begins with.
pub(super) fn tls(authority: &Path) -> Result<Arc<ClientConfig>, BenchError> {
    let mut roots = RootCertStore::empty();
    for cert in load_chain(authority).map_err(crate::CredentialsError::from)? {
        roots.add(cert).map_err(|error| BenchError::Answer(error.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| BenchError::Answer(error.to_string()))?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

impl Terminal {
    /// Connects to a node and registers under `name`.
    pub(super) fn register(
        node: SocketAddr,
        tls: &Arc<ClientConfig>,
        name: &str,
    ) -> Result<Self, BenchError> {
        let failed = |error: io::Error| BenchError::Io { what: format!("terminal {name}"), source: error };
        let mut terminal = Self::connect(node, tls).map_err(failed)?;
        let body = json!({
            "clientId": name, "clientType": "WEB", "name": name, "username": "taoyao", "password": "taoyao",
        });
        let answer = terminal.ask("client::register", &body)?;
        if answer["code"] != "0000" {
            return Err(BenchError::Answer(format!("{name} is not registered: {answer}")));
        }
        Ok(terminal)
    }

    fn connect(node: SocketAddr, tls: &Arc<ClientConfig>) -> io::Result<Self> {
        let socket = TcpStream::connect(node)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(ANSWER_MAX))?;
        let server = ServerName::IpAddress(node.ip().into());
        let connection = ClientConnection::new(Arc::clone(tls), server).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, socket);
        stream.write_all(UPGRADE.as_bytes())?;
        let mut terminal = Self { stream, input: Vec::new(), count: 0, message: Vec::new(), mark: b"" };
        terminal.take_upgrade()?;
        Ok(terminal)
    }

    fn take_upgrade(&mut self) -> io::Result<()> {
        loop {
            self.fill()?;
            if let Some(end) = find(&self.input, b"\r\n\r\n") {
                let is_upgraded = self.input.starts_with(b"HTTP/1.1 101");
                self.input.drain(..end + 4);
                return if is_upgraded { Ok(()) } else { Err(io::Error::other("the upgrade was refused")) };
            }
        }
    }

    /// Sends a request and waits for its answer; what else comes is skipped.
    pub(super) fn ask(&mut self, signal: &str, body: &Value) -> Result<Value, BenchError> {
        self.count += 1;
        let id = self.count;
        let text =
            json!({ "header": { "v": "1.0.0", "id": id, "signal": signal }, "body": body }).to_string();
        let failed = || io(format!("asking {signal}"));
        self.stream.write_all(&framed(&text)).map_err(failed())?;
        self.wait_for(|message| message["header"]["id"] == id).map_err(failed())
    }

    /// Waits for a message of this signal.
    pub(super) fn expect(&mut self, signal: &str) -> Result<Value, BenchError> {
        let found = self.wait_for(|message| message["header"]["signal"] == signal);
        found.map_err(io(format!("waiting for {signal}")))
    }

    fn wait_for(&mut self, wanted: impl Fn(&Value) -> bool) -> io::Result<Value> {
        loop {
            let mut found = None;
            let mut used = 0;
            while found.is_none()
                && let Some((payload, length)) = next_frame(&self.input[used..])
            {
                used += length;
                found = serde_json::from_slice(payload).ok().filter(&wanted);
            }
            self.input.drain(..used);
            match found {
                Some(message) => return Ok(message),
                None => self.fill()?,
            };
        }
    }

    /// Prepares what [`Channel`] sends, and by which mark it knows the messages that it counts.
    pub(super) fn converse(&mut self, text: &str, mark: &'static str) {
        (self.message, self.mark) = (framed(text), mark.as_bytes());
    }

    /// Keeps the connection open, and nothing else of the terminal.
    pub(super) fn into_socket(self) -> TcpStream {
        self.stream.sock
    }

    fn fill(&mut self) -> io::Result<()> {
        let start = self.input.len();
        self.input.resize(start + READ_BYTES, 0);
        let count = self.stream.read(&mut self.input[start..]);
        self.input.truncate(start + count.as_ref().map_or(0, |count| *count));
        if count? == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

impl Channel for Terminal {
    fn message(&self) -> &[u8] {
        &self.message
    }

    fn write(&mut self, messages: &[u8]) -> io::Result<()> {
        self.stream.write_all(messages)
    }

    fn receive(&mut self, each: &mut dyn FnMut(&[u8])) -> io::Result<usize> {
        self.fill()?;
        let (mut used, mut count) = (0, 0);
        while let Some((payload, length)) = next_frame(&self.input[used..]) {
            used += length;
            if find(payload, self.mark).is_some() {
                count += 1;
                each(payload);
            }
        }
        self.input.drain(..used);
        Ok(count)
    }

    fn socket(&self) -> &TcpStream {
        &self.stream.sock
    }
}

/// A message of exactly `bytes` bytes: `body` with a field that fills it up.
pub(super) fn padded(signal: &str, body: &str, bytes: usize) -> String {
    let make = |pad: &str| {
        format!(r#"{{"header":{{"v":"1.0.0","id":7,"signal":"{signal}"}},"body":{{{body},"pad":"{pad}"}}}}"#)
    };
    make(&"x".repeat(bytes.saturating_sub(make("").len())))
}

/// A text as one frame of a client. Its mask is zero, which the protocol allows and which costs nothing.
fn framed(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u16::try_from(text.len()) {
        Ok(length @ 0..126) => frame.push(0x80 | length as u8),
        Ok(length) => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
        Err(_) => {
            frame.push(0x80 | 127);
            frame.extend((text.len() as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}

/// The payload of a node's first frame in `bytes` and the frame's whole length, if all of it is there. Nodes do not split
/// messages, so a frame is a message.
fn next_frame(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let (start, length): (usize, usize) = match *bytes.get(1)? {
        126 => (4, usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?)).ok()?),
        length => (2, usize::from(length)),
    };
    Some((bytes.get(start..start.checked_add(length)?)?, start + length))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len().max(1)).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_padded_message_has_exactly_its_size_and_is_json() {
        let text = padded("client::unicast", r#""to":"b@n3""#, 300);
        assert_eq!(text.len(), 300);
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["body"]["to"], "b@n3");
    }

    #[test]
    fn frames_of_all_three_lengths_are_written_and_read() {
        for length in [5, 125, 126, 300, 65_535, 65_536] {
            let text = "x".repeat(length);
            let mut bytes = framed(&text);
            let masked = bytes.len() - length - 4;
            bytes[1] &= 0x7f;
            bytes.drain(masked..masked + 4);
            bytes.extend(b"next");
            assert_eq!(next_frame(&bytes), Some((text.as_bytes(), masked + length)));
            assert_eq!(next_frame(&bytes[..masked + length - 1]), None);
        }
    }
}
