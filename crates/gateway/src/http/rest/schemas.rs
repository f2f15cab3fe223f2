//! The shapes in the OpenAPI document: what goes in and what comes out.

use taoyao_ortc::RecordEnd;
use taoyao_wire::signals::Need;
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, ArrayBuilder, ComponentsBuilder, KnownFormat, ObjectBuilder,
    OneOfBuilder, Schema, SchemaFormat, Type,
};
use utoipa::openapi::{Ref, RefOr};

use super::route::{Answer, Field, Kind};

/// The schema of errors.
pub(super) const ERROR: &str = "Error";
const CLIENT: &str = "Client";
const ROOM: &str = "Room";
const MESSAGE: &str = "Message";
const RECORDING: &str = "Recording";

pub(super) fn components(components: ComponentsBuilder) -> ComponentsBuilder {
    let components = components.schema(ERROR, error()).schema(CLIENT, client()).schema(ROOM, room());
    components.schema(MESSAGE, message()).schema(RECORDING, recording())
}

/// What a signal needs, for its description.
pub(super) fn need(need: Need) -> &'static str {
    match need {
        Need::Nothing | Need::Registered | Need::Participant => "",
        Need::Member => " Takes a member of the room, or the role `operator`.",
        Need::Owner => " Takes the owner, or the role `operator`.",
        Need::Operator => " Takes the role `operator`.",
        Need::Named => " Takes an account whose allow list names the signal.",
    }
}

pub(super) fn text() -> Schema {
    typed(Type::String).into()
}

pub(super) fn seconds() -> Schema {
    typed(Type::Integer).minimum(Some(1)).into()
}

pub(super) fn binary() -> Schema {
    typed(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary))).into()
}

/// A variable of a path: a slash would begin the next one.
pub(super) fn id() -> Schema {
    typed(Type::String).min_length(Some(1)).pattern(Some("^[^/]+$")).into()
}

pub(super) fn value(kind: Kind) -> Schema {
    match kind {
        Kind::Flag => typed(Type::Boolean).into(),
        Kind::Text => typed(Type::String).into(),
        Kind::Count => typed(Type::Integer).minimum(Some(0)).maximum(Some(u32::MAX)).into(),
        Kind::Number => typed(Type::Number).into(),
        Kind::OneOf(texts) => typed(Type::String).enum_values(Some(texts.iter().copied())).into(),
    }
}

/// A JSON object as the body of a request.
pub(super) fn fields(fields: &[Field], either: &[&[&str]]) -> Schema {
    if either.is_empty() {
        return object_of(fields).into();
    }
    let complete =
        |group: &&[&str]| group.iter().fold(object_of(fields), |object, name| object.required(*name));
    either.iter().map(complete).fold(AnyOfBuilder::new(), AnyOfBuilder::item).into()
}

fn object_of(fields: &[Field]) -> ObjectBuilder {
    fields.iter().fold(ObjectBuilder::new(), |object, field| {
        let object = object.property(field.name, value(field.kind));
        if field.is_required { object.required(field.name) } else { object }
    })
}

/// `{"code": "0000", "message", "body"}`.
pub(super) fn success(answer: Answer, may_lack_body: bool) -> Schema {
    let object = enveloped().property("code", typed(Type::String).enum_values(Some(["0000"])));
    let Some(body) = body(answer) else { return object.into() };
    let object = object.property("body", body);
    if may_lack_body { object.into() } else { object.required("body").into() }
}

/// What a terminal answered, or that it is not there.
pub(super) fn terminals_own() -> Schema {
    let either = OneOfBuilder::new().item(Ref::from_schema_name(MESSAGE)).item(Ref::from_schema_name(ERROR));
    either.into()
}

fn body(answer: Answer) -> Option<RefOr<Schema>> {
    let list = |name| ArrayBuilder::new().items(Ref::from_schema_name(name)).into();
    match answer {
        Answer::Done | Answer::File | Answer::Markdown => None,
        Answer::Client => Some(Ref::from_schema_name(CLIENT).into()),
        Answer::Room => Some(Ref::from_schema_name(ROOM).into()),
        Answer::Clients | Answer::Members => Some(list(CLIENT)),
        Answer::Rooms => Some(list(ROOM)),
        Answer::Recording => Some(Ref::from_schema_name(RECORDING).into()),
        Answer::Recordings => Some(list(RECORDING)),
        Answer::Object => Some(open().into()),
        Answer::Message => Some(Ref::from_schema_name(MESSAGE).into()),
    }
}

fn error() -> ObjectBuilder {
    let place = ObjectBuilder::new()
        .property("path", typed(Type::String))
        .property("query", typed(Type::String))
        .property("method", typed(Type::String))
        .required("path")
        .required("method")
        .additional_properties(Some(AdditionalProperties::FreeForm(false)));
    enveloped()
        .property("body", place)
        .required("body")
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
}

/// Reference section 3.4.
fn client() -> ObjectBuilder {
    let texts = ["ip", "name", "partition", "node", "lastHeartbeat"];
    let numbers = ["latitude", "longitude", "humidity", "temperature", "signal", "battery"];
    let flags = ["alarming", "charging", "clientRecording", "serverRecording", "proxy"];
    let object = open()
        .property("clientId", typed(Type::String))
        .property("clientType", typed(Type::String))
        .property("status", open())
        .property("config", open())
        .required("clientId")
        .required("clientType");
    let with =
        |kind: Type| move |object: ObjectBuilder, name: &str| object.property(name, typed(kind.clone()));
    let object = texts.into_iter().fold(object, with(Type::String));
    let object = numbers.into_iter().fold(object, with(Type::Number));
    flags.into_iter().fold(object, with(Type::Boolean))
}

/// Reference section 4.6.
fn room() -> ObjectBuilder {
    open()
        .property("roomId", typed(Type::String))
        .property("name", typed(Type::String))
        .property("clientSize", typed(Type::Integer).minimum(Some(0)))
        .property("mediaClientId", typed(Type::String))
        .property("recording", typed(Type::Boolean))
        .required("roomId")
        .required("clientSize")
}

/// An entry of the index.
fn recording() -> ObjectBuilder {
    let states = ["recording", "finished", "interrupted", "failed"];
    let object = open()
        .property("id", typed(Type::String))
        .property("room", typed(Type::String))
        .property("member", typed(Type::String))
        .property("isWholeRoom", typed(Type::Boolean))
        .property("state", typed(Type::String).enum_values(Some(states)))
        .property("end", typed(Type::String).enum_values(Some(RecordEnd::ALL.map(RecordEnd::name))))
        .property("reason", typed(Type::String));
    let numbers = ["startedAt", "durationMs", "bytes", "droppedPackets"];
    let counted =
        |object: ObjectBuilder, name: &str| object.property(name, typed(Type::Integer).minimum(Some(0)));
    let object = numbers.into_iter().fold(object, counted);
    let track = open()
        .property("producer", typed(Type::String))
        .property("kind", typed(Type::String).enum_values(Some(["audio", "video"])))
        .property("label", typed(Type::String))
        .property("mimeType", typed(Type::String))
        .property("isRecorded", typed(Type::Boolean))
        .property("leftOut", typed(Type::String).enum_values(Some(["codec", "container", "too-many"])));
    let numbers = ["number", "fromMs", "untilMs", "frames", "lostPackets", "droppedFrames"];
    let track = numbers.into_iter().fold(track, counted);
    let object = object.property("tracks", ArrayBuilder::new().items(track));
    object.required("id").required("room").required("member").required("state")
}

/// Reference section 2.1.
fn message() -> ObjectBuilder {
    let header = open()
        .property("v", typed(Type::String))
        .property("id", typed(Type::Integer))
        .property("signal", typed(Type::String))
        .required("v")
        .required("id")
        .required("signal");
    enveloped().property("header", header).required("header")
}

fn enveloped() -> ObjectBuilder {
    ObjectBuilder::new()
        .property("code", typed(Type::String).pattern(Some("^[0-9]{4}$")))
        .property("message", typed(Type::String))
        .required("code")
        .required("message")
}

fn open() -> ObjectBuilder {
    ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(true)))
}

fn typed(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(kind)
}
