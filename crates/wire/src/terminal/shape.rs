//! Members of bodies on which a right, a limit or a secret depends: what is there and cannot be read is refused, before
//! anything is done.
//!
//! Bodies are read liberally (`fields`): what has the wrong kind counts as absent. For a temperature that is right. A password
//! that counts as absent makes an open room, a limit that does makes none, and a partition that does means all of them.

use std::fmt;

use super::fields::Fields;
use crate::signals::Signal;

/// What a member has to be, if it is there at all: `null`, and an empty text where a number or a boolean is wanted, are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Numbers and booleans are texts, too: they are taken as they are written.
    Text,
    /// Or the text of one.
    Number,
    /// Or the text of one.
    Flag,
}

/// A member that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field} has to be {shape}, and is {found}")]
pub struct Unreadable {
    pub field: &'static str,
    pub shape: Shape,
    /// What it is instead.
    pub found: &'static str,
}

/// Every such member by its signal.
pub const SHAPES: [(Signal, &[(&str, Shape)]); 28] = {
    use Shape::{Flag, Number, Text};
    [
        (Signal::ClientAlarm, &[("message", Text), ("datetime", Text)]),
        (Signal::ClientBroadcast, &[("clientType", Text)]),
        (
            Signal::ClientList,
            &[("clientType", Text), ("partition", Text), ("after", Text), ("limit", Number)],
        ),
        (Signal::ClientReboot, &[("clientId", Text)]),
        (
            Signal::ClientRegister,
            &[
                ("clientId", Text),
                ("clientType", Text),
                ("username", Text),
                ("password", Text),
                ("ticket", Text),
                ("resume", Flag),
                ("received", Number),
            ],
        ),
        (Signal::ClientShutdown, &[("clientId", Text)]),
        (Signal::ClientStatus, &[("clientId", Text)]),
        (Signal::ClientUnicast, &[("to", Text)]),
        (Signal::ControlClientRecord, &[("to", Text), ("enabled", Flag)]),
        (Signal::ControlServerRecord, &[("to", Text), ("roomId", Text), ("enabled", Flag)]),
        (
            Signal::MediaConsumerSetPreferredLayers,
            &[("roomId", Text), ("consumerId", Text), ("spatialLayer", Number), ("temporalLayer", Number)],
        ),
        (Signal::MediaConsumerSetPriority, &[("roomId", Text), ("consumerId", Text), ("priority", Number)]),
        (Signal::MediaConsume, &[("roomId", Text), ("producerId", Text), ("consumerId", Text)]),
        (
            Signal::MediaTransportPlainCreate,
            &[("roomId", Text), ("enableSrtp", Flag), ("rtcpMux", Flag), ("comedia", Flag)],
        ),
        (
            Signal::MediaTransportWebrtcCreate,
            &[("roomId", Text), ("forceTcp", Flag), ("producing", Flag), ("consuming", Flag)],
        ),
        (Signal::RoomBroadcast, &[("roomId", Text)]),
        (Signal::RoomClientList, &[("roomId", Text), ("after", Text), ("limit", Number)]),
        (Signal::RoomClientListId, &[("roomId", Text), ("clientId", Text)]),
        (Signal::RoomClose, &[("roomId", Text)]),
        (
            Signal::RoomCreate,
            &[("name", Text), ("password", Text), ("mediaClientId", Text), ("emptySeconds", Number)],
        ),
        (Signal::RoomEnter, &[("roomId", Text), ("password", Text), ("subscribeType", Text)]),
        (Signal::RoomExpel, &[("roomId", Text), ("clientId", Text)]),
        (Signal::RoomInvite, &[("roomId", Text), ("clientId", Text)]),
        (Signal::RoomLeave, &[("roomId", Text)]),
        (Signal::RoomList, &[("after", Text), ("limit", Number)]),
        (Signal::RoomStatus, &[("roomId", Text)]),
        (Signal::SessionCall, &[("clientId", Text), ("audio", Flag), ("video", Flag)]),
        (Signal::SessionClose, &[("sessionId", Text)]),
    ]
};

/// Looks at a body before its signal is carried out.
///
/// # Errors
/// The first member that is there and cannot be read as what it has to be.
pub fn check(signal: Signal, fields: &Fields<'_>) -> Result<(), Unreadable> {
    let shapes = SHAPES.iter().find(|(of, _)| *of == signal).map_or(&[][..], |(_, shapes)| shapes);
    shapes.iter().try_for_each(|(field, shape)| check_field(fields, field, *shape))
}

fn check_field(fields: &Fields<'_>, field: &'static str, shape: Shape) -> Result<(), Unreadable> {
    let written = fields.iter().filter(|(name, _)| *name == field).last().map(|(_, json)| json);
    let Some(json) = written.filter(|json| *json != "null") else { return Ok(()) };
    let text = fields.text(field);
    let is_empty = text.as_ref().is_some_and(|text| text.trim().is_empty());
    let is_readable = match shape {
        Shape::Text => text.is_some(),
        Shape::Number => is_empty || fields.number(field).is_some(),
        Shape::Flag => is_empty || fields.flag(field).is_some(),
    };
    if is_readable { Ok(()) } else { Err(Unreadable { field, shape, found: kind_of(json) }) }
}

fn kind_of(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'[') => "an array",
        Some(b'{') => "an object",
        Some(b'"') => "another text",
        Some(b't' | b'f') => "a boolean",
        _ => "a number",
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Flag => "a boolean",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(signal: Signal, field: &str, json: &str) -> Result<(), Unreadable> {
        check(signal, &Fields::of_text(&format!(r#"{{"{field}":{json}}}"#)))
    }

    #[test]
    fn what_is_there_and_unreadable_is_refused_for_every_member_of_the_table() {
        for (signal, shapes) in SHAPES {
            for (field, shape) in shapes {
                for wrong in ["[]", "{}", r#"["x"]"#, r#"{"a":1}"#] {
                    let refused = checked(signal, field, wrong).unwrap_err();
                    assert_eq!((refused.field, refused.shape), (*field, *shape), "{} {wrong}", signal.name());
                }
                let wrong_text = checked(signal, field, r#""x y""#);
                assert_eq!(wrong_text.is_ok(), *shape == Shape::Text, "{} {field}", signal.name());
                for absent in ["null", r#""""#] {
                    assert_eq!(checked(signal, field, absent), Ok(()), "{} {field} {absent}", signal.name());
                }
            }
        }
    }

    #[test]
    fn what_can_be_read_in_any_dress_is_taken() {
        for (signal, field, json) in [
            (Signal::RoomCreate, "password", "1234"),
            (Signal::RoomCreate, "emptySeconds", r#""60""#),
            (Signal::ControlServerRecord, "enabled", r#""false""#),
            (Signal::RoomList, "limit", "20.0"),
            (Signal::RoomList, "roomId", "[1]"),
        ] {
            assert_eq!(checked(signal, field, json), Ok(()), "{field} {json}");
        }
        let said = checked(Signal::RoomCreate, "password", "[1]").unwrap_err().to_string();
        assert_eq!(said, "password has to be a text, and is an array");
        // Of a name that comes twice the last counts.
        let twice = Fields::of_text(r#"{"password":[],"password":"x"}"#);
        assert_eq!(check(Signal::RoomCreate, &twice), Ok(()));
    }

    #[test]
    fn every_signal_that_names_a_room_says_what_a_room_is_named_by() {
        let of_rooms = crate::signals::SIGNALS.iter().filter(|row| row.name.starts_with("room::"));
        for row in of_rooms.filter(|row| !matches!(row.signal, Signal::RoomCreate | Signal::RoomList)) {
            assert!(checked(row.signal, "roomId", "[]").is_err(), "{}", row.name);
        }
    }
}
