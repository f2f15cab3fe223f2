//! The WebSocket protocol over buffers: bytes in, texts out, and the other way round. No socket, no waiting.
//!
//! tungstenite does the protocol. It is fed from and writes into memory, because its own buffers would stay as large as
//! the largest message that ever passed; a node keeps thousands of connections that mostly say nothing.

use std::io::{self, Read, Write};

use bytes::Bytes;
use taoyao_types::limits;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tungstenite::protocol::{CloseFrame, Role, WebSocketConfig, WebSocketContext};
use tungstenite::{Error, Message};

use crate::close::CloseReason;
use crate::outbox::Text;

/// What a connection keeps for a message that has arrived in part, at least.
const READ_BUFFER_BYTES: usize = 1024;

/// The server's side of one WebSocket.
#[derive(Debug)]
pub(crate) struct Codec {
    context: WebSocketContext,
}

/// What some bytes from the terminal meant.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    /// Complete text messages, in order.
    pub(crate) texts: Vec<Box<str>>,
    /// Set when the terminal closed or broke the protocol after those texts.
    pub(crate) end: Option<CloseReason>,
}

impl Incoming {
    pub(crate) fn is_nothing(&self) -> bool {
        self.texts.is_empty() && self.end.is_none()
    }
}

impl Codec {
    pub(crate) fn new() -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(limits::TERMINAL_MESSAGE_BYTES_MAX))
            .max_frame_size(Some(limits::TERMINAL_MESSAGE_BYTES_MAX));
        Self { context: WebSocketContext::new(Role::Server, Some(config)) }
    }

    /// Reads what arrived. Answers to pings and to a close are appended to `out`; binary messages are ignored.
    pub(crate) fn handle_bytes(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Incoming {
        let mut pipe = Pipe { input: bytes, output: out };
        let mut incoming = Incoming::default();
        // Held until all is read: freed earlier, a large message's memory would become the next read buffer and stay.
        let mut payloads = Vec::new();
        incoming.end = loop {
            match self.context.read(&mut pipe) {
                Ok(Message::Text(text)) => payloads.push(text),
                Ok(Message::Close(frame)) => break Some(self.closed_by_peer(frame, &mut pipe)),
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => break None,
                Err(error) => break Some(fault(error)),
            }
        };
        incoming.texts = payloads.into_iter().map(|text| text.as_str().into()).collect();
        incoming
    }

    /// Appends a text message to `out`.
    pub(crate) fn encode(text: Text, out: &mut Vec<u8>) {
        let frame = Frame::message(Bytes::from(text), OpCode::Data(Data::Text), true);
        out.reserve(frame.len());
        frame.format(out).expect("writing into memory does not fail");
    }

    /// Appends a closing frame to `out`. What is read afterwards is no longer told.
    pub(crate) fn close(&mut self, code: u16, reason: Text, out: &mut Vec<u8>) {
        let frame = CloseFrame { code: CloseCode::from(code), reason };
        let closed = self.context.close(&mut Pipe { input: &[], output: out }, Some(frame));
        debug_assert!(closed.is_ok(), "closing into memory fails only after a close: {closed:?}");
    }

    /// Has the answer to the terminal's close written.
    fn closed_by_peer(&mut self, frame: Option<CloseFrame>, pipe: &mut Pipe<'_>) -> CloseReason {
        let answered = self.context.flush(pipe);
        debug_assert!(matches!(answered, Ok(()) | Err(Error::ConnectionClosed)), "{answered:?}");
        CloseReason::ByPeer { code: frame.map_or(1005, |frame| frame.code.into()) }
    }
}

fn fault(error: Error) -> CloseReason {
    match error {
        Error::Capacity(_) => CloseReason::TooLong,
        Error::Utf8(_) => CloseReason::NotUtf8,
        Error::ConnectionClosed | Error::AlreadyClosed => CloseReason::Lost,
        other => CloseReason::Protocol(other.to_string()),
    }
}

/// Memory that looks like a non-blocking socket.
struct Pipe<'a> {
    input: &'a [u8],
    output: &'a mut Vec<u8>,
}

impl Read for Pipe<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.input.is_empty() { Err(io::ErrorKind::WouldBlock.into()) } else { self.input.read(buffer) }
    }
}

impl Write for Pipe<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cut_anywhere_arrives_whole() {
        let bytes = masked(0x81, "{\"header\":{}}".as_bytes());
        for cut in 0..bytes.len() {
            let mut codec = Codec::new();
            let first = read(&mut codec, &bytes[..cut]);
            assert!(first.texts.is_empty() && first.end.is_none());
            assert_eq!(texts(&read(&mut codec, &bytes[cut..])), ["{\"header\":{}}"], "cut at {cut}");
        }
    }

    #[test]
    fn several_messages_in_one_read_all_arrive_and_binary_ones_are_ignored() {
        let mut bytes = masked(0x81, b"one");
        bytes.extend(masked(0x82, &[0xff; 300]));
        bytes.extend(masked(0x01, b"tw"));
        bytes.extend(masked(0x80, b"o"));
        let incoming = read(&mut Codec::new(), &bytes);
        assert_eq!(texts(&incoming), ["one", "two"]);
        assert_eq!(incoming.end, None);
    }

    #[test]
    fn a_ping_is_answered_at_once() {
        let mut out = Vec::new();
        let incoming = Codec::new().handle_bytes(&masked(0x89, b"hi"), &mut out);
        assert!(incoming.texts.is_empty() && incoming.end.is_none());
        assert_eq!(out, [0x8a, 2, b'h', b'i']);
    }

    #[test]
    fn a_close_is_answered_with_its_code() {
        let mut out = Vec::new();
        let incoming = Codec::new().handle_bytes(&masked(0x88, &1000_u16.to_be_bytes()), &mut out);
        assert_eq!(incoming.end, Some(CloseReason::ByPeer { code: 1000 }));
        assert_eq!(out, [0x88, 2, 3, 0xe8]);
    }

    #[test]
    fn faults_are_told_apart_and_the_texts_before_them_count() {
        let mut bytes = masked(0x81, b"good");
        bytes.extend(masked(0x81, &[0xff, 0xfe]));
        let incoming = read(&mut Codec::new(), &bytes);
        assert_eq!(texts(&incoming), ["good"]);
        assert_eq!(incoming.end, Some(CloseReason::NotUtf8));

        let announced = [&[0x81, 0xff][..], &(1_u64 << 40).to_be_bytes(), &[0; 4]].concat();
        assert_eq!(read(&mut Codec::new(), &announced).end, Some(CloseReason::TooLong));
        let unmasked = read(&mut Codec::new(), &[0x81, 1, b'x']);
        assert!(matches!(unmasked.end, Some(CloseReason::Protocol(_))), "{unmasked:?}");
    }

    #[test]
    fn the_largest_message_passes_in_fragments_and_one_more_byte_does_not() {
        let half = vec![b'x'; limits::TERMINAL_MESSAGE_BYTES_MAX / 2];
        let mut bytes = masked(0x01, &half);
        bytes.extend(masked(0x00, &half));
        let mut codec = Codec::new();
        assert_eq!(read(&mut codec, &bytes).end, None);
        let whole = read(&mut codec, &masked(0x80, b""));
        assert_eq!(whole.texts[0].len(), limits::TERMINAL_MESSAGE_BYTES_MAX);

        let mut codec = Codec::new();
        assert_eq!(read(&mut codec, &bytes).end, None);
        assert_eq!(read(&mut codec, &masked(0x80, b"x")).end, Some(CloseReason::TooLong));
    }

    #[test]
    fn a_text_is_encoded_as_one_unmasked_frame() {
        let mut out = Vec::new();
        Codec::encode("hi".into(), &mut out);
        Codec::encode("x".repeat(200).into(), &mut out);
        assert_eq!(out[..8], [0x81, 2, b'h', b'i', 0x81, 126, 0, 200]);
        assert_eq!(out.len(), 8 + 200);
    }

    #[test]
    fn random_bytes_never_panic() {
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..2_000 {
            let bytes: Vec<u8> = (0..64)
                .map(|_| {
                    seed ^= seed << 13;
                    seed ^= seed >> 7;
                    seed ^= seed << 17;
                    seed as u8
                })
                .collect();
            let mut codec = Codec::new();
            let incoming = read(&mut codec, &bytes);
            if incoming.end.is_none() {
                codec.close(1001, "over".into(), &mut Vec::new());
            }
        }
    }

    fn read(codec: &mut Codec, bytes: &[u8]) -> Incoming {
        codec.handle_bytes(bytes, &mut Vec::new())
    }

    fn texts(incoming: &Incoming) -> Vec<&str> {
        incoming.texts.iter().map(AsRef::as_ref).collect()
    }

    /// A client's frame.
    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload.len() {
            len @ 0..126 => bytes.push(0x80 | len as u8),
            len @ 126..65_536 => {
                bytes.push(0x80 | 126);
                bytes.extend((len as u16).to_be_bytes());
            }
            len => {
                bytes.push(0x80 | 127);
                bytes.extend((len as u64).to_be_bytes());
            }
        }
        let mask = [1, 2, 3, 4];
        bytes.extend(mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    }
}
