//! Bodies of `client::*`.

use super::shapes::{CLIENT_STATE, MEDIA_CONFIG, READINGS, TYPES, WEBRTC_CONFIG};
use super::{Body, Field, Form, Kind, answer, may, must, push, request};
use crate::signals::Signal;

use Kind::{Flag, Object, OneOf, Text, Whole};

pub(super) const BODIES: [Body; 25] = [
    request(
        Signal::ClientAlarm,
        Form::Fields(&[
            may("message", Text, "what is wrong; cut at 1 KiB").loose(),
            may("datetime", Text, "`yyyyMMddHHmmss`, the terminal's own time").loose(),
        ]),
        "An alarm is an alarm, whatever else can be read.",
    ),
    request(
        Signal::ClientBroadcast,
        Form::Open(&[may("clientType", Text, "only to terminals of this type; in any case, empty: all")]),
        "",
    ),
    push(Signal::ClientBroadcast, Form::Open(&[]), "The body of who sent it, as it is."),
    request(Signal::ClientClose, Form::Empty, ""),
    answer(Signal::ClientClose, Form::Empty, "Then the connection is closed with 1000."),
    request(Signal::ClientConfig, Form::Empty, ""),
    push(
        Signal::ClientConfig,
        Form::Fields(&[
            must("datetime", Text, "`yyyyMMddHHmmss`, the node's time"),
            may("media", Object(&MEDIA_CONFIG), "for `WEB`, `CAMERA` and `MOBILE` only"),
            may("webrtc", Object(&WEBRTC_CONFIG), "the same"),
        ]),
        "",
    ),
    request(
        Signal::ClientHeartbeat,
        Form::Open(&READINGS),
        "What has changed; what is absent stays as it was.",
    ),
    answer(Signal::ClientHeartbeat, Form::Empty, ""),
    request(
        Signal::ClientList,
        Form::Fields(&[
            may("clientType", Text, "only terminals of this type; in any case, empty: all"),
            may("partition", Text, "only terminals of this partition"),
            may("after", Text, "the next page: what comes after this `clientId`"),
            may("limit", Whole, "at most so many"),
        ]),
        "",
    ),
    answer(Signal::ClientList, Form::ListOf(&CLIENT_STATE), "The own partition first."),
    push(Signal::ClientOffline, Form::Fields(&[must("clientId", Text, "who has gone")]), ""),
    push(Signal::ClientOnline, Form::Maybe(&CLIENT_STATE), ""),
    request(Signal::ClientReboot, ONE, "By the REST interface only; from a terminal it does nothing."),
    answer(Signal::ClientReboot, Form::Empty, "Whether or not there is such a terminal."),
    push(Signal::ClientReboot, Form::Empty, ""),
    request(Signal::ClientRegister, Form::Open(&REGISTER), ""),
    answer(
        Signal::ClientRegister,
        Form::Fields(&[
            must("index", Whole, "from 10000; a part of the terminal's message ids"),
            may("ticket", Text, "with `resume`: what it comes back with"),
            may("resumeSeconds", Whole, "with `resume`: how long it may be away"),
            may("resumed", Flag, "with `resume`: whether it has just come back"),
        ]),
        "Then `client::config` is pushed.",
    ),
    request(Signal::ClientShutdown, ONE, "By the REST interface only; from a terminal it does nothing."),
    answer(Signal::ClientShutdown, Form::Empty, "Whether or not there is such a terminal."),
    push(Signal::ClientShutdown, Form::Empty, ""),
    request(
        Signal::ClientStatus,
        Form::Fields(&[may("clientId", Text, "whose; the sender's own if absent")]),
        "",
    ),
    answer(Signal::ClientStatus, Form::Maybe(&CLIENT_STATE), "No body where there is no such terminal."),
    request(
        Signal::ClientUnicast,
        Form::Open(&[must("to", Text, "who shall get it")]),
        "Is not answered, whether or not it arrives.",
    ),
    push(
        Signal::ClientUnicast,
        Form::Open(&[]),
        "The body without `to`, and with the sender's code and text.",
    ),
];

const ONE: Form = Form::Fields(&[must("clientId", Text, "which terminal")]);

const REGISTER: [Field; 20] = [
    must("clientId", Text, "1 to 128 bytes without `@`, or `id@partition`"),
    must("clientType", OneOf(&TYPES), "what it is; in any case"),
    may("name", Text, "what people call it; cut at 256 bytes"),
    must("username", Text, "the account"),
    must("password", Text, "its password"),
    may("resume", Flag, "wants a ticket for coming back"),
    may("ticket", Text, "comes back with it; then no credentials are needed"),
    may("received", Whole, "messages received since the last answer to a registration"),
    READINGS[0],
    READINGS[1],
    READINGS[2],
    READINGS[3],
    READINGS[4],
    READINGS[5],
    READINGS[6],
    READINGS[7],
    READINGS[8],
    READINGS[9],
    READINGS[10],
    may("index", Whole, "without a meaning; shipped clients repeat it").loose(),
];
