//! All bodies as Markdown, for `docs/protocol`.

use std::collections::BTreeMap;

use super::{Body, Field, Form, Kind, Part, Shape, bodies};
use crate::signals::{SIGNALS, Signal};

/// What stands below the heading of each signal: what it has in its request, its answer and its push, and an example of each
/// that `example` knows, as JSON text.
pub fn bodies_markdown(example: impl Fn(Signal, Part) -> Option<String>) -> String {
    let mut text = String::new();
    let mut family = "";
    let mut shapes = BTreeMap::new();
    for row in &SIGNALS {
        let (of, _) = row.name.split_once("::").unwrap_or((row.name, ""));
        if of != family {
            family = of;
            text.push_str(&format!("## `{family}::*`\n\n"));
        }
        text.push_str(&format!("### `{}`\n\n{}\n\n", row.name, row.about));
        for body in bodies().filter(|body| body.signal == row.signal) {
            text.push_str(&part(body, &mut shapes));
            if let Some(json) = example(body.signal, body.part) {
                text.push_str(&format!("```json\n{json}\n```\n\n"));
            }
        }
    }
    text.push_str("## Shared objects\n\n");
    for shape in shapes.values() {
        let open = if shape.is_open { " It may have other members." } else { "" };
        text.push_str(&format!("### {}\n\n{}{open}\n\n{}", shape.name, shape.about, table(shape.fields)));
    }
    text.truncate(text.trim_end().len());
    text + "\n"
}

fn part(body: &Body, shapes: &mut BTreeMap<&'static str, &'static Shape>) -> String {
    let name = match body.part {
        Part::Request => "Request",
        Part::Answer => "Answer",
        Part::Push => "Push",
    };
    let (form, fields): (String, &[Field]) = match body.form {
        Form::Empty => ("empty".to_owned(), &[]),
        Form::Fields(fields) => (String::new(), fields),
        Form::Open([]) => ("an object of anything".to_owned(), &[]),
        Form::Open(fields) => ("and any other members".to_owned(), fields),
        Form::Maybe(shape) => (link(shape), &[]),
        Form::ListOf(shape) => (format!("list of {}", link(shape)), &[]),
    };
    if let Form::Maybe(shape) | Form::ListOf(shape) = body.form {
        note(shape, shapes);
    }
    fields.iter().for_each(|field| note_kind(&field.kind, shapes));
    let form = if form.is_empty() { form } else { format!(", {form}") };
    let about = if body.about.is_empty() { String::new() } else { format!(" {}", body.about) };
    let table = if fields.is_empty() { String::new() } else { table(fields) };
    format!("**{name}**{form}.{about}\n\n{table}")
}

fn table(fields: &[Field]) -> String {
    let mut text = String::from("| Member | Type | Always | Meaning |\n|:--|:--|:-:|:--|\n");
    for Field { name, kind, is_needed, about, .. } in fields {
        let always = if *is_needed { "yes" } else { "" };
        text.push_str(&format!("| `{name}` | {} | {always} | {about} |\n", words(kind)));
    }
    text + "\n"
}

fn words(kind: &Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Whole => "whole number".to_owned(),
        Kind::Number => "number".to_owned(),
        Kind::Flag => "flag".to_owned(),
        Kind::Free => "object".to_owned(),
        Kind::OneOf(texts) => texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", "),
        Kind::Object(shape) => link(shape),
        Kind::List(kind) => format!("list of {}", words(kind)),
        Kind::Map(kind) => format!("{} by name", words(kind)),
    }
}

fn link(shape: &Shape) -> String {
    format!("[{}](#{})", shape.name, shape.name.to_ascii_lowercase())
}

fn note(shape: &'static Shape, shapes: &mut BTreeMap<&'static str, &'static Shape>) {
    if shapes.insert(shape.name, shape).is_none() {
        shape.fields.iter().for_each(|field| note_kind(&field.kind, shapes));
    }
}

fn note_kind(kind: &Kind, shapes: &mut BTreeMap<&'static str, &'static Shape>) {
    match kind {
        Kind::Object(shape) => note(shape, shapes),
        Kind::List(kind) | Kind::Map(kind) => note_kind(kind, shapes),
        Kind::Text | Kind::Whole | Kind::Number | Kind::Flag | Kind::Free | Kind::OneOf(_) => {}
    }
}
