//! Bodies of `room::*`.

use super::shapes::{CLIENT_STATE, RECORDED, ROOM, ROOM_STATE, RTP_CAPABILITIES, SCTP_CAPABILITIES};
use super::{Body, Field, Form, Kind, answer, may, must, push, request};
use crate::signals::Signal;

use Kind::{Flag, List, Object, Text, Whole};

const ONE: Form = Form::Fields(&[ROOM]);
const WHOM: Field = must("clientId", Text, "which terminal");
const PASSWORD: Field = may("password", Text, "the room's password, or the pass of an invitation");
const MEMBERS: Form = Form::Fields(&[ROOM, must("clients", List(&Object(&CLIENT_STATE)), "all members")]);
const ENTERED: Form = Form::Fields(&[
    ROOM,
    must("clientId", Text, "who has entered"),
    must("status", Object(&CLIENT_STATE), "its state"),
]);
const NAME: Field = may("name", Text, "what people call it; cut at 256 bytes");
const SIZE: Field = must("clientSize", Whole, "members");
const MEDIA: Field = must("mediaClientId", Text, "the media service");
const RECORDING: Field = must("recording", Flag, "whether a member is recorded");

pub(super) const BODIES: [Body; 26] = [
    request(Signal::RoomBroadcast, Form::Open(&[ROOM]), "To all other members, as it is."),
    push(Signal::RoomBroadcast, Form::Open(&[ROOM]), "The body of who sent it."),
    request(Signal::RoomClientList, ONE, ""),
    answer(Signal::RoomClientList, MEMBERS, ""),
    push(Signal::RoomClientList, MEMBERS, "Once, to who has just entered."),
    request(
        Signal::RoomClientListId,
        Form::Fields(&[ROOM, may("clientId", Text, "whose; the sender's own if absent")]),
        "",
    ),
    answer(
        Signal::RoomClientListId,
        Form::Fields(&[
            ROOM,
            must("clientId", Text, "whose"),
            must("dataProducers", List(&Text), "ids"),
            must("dataConsumers", List(&Text), "ids"),
            must("audioProducers", List(&Text), "ids"),
            must("videoProducers", List(&Text), "ids"),
            must("audioConsumers", List(&Text), "ids"),
            must("videoConsumers", List(&Text), "ids"),
        ]),
        "",
    ),
    request(Signal::RoomClose, ONE, ""),
    push(Signal::RoomClose, ONE, "To all members."),
    request(
        Signal::RoomCreate,
        Form::Open(&[
            NAME,
            may("password", Text, "absent or empty: none is asked for"),
            may("mediaClientId", Text, "the media service; the partition's own if absent"),
            may("emptySeconds", Whole, "how long the room may be without members; the node's own if absent"),
        ]),
        "",
    ),
    answer(Signal::RoomCreate, Form::Maybe(&ROOM_STATE), ""),
    push(
        Signal::RoomCreate,
        Form::Fields(&[ROOM, may("password", Text, "a pass in the place of the room's password")]),
        "The room has lost the terminal, or its media: enter again.",
    ),
    request(
        Signal::RoomEnter,
        Form::Open(&[
            ROOM,
            PASSWORD,
            may(
                "subscribeType",
                Text,
                "what is consumed without being asked for: `ALL`, `ALL_AUDIO`, `ALL_VIDEO`, `NONE`; `ALL`",
            ),
            may("rtpCapabilities", Object(&RTP_CAPABILITIES), "what the terminal receives; absent: nothing"),
            may("sctpCapabilities", Object(&SCTP_CAPABILITIES), "without a meaning").loose(),
        ]),
        "",
    ),
    answer(Signal::RoomEnter, ENTERED, "Then `room::client::list` is pushed."),
    push(Signal::RoomEnter, ENTERED, "To all other members."),
    request(Signal::RoomExpel, Form::Open(&[ROOM, WHOM]), ""),
    push(Signal::RoomExpel, Form::Open(&[ROOM, WHOM]), "Who gets it leaves by `room::leave`."),
    request(Signal::RoomInvite, Form::Open(&[ROOM, WHOM, PASSWORD]), ""),
    push(
        Signal::RoomInvite,
        Form::Open(&[
            ROOM,
            WHOM,
            may("password", Text, "a pass, where the room has a password"),
            must("inviterId", Text, "who invites, as the node knows"),
        ]),
        "Who gets it enters with that as `password`.",
    ),
    request(Signal::RoomLeave, ONE, ""),
    push(
        Signal::RoomLeave,
        Form::Fields(&[ROOM, must("clientId", Text, "who has left")]),
        "To those who remain.",
    ),
    request(
        Signal::RoomList,
        Form::Open(&[
            may("after", Text, "the next page: what comes after this `roomId`"),
            may("limit", Whole, "at most so many"),
        ]),
        "",
    ),
    answer(Signal::RoomList, Form::ListOf(&ROOM_STATE), "The own partition first."),
    request(Signal::RoomStatus, ONE, ""),
    answer(
        Signal::RoomStatus,
        Form::Fields(&[
            ROOM,
            NAME,
            SIZE,
            MEDIA,
            RECORDING,
            must("mayManage", Flag, "whether the asker may close it and expel members"),
            must("mayRecord", Flag, "whether the asker may record other members"),
        ]),
        "",
    ),
    push(
        Signal::RoomStatus,
        Form::Fields(&[
            ROOM,
            NAME,
            SIZE,
            MEDIA,
            RECORDING,
            may("recorded", Object(&RECORDED), "the recording that has just begun or ended"),
        ]),
        "When a recording begins or ends, and to who enters while there is one.",
    ),
];
