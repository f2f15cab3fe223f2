//! What a terminal gets instead of a message that its frames cannot hold.

use serde::{Deserialize, Serialize};

use super::framing::DoesNotFit;

/// 请求不可接受 (reference section 2.4): there is an answer, but not one that this terminal can take.
const NOT_ACCEPTABLE: &str = "3406";

/// What is read of the message: texts of the node itself, so this always fits.
#[derive(Debug, Deserialize)]
struct Written {
    header: Header,
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    v: String,
    id: i64,
    signal: String,
}

/// In the order of the envelope (reference section 2.1).
#[derive(Debug, Serialize)]
struct PlatformError {
    code: &'static str,
    message: String,
    header: Header,
    body: Empty,
}

#[derive(Debug, Serialize)]
struct Empty {}

/// A `platform::error` with the id of the message: the answer that a waiting request ends with. Where nobody waits, no
/// request has that id, and terminals take it for what it is: news of something that they cannot be told.
pub(crate) fn replacement(text: &str, why: DoesNotFit) -> Option<String> {
    let Header { v, id, signal } = serde_json::from_str::<Written>(text).ok()?.header;
    let message = format!("请求不可接受：{signal} 有 {} 字节，本连接每帧最多 {} 字节", why.bytes, why.max);
    let header = Header { v, id, signal: "platform::error".to_owned() };
    serde_json::to_string(&PlatformError { code: NOT_ACCEPTABLE, message, header, body: Empty {} }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_has_the_id_of_the_message_and_its_own_place_in_the_envelope() {
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
