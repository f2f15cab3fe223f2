//! What a terminal gets instead of a message that its frames cannot hold.

use taoyao_wire::terminal::{Code, Incoming, Outgoing};

use super::framing::DoesNotFit;

/// A `platform::error` with the id of the message: the answer that a waiting request ends with. Where nobody waits, no
/// request has that id, and terminals take it for what it is: news of something that they cannot be told.
///
/// `None` if the text is no message, which a node's are.
pub(crate) fn replacement(text: &str, why: DoesNotFit) -> Option<String> {
    let message = Incoming::decode(text).ok()?;
    let DoesNotFit { bytes, max } = why;
    let told = format!("请求不可接受：{} 有 {bytes} 字节，本连接每帧最多 {max} 字节", message.signal);
    Some(Outgoing::error(&message.v, message.id, Code::NotAcceptable, &told).encode())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_has_the_id_of_the_message() {
        let text = r#"{"code":"0000","message":"成功","header":{"v":"1.0.0","id":7,"signal":"client::list"},"body":[]}"#;
        let expected = concat!(
            r#"{"code":"3406","message":"请求不可接受：client::list 有 40000 字节，本连接每帧最多 15361 字节","#,
            r#""header":{"v":"1.0.0","id":7,"signal":"platform::error"},"body":{}}"#
        );
        let why = DoesNotFit { bytes: 40_000, max: 15_361 };
        assert_eq!(replacement(text, why).as_deref(), Some(expected));
        assert_eq!(replacement("no message", why), None);
    }
}
