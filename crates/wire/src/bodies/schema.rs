//! All bodies as one JSON Schema, for clients' tests and for generators of types.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Body, Field, Form, Kind, Part, Shape, bodies};

/// A document of JSON Schema 2020-12 whose `$defs` are the envelope, each body as `family::name/request`, `/answer` or
/// `/push`, and the objects that they share.
pub fn bodies_schema() -> String {
    let mut shared = BTreeMap::new();
    let mut definitions = Map::new();
    definitions.insert("envelope".to_owned(), envelope());
    for body in bodies() {
        definitions.insert(name_of(body), schema_of(body, &mut shared));
    }
    definitions.extend(shared);
    let document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Taoyao terminal protocol",
        "description": "Bodies of all signals. Made from the nodes' own table.",
        "$ref": "#/$defs/envelope",
        "$defs": definitions,
    });
    let text = serde_json::to_string_pretty(&document).expect("a document always encodes as JSON");
    text + "\n"
}

fn name_of(body: &Body) -> String {
    let part = match body.part {
        Part::Request => "request",
        Part::Answer => "answer",
        Part::Push => "push",
    };
    format!("{}/{part}", body.signal.name())
}

fn envelope() -> Value {
    json!({
        "type": "object",
        "required": ["header"],
        "properties": {
            "code": { "type": "string", "description": "0000 is success; terminals may leave it out" },
            "message": { "type": "string" },
            "header": {
                "type": "object",
                "required": ["v", "id", "signal"],
                "properties": {
                    "v": { "type": "string" },
                    "id": { "type": ["integer", "string"] },
                    "signal": { "type": "string" },
                },
            },
            "body": { "type": ["object", "array", "null"] },
        },
    })
}

fn schema_of(body: &Body, shared: &mut BTreeMap<String, Value>) -> Value {
    let mut schema = match body.form {
        Form::Empty => json!({ "type": ["object", "null"], "additionalProperties": false }),
        Form::Fields(fields) => object(fields, body.part == Part::Request, shared),
        Form::Open(fields) => object(fields, true, shared),
        Form::Maybe(shape) => reference(shape, shared),
        Form::ListOf(shape) => json!({ "type": "array", "items": reference(shape, shared) }),
    };
    if !body.about.is_empty() {
        schema["description"] = body.about.into();
    }
    schema
}

fn object(fields: &[Field], is_open: bool, shared: &mut BTreeMap<String, Value>) -> Value {
    let mut properties = Map::new();
    for field in fields {
        let mut schema = kind(&field.kind, !field.is_needed, shared);
        if schema.get("$ref").is_none() {
            schema["description"] = field.about.into();
        }
        properties.insert(field.name.to_owned(), schema);
    }
    let needed: Vec<_> = fields.iter().filter(|field| field.is_needed).map(|field| field.name).collect();
    let mut schema = json!({ "type": "object", "properties": properties });
    if !needed.is_empty() {
        schema["required"] = needed.into();
    }
    if !is_open {
        schema["additionalProperties"] = false.into();
    }
    schema
}

/// `null` stands for what is absent.
fn kind(kind: &Kind, may_be_null: bool, shared: &mut BTreeMap<String, Value>) -> Value {
    let typed = |name: &str| match may_be_null {
        true => json!({ "type": [name, "null"] }),
        false => json!({ "type": name }),
    };
    match kind {
        Kind::Text => typed("string"),
        Kind::Whole => typed("integer"),
        Kind::Number => typed("number"),
        Kind::Flag => typed("boolean"),
        Kind::Free => typed("object"),
        Kind::OneOf(words) => json!({ "enum": words }),
        Kind::Object(shape) if may_be_null => {
            json!({ "anyOf": [reference(shape, shared), { "type": "null" }] })
        }
        Kind::Object(shape) => reference(shape, shared),
        Kind::List(one) => {
            let items = self::kind(one, false, shared);
            let mut list = typed("array");
            list["items"] = items;
            list
        }
        Kind::Map(one) => {
            let values = self::kind(one, false, shared);
            let mut map = typed("object");
            map["additionalProperties"] = values;
            map
        }
    }
}

fn reference(shape: &'static Shape, shared: &mut BTreeMap<String, Value>) -> Value {
    if !shared.contains_key(shape.name) {
        shared.insert(shape.name.to_owned(), Value::Null);
        let mut schema = object(shape.fields, shape.is_open, shared);
        schema["description"] = shape.about.into();
        shared.insert(shape.name.to_owned(), schema);
    }
    json!({ "$ref": format!("#/$defs/{}", shape.name) })
}
