//! The bodies of all signals: what a request, an answer and a push have in them, for the nodes' own check, for
//! `docs/protocol` and for the JSON Schema that stands beside it.
//!
//! A family's bodies stand in the file of its name, what several of them share in `shapes`.

mod check;
mod client;
mod control;
mod markdown;
mod media;
mod room;
mod schema;
mod session;
mod shapes;
mod system;

use crate::signals::Signal;

pub use check::{Unreadable, check_body, check_request, faults};
pub use markdown::bodies_markdown;
pub use schema::bodies_schema;

/// Which of a signal's messages a body belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// From the terminal.
    Request,
    /// To it, under its own id.
    Answer,
    /// To it, without being asked.
    Push,
}

/// One body.
#[derive(Debug, Clone, Copy)]
pub struct Body {
    pub signal: Signal,
    pub part: Part,
    pub form: Form,
    /// What a client's author has to know besides; may be empty.
    pub about: &'static str,
}

/// What a body is as a whole.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// `{}`, or none at all.
    Empty,
    /// An object of these members.
    Fields(&'static [Field]),
    /// An object of these members and any others, which are handed on as they are.
    Open(&'static [Field]),
    /// One of the shared objects, or nothing where what was asked for is not there.
    Maybe(&'static Shape),
    /// An array of them.
    ListOf(&'static Shape),
}

/// A member of an object.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    /// Whether it is always there. `null` counts as absent.
    pub is_needed: bool,
    /// Whether a node takes what it cannot read for absent: a reading that nothing depends on.
    pub is_loose: bool,
    pub about: &'static str,
}

/// What a member is.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Text,
    /// A number without a fraction.
    Whole,
    Number,
    Flag,
    OneOf(&'static [&'static str]),
    Object(&'static Shape),
    /// An object of anything.
    Free,
    List(&'static Kind),
    /// An object whose members are all of one kind, by names of their own.
    Map(&'static Kind),
}

/// An object that several bodies have.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub name: &'static str,
    pub about: &'static str,
    pub fields: &'static [Field],
    /// Whether it may have members that are not named here.
    pub is_open: bool,
}

const FAMILIES: [&[Body]; 6] =
    [&client::BODIES, &control::BODIES, &media::BODIES, &room::BODIES, &session::BODIES, &system::BODIES];

/// All bodies, in the order of the signals within each family.
pub fn bodies() -> impl Iterator<Item = &'static Body> {
    FAMILIES.into_iter().flatten()
}

/// The body of one of a signal's messages; none if it has no such message.
pub fn body_of(signal: Signal, part: Part) -> Option<&'static Body> {
    bodies().find(|body| body.signal == signal && body.part == part)
}

const fn must(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, is_needed: true, is_loose: false, about }
}

const fn may(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, is_needed: false, is_loose: false, about }
}

impl Field {
    const fn loose(self) -> Self {
        Self { is_loose: true, ..self }
    }
}

const fn request(signal: Signal, form: Form, about: &'static str) -> Body {
    Body { signal, part: Part::Request, form, about }
}

const fn answer(signal: Signal, form: Form, about: &'static str) -> Body {
    Body { signal, part: Part::Answer, form, about }
}

const fn push(signal: Signal, form: Form, about: &'static str) -> Body {
    Body { signal, part: Part::Push, form, about }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::{SIGNALS, Sender};

    #[test]
    fn every_message_of_the_signal_table_has_one_body_and_no_other_has() {
        for row in &SIGNALS {
            // Started by REST, and told to terminals by nodes only.
            let by_rest = ["client::reboot", "client::shutdown"].contains(&row.name);
            let (sent, answered) = (row.sender != Sender::Node || by_rest, row.answered || by_rest);
            let pushed = row.sender != Sender::Terminal || HANDED_ON.contains(&row.name);
            for (part, expected) in [(Part::Request, sent), (Part::Answer, answered), (Part::Push, pushed)] {
                let found = bodies().filter(|body| body.signal == row.signal && body.part == part).count();
                assert_eq!(found, usize::from(expected), "{} {part:?}", row.name);
            }
        }
    }

    /// What terminals send and other terminals, or all of the node, are told.
    const HANDED_ON: [&str; 24] = [
        "client::broadcast",
        "client::unicast",
        "control::ai",
        "control::beauty",
        "control::bell",
        "control::client::record",
        "control::config::audio",
        "control::config::video",
        "control::photograph",
        "control::ptz",
        "control::wakeup",
        "control::watermark",
        "platform::reboot",
        "platform::shutdown",
        "room::broadcast",
        "room::expel",
        "room::invite",
        "room::status",
        "session::call",
        "session::exchange",
        "session::pause",
        "session::resume",
        "system::reboot",
        "system::shutdown",
    ];
}
