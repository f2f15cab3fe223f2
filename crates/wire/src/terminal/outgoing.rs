//! Writes a message to a terminal: the four properties of the envelope in their fixed order.

use serde::de::IgnoredAny;

use super::code::Code;
use crate::link::Message;

/// What a body is when a message has one but nothing to say in it (every `platform::error`).
pub const EMPTY_BODY: &str = "{}";

/// A message to a terminal. Written as code, message, header (v, id, signal) and, where there is one, body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outgoing<'a> {
    pub code: &'a str,
    pub text: &'a str,
    pub v: &'a str,
    pub id: i64,
    pub signal: &'a str,
    /// The body as JSON text. Absent is not the same as `{}` (reference 2.1).
    pub body: Option<&'a str>,
}

impl<'a> Outgoing<'a> {
    /// A successful answer or push.
    pub fn success(v: &'a str, id: i64, signal: &'a str, body: Option<&'a str>) -> Self {
        Self { code: Code::Success.as_str(), text: Code::Success.text(), v, id, signal, body }
    }

    /// A `platform::error` for the request `id`. Its body is always `{}` (quirk Q1).
    pub fn error(v: &'a str, id: i64, code: Code, text: &'a str) -> Self {
        Self { code: code.as_str(), text, v, id, signal: "platform::error", body: Some(EMPTY_BODY) }
    }

    /// Another terminal's message under an id of this node. None if its body, which came from another node, is no JSON.
    pub fn relayed(message: &'a Message, id: i64) -> Option<Self> {
        let Message { signal, v, code, text, body } = message;
        if let Some(body) = body {
            serde_json::from_str::<IgnoredAny>(body).ok()?;
        }
        Some(Self { code, text, v, id, signal, body: body.as_deref() })
    }

    /// The message as JSON text.
    pub fn encode(&self) -> String {
        const PUNCTUATION: usize = 96;
        let body = self.body.map_or(0, str::len);
        let mut json = String::with_capacity(PUNCTUATION + self.text.len() + self.signal.len() + body);
        json.push_str(r#"{"code":"#);
        push_text(&mut json, self.code);
        json.push_str(r#","message":"#);
        push_text(&mut json, self.text);
        json.push_str(r#","header":{"v":"#);
        push_text(&mut json, self.v);
        json.push_str(r#","id":"#);
        json.push_str(&self.id.to_string());
        json.push_str(r#","signal":"#);
        push_text(&mut json, self.signal);
        json.push('}');
        if let Some(body) = self.body {
            json.push_str(r#","body":"#);
            json.push_str(body);
        }
        json.push('}');
        json
    }
}

/// Appends `text` as a JSON string.
pub(super) fn push_text(json: &mut String, text: &str) {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        json.push('"');
        json.push_str(text);
        json.push('"');
        return;
    }
    json.push_str(&serde_json::to_string(text).expect("a text always encodes as JSON"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_body_differs_from_an_empty_one() {
        let heartbeat = Outgoing::success("1.0.0", 5, "client::heartbeat", None).encode();
        let expected =
            r#"{"code":"0000","message":"成功","header":{"v":"1.0.0","id":5,"signal":"client::heartbeat"}}"#;
        assert_eq!(heartbeat, expected);
        let error = Outgoing::error("1.0.0", 5, Code::Unauthorised, "注册失败").encode();
        let expected = concat!(
            r#"{"code":"3401","message":"注册失败","header":{"v":"1.0.0","id":5,"signal":"platform::error"},"#,
            r#""body":{}}"#
        );
        assert_eq!(error, expected);
    }

    #[test]
    fn texts_are_escaped() {
        let message = Outgoing { text: "a\"b\\\n", ..Outgoing::success("\t", 1, "s", None) };
        let expected = r#"{"code":"0000","message":"a\"b\\\n","header":{"v":"\t","id":1,"signal":"s"}}"#;
        assert_eq!(message.encode(), expected);
    }
}
