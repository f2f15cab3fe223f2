//! The bodies of `room::*` (reference sections 4.6 and 5).

use serde::Serialize;
use taoyao_ortc::RecordEnd;
use taoyao_types::{Secret, limits};

use super::envelope::Incoming;
use super::fields::Fields;
use super::outgoing::push_text;
use crate::link::{MediaIds, RoomRights, RoomState};

/// `room::create`. The web client sends its whole form: keys that mean nothing here, and nulls (quirk Q19).
#[derive(Debug, Clone, PartialEq)]
pub struct CreateRequest {
    pub name: Option<String>,
    /// None where it is empty.
    pub password: Option<Secret>,
    /// `mediaClientId` as the terminal wrote it.
    pub media: Option<String>,
    /// Mesh: how long the room stays without members.
    pub empty_seconds: Option<u32>,
}

/// Which part of a list of rooms or of members is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// Mesh: continue behind this entry, as it was shown; empty counts as absent.
    pub after: Option<String>,
    /// Mesh: at most so many.
    pub limit: Option<u32>,
}

impl PageRequest {
    pub fn of(fields: &Fields<'_>) -> Self {
        let after = fields.text("after").filter(|after| !after.is_empty()).map(|after| after.into_owned());
        let limit = fields.number("limit").filter(|limit| *limit >= 1.0).map(|limit| limit as u32);
        Self { after, limit }
    }
}

impl CreateRequest {
    pub fn of(message: &Incoming<'_>) -> Self {
        let fields = Fields::of(message.body);
        let name = fields.text("name").map(|name| {
            let end = name.floor_char_boundary(limits::ROOM_NAME_BYTES_MAX);
            name[..end].to_owned()
        });
        let media = fields.text("mediaClientId").filter(|id| id != "null").map(|id| id.into_owned());
        let empty_seconds = fields.number("emptySeconds").map(|seconds| seconds.max(0.0) as u32);
        Self { name, password: password(&fields), media, empty_seconds }
    }
}

/// The password of `room::create` or `room::enter`; none where it is absent or empty.
pub fn password(fields: &Fields<'_>) -> Option<Secret> {
    let text = fields.text("password").filter(|text| !text.is_empty() && text != "null")?;
    Some(Secret(text.into_owned()))
}

/// The room that a request names; `null` if it names none, as the original's errors have it (quirk Q21).
pub fn room_id(fields: &Fields<'_>) -> String {
    fields.text("roomId").map_or_else(|| "null".to_owned(), |id| id.into_owned())
}

/// The state of a room: `roomId, name?, clientSize, mediaClientId`.
pub fn state(state: &RoomState) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        room_id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'a str>,
        client_size: u32,
        media_client_id: &'a str,
    }
    let RoomState { room, name, size, media, .. } = state;
    let body = Body { room_id: room, name: name.as_deref(), client_size: *size, media_client_id: media };
    serde_json::to_string(&body).expect("texts and a number always encode as JSON")
}

/// The answer of `room::status`: the room's state, `recording` (whether a member of it is being recorded), and what the
/// asker may do in it: `mayManage, mayRecord`.
pub fn status(shown: &RoomState, rights: RoomRights) -> String {
    let RoomRights { may_manage, may_record } = rights;
    let mut json = recording(shown);
    json.pop();
    json + &format!(r#","mayManage":{may_manage},"mayRecord":{may_record}}}"#)
}

/// The push of `room::status` to who enters a room that is being recorded: its state and `recording`.
pub fn recording(shown: &RoomState) -> String {
    let mut json = state(shown);
    json.pop();
    json + &format!(r#","recording":{}}}"#, shown.is_recorded)
}

/// The push of `room::status` of a recording that has begun or is over: the room's state, `recording`, and `recorded` with
/// `clientId`, `state` (`recording`, `ended` or `failed`) and, of one that is over, `reason`.
pub fn recorded_news(shown: &RoomState, client_id: &str, end: Option<RecordEnd>) -> String {
    let state = match end {
        None => "recording",
        Some(end) if end.is_failure() => "failed",
        Some(_) => "ended",
    };
    let mut json = recording(shown);
    json.pop();
    json.push_str(r#","recorded":{"clientId":"#);
    push_text(&mut json, client_id);
    json.push_str(&format!(r#","state":"{state}""#));
    if let Some(end) = end {
        json.push_str(&format!(r#","reason":"{}""#, end.name()));
    }
    json + "}}"
}

/// The push of `room::close`, and of a room that wants its members to enter anew (reference 5.9): `roomId`.
pub fn room(room: &str) -> String {
    with_room(room, "")
}

/// The push of `room::leave`: `roomId, clientId`.
pub fn left(room: &str, client_id: &str) -> String {
    let mut rest = String::from(r#","clientId":"#);
    push_text(&mut rest, client_id);
    with_room(room, &rest)
}

/// The answer and push of `room::enter`: `roomId, clientId, status`; the status is JSON text.
pub fn entered(room: &str, client_id: &str, status: &str) -> String {
    let mut rest = String::from(r#","clientId":"#);
    push_text(&mut rest, client_id);
    rest.push_str(r#","status":"#);
    rest.push_str(status);
    with_room(room, &rest)
}

/// `room::client::list`: `roomId, clients`; each client's state is JSON text.
pub fn members<'a>(room: &str, states: impl Iterator<Item = &'a str>) -> String {
    let mut rest = String::from(r#","clients":["#);
    for (place, state) in states.enumerate() {
        if place > 0 {
            rest.push(',');
        }
        rest.push_str(state);
    }
    rest.push(']');
    with_room(room, &rest)
}

/// `room::client::list::id`: `roomId, clientId` and the lists of ids.
pub fn ids(room: &str, client_id: &str, ids: &MediaIds) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        room_id: &'a str,
        client_id: &'a str,
        #[serde(flatten)]
        ids: &'a MediaIds,
    }
    let body = Body { room_id: room, client_id, ids };
    serde_json::to_string(&body).expect("texts always encode as JSON")
}

/// The answer to `control::server::record`: the request's body without `to`, with `filepath` where there is one and with
/// `clientId`, the requester (quirk Q23).
pub fn recorded(body: &str, filepath: Option<&str>, client_id: &str) -> String {
    let mut json = Fields::of_text(body).written_without(&["to", "filepath", "clientId"]);
    let members = [("filepath", filepath), ("clientId", Some(client_id))];
    for (member, text) in members.into_iter().filter_map(|(member, text)| Some((member, text?))) {
        push_member(&mut json, member, text);
    }
    json
}

/// The body of an invitation with a pass in the place of the password.
pub fn invitation(fields: &Fields<'_>, pass: Option<&str>) -> String {
    let mut json = fields.without("password");
    if let Some(pass) = pass {
        push_member(&mut json, "password", pass);
    }
    json
}

/// The body of an invitation as the invited terminal gets it: under the id that it has written itself, and with who invites. A
/// name that the inviter itself has put there does not count.
pub fn invited(body: &str, client_id: &str, inviter_id: &str) -> String {
    let fields = Fields::of_text(body);
    let mut json = fields.written_without(&["clientId", "inviterId"]);
    push_member(&mut json, "clientId", client_id);
    push_member(&mut json, "inviterId", inviter_id);
    json
}

/// One more member at the end of an object.
fn push_member(json: &mut String, member: &str, text: &str) {
    json.pop();
    if json.len() > 1 {
        json.push(',');
    }
    push_text(json, member);
    json.push(':');
    push_text(json, text);
    json.push('}');
}

fn with_room(room: &str, rest: &str) -> String {
    let mut json = String::from(r#"{"roomId":"#);
    push_text(&mut json, room);
    json.push_str(rest);
    json.push('}');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_create_request_is_read_as_the_web_client_writes_it() {
        let text = r#"{"header":{"v":"1.0.0","id":1,"signal":"room::create"},"body":{"name":"n","roomId":null,
            "password":"","callClientId":null,"mediaClientId":null,"inviteClientId":null}}"#;
        let request = CreateRequest::of(&Incoming::decode(text).unwrap());
        let expected =
            CreateRequest { name: Some("n".into()), password: None, media: None, empty_seconds: None };
        assert_eq!(request, expected);
    }

    #[test]
    fn bodies_are_those_of_the_reference() {
        let shown = RoomState { room: "r".into(), name: None, size: 0, media: "m".into(), is_recorded: true };
        assert_eq!(state(&shown), r#"{"roomId":"r","clientSize":0,"mediaClientId":"m"}"#);
        let rights = RoomRights { may_manage: true, may_record: false };
        let expected = r#"{"roomId":"r","clientSize":0,"mediaClientId":"m","recording":true,"mayManage":true,"mayRecord":false}"#;
        assert_eq!(status(&shown, rights), expected);
        assert_eq!(left("r", "a\"b"), r#"{"roomId":"r","clientId":"a\"b"}"#);
        assert_eq!(entered("r", "a", "{}"), r#"{"roomId":"r","clientId":"a","status":{}}"#);
        assert_eq!(members("r", ["{}", "{}"].into_iter()), r#"{"roomId":"r","clients":[{},{}]}"#);
        let none = ids("r", "a", &MediaIds::default());
        assert!(none.starts_with(r#"{"roomId":"r","clientId":"a","dataProducers":[],"dataConsumers":[],"#));
        assert!(none.ends_with(r#""audioConsumers":[],"videoConsumers":[]}"#), "{none}");
        let request = r#"{"to":"b","roomId":"r","enabled":true,"x":null}"#;
        let expected = r#"{"roomId":"r","enabled":true,"filepath":"/v/1.webm","clientId":"a"}"#;
        assert_eq!(recorded(request, Some("/v/1.webm"), "a"), expected);
        assert_eq!(recorded("{}", None, "a"), r#"{"clientId":"a"}"#);
    }

    #[test]
    fn an_invitation_carries_a_pass_and_never_a_password() {
        let fields = Fields::of_text(r#"{"roomId":"r","clientId":"b","password":"guessed"}"#);
        assert_eq!(invitation(&fields, Some("p")), r#"{"roomId":"r","clientId":"b","password":"p"}"#);
        assert_eq!(invitation(&fields, None), r#"{"roomId":"r","clientId":"b"}"#);
    }

    #[test]
    fn an_invitation_names_who_invites_whoever_it_says_it_comes_from() {
        let body = r#"{"roomId":"r","clientId":"b@cn","inviterId":"boss","password":"p","name":"garden"}"#;
        let expected = r#"{"roomId":"r","password":"p","name":"garden","clientId":"b","inviterId":"a@cn"}"#;
        assert_eq!(invited(body, "b", "a@cn"), expected);
    }
}
