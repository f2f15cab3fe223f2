//! Reads a terminal's text: the envelope is decoded in one pass, the body stays JSON text.
//!
//! As liberal as the original (reference sections 1.4 and 2): unknown properties are skipped, of a property that comes
//! twice the last counts, ids may be numeric texts or fractions, and scalars pass where a text is expected.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use taoyao_types::limits;

use super::code::Code;
use super::nulls;
use crate::link::Message;

/// Characters of an unreadable input that its error repeats.
const ECHO_CHARS_MAX: usize = 200;

/// A terminal's message, borrowed from its text.
#[derive(Debug, Clone)]
pub struct Incoming<'a> {
    pub v: Cow<'a, str>,
    pub id: i64,
    pub signal: Cow<'a, str>,
    /// `0000` where the terminal wrote none.
    pub code: Cow<'a, str>,
    /// `成功` where the terminal wrote none.
    pub text: Cow<'a, str>,
    /// The body's JSON text; none where it is absent or `null`.
    pub body: Option<&'a RawValue>,
}

/// A text that is not a message, with what to answer (always by `platform::error`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} {text}", code.as_str())]
pub struct Reject {
    /// The message's id as far as it could be read.
    pub id: Option<i64>,
    pub code: Code,
    pub text: String,
}

impl<'a> Incoming<'a> {
    /// Reads one text message.
    ///
    /// Refused are: what is not JSON of the envelope's shape, is larger than [`limits::TERMINAL_MESSAGE_BYTES_MAX`] or
    /// nested deeper than [`limits::JSON_DEPTH_MAX`] (code 9999), and a header that lacks a part (code 1002).
    pub fn decode(text: &'a str) -> Result<Self, Reject> {
        if text.len() > limits::TERMINAL_MESSAGE_BYTES_MAX || nulls::is_too_deep(text) {
            return Err(unreadable(text));
        }
        let envelope: Option<Envelope<'a>> = serde_json::from_str(text).map_err(|_| unreadable(text))?;
        let envelope = envelope.ok_or_else(|| malformed(None, "解析失败"))?;
        let header = envelope.header.ok_or_else(|| malformed(None, "没有头部"))?;
        let (Some(v), Some(id), Some(signal)) = (header.v, header.id, header.signal) else {
            return Err(malformed(header.id, "缺失头部关键参数"));
        };
        let code = envelope.code.unwrap_or(Cow::Borrowed(Code::Success.as_str()));
        let text = envelope.message.unwrap_or(Cow::Borrowed(Code::Success.text()));
        Ok(Self { v, id, signal, code, text, body: envelope.body })
    }

    /// The message as it travels on to others: without its id and without null entries (reference 2.1).
    pub fn relayed(&self) -> Message {
        self.relayed_with(self.body.map(|body| nulls::without_nulls(body.get()).into_owned()))
    }

    /// The message as it travels on, with another body.
    pub fn relayed_with(&self, body: Option<String>) -> Message {
        Message {
            signal: self.signal.clone().into_owned(),
            v: self.v.clone().into_owned(),
            code: self.code.clone().into_owned(),
            text: self.text.clone().into_owned(),
            body,
        }
    }
}

fn unreadable(text: &str) -> Reject {
    let echo: String = text.chars().take(ECHO_CHARS_MAX).collect();
    Reject { id: None, code: Code::Unknown, text: format!("JSON转Java失败：{echo}") }
}

fn malformed(id: Option<i64>, why: &str) -> Reject {
    Reject { id, code: Code::BadFormat, text: format!("信令消息格式错误（{why}）") }
}

#[derive(Default)]
struct Envelope<'a> {
    code: Option<Cow<'a, str>>,
    message: Option<Cow<'a, str>>,
    header: Option<Header<'a>>,
    body: Option<&'a RawValue>,
}

#[derive(Default)]
struct Header<'a> {
    v: Option<Cow<'a, str>>,
    id: Option<i64>,
    signal: Option<Cow<'a, str>>,
}

impl<'de> Deserialize<'de> for Envelope<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Envelope<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a message object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut envelope = Envelope::default();
                while let Some(Key(key)) = map.next_key()? {
                    match key.as_ref() {
                        "code" => envelope.code = map.next_value::<Scalar<'_>>()?.text(),
                        "message" => envelope.message = map.next_value::<Scalar<'_>>()?.text(),
                        "header" => envelope.header = map.next_value()?,
                        "body" => envelope.body = map.next_value()?,
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(envelope)
            }
        }
        from.deserialize_map(Object)
    }
}

impl<'de> Deserialize<'de> for Header<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Header<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a header object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut header = Header::default();
                while let Some(Key(key)) = map.next_key()? {
                    match key.as_ref() {
                        "v" => header.v = map.next_value::<Scalar<'_>>()?.text(),
                        "id" => header.id = map.next_value::<Scalar<'_>>()?.id()?,
                        "signal" => header.signal = map.next_value::<Scalar<'_>>()?.text(),
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(header)
            }
        }
        from.deserialize_map(Object)
    }
}

/// A property's name, borrowed unless it is written with escapes.
pub(super) struct Key<'a>(pub(super) Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a property name")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Text)
    }
}

/// Anything that is not a container, as the original's lenient conversion takes it.
enum Scalar<'a> {
    Null,
    Text(Cow<'a, str>),
    Whole(i64),
    Fraction(f64),
    Flag(bool),
}

impl<'a> Scalar<'a> {
    fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Scalar::Null => None,
            Scalar::Text(text) => Some(text),
            Scalar::Whole(number) => Some(Cow::Owned(number.to_string())),
            Scalar::Fraction(number) => Some(Cow::Owned(number.to_string())),
            Scalar::Flag(flag) => Some(Cow::Borrowed(if flag { "true" } else { "false" })),
        }
    }

    /// An id: whole, a fraction to cut off, or a text of digits; the empty text and null are none.
    fn id<E: de::Error>(self) -> Result<Option<i64>, E> {
        match self {
            Scalar::Null => Ok(None),
            Scalar::Whole(number) => Ok(Some(number)),
            Scalar::Fraction(number) if number.abs() < 9.2e18 => Ok(Some(number as i64)),
            Scalar::Text(text) if text.trim().is_empty() => Ok(None),
            Scalar::Text(text) => {
                text.trim().parse().map(Some).map_err(|_| E::custom("an id that is no number"))
            }
            Scalar::Fraction(_) | Scalar::Flag(_) => Err(E::custom("an id that is no number")),
        }
    }
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Scalar<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, number or boolean")
            }
            fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
                Ok(Scalar::Null)
            }
            fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Self::Value, E> {
                Ok(Scalar::Flag(flag))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Scalar::Whole(number))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
                Ok(i64::try_from(number).map_or(Scalar::Fraction(number as f64), Scalar::Whole))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Scalar::Fraction(number))
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reject(text: &str) -> (Option<i64>, &'static str, String) {
        let reject = Incoming::decode(text).unwrap_err();
        (reject.id, reject.code.as_str(), reject.text)
    }

    #[test]
    fn a_plain_message_is_read_without_copying_its_body() {
        let text = r#"{"header":{"v":"1.0.0","id":7,"signal":"client::list"},"body":{"a": 1}}"#;
        let message = Incoming::decode(text).unwrap();
        assert_eq!((message.v.as_ref(), message.id, message.signal.as_ref()), ("1.0.0", 7, "client::list"));
        assert_eq!((message.code.as_ref(), message.text.as_ref()), ("0000", "成功"));
        assert_eq!(message.body.unwrap().get(), r#"{"a": 1}"#);
        assert!(matches!(message.signal, Cow::Borrowed(_)));
    }

    #[test]
    fn what_is_no_message_gets_the_originals_words() {
        let unreadable = |text: &str| (None, "9999", format!("JSON转Java失败：{text}"));
        for text in [
            "",
            "hello",
            "[1]",
            "7",
            r#""text""#,
            r#"{"header":"#,
            r#"{"header":[]}"#,
            r#"{"header":{"v":"1","id":"seven","signal":"s"}}"#,
            r#"{"header":{"v":"1","id":true,"signal":"s"}}"#,
            r#"{"header":{"v":"1","id":1e300,"signal":"s"}}"#,
            r#"{"header":{"v":{},"id":1,"signal":"s"}}"#,
            r#"{"code":[],"header":{"v":"1","id":1,"signal":"s"}}"#,
            r#"{"header":{"v":"1","id":1,"signal":"s"}} trailing"#,
        ] {
            assert_eq!(reject(text), unreadable(text), "{text}");
        }
        assert_eq!(reject("null"), (None, "1002", "信令消息格式错误（解析失败）".into()));
        assert_eq!(reject("{}"), (None, "1002", "信令消息格式错误（没有头部）".into()));
        assert_eq!(reject(r#"{"header":null}"#), (None, "1002", "信令消息格式错误（没有头部）".into()));
    }

    #[test]
    fn a_header_that_lacks_a_part_keeps_the_id_it_has() {
        let lacking = "信令消息格式错误（缺失头部关键参数）";
        for (header, id) in [
            (r#"{"id":3,"signal":"s"}"#, Some(3)),
            (r#"{"v":null,"id":3,"signal":"s"}"#, Some(3)),
            (r#"{"v":"1","id":3}"#, Some(3)),
            (r#"{"v":"1","signal":"s"}"#, None),
            (r#"{"v":"1","id":null,"signal":"s"}"#, None),
            (r#"{"v":"1","id":"","signal":"s"}"#, None),
        ] {
            assert_eq!(
                reject(&format!(r#"{{"header":{header}}}"#)),
                (id, "1002", lacking.into()),
                "{header}"
            );
        }
    }

    #[test]
    fn ids_are_taken_as_liberally_as_the_original_takes_them() {
        for (id, read) in
            [("12", 12), ("\"12\"", 12), ("12.9", 12), ("-3", -3), ("2151500200000001", 2151500200000001)]
        {
            let text = format!(r#"{{"header":{{"v":1,"id":{id},"signal":"s"}}}}"#);
            let message = Incoming::decode(&text).unwrap();
            assert_eq!((message.id, message.v.as_ref()), (read, "1"), "{id}");
        }
    }

    #[test]
    fn the_last_of_repeated_properties_counts() {
        let text = r#"{"body":1,"header":{"id":1,"id":2,"v":"1","signal":"a","signal":"b"},"body":{"x":2}}"#;
        let message = Incoming::decode(text).unwrap();
        assert_eq!((message.id, message.signal.as_ref()), (2, "b"));
        assert_eq!(message.body.unwrap().get(), r#"{"x":2}"#);
    }

    #[test]
    fn a_long_unreadable_text_is_repeated_in_part() {
        let (_, _, text) = reject(&"错".repeat(5_000));
        assert_eq!(text.chars().filter(|c| *c == '错').count(), ECHO_CHARS_MAX);
    }

    #[test]
    fn deep_nesting_is_refused_and_large_flat_bodies_are_not() {
        let nested = |depth: usize| {
            let body = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            format!(r#"{{"header":{{"v":"1","id":1,"signal":"s"}},"body":{body}}}"#)
        };
        assert!(Incoming::decode(&nested(100)).is_ok());
        assert_eq!(Incoming::decode(&nested(200_000)).unwrap_err().code, Code::Unknown);
        let flat = vec!["[]"; 10_000].join(",");
        let flat = format!(r#"{{"header":{{"v":"1","id":1,"signal":"s"}},"body":[{flat}]}}"#);
        assert!(Incoming::decode(&flat).is_ok());
    }

    #[test]
    fn a_relayed_message_has_code_and_text_and_no_null_entries() {
        let text = r#"{"header":{"v":"1","id":1,"signal":"s"},"body":{"a":null,"b":[null,{"c":null}]}}"#;
        let message = Incoming::decode(text).unwrap().relayed();
        assert_eq!((message.code.as_str(), message.text.as_str()), ("0000", "成功"));
        assert_eq!(message.body.as_deref(), Some(r#"{"b":[null,{}]}"#));
    }
}
