//! The answer to a signal, as the node hands it over.

use serde::Deserialize;
use serde_json::value::RawValue;
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::Code;

/// How the text begins for whoever is not in the room (reference section 2.4).
const NO_MEMBERSHIP: &str = "终端没有房间权限";

/// An envelope (reference section 2.1) and its text.
#[derive(Debug)]
pub(in crate::http) struct Message {
    pub(in crate::http) id: u64,
    pub(in crate::http) signal: String,
    pub(in crate::http) text: String,
    pub(in crate::http) code: Code,
    pub(in crate::http) message: String,
    pub(in crate::http) body: Option<Box<RawValue>>,
    is_error: bool,
}

#[derive(Deserialize)]
struct Envelope {
    code: String,
    message: String,
    header: Header,
    body: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Header {
    id: u64,
    signal: String,
}

#[derive(Deserialize)]
struct Members {
    clients: Box<RawValue>,
}

impl Message {
    /// `None` if it is no envelope, which a node never sends.
    pub(in crate::http) fn read(text: String) -> Option<Self> {
        let Envelope { code, message, header, body } = serde_json::from_str(&text).ok()?;
        let is_error = header.signal == Signal::PlatformError.name();
        let Header { id, signal } = header;
        Some(Self { id, signal, code: Code::of(&code), message, body, is_error, text })
    }

    /// Whether the node says that it failed. A terminal's own answer is none, whatever its code.
    pub(in crate::http) fn is_error(&self) -> bool {
        self.is_error
    }

    /// Whether it failed because the account is no member of the room, for which the protocol has a text and no code of its
    /// own.
    pub(super) fn lacks_membership(&self) -> bool {
        self.code == Code::Unknown && self.message.starts_with(NO_MEMBERSHIP)
    }

    /// Whether it failed for want of what was named: a terminal, a room or a recording that is not there.
    ///
    /// The protocol has one code for all of these and for the unexpected; what is not there is named in a text.
    pub(in crate::http) fn is_missing(&self) -> bool {
        match self.code {
            Code::Gone => true,
            Code::Unknown => self.message != Code::Unknown.text(),
            _ => false,
        }
    }

    /// The members of a room out of the body of `room::client::list`.
    pub(super) fn members(&self) -> Option<Box<RawValue>> {
        let members: Members = serde_json::from_str(self.body.as_deref()?.get()).ok()?;
        Some(members.clients)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_from_a_terminals_own_answer() {
        let error = message("9999", "目标终端无效：x", "platform::error");
        assert!(error.is_error() && error.is_missing());
        assert!(!message("9999", "busy eating", "control::bell").is_error());
        assert!(!message("9999", "未知错误", "platform::error").is_missing());
        assert!(message("9999", "终端没有房间权限：rest", "platform::error").lacks_membership());
        assert!(Message::read("[]".into()).is_none());
    }

    #[test]
    fn the_members_of_a_room_are_a_list() {
        let text = r#"{"code":"0000","message":"成功","header":{"v":"1.0.0","id":1,"signal":"room::client::list"},"body":{"roomId":"r","clients":[{"clientId":"a"}]}}"#;
        assert_eq!(Message::read(text.into()).unwrap().members().unwrap().get(), r#"[{"clientId":"a"}]"#);
    }

    fn message(code: &str, message: &str, signal: &str) -> Message {
        let envelope = serde_json::json!({
            "code": code, "message": message, "header": { "v": "1.0.0", "id": 1, "signal": signal }, "body": {},
        });
        Message::read(envelope.to_string()).unwrap()
    }
}
