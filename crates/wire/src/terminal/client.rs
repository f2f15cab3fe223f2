//! The bodies of `client::*` (reference sections 3 and 4.1) with the mesh's optional fields.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::Serialize;
use taoyao_types::limits;

use super::envelope::Incoming;
use super::fields::Fields;
use super::outgoing::push_text;
use super::state::Readings;

/// `client::register`: who wants to attach, and with which credentials.
#[derive(Clone, PartialEq)]
pub struct Register {
    /// As the terminal wrote it: bare, or `id@partition`.
    pub client_id: Option<String>,
    /// As the terminal wrote it; judged only after the credentials (reference 3.2).
    pub client_type: Option<String>,
    pub name: Option<String>,
    pub username: String,
    pub password: String,
    pub readings: Readings,
    /// The terminal wants a ticket with which it may come back after a lost connection.
    pub resume: bool,
    /// The ticket of a terminal that comes back.
    pub ticket: Option<String>,
    /// Messages that it has received since the answer to its registration; without it nobody goes on where it was.
    pub received: Option<u64>,
}

impl Register {
    pub fn of(message: &Incoming<'_>) -> Self {
        let fields = Fields::of(message.body);
        let owned = |name: &str| fields.text(name).map(Cow::into_owned);
        Self {
            client_id: owned("clientId"),
            client_type: owned("clientType"),
            name: fields.text("name").map(|name| cut(&name, limits::DISPLAY_NAME_BYTES_MAX).to_owned()),
            username: owned("username").unwrap_or_default(),
            password: owned("password").unwrap_or_default(),
            readings: Readings::of(&fields),
            resume: fields.flag("resume").unwrap_or(false),
            ticket: owned("ticket"),
            received: fields.number("received").map(|received| received.max(0.0) as u64),
        }
    }
}

impl fmt::Debug for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Register")
            .field("client_id", &self.client_id)
            .field("client_type", &self.client_type)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The longest beginning of `text` of at most `bytes` bytes.
fn cut(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

/// `client::list`: which states are wanted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ListRequest {
    /// As written; empty counts as absent.
    pub client_type: Option<String>,
    /// Mesh: this partition only.
    pub partition: Option<String>,
    /// Mesh: continue behind this client id, as it was shown.
    pub after: Option<String>,
    /// Mesh: at most so many.
    pub limit: Option<u32>,
}

impl ListRequest {
    pub fn of(message: &Incoming<'_>) -> Self {
        let fields = Fields::of(message.body);
        let written = |name: &str| fields.text(name).filter(|text| !text.is_empty()).map(Cow::into_owned);
        Self {
            client_type: written("clientType"),
            partition: written("partition"),
            after: written("after"),
            limit: fields.number("limit").filter(|limit| *limit >= 1.0).map(|limit| limit as u32),
        }
    }
}

/// The answer to `client::register`, `{"index": n}`: the number that the terminal makes its message ids with.
pub fn registered(index: u32) -> String {
    #[derive(Serialize)]
    struct Body {
        index: u32,
    }
    serde_json::to_string(&Body { index }).expect("a number always encodes as JSON")
}

/// The answer to a terminal that may come back: its ticket, how long it may be away, and whether it has just come back.
pub fn resumed(index: u32, ticket: &str, kept: Duration, resumed: bool) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        index: u32,
        ticket: &'a str,
        resume_seconds: u64,
        resumed: bool,
    }
    let body = Body { index, ticket, resume_seconds: kept.as_secs(), resumed };
    serde_json::to_string(&body).expect("texts and numbers always encode as JSON")
}

/// The body of a `platform::error` that says when to try again, `{"retryAfterMs": n}`; an extension of the mesh.
pub fn retry_after(span: Duration) -> String {
    format!("{{\"retryAfterMs\":{}}}", span.as_millis())
}

/// `client::offline`, `{"clientId": id}`.
pub fn offline(client_id: &str) -> String {
    let mut json = String::from(r#"{"clientId":"#);
    push_text(&mut json, client_id);
    json.push('}');
    json
}

/// The array of `client::list` from states as [`super::state::shown`] made them.
pub fn list<'a>(states: impl IntoIterator<Item = &'a str>) -> String {
    let mut json = String::from("[");
    for state in states {
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(state);
    }
    json.push(']');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &str) -> String {
        format!(r#"{{"header":{{"v":"1","id":1,"signal":"s"}},"body":{body}}}"#)
    }

    #[test]
    fn a_registration_is_read_as_the_shipped_clients_write_it() {
        let text = message(
            r#"{"name":"W","clientId":"w","clientType":"WEB","username":"u","password":"p","battery":87.5,
               "charging":true,"latitude":-1.0,"signal":100}"#,
        );
        let register = Register::of(&Incoming::decode(&text).unwrap());
        assert_eq!(register.client_id.as_deref(), Some("w"));
        assert_eq!((register.username.as_str(), register.password.as_str()), ("u", "p"));
        assert_eq!((register.readings.battery, register.readings.charging), (Some(87), Some(true)));
        assert!(!format!("{register:?}").contains('p') || !format!("{register:?}").contains("password"));
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        let text = message(&format!(r#"{{"name":"{}"}}"#, "桃".repeat(200)));
        let name = Register::of(&Incoming::decode(&text).unwrap()).name.unwrap();
        assert_eq!(name, "桃".repeat(85));
    }

    #[test]
    fn a_list_request_takes_any_number_and_ignores_empty_texts() {
        let text = message(r#"{"clientType":"","limit":"20","partition":"cn","after":null}"#);
        let expected =
            ListRequest { partition: Some("cn".into()), limit: Some(20), ..ListRequest::default() };
        assert_eq!(ListRequest::of(&Incoming::decode(&text).unwrap()), expected);
    }

    #[test]
    fn bodies_are_written_as_the_reference_shows_them() {
        assert_eq!(registered(10_001), r#"{"index":10001}"#);
        assert_eq!(retry_after(Duration::from_millis(1_500)), r#"{"retryAfterMs":1500}"#);
        assert_eq!(offline("a\"b"), r#"{"clientId":"a\"b"}"#);
        assert_eq!(list([]), "[]");
        assert_eq!(list([r#"{"a":1}"#, "{}"]), r#"[{"a":1},{}]"#);
    }
}
