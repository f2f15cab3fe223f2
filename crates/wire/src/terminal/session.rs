//! The bodies of `session::*` (reference sections 4.7 and 7).

use serde::{Deserialize, Serialize};

use super::envelope::Incoming;
use super::fields::Fields;

/// `session::call`: who is called, and whether with sound and picture.
#[derive(Debug, Clone, PartialEq)]
pub struct CallRequest {
    /// As the terminal wrote it: bare, or `id@partition`.
    pub client_id: Option<String>,
    pub audio: bool,
    pub video: bool,
}

impl CallRequest {
    pub fn of(message: &Incoming<'_>) -> Self {
        let fields = Fields::of(message.body);
        Self {
            client_id: fields.text("clientId").map(|id| id.into_owned()),
            audio: fields.flag("audio").unwrap_or(true),
            video: fields.flag("video").unwrap_or(true),
        }
    }
}

/// The session that `session::exchange`, `pause`, `resume` or `close` names.
pub fn session_id(message: &Incoming<'_>) -> Option<String> {
    Fields::of(message.body).text("sessionId").map(|id| id.into_owned())
}

/// What the caller is answered about the one it called.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Called<'a> {
    pub name: &'a str,
    pub client_id: &'a str,
    pub session_id: &'a str,
}

/// What the called one is told about its caller.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Invited<'a> {
    pub name: &'a str,
    pub client_id: &'a str,
    pub session_id: &'a str,
    pub audio: bool,
    pub video: bool,
}

impl Called<'_> {
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts always encode as JSON")
    }
}

impl Invited<'_> {
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts always encode as JSON")
    }
}

/// Why a node has ended a session by itself; an extension of the mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CloseReason {
    /// The called terminal said nothing in the session for a minute.
    Unanswered,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Closed<'a> {
    session_id: &'a str,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<CloseReason>,
}

/// The push that a session has ended, `{"sessionId": id}`; with a `reason` where a node has ended it by itself.
pub fn closed(session_id: &str, reason: Option<CloseReason>) -> String {
    serde_json::to_string(&Closed { session_id, reason }).expect("texts always encode as JSON")
}

/// Why the session of such a push has ended, if another node has said that in a word of ours.
pub fn close_reason(body: &str) -> Option<CloseReason> {
    serde_json::from_str::<Closed<'_>>(body).ok()?.reason
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(body: &str) -> CallRequest {
        let text = format!(r#"{{"header":{{"v":"1","id":1,"signal":"s"}},"body":{body}}}"#);
        CallRequest::of(&Incoming::decode(&text).unwrap())
    }

    #[test]
    fn a_call_has_sound_and_picture_unless_it_says_otherwise() {
        let expected = CallRequest { client_id: Some("b".into()), audio: true, video: true };
        assert_eq!(call(r#"{"clientId":"b"}"#), expected);
        assert_eq!(call(r#"{"clientId":"b","video":false}"#), CallRequest { video: false, ..expected });
        assert_eq!(call("null").client_id, None);
    }

    #[test]
    fn both_ends_are_told_about_each_other() {
        let called = Called { name: "B", client_id: "b", session_id: "x" };
        assert_eq!(called.to_json(), r#"{"name":"B","clientId":"b","sessionId":"x"}"#);
        let invited = Invited { name: "A", client_id: "a@cn", session_id: "x", audio: true, video: false };
        let expected = r#"{"name":"A","clientId":"a@cn","sessionId":"x","audio":true,"video":false}"#;
        assert_eq!(invited.to_json(), expected);
    }

    #[test]
    fn the_end_of_a_session_has_a_reason_only_where_a_node_gave_one() {
        assert_eq!(closed("x", None), r#"{"sessionId":"x"}"#);
        let unanswered = closed("x", Some(CloseReason::Unanswered));
        assert_eq!(unanswered, r#"{"sessionId":"x","reason":"unanswered"}"#);
        assert_eq!(close_reason(&unanswered), Some(CloseReason::Unanswered));
        for other in [r#"{"sessionId":"x"}"#, r#"{"sessionId":"x","reason":"mine"}"#, "no JSON"] {
            assert_eq!(close_reason(other), None, "{other}");
        }
    }
}
