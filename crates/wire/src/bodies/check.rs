//! Bodies held against their table: loosely what terminals send to a node, strictly what is on paper and in tests.

use serde_json::Value;
use serde_json::value::RawValue;

use super::{Body, Field, Form, Kind, Part, Shape, body_of};
use crate::signals::Signal;
use crate::terminal::Fields;

/// A member of a request that is there and cannot be read. It never counts as absent: something may depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field} has to be {wanted}")]
pub struct Unreadable {
    pub field: &'static str,
    pub wanted: &'static str,
}

/// The same for a body as it came. One that is there and no object has no members that could be read.
///
/// # Errors
/// It is something else, or a member of it is.
pub fn check_body(signal: Signal, body: Option<&RawValue>) -> Result<(), Unreadable> {
    let is_object = |body: &RawValue| body.get().starts_with('{');
    match body.filter(|body| body.get() != "null") {
        Some(body) if !is_object(body) => Err(Unreadable { field: "body", wanted: "an object" }),
        body => check_request(signal, &Fields::of(body)),
    }
}

/// Whether all that a request has can be read, as liberally as nodes read: any number or text of a number for numbers, any
/// scalar for texts, the texts `true` and `false` for flags, an empty text for a number or a flag that is absent. Members that the table does not name are the terminal's own.
///
/// # Errors
/// The first member that is something else.
pub fn check_request(signal: Signal, fields: &Fields<'_>) -> Result<(), Unreadable> {
    let known = match body_of(signal, Part::Request).map(|body| body.form) {
        Some(Form::Fields(known) | Form::Open(known)) => known,
        Some(Form::Empty | Form::Maybe(_) | Form::ListOf(_)) | None => return Ok(()),
    };
    for field in known.iter().filter(|field| !field.is_loose) {
        check_member(field, fields)?;
    }
    Ok(())
}

fn check_member(field: &Field, fields: &Fields<'_>) -> Result<(), Unreadable> {
    let name = field.name;
    let (is_read, wanted) = match field.kind {
        Kind::Text | Kind::OneOf(_) => (fields.text(name).is_some(), "a text"),
        Kind::Whole | Kind::Number => (fields.number(name).is_some(), "a number"),
        Kind::Flag => (fields.flag(name).is_some(), "true or false"),
        Kind::Object(_) | Kind::Free | Kind::Map(_) => (fields.object(name).is_some(), "an object"),
        Kind::List(_) => (fields.list(name).is_some(), "a list"),
    };
    let is_left_empty = fields.text(name).is_some_and(|text| text.trim().is_empty());
    if !is_read && !is_left_empty && fields.has(name) {
        return Err(Unreadable { field: name, wanted });
    }
    if let Kind::Object(shape) = field.kind {
        let inner = fields.inner(name);
        // What lies deeper is read by type, and refused there.
        let scalars = shape.fields.iter().filter(|field| !field.is_loose);
        for field in scalars.filter(|field| matches!(field.kind, Kind::Flag | Kind::Whole | Kind::Number)) {
            check_member(field, &inner)?;
        }
    }
    Ok(())
}

/// What is wrong with a body, in sentences; nothing if it is as its table says.
pub fn faults(body: &Body, value: Option<&Value>) -> Vec<String> {
    let mut faults = Vec::new();
    match (body.form, value) {
        (Form::Empty | Form::Maybe(_), None) => {}
        // A terminal's own words may be none.
        (Form::Open(fields), None) if fields.iter().all(|field| !field.is_needed) => {}
        (_, None) => faults.push("it has no body".to_owned()),
        (Form::Empty, Some(value)) => members("the body", &[], false, value, &mut faults),
        (Form::Fields(fields), Some(value)) => members("the body", fields, false, value, &mut faults),
        (Form::Open(fields), Some(value)) => members("the body", fields, true, value, &mut faults),
        (Form::Maybe(shape), Some(value)) => shaped("the body", shape, value, &mut faults),
        (Form::ListOf(shape), Some(value)) => each("the body", &Kind::Object(shape), value, &mut faults),
    }
    faults
}

fn members(place: &str, fields: &[Field], is_open: bool, value: &Value, faults: &mut Vec<String>) {
    let Some(object) = value.as_object() else { return faults.push(format!("{place} is no object")) };
    for field in fields {
        let place = format!("{place}.{}", field.name);
        match object.get(field.name).filter(|value| !value.is_null()) {
            Some(value) => fits(&place, &field.kind, value, faults),
            None if field.is_needed => faults.push(format!("{place} is missing")),
            None => {}
        }
    }
    let unknown = object.keys().filter(|name| fields.iter().all(|field| field.name != name.as_str()));
    if !is_open {
        faults.extend(unknown.map(|name| format!("{place}.{name} is in no table")));
    }
}

fn shaped(place: &str, shape: &Shape, value: &Value, faults: &mut Vec<String>) {
    members(place, shape.fields, shape.is_open, value, faults);
}

fn each(place: &str, kind: &Kind, value: &Value, faults: &mut Vec<String>) {
    let Some(list) = value.as_array() else { return faults.push(format!("{place} is no list")) };
    list.iter().enumerate().for_each(|(nth, value)| fits(&format!("{place}[{nth}]"), kind, value, faults));
}

fn fits(place: &str, kind: &Kind, value: &Value, faults: &mut Vec<String>) {
    let (is_fit, wanted) = match kind {
        Kind::Text => (value.is_string(), "a text"),
        Kind::Whole => (value.as_f64().is_some_and(|number| number.fract() == 0.0), "whole number"),
        Kind::Number => (value.is_number(), "a number"),
        Kind::Flag => (value.is_boolean(), "true or false"),
        Kind::OneOf(texts) => (value.as_str().is_some_and(|text| texts.contains(&text)), "known word"),
        Kind::Free => (value.is_object(), "an object"),
        Kind::Object(shape) => return shaped(place, shape, value, faults),
        Kind::List(kind) => return each(place, kind, value, faults),
        Kind::Map(kind) => {
            let entries = value.as_object().into_iter().flatten();
            entries.for_each(|(name, value)| fits(&format!("{place}.{name}"), kind, value, faults));
            (value.is_object(), "an object")
        }
    };
    if !is_fit {
        faults.push(format!("{place} is no {wanted}: {value}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bodies::bodies;

    /// Every kind of wrong value, and what is read of it as which kind.
    const WRONG: [(&str, &[&str]); 6] = [
        ("[]", &["a list"]),
        ("[true]", &["a list"]),
        ("{\"a\":1}", &["an object"]),
        ("\"no\"", &["a text"]),
        ("\"1e999\"", &["a text"]),
        ("true", &["a text", "true or false"]),
    ];

    #[test]
    fn what_is_there_and_unreadable_never_counts_as_absent() {
        let mut refused = 0;
        for body in bodies().filter(|body| body.part == Part::Request) {
            let (Form::Fields(fields) | Form::Open(fields)) = body.form else { continue };
            for field in fields.iter().filter(|field| !field.is_loose) {
                for (written, read_as) in WRONG {
                    let json = format!("{{\"{}\":{written}}}", field.name);
                    let wanted = match field.kind {
                        Kind::Text | Kind::OneOf(_) => "a text",
                        Kind::Whole | Kind::Number => "a number",
                        Kind::Flag => "true or false",
                        Kind::Object(_) | Kind::Free | Kind::Map(_) => "an object",
                        Kind::List(_) => "a list",
                    };
                    let checked = check_request(body.signal, &Fields::of_text(&json));
                    let expected = if read_as.contains(&wanted) {
                        Ok(())
                    } else {
                        Err(Unreadable { field: field.name, wanted })
                    };
                    assert_eq!(checked, expected, "{} {json}", body.signal.name());
                    refused += usize::from(checked.is_err());
                }
            }
        }
        assert!(refused > 500, "{refused}");
    }

    #[test]
    fn what_nothing_depends_on_may_be_left_out_unread() {
        let fields = Fields::of_text(r#"{"battery":"full","status":7,"latitude":null}"#);
        assert_eq!(check_request(Signal::ClientHeartbeat, &fields), Ok(()));
    }

    #[test]
    fn numbers_and_flags_come_in_any_dress_inside_an_object_too() {
        let body = |streams: &str| format!(r#"{{"sctpStreamParameters":{{"ordered":{streams}}}}}"#);
        let check = |json: &str| check_request(Signal::MediaDataProduce, &Fields::of_text(json));
        assert_eq!(check(&body("\"false\"")), Ok(()));
        assert_eq!(check(&body("[]")), Err(Unreadable { field: "ordered", wanted: "true or false" }));
    }
}
