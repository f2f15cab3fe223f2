//! The members of a body, read liberally. What has the wrong kind is read as absent in here, and refused by
//! [`crate::bodies::check_request`] before.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::envelope::Key;
use super::nulls;
use super::outgoing::push_text;

/// The members of a JSON object in the order written, their values still JSON text.
///
/// Numbers are taken from any JSON number and from numeric texts (quirk Q13); of a name that comes twice the last
/// counts. A body that is absent or no object has no members.
#[derive(Debug, Clone, Default)]
pub struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    pub fn of(body: Option<&'a RawValue>) -> Self {
        body.and_then(|body| serde_json::from_str(body.get()).ok()).unwrap_or_default()
    }

    /// The members of a body that is no longer part of a message; of what is no JSON object none.
    pub fn of_text(json: &'a str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }

    /// A text; numbers and booleans are taken as they are written.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        let json = self.json(name)?;
        match json.as_bytes().first()? {
            b'"' => serde_json::from_str::<Key<'a>>(json).ok().map(|Key(text)| text),
            b'{' | b'[' => None,
            _ => Some(Cow::Borrowed(json)),
        }
    }

    /// A finite number.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.trim().parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// A number without its fraction, at the borders of 32 bits if it lies beyond them.
    pub fn whole(&self, name: &str) -> Option<i32> {
        self.number(name).map(|number| number as i32)
    }

    /// A boolean or the text of one.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.text(name)?.as_ref() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// The members of an object inside this one.
    pub fn inner(&self, name: &str) -> Fields<'a> {
        Fields::of(self.raw(name))
    }

    /// The JSON text of an object inside this one.
    pub fn object(&self, name: &str) -> Option<&'a str> {
        self.json(name).filter(|json| json.starts_with('{'))
    }

    /// The JSON text of a list inside this one.
    pub fn list(&self, name: &str) -> Option<&'a str> {
        self.json(name).filter(|json| json.starts_with('['))
    }

    /// Whether there is such a member, readable or not; `null` is none.
    pub fn has(&self, name: &str) -> bool {
        self.json(name).is_some()
    }

    /// A member of this shape, if there is one.
    ///
    /// # Errors
    /// It has another shape.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, serde_json::Error> {
        self.json(name).map(|json| serde_json::from_str(&nulls::without_nulls(json))).transpose()
    }

    /// All members: names and JSON texts, in the order written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.0.iter().map(|(name, raw)| (name.as_ref(), raw.get()))
    }

    /// The object as JSON text without the member `name` and without null entries.
    pub fn without(&self, name: &str) -> String {
        self.written_without(&[name])
    }

    /// The same without several.
    pub(super) fn written_without(&self, names: &[&str]) -> String {
        self.written(
            |member| !names.contains(&member),
            |json, _, raw| json.push_str(&nulls::without_nulls(raw.get())),
        )
    }

    /// The object as JSON text with another text for the member `name`, where it has that, and without null entries.
    pub fn with_text(&self, name: &str, text: &str) -> String {
        self.written(
            |_| true,
            |json, member, raw| {
                if member == name {
                    push_text(json, text);
                } else {
                    json.push_str(&nulls::without_nulls(raw.get()));
                }
            },
        )
    }

    fn written(
        &self,
        is_kept: impl Fn(&str) -> bool,
        push_value: impl Fn(&mut String, &str, &RawValue),
    ) -> String {
        let mut json = String::from("{");
        let members = self.0.iter().filter(|(member, raw)| raw.get() != "null" && is_kept(member));
        for (member, raw) in members {
            if json.len() > 1 {
                json.push(',');
            }
            push_text(&mut json, member);
            json.push(':');
            push_value(&mut json, member, raw);
        }
        json.push('}');
        json
    }

    fn json(&self, name: &str) -> Option<&'a str> {
        self.raw(name).map(RawValue::get).filter(|json| *json != "null")
    }

    fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(member, _)| member == name).map(|(_, raw)| *raw)
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members = Vec::new();
                while let Some(Key(name)) = map.next_key()? {
                    members.push((name, map.next_value()?));
                }
                Ok(Fields(members))
            }
        }
        from.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &str) -> Fields<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn numbers_come_in_any_dress() {
        let f = fields(r#"{"a":87.5,"b":"12","c":3,"d":"x","e":null,"f":[1],"g":1e99,"h":true,"i":"NaN"}"#);
        assert_eq!((f.number("a"), f.whole("a")), (Some(87.5), Some(87)));
        assert_eq!((f.number("b"), f.whole("b")), (Some(12.0), Some(12)));
        assert_eq!((f.number("c"), f.whole("g")), (Some(3.0), Some(i32::MAX)));
        for name in ["d", "e", "f", "h", "i", "missing"] {
            assert_eq!(f.number(name), None, "{name}");
        }
    }

    #[test]
    fn the_last_of_two_counts_and_wrong_kinds_are_absent() {
        let f = fields(r#"{"to":"a","to":"b","flag":"true","esc":"\u0041","o":{"x":1}}"#);
        assert_eq!(f.text("to").as_deref(), Some("b"));
        assert_eq!(f.text("esc").as_deref(), Some("A"));
        assert_eq!(f.flag("flag"), Some(true));
        assert_eq!(f.text("o"), None);
        assert_eq!(f.inner("o").number("x"), Some(1.0));
        assert!(Fields::of(None).text("to").is_none());
    }

    #[test]
    fn a_member_can_be_left_out_of_what_travels_on() {
        let f = fields(r#"{ "to": "b", "a": {"n": null, "m": 1}, "z": null, "q\"": [ 1 ] }"#);
        assert_eq!(f.without("to"), r#"{"a":{"m":1},"q\"":[ 1 ]}"#);
        assert_eq!(fields("{}").without("to"), "{}");
    }

    #[test]
    fn a_member_can_say_something_else_in_its_place() {
        let f = fields(r#"{"a":1,"clientId":"b@east.cn","z":null,"c":{"n":null}}"#);
        assert_eq!(f.with_text("clientId", "b\""), r#"{"a":1,"clientId":"b\"","c":{}}"#);
        assert_eq!(f.with_text("to", "b"), r#"{"a":1,"clientId":"b@east.cn","c":{}}"#);
    }
}
