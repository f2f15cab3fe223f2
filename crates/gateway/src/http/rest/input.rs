//! What a call brings, made into the body of its signal: the variables of the path, the query, a JSON object.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Query, RawPathParams};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Uri};
use serde_json::{Map, Value};
use taoyao_types::limits;
use taoyao_wire::terminal::Code;
use tokio::time::timeout;

use super::fault::Fault;
use super::route::{Field, Kind, Route};

/// For a request's body to arrive.
const BODY_TIME_MAX: Duration = Duration::from_secs(5);

/// The signal's body. What the path says stands above what the request's body says.
pub(super) async fn read(
    route: &Route,
    variables: &RawPathParams,
    uri: &Uri,
    headers: &HeaderMap,
    body: Body,
) -> Result<Map<String, Value>, Fault> {
    let mut fields = match route.body {
        [] => Map::new(),
        wanted => check(read_json(headers, body).await?, wanted, route.either)?,
    };
    read_query(route.query, uri, &mut fields)?;
    for (name, value) in variables {
        if let Some(variable) = route.variables.iter().find(|variable| variable.name == name) {
            fields.insert(variable.field.to_owned(), value.into());
        }
    }
    Ok(fields)
}

async fn read_json(headers: &HeaderMap, body: Body) -> Result<Map<String, Value>, Fault> {
    let late = |_| bad(format!("the body did not arrive within {} s", BODY_TIME_MAX.as_secs()));
    let bytes = timeout(BODY_TIME_MAX, to_bytes(body, limits::REST_BODY_BYTES_MAX)).await.map_err(late)?;
    let bytes = bytes.map_err(|_| bad(format!("the body has over {} bytes", limits::REST_BODY_BYTES_MAX)))?;
    // A form of another site's page cannot claim this type without the browser asking first.
    let is_json = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(is_json);
    if !is_json {
        return Err(Fault::with(Code::Unsupported, "send a JSON object with Content-Type: application/json"));
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(bad("the body is no JSON object")),
        Err(error) => Err(bad(format!("the body is no JSON: {error}"))),
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// Null counts as absent, as everywhere in the protocol. Fields that are not known are for the terminal to understand.
fn check(
    mut fields: Map<String, Value>,
    wanted: &[Field],
    either: &[&[&str]],
) -> Result<Map<String, Value>, Fault> {
    fields.retain(|_, value| !value.is_null());
    for field in wanted {
        match fields.get_mut(field.name) {
            None if field.is_required => return Err(absent(field)),
            None => {}
            Some(value) => *value = field.kind.taken(value).ok_or_else(|| unfit(field))?,
        }
    }
    let is_there = |group: &&[&str]| group.iter().all(|name| fields.contains_key(*name));
    if either.is_empty() || either.iter().any(is_there) {
        return Ok(fields);
    }
    let groups: Vec<String> = either.iter().map(|group| group.join(" and ")).collect();
    Err(bad(format!("give {}", groups.join(", or "))))
}

fn read_query(wanted: &[Field], uri: &Uri, fields: &mut Map<String, Value>) -> Result<(), Fault> {
    let Query(given) =
        Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(|error| bad(error.body_text()))?;
    for field in wanted {
        match given.iter().find(|(name, value)| name == field.name && !value.is_empty()) {
            Some((_, text)) => {
                let value = field.kind.read(text).ok_or_else(|| unfit(field))?;
                fields.insert(field.name.to_owned(), value);
            }
            None if field.is_required => return Err(absent(field)),
            None => {}
        }
    }
    Ok(())
}

impl Kind {
    /// The value, if it is of this kind.
    fn taken(self, value: &Value) -> Option<Value> {
        let fits = match self {
            Self::Flag => value.is_boolean(),
            Self::Text => value.is_string(),
            Self::Count => return whole(value).map(Value::from),
            Self::Number => value.is_number(),
            Self::OneOf(texts) => value.as_str().is_some_and(|text| texts.contains(&text)),
        };
        fits.then(|| value.clone())
    }

    /// The value that a text in a query stands for. Flags as the original takes them.
    fn read(self, text: &str) -> Option<Value> {
        let value = match (self, text) {
            (Self::Flag, "true" | "on" | "yes" | "1") => true.into(),
            (Self::Flag, "false" | "off" | "no" | "0") => false.into(),
            (Self::Flag, _) => return None,
            (Self::Count, text) => text.parse::<u32>().ok()?.into(),
            (Self::Number, text) => text.parse::<f64>().ok()?.into(),
            (Self::Text | Self::OneOf(_), text) => text.into(),
        };
        self.taken(&value)
    }

    fn words(self) -> String {
        match self {
            Self::Flag => "true or false".into(),
            Self::Text => "a text".into(),
            Self::Count => "a whole number from 0".into(),
            Self::Number => "a number".into(),
            Self::OneOf(texts) => format!("one of {}", texts.join(", ")),
        }
    }
}

/// To JSON 5 and 5.0 are one number; to terminals they are not.
fn whole(value: &Value) -> Option<u32> {
    match value.as_f64()? {
        number if number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number) => {
            Some(number as u32)
        }
        _ => None,
    }
}

fn absent(field: &Field) -> Fault {
    match field.name {
        // The original's text.
        "enabled" => Fault::new(Code::BadRequest, "没有指定操作状态"),
        name => bad(format!("{name} is missing: {}", field.kind.words())),
    }
}

fn unfit(field: &Field) -> Fault {
    bad(format!("{} must be {}", field.name, field.kind.words()))
}

fn bad(why: impl std::fmt::Display) -> Fault {
    Fault::with(Code::BadRequest, why)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde_json::json;

    use super::*;

    const FLAG: Field = Field::required("enabled", Kind::Flag, "");
    const TURN: [Field; 2] = [
        Field::required("type", Kind::OneOf(&["PAN", "TILT"]), ""),
        Field::optional("value", Kind::Number, ""),
    ];

    #[test]
    fn a_flag_in_a_query_is_what_the_original_takes_for_one() {
        for (query, flag) in [("enabled=true", true), ("x=1&enabled=off", false), ("enabled=1", true)] {
            assert_eq!(query_of(query), Ok(json!({ "enabled": flag })), "{query}");
        }
        assert_eq!(query_of("").unwrap_err().text, "没有指定操作状态");
        assert_eq!(query_of("enabled=").unwrap_err().text, "没有指定操作状态");
        assert!(query_of("enabled=maybe").unwrap_err().text.contains("true or false"));
    }

    #[test]
    fn known_fields_have_their_type_and_others_pass() {
        let checked = |value: Value| check(value.as_object().unwrap().clone(), &TURN, &[]).map(Value::Object);
        let good = json!({ "type": "PAN", "value": 2.5, "speed": [1] });
        assert_eq!(checked(good.clone()), Ok(good));
        assert_eq!(checked(json!({ "type": "TILT", "value": null })), Ok(json!({ "type": "TILT" })));
        for bad in [
            json!({}),
            json!({ "type": null }),
            json!({ "type": "ROLL" }),
            json!({ "type": "PAN", "value": "x" }),
        ] {
            assert_eq!(checked(bad.clone()).unwrap_err().code, Code::BadRequest, "{bad}");
        }
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        for (value, taken) in [
            (json!(5), Some(5)),
            (json!(5.0), Some(5)),
            (json!(5.5), None),
            (json!(-1), None),
            (json!(u64::MAX), None),
            (json!("5"), None),
        ] {
            assert_eq!(whole(&value), taken, "{value}");
        }
    }

    #[test]
    fn a_picture_needs_a_size() {
        for (fields, is_enough) in [
            (json!({ "resolution": "720*480" }), true),
            (json!({ "width": 720, "height": 480 }), true),
            (json!({ "width": 720 }), false),
        ] {
            let either: &[&[&str]] = &[&["resolution"], &["width", "height"]];
            let checked = check(fields.as_object().unwrap().clone(), &[], either);
            assert_eq!(checked.is_ok(), is_enough, "{fields}");
        }
    }

    #[tokio::test]
    async fn a_body_is_a_json_object_that_says_so_and_is_not_too_long() {
        let long = format!("{{\"x\":\"{}\"}}", "x".repeat(limits::REST_BODY_BYTES_MAX));
        for (content_type, body, code) in [
            ("application/json; charset=utf-8", "{\"a\":1}", None),
            ("text/plain", "{\"a\":1}", Some(Code::Unsupported)),
            ("application/json", "[1]", Some(Code::BadRequest)),
            ("application/json", "", Some(Code::BadRequest)),
            ("application/json", &long, Some(Code::BadRequest)),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
            let read = read_json(&headers, Body::from(body.to_owned())).await;
            assert_eq!(read.err().map(|fault| fault.code), code, "{content_type}");
        }
    }

    fn query_of(query: &str) -> Result<Value, Fault> {
        let uri = Uri::builder().path_and_query(format!("/?{query}")).build().map_err(bad)?;
        let mut fields = Map::new();
        read_query(&[FLAG], &uri, &mut fields).map(|()| Value::Object(fields))
    }
}
