//! Signalling on bare TCP sockets (reference section 1.3): frames of a length and a text, with or without a cipher.
//!
//! A frame is a signed 16-bit big-endian length and so many bytes: the UTF-8 text of one message, encrypted if the listener
//! has a cipher. What the original forgives is a fault here, since whoever sends it is out of step: a negative length,
//! bytes that cannot be decrypted, a text that is not UTF-8.

mod cipher;
mod framing;
mod reader;
mod replace;

pub use cipher::{BadKey, FrameCipher};
pub use framing::{DoesNotFit, Framing};
pub use reader::{FrameFault, FrameReader};
pub(crate) use replace::replacement;
