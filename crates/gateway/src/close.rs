//! Why a terminal's connection ended, and what the terminal is told about it.

use std::fmt;
use std::time::Duration;

use taoyao_types::limits;

use crate::outbox::Text;
use crate::tcp::FrameFault;

/// Why a terminal's connection ended. Said once per connection, in `GatewayEvent::Closed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseReason {
    /// The terminal closed it, with the code that it gave (1005: none).
    ByPeer { code: u16 },
    /// The socket ended or failed without a closing handshake.
    Lost,
    /// This node closed it through its handle.
    ByUs { code: u16, reason: Text },
    /// Nothing was read or written for this long; closed with 1001.
    Idle(Duration),
    /// It read more slowly than it was written to; closed with 1008.
    SlowReader,
    /// A text message of more than the permitted bytes; closed with 1009.
    TooLong,
    /// A text message that is not UTF-8; closed with 1007.
    NotUtf8,
    /// A breach of the WebSocket protocol; closed with 1002.
    Protocol(String),
    /// A frame of a bare TCP socket that cannot be read; closed without a word, for frames have none for it.
    BadFrame(FrameFault),
}

impl CloseReason {
    /// Whether what the terminal sends no longer means anything.
    pub(crate) fn is_fault(&self) -> bool {
        matches!(self, Self::TooLong | Self::NotUtf8 | Self::Protocol(_) | Self::BadFrame(_))
    }

    /// The status code and reason of our closing frame; `None` where there is nobody to tell.
    pub(crate) fn frame(&self) -> Option<(u16, Text)> {
        let fixed = |code, reason: &'static str| Some((code, Text::from_static(reason)));
        match self {
            Self::ByPeer { .. } | Self::Lost | Self::BadFrame(_) => None,
            Self::ByUs { code, reason } => Some((*code, reason.clone())),
            Self::Idle(_) => fixed(1001, "nothing was sent for too long"),
            Self::SlowReader => fixed(1008, "this terminal reads too slowly"),
            Self::TooLong => fixed(1009, "a message is longer than 1 MiB"),
            Self::NotUtf8 => fixed(1007, "a text message is not UTF-8"),
            Self::Protocol(_) => fixed(1002, "this is not the WebSocket protocol"),
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByPeer { code } => write!(f, "the terminal closed it with {code}"),
            Self::Lost => write!(f, "the connection was lost"),
            Self::ByUs { code, reason } => write!(f, "closed with {code}: {reason}"),
            Self::Idle(idle) => write!(f, "nothing moved for {} s", idle.as_secs_f32()),
            Self::SlowReader => write!(f, "it read too slowly"),
            Self::TooLong => write!(f, "a message of more than {} bytes", limits::TERMINAL_MESSAGE_BYTES_MAX),
            Self::NotUtf8 => write!(f, "a text message that is not UTF-8"),
            Self::Protocol(what) => write!(f, "a breach of the WebSocket protocol: {what}"),
            Self::BadFrame(fault) => fault.fmt(f),
        }
    }
}
