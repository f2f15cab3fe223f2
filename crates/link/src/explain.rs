//! Turns QUIC's and TLS's errors into a sentence that a person can act on.

use quinn::{ConnectionError, ReadError, ReadExactError, TransportErrorCode, WriteError};
use taoyao_types::limits::LINK_DEAD_AFTER;
use taoyao_wire::link::hello::{CloseCode, Refusal};

use crate::{Ending, Side};

/// Why a connection is gone, and whose word that is.
pub(crate) fn lost(error: &ConnectionError) -> Ending {
    match error {
        ConnectionError::ApplicationClosed(close) => Ending {
            by: Side::Peer,
            refusal: Refusal::from_peer(close.error_code.into_inner(), &close.reason),
        },
        ConnectionError::ConnectionClosed(close) => refused_by_stack(close.error_code, &close.to_string()),
        ConnectionError::TransportError(error) => match tls_alert(error.code) {
            Some(alert) => here(CloseCode::Handshake, tls_refused_here(alert, &error.reason)),
            None => here(CloseCode::Lost, format!("the peer does not keep to QUIC: {error}")),
        },
        ConnectionError::TimedOut => {
            here(CloseCode::Lost, format!("nothing was heard for {} s", LINK_DEAD_AFTER.as_secs()))
        }
        ConnectionError::Reset => {
            here(CloseCode::Lost, "the peer has restarted and forgotten this link".to_owned())
        }
        ConnectionError::VersionMismatch => {
            here(CloseCode::Handshake, "the peer speaks another version of QUIC".to_owned())
        }
        ConnectionError::LocallyClosed => here(CloseCode::Ended, "closed by this node".to_owned()),
        ConnectionError::CidsExhausted => {
            here(CloseCode::Lost, "this node has no connection ids left".to_owned())
        }
    }
}

pub(crate) fn read_failed(error: &ReadError) -> Ending {
    match error {
        ReadError::ConnectionLost(error) => lost(error),
        other => frame_fault(format!("a stream ended that must stay open: {other}")),
    }
}

pub(crate) fn read_exact_failed(error: &ReadExactError) -> Ending {
    match error {
        ReadExactError::ReadError(error) => read_failed(error),
        ReadExactError::FinishedEarly(_) => frame_fault("a stream ended that must stay open".to_owned()),
    }
}

pub(crate) fn write_failed(error: &WriteError) -> Ending {
    match error {
        WriteError::ConnectionLost(error) => lost(error),
        other => frame_fault(format!("a stream was stopped that must stay open: {other}")),
    }
}

pub(crate) fn frame_fault(reason: String) -> Ending {
    here(CloseCode::Frame, reason)
}

pub(crate) fn here(code: CloseCode, reason: impl Into<String>) -> Ending {
    Ending { by: Side::Here, refusal: Refusal::new(code, reason) }
}

fn refused_by_stack(code: TransportErrorCode, text: &str) -> Ending {
    let (code, reason) = match tls_alert(code) {
        Some(alert) => (CloseCode::Handshake, tls_refused_by_peer(alert)),
        None if code == TransportErrorCode::CONNECTION_REFUSED => {
            (CloseCode::Busy, "it has more connections in their handshake than it takes".to_owned())
        }
        None => (CloseCode::Lost, format!("its QUIC gave up: {text}")),
    };
    Ending { by: Side::Peer, refusal: Refusal::new(code, reason) }
}

/// TLS alerts travel as QUIC errors 0x100 to 0x1ff (RFC 9001 section 4.8).
fn tls_alert(code: TransportErrorCode) -> Option<u8> {
    match u64::from(code) {
        number @ 0x100..=0x1ff => u8::try_from(number - 0x100).ok(),
        _ => None,
    }
}

// Alerts of RFC 8446 section 6 that certificates lead to.
const BAD_CERTIFICATE: u8 = 42;
const UNSUPPORTED_CERTIFICATE: u8 = 43;
const CERTIFICATE_EXPIRED: u8 = 45;
const UNKNOWN_CA: u8 = 48;
const DECRYPT_ERROR: u8 = 51;
const CERTIFICATE_REQUIRED: u8 = 116;
const NO_APPLICATION_PROTOCOL: u8 = 120;

fn tls_refused_here(alert: u8, detail: &str) -> String {
    match alert {
        // A CA of the same name with another key shows as a bad signature.
        UNKNOWN_CA | DECRYPT_ERROR => {
            "the peer's certificate is of another CA; both nodes need certificates of one ca.crt".to_owned()
        }
        CERTIFICATE_EXPIRED => {
            "the peer's certificate is outside its validity; renew it, and compare the clocks".to_owned()
        }
        CERTIFICATE_REQUIRED => "the peer showed no certificate".to_owned(),
        BAD_CERTIFICATE => format!("the peer's certificate is for another node or damaged: {detail}"),
        UNSUPPORTED_CERTIFICATE => {
            "the peer's certificate is not meant for links (extended key usage)".to_owned()
        }
        NO_APPLICATION_PROTOCOL => {
            "the peer does not speak the link protocol; is its address another service's?".to_owned()
        }
        other => format!("the handshake failed (TLS alert {other}): {detail}"),
    }
}

fn tls_refused_by_peer(alert: u8) -> String {
    match alert {
        UNKNOWN_CA | DECRYPT_ERROR => {
            "this node's certificate is of another CA than the peer's; both nodes need certificates of one ca.crt".to_owned()
        }
        CERTIFICATE_EXPIRED => {
            "this node's certificate is outside its validity; renew it, and compare the clocks".to_owned()
        }
        CERTIFICATE_REQUIRED => "this node showed no certificate".to_owned(),
        BAD_CERTIFICATE => "this node's certificate is for another node than its address belongs to, or damaged".to_owned(),
        UNSUPPORTED_CERTIFICATE => "this node's certificate is not meant for links (extended key usage)".to_owned(),
        NO_APPLICATION_PROTOCOL => "it does not speak the link protocol; is the address another service's?".to_owned(),
        other => format!("it broke off the handshake (TLS alert {other})"),
    }
}
