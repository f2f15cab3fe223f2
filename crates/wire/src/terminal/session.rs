//! The bodies of `session::*` (reference sections 4.7 and 7).

use serde::Serialize;

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

/// The push that a session has ended, `{"sessionId": id}`.
pub fn closed(session_id: &str) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        session_id: &'a str,
    }
    serde_json::to_string(&Body { session_id }).expect("a text always encodes as JSON")
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
        assert_eq!(closed("x"), r#"{"sessionId":"x"}"#);
    }
}
