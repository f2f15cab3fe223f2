//! The WebSocket protocol over buffers: bytes in, texts out, and the other way round. No socket, no waiting.
//!
//! Frames are tungstenite's; the messages are put together here, because tungstenite's own buffers stay as large as the
//! largest message that ever passed. Here nothing is kept between messages: a node serves thousands of terminals that
//! mostly say nothing. Sections are those of RFC 6455.

use bytes::Bytes;
use taoyao_types::limits;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};
use tungstenite::protocol::frame::{Frame, FrameHeader};

use crate::close::CloseReason;
use crate::head::HeadReader;
use crate::outbox::Text;

/// Bytes of a control frame's payload (section 5.5).
const CONTROL_BYTES_MAX: u64 = 125;
/// What a terminal closed with if its closing frame names no code (section 7.1.5).
const NO_CODE: u16 = 1005;

/// The server's side of one WebSocket.
#[derive(Debug, Default)]
pub(crate) struct Codec {
    head: HeadReader,
    /// The frame whose payload is arriving.
    frame: Option<Arriving>,
    /// The message whose last frame has not arrived.
    message: Option<Message>,
    /// Whether our closing frame was written.
    closing: bool,
}

/// What some bytes from the terminal meant.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    /// Complete text messages, in order.
    pub(crate) texts: Vec<Box<str>>,
    /// Set when the terminal closed or broke the protocol after those texts. What follows must not be decoded.
    pub(crate) end: Option<CloseReason>,
}

#[derive(Debug)]
struct Arriving {
    kind: Kind,
    is_final: bool,
    mask: [u8; 4],
    bytes_left: u64,
    /// A control frame's payload so far; a data frame's goes into the message.
    control: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Data,
    Control(Control),
}

#[derive(Debug)]
struct Message {
    is_text: bool,
    /// Of all its frames so far, whether or not they are kept.
    length: u64,
    /// Empty for a binary message, which is ignored.
    content: Vec<u8>,
}

impl Incoming {
    pub(crate) fn is_nothing(&self) -> bool {
        self.texts.is_empty() && self.end.is_none()
    }
}

impl Codec {
    /// Reads what arrived. Answers to pings and to a close are appended to `out`; binary messages are ignored.
    pub(crate) fn handle_bytes(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Incoming {
        let mut incoming = Incoming::default();
        while incoming.end.is_none() {
            let step = match self.frame.take() {
                None if bytes.is_empty() => break,
                None => self.begin_frame(&mut bytes),
                Some(frame) if frame.bytes_left == 0 => self.end_frame(frame, &mut incoming.texts, out),
                Some(frame) if bytes.is_empty() => {
                    self.frame = Some(frame);
                    break;
                }
                Some(frame) => {
                    self.take_payload(frame, &mut bytes);
                    Ok(())
                }
            };
            incoming.end = step.err();
        }
        incoming
    }

    /// Appends a text message to `out`.
    pub(crate) fn encode(text: Text, out: &mut Vec<u8>) {
        append(Frame::message(Bytes::from(text), OpCode::Data(Data::Text), true), out);
    }

    /// Appends a closing frame to `out`, once.
    pub(crate) fn close(&mut self, code: u16, reason: Text, out: &mut Vec<u8>) {
        if !self.closing {
            self.closing = true;
            append(Frame::close(Some(CloseFrame { code: CloseCode::from(code), reason })), out);
        }
    }

    fn begin_frame(&mut self, bytes: &mut &[u8]) -> Result<(), CloseReason> {
        let Some((header, length)) = self.head.handle_bytes(bytes)? else { return Ok(()) };
        let mask = header.mask.ok_or_else(|| breach("a frame without a mask"))?;
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(breach("a reserved bit is set"));
        }
        let kind = match header.opcode {
            OpCode::Control(control) => check_control(control, &header, length)?,
            OpCode::Data(data) => self.begin_data(data, length)?,
        };
        let control = Vec::new();
        self.frame = Some(Arriving { kind, is_final: header.is_final, mask, bytes_left: length, control });
        Ok(())
    }

    /// Section 5.4: a message is a text or binary frame and its continuations, without another one between.
    fn begin_data(&mut self, data: Data, length: u64) -> Result<Kind, CloseReason> {
        match (data, &self.message) {
            (Data::Continue, Some(_)) => {}
            (Data::Text | Data::Binary, None) => {
                self.message = Some(Message { is_text: data == Data::Text, length: 0, content: Vec::new() });
            }
            (Data::Continue, None) => return Err(breach("a continuation of no message")),
            (_, Some(_)) => return Err(breach("a message within a message")),
            (Data::Reserved(_), None) => return Err(breach("an unknown kind of frame")),
        }
        if let Some(message) = &mut self.message {
            message.length = message.length.saturating_add(length);
            if message.length > limits::TERMINAL_MESSAGE_BYTES_MAX as u64 {
                return Err(CloseReason::TooLong);
            }
            if message.is_text {
                message.content.reserve_exact(length as usize);
            }
        }
        Ok(Kind::Data)
    }

    /// Takes what is there of the frame's payload, and keeps the frame.
    fn take_payload(&mut self, mut frame: Arriving, bytes: &mut &[u8]) {
        let count = usize::try_from(frame.bytes_left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let (payload, rest) = bytes.split_at(count);
        match (frame.kind, &mut self.message) {
            (Kind::Control(_), _) => append_unmasked(&mut frame.control, payload, frame.mask),
            (Kind::Data, Some(message)) if message.is_text => {
                append_unmasked(&mut message.content, payload, frame.mask);
            }
            (Kind::Data, _) => {}
        }
        frame.mask.rotate_left(count % 4);
        frame.bytes_left -= count as u64;
        *bytes = rest;
        self.frame = Some(frame);
    }

    fn end_frame(
        &mut self,
        frame: Arriving,
        texts: &mut Vec<Box<str>>,
        out: &mut Vec<u8>,
    ) -> Result<(), CloseReason> {
        match frame.kind {
            Kind::Control(Control::Close) => Err(self.closed_by_peer(&frame.control, out)?),
            Kind::Control(Control::Ping) if !self.closing => {
                append(Frame::pong(frame.control), out);
                Ok(())
            }
            Kind::Data if frame.is_final => match self.message.take() {
                Some(Message { is_text: true, content, .. }) => {
                    let text = String::from_utf8(content).map_err(|_| CloseReason::NotUtf8)?;
                    texts.push(text.into_boxed_str());
                    Ok(())
                }
                _ => Ok(()),
            },
            Kind::Control(_) | Kind::Data => Ok(()),
        }
    }

    /// Section 5.5.1: a code and a text, or nothing; answered with the same code.
    fn closed_by_peer(&mut self, payload: &[u8], out: &mut Vec<u8>) -> Result<CloseReason, CloseReason> {
        let frame = match payload {
            [] => None,
            [_] => return Err(breach("a closing frame with half a code")),
            [high, low, reason @ ..] => {
                let code = CloseCode::from(u16::from_be_bytes([*high, *low]));
                if !code.is_allowed() {
                    return Err(breach("a closing frame with a code that must not be sent"));
                }
                str::from_utf8(reason).map_err(|_| CloseReason::NotUtf8)?;
                Some(CloseFrame { code, reason: Text::default() })
            }
        };
        let code = frame.as_ref().map_or(NO_CODE, |frame| frame.code.into());
        if !self.closing {
            self.closing = true;
            append(Frame::close(frame), out);
        }
        Ok(CloseReason::ByPeer { code })
    }
}

fn check_control(control: Control, header: &FrameHeader, length: u64) -> Result<Kind, CloseReason> {
    if !header.is_final || length > CONTROL_BYTES_MAX {
        return Err(breach("a control frame that is in fragments or too long"));
    }
    Ok(Kind::Control(control))
}

fn append_unmasked(to: &mut Vec<u8>, payload: &[u8], mask: [u8; 4]) {
    let start = to.len();
    to.extend_from_slice(payload);
    for (at, byte) in to[start..].iter_mut().enumerate() {
        *byte ^= mask[at % 4];
    }
}

fn append(frame: Frame, out: &mut Vec<u8>) {
    out.reserve(frame.len());
    frame.format(out).expect("writing into memory does not fail");
}

fn breach(what: &str) -> CloseReason {
    CloseReason::Protocol(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cut_anywhere_arrives_whole() {
        let bytes = masked(0x81, "{\"header\":{}}".as_bytes());
        for cut in 0..bytes.len() {
            let mut codec = Codec::default();
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
        let incoming = read(&mut Codec::default(), &bytes);
        assert_eq!(texts(&incoming), ["one", "two"]);
        assert_eq!(incoming.end, None);
    }

    #[test]
    fn a_ping_is_answered_at_once() {
        let mut out = Vec::new();
        let incoming = Codec::default().handle_bytes(&masked(0x89, b"hi"), &mut out);
        assert!(incoming.texts.is_empty() && incoming.end.is_none());
        assert_eq!(out, [0x8a, 2, b'h', b'i']);
    }

    #[test]
    fn a_close_is_answered_with_its_code() {
        let mut out = Vec::new();
        let incoming = Codec::default().handle_bytes(&masked(0x88, &1000_u16.to_be_bytes()), &mut out);
        assert_eq!(incoming.end, Some(CloseReason::ByPeer { code: 1000 }));
        assert_eq!(out, [0x88, 2, 3, 0xe8]);
    }

    #[test]
    fn faults_are_told_apart_and_the_texts_before_them_count() {
        let mut bytes = masked(0x81, b"good");
        bytes.extend(masked(0x81, &[0xff, 0xfe]));
        let incoming = read(&mut Codec::default(), &bytes);
        assert_eq!(texts(&incoming), ["good"]);
        assert_eq!(incoming.end, Some(CloseReason::NotUtf8));

        let announced = [&[0x81, 0xff][..], &(1_u64 << 40).to_be_bytes(), &[0; 4]].concat();
        assert_eq!(read(&mut Codec::default(), &announced).end, Some(CloseReason::TooLong));
        let unmasked = read(&mut Codec::default(), &[0x81, 1, b'x']);
        assert!(matches!(unmasked.end, Some(CloseReason::Protocol(_))), "{unmasked:?}");
    }

    #[test]
    fn the_largest_message_passes_in_fragments_and_one_more_byte_does_not() {
        let half = vec![b'x'; limits::TERMINAL_MESSAGE_BYTES_MAX / 2];
        let mut bytes = masked(0x01, &half);
        bytes.extend(masked(0x00, &half));
        let mut codec = Codec::default();
        assert_eq!(read(&mut codec, &bytes).end, None);
        let whole = read(&mut codec, &masked(0x80, b""));
        assert_eq!(whole.texts[0].len(), limits::TERMINAL_MESSAGE_BYTES_MAX);

        let mut codec = Codec::default();
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
            let mut codec = Codec::default();
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
