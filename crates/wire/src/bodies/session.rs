//! Bodies of `session::*`.

use super::shapes::CANDIDATE;
use super::{Body, Field, Form, Kind, answer, may, must, push, request};
use crate::signals::Signal;

use Kind::{Flag, Object, OneOf, Text};

const SESSION: Field = must("sessionId", Text, "the session");
const EXCHANGE: Form = Form::Open(&[
    SESSION,
    may("type", Text, "`offer`, `answer` or `candidate`").loose(),
    may("sdp", Text, "of an offer or an answer: the session description").loose(),
    may("candidate", Object(&CANDIDATE), "of a candidate; `null` or absent at the end").loose(),
]);
const PAUSE: Form = Form::Open(&[SESSION, must("type", OneOf(&["audio", "video"]), "sound or picture")]);
const ONE: Form = Form::Fields(&[SESSION]);
const RELAYED: &str = "What the other end has sent, as it is.";

pub(super) const BODIES: [Body; 11] = [
    request(
        Signal::SessionCall,
        Form::Fields(&[
            must("clientId", Text, "who is called"),
            may("audio", Flag, "with sound; true"),
            may("video", Flag, "with picture; true"),
        ]),
        "",
    ),
    answer(
        Signal::SessionCall,
        Form::Fields(&[must("name", Text, "what people call the other end"), WHO, SESSION]),
        "The caller then waits: the called one makes the offer.",
    ),
    push(
        Signal::SessionCall,
        Form::Fields(&[
            must("name", Text, "what people call the caller"),
            WHO,
            SESSION,
            must("audio", Flag, "with sound"),
            must("video", Flag, "with picture"),
        ]),
        "Whoever gets it makes a peer connection and sends the offer by `session::exchange`.",
    ),
    request(Signal::SessionClose, ONE, ""),
    push(
        Signal::SessionClose,
        Form::Fields(&[SESSION, may("reason", Text, "`unanswered`: nobody took part for a minute")]),
        "To both ends.",
    ),
    request(Signal::SessionExchange, EXCHANGE, "Not answered; handed on as it is, whatever is in it."),
    push(Signal::SessionExchange, EXCHANGE, RELAYED),
    request(Signal::SessionPause, PAUSE, "The other end shall stop sending."),
    push(Signal::SessionPause, PAUSE, RELAYED),
    request(Signal::SessionResume, PAUSE, "The other end shall send again."),
    push(Signal::SessionResume, PAUSE, RELAYED),
];

const WHO: Field = must("clientId", Text, "the other end");
