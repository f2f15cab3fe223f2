//! What holds of frames of TCP sockets, of terminals' JSON, and of frames of links.

use bytes::Bytes;
use taoyao_gateway::{FrameCipher, FrameFault, FrameReader, Framing};
use taoyao_wire::link::Frame;
use taoyao_wire::link::frame::{encode_signal, encode_sync};
use taoyao_wire::terminal::{Incoming, Outgoing};

/// Frames of a TCP socket, in every mode: in one piece and in many they mean the same, and a text that was read is
/// written and read again.
///
/// The first byte chooses the cipher and the size of the pieces, the rest is what the socket brings.
pub fn tcp_frames(data: &[u8]) {
    let Some((&choice, bytes)) = data.split_first() else { return };
    let framing = match choice % 3 {
        0 => Framing::new(FrameCipher::plaintext()),
        1 => Framing::new(FrameCipher::des(b"8 bytes!").expect("it has 8 bytes")),
        _ => Framing::new(FrameCipher::aes(b"0123456789abcdef").expect("it has 16 bytes")),
    };
    let whole = read_frames(&framing, [bytes]);
    let pieces = read_frames(&framing, bytes.chunks(1 + usize::from(choice / 3)));
    assert_eq!(whole, pieces, "pieces mean something else");
    for text in &whole.0 {
        let mut frame = Vec::new();
        if framing.append(text, &mut frame).is_ok() {
            assert_eq!(read_frames(&framing, [&frame[..]]), (vec![text.clone()], Ok(())));
        }
    }
}

type Read = (Vec<Box<str>>, Result<(), FrameFault>);

fn read_frames<'a>(framing: &Framing, pieces: impl IntoIterator<Item = &'a [u8]>) -> Read {
    let (mut reader, mut texts) = (FrameReader::default(), Vec::new());
    for piece in pieces {
        let taken = reader.handle_bytes(framing, piece, &mut texts);
        if taken.is_err() {
            return (texts, taken);
        }
    }
    (texts, Ok(()))
}

/// A terminal's JSON: what is taken can be passed on and is then read with the same meaning; what is refused can be
/// answered.
pub fn envelope(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    match Incoming::decode(text) {
        Ok(incoming) => {
            let message = incoming.relayed();
            let relayed = Outgoing::relayed(&message, incoming.id).expect("its body is JSON").encode();
            let again = Incoming::decode(&relayed).expect("what is passed on can be read");
            assert_eq!((again.id, &again.signal, &again.v), (incoming.id, &incoming.signal, &incoming.v));
            assert_eq!((&again.code, &again.text), (&incoming.code, &incoming.text));
            assert_eq!(again.relayed().body, message.body, "it would be another one at the next node");
        }
        Err(reject) => {
            let error = Outgoing::error("1.0.0", reject.id.unwrap_or(0), reject.code, &reject.text).encode();
            Incoming::decode(&error).expect("an answer can be read");
        }
    }
}

/// A frame of a link: what is taken is written and read as the same.
pub fn link_frame(data: &[u8]) {
    let Ok(frame) = Frame::decode(Bytes::copy_from_slice(data)) else { return };
    let written = match &frame {
        Frame::Signal(header, body) => encode_signal(header, body),
        Frame::Sync(sync) => encode_sync(sync),
    };
    assert_eq!(Frame::decode(written), Ok(frame));
}
