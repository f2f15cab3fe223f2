//! One path of the REST interface: what it stands for, what it takes, what it answers.

use axum::http::Method;
use taoyao_types::Asks;
use taoyao_wire::signals::Signal;

use super::configuration::Section;
use super::recording::Deed;

/// A path and all that is known of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route {
    /// As axum and OpenAPI write it: `/client/status/{clientId}`.
    pub(super) path: &'static str,
    pub(super) verbs: Verbs,
    pub(super) does: Does,
    /// Where the variables of the path go in the signal's body.
    pub(super) variables: &'static [Variable],
    /// What the query may have.
    pub(super) query: &'static [Field],
    /// What a JSON object as the request's body may have; empty: no body is read.
    pub(super) body: &'static [Field],
    /// Of these groups of the body's fields one has to be complete; none: each field says for itself whether it is required.
    pub(super) either: &'static [&'static [&'static str]],
    pub(super) answer: Answer,
    /// What the answer is if what is named is not there.
    pub(super) missing: Missing,
    pub(super) about: &'static str,
}

/// With which methods it is called. The original has GET for everything; what changes something should be POST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verbs {
    /// It only looks.
    Get,
    /// It changes something; GET is there for old scripts.
    GetOrPost,
    /// It changes something and the original does not have it.
    Post,
    Delete,
}

/// What a call comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    Signal(Signal),
    Configuration(Section),
    Recording(Deed),
    /// Writes the rooms to the log.
    LogRooms,
    /// Tells what signals there are.
    Protocol,
}

impl Does {
    /// What policy is asked, from the partition that the account acts in. Without a wildcard: a new kind of path does not
    /// compile before this is decided.
    pub(super) const fn asks(self) -> Asks {
        match self {
            Self::Signal(signal) => signal.row().asks,
            Self::LogRooms => Signal::RoomList.row().asks,
            Self::Configuration(_) => Asks::Nothing("the node's own settings, for the role `admin`"),
            Self::Recording(_) => Asks::Nothing("recordings of the account's own partitions"),
            Self::Protocol => Asks::Nothing("what every client may know"),
        }
    }
}

/// A variable of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: &'static str,
    pub(super) field: &'static str,
    pub(super) about: &'static str,
}

/// A value in a query or a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) is_required: bool,
    pub(super) about: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Flag,
    Text,
    /// A whole number from 0.
    Count,
    Number,
    /// One of these texts.
    OneOf(&'static [&'static str]),
}

/// The body of a successful answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// None that matters.
    Done,
    /// A terminal's own message, with its header.
    Message,
    Client,
    Clients,
    /// The terminals out of a room's list.
    Members,
    Room,
    Rooms,
    /// An object that depends on the path.
    Object,
    Recording,
    Recordings,
    /// A file, and no JSON around it.
    File,
    /// Markdown, and no JSON around it.
    Markdown,
}

/// What is answered where a terminal or a room is not there (reference section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// 404.
    NotFound,
    /// Success without a body.
    Nothing,
    /// Success with an empty list.
    EmptyList,
    /// The error's code, but with HTTP status 200.
    ToldAsSuccess,
}

impl Verbs {
    pub(super) fn admits(self, method: &Method) -> bool {
        match *method {
            Method::GET => matches!(self, Self::Get | Self::GetOrPost),
            Method::HEAD => self == Self::Get,
            Method::POST => matches!(self, Self::Post | Self::GetOrPost),
            Method::DELETE => self == Self::Delete,
            _ => false,
        }
    }

    /// For the header `Allow`.
    pub(super) fn allowed(self) -> &'static str {
        match self {
            Self::Get => "GET, HEAD",
            Self::GetOrPost => "POST, GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }

    pub(super) fn changes(self) -> bool {
        self != Self::Get
    }
}

impl Route {
    const fn new(path: &'static str, verbs: Verbs, does: Does, answer: Answer, about: &'static str) -> Self {
        let missing = Missing::NotFound;
        Self { path, verbs, does, variables: &[], query: &[], body: &[], either: &[], answer, missing, about }
    }

    pub(super) const fn reads(
        path: &'static str,
        signal: Signal,
        answer: Answer,
        about: &'static str,
    ) -> Self {
        Self::new(path, Verbs::Get, Does::Signal(signal), answer, about)
    }

    pub(super) const fn shows(path: &'static str, does: Does, answer: Answer, about: &'static str) -> Self {
        Self::new(path, Verbs::Get, does, answer, about)
    }

    pub(super) const fn changes(path: &'static str, does: Does, answer: Answer, about: &'static str) -> Self {
        Self::new(path, Verbs::GetOrPost, does, answer, about)
    }

    /// Has a terminal do something; its answer is the call's.
    pub(super) const fn controls(path: &'static str, signal: Signal, about: &'static str) -> Self {
        let route = Self::changes(path, Does::Signal(signal), Answer::Message, about);
        Self { variables: &[TARGET], missing: Missing::ToldAsSuccess, ..route }
    }

    pub(super) const fn only_by(self, verbs: Verbs) -> Self {
        Self { verbs, ..self }
    }

    pub(super) const fn of(self, variables: &'static [Variable]) -> Self {
        Self { variables, ..self }
    }

    pub(super) const fn asks(self, query: &'static [Field]) -> Self {
        Self { query, ..self }
    }

    pub(super) const fn takes(self, body: &'static [Field]) -> Self {
        Self { body, ..self }
    }

    pub(super) const fn either(self, either: &'static [&'static [&'static str]]) -> Self {
        Self { either, ..self }
    }

    pub(super) const fn if_missing(self, missing: Missing) -> Self {
        Self { missing, ..self }
    }
}

const TARGET: Variable = Variable {
    name: "clientId",
    field: "to",
    about: "The terminal: its client id, or `clientId@partition`.",
};

impl Field {
    pub(super) const fn required(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, is_required: true, about }
    }

    pub(super) const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, is_required: false, about }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_something_is_never_done_by_head() {
        for verbs in [Verbs::GetOrPost, Verbs::Post, Verbs::Delete] {
            assert!(verbs.changes() && !verbs.admits(&Method::HEAD), "{verbs:?}");
        }
        assert!(Verbs::Get.admits(&Method::HEAD) && !Verbs::Get.changes());
    }

    #[test]
    fn what_is_allowed_is_admitted() {
        for verbs in [Verbs::Get, Verbs::GetOrPost, Verbs::Post, Verbs::Delete] {
            for method in verbs.allowed().split(", ") {
                assert!(verbs.admits(&method.parse().unwrap()), "{verbs:?} {method}");
            }
            assert!(!verbs.admits(&Method::PUT) && !verbs.admits(&Method::OPTIONS));
        }
    }
}
