//! Typed access to the tables of a TOML document that reports every wrong type and every unknown key, not only the first.

use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeFloat, DeInteger, DeTable, DeValue};

use crate::mistake::{At, Report, Span};
use crate::suggest::{closest, listed};

/// One table of the file. Each accessor makes its key a known one; [`Table::finish`] reports all others.
///
/// An accessor takes the key and an example of its value, which is what a mistake advises to write.
pub(crate) struct Table<'d> {
    /// How the file calls this table: `[node.terminals]`.
    name: String,
    pub(crate) span: Span,
    entries: &'d DeTable<'d>,
    known: Vec<&'static str>,
    /// Whether the table holds passwords, so that its lines are never shown.
    secret: bool,
    report: &'d Report<'d>,
}

impl<'d> Table<'d> {
    /// The document's outermost table.
    pub(crate) fn document(entries: &'d DeTable<'d>, report: &'d Report<'d>) -> Self {
        Self { name: "the file".to_owned(), span: 0..0, entries, known: Vec::new(), secret: false, report }
    }

    /// Says that the table holds passwords: its lines are never shown.
    pub(crate) fn keep_secret(&mut self) {
        self.secret = true;
    }

    /// Whether `key` is there; for keys that exclude each other.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    pub(crate) fn text(&mut self, key: &'static str, example: &str) -> Option<At<String>> {
        let value = self.take(key)?;
        self.text_of(key, value, example)
    }

    pub(crate) fn required_text(&mut self, key: &'static str, example: &str) -> Option<At<String>> {
        if !self.has(key) {
            self.missing(key, example);
        }
        self.text(key, example)
    }

    /// A text that `read` turns into a value, or says why not.
    pub(crate) fn parsed<T>(
        &mut self,
        key: &'static str,
        example: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<At<T>> {
        let text = self.text(key, example)?;
        match read(&text.value) {
            Ok(value) => Some(At { value, span: text.span }),
            Err(why) => {
                self.add(&text.span, format!("`{key}` = {:?}: {why}", text.value), example);
                None
            }
        }
    }

    /// As [`Table::parsed`], for a key that must be there.
    pub(crate) fn required<T>(
        &mut self,
        key: &'static str,
        example: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<At<T>> {
        if !self.has(key) {
            self.missing(key, example);
        }
        self.parsed(key, example, read)
    }

    /// A list of texts; `None` if the key is absent.
    pub(crate) fn texts(&mut self, key: &'static str, example: &str) -> Option<At<Vec<At<String>>>> {
        let value = self.take(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_type(key, value, "a list of texts", example);
            return None;
        };
        let texts = items.iter().filter_map(|item| self.text_of(key, item, example)).collect();
        Some(At { value: texts, span: value.span() })
    }

    /// One text or a list of them.
    pub(crate) fn text_or_texts(&mut self, key: &'static str, example: &str) -> Option<At<Vec<At<String>>>> {
        match self.entries.get(key)?.get_ref() {
            DeValue::Array(_) => self.texts(key, example),
            _ => self.text(key, example).map(|text| At { span: text.span.clone(), value: vec![text] }),
        }
    }

    /// A whole number within `range`.
    pub(crate) fn integer(
        &mut self,
        key: &'static str,
        example: &str,
        range: RangeInclusive<u64>,
    ) -> Option<u64> {
        let value = self.take(key)?;
        let DeValue::Integer(number) = value.get_ref() else {
            self.wrong_type(key, value, "a whole number", example);
            return None;
        };
        let number = whole(number).filter(|number| range.contains(number));
        if number.is_none() {
            let (low, high) = (range.start(), range.end());
            self.add(&value.span(), format!("`{key}` is not between {low} and {high}"), example);
        }
        number
    }

    /// A number, whole or not, within `range`; a missing one is a mistake.
    pub(crate) fn required_number(
        &mut self,
        key: &'static str,
        example: &str,
        range: RangeInclusive<f64>,
    ) -> Option<f64> {
        let Some(value) = self.take(key) else {
            self.missing(key, example);
            return None;
        };
        let number = match value.get_ref() {
            DeValue::Integer(number) => number.as_str().parse().ok(),
            DeValue::Float(number) => float(number),
            _ => {
                self.wrong_type(key, value, "a number", example);
                return None;
            }
        };
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let (low, high) = (range.start(), range.end());
            self.add(&value.span(), format!("`{key}` is not between {low} and {high}"), example);
        }
        number
    }

    pub(crate) fn flag(&mut self, key: &'static str, example: &str) -> Option<At<bool>> {
        let value = self.take(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_type(key, value, "true or false", example);
        }
        flag.map(|flag| At { value: flag, span: value.span() })
    }

    /// A table inside this one.
    pub(crate) fn table(&mut self, key: &'static str, example: &str) -> Option<Table<'d>> {
        let value = self.take(key)?;
        let name = self.child_name(key);
        let table = self.table_of(key, value, name, example);
        table.map(|table| Table { span: self.header(key).unwrap_or(table.span.clone()), ..table })
    }

    /// The tables of a list, written as `[[key]]` or inline; empty if the key is absent.
    pub(crate) fn tables(&mut self, key: &'static str, example: &str) -> Vec<Table<'d>> {
        let Some(value) = self.take(key) else {
            return Vec::new();
        };
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_type(key, value, "a list of tables", example);
            return Vec::new();
        };
        let name = format!("[{}]", self.child_name(key));
        items.iter().filter_map(|item| self.table_of(key, item, name.clone(), example)).collect()
    }

    /// Reports a key that must be there and is not.
    pub(crate) fn missing(&self, key: &str, example: &str) {
        self.add(&self.span, format!("{} has no `{key}`", self.name), example);
    }

    /// Reports a mistake inside this table.
    pub(crate) fn add(&self, span: &Span, what: impl Into<String>, advice: impl Into<String>) {
        if self.secret {
            self.report.add_secret(span, what, advice);
        } else {
            self.report.add(span, what, advice);
        }
    }

    /// Reports every key that no accessor asked for.
    pub(crate) fn finish(self) {
        for key in self.entries.keys() {
            let name: &str = key.get_ref();
            if self.known.contains(&name) {
                continue;
            }
            let known = format!("{} knows: {}", self.name, listed(self.known.iter().copied()));
            let advice = match closest(name, self.known.iter().copied()) {
                Some(word) => format!("{word} ({known})"),
                None => known,
            };
            self.add(&key.span(), format!("unknown key `{name}` in {}", self.name), advice);
        }
    }

    fn take(&mut self, key: &'static str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.known.push(key);
        self.entries.get(key)
    }

    /// Where the key itself is written.
    fn header(&self, key: &str) -> Option<Span> {
        self.entries.get_key_value(key).map(|(key, _)| key.span())
    }

    fn child_name(&self, key: &str) -> String {
        match self.name.trim_matches(['[', ']']) {
            "the file" => format!("[{key}]"),
            parent => format!("[{parent}.{key}]"),
        }
    }

    fn text_of(&self, key: &str, value: &Spanned<DeValue<'_>>, example: &str) -> Option<At<String>> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(key, value, "a text", example);
        }
        text.map(|text| At { value: text.to_owned(), span: value.span() })
    }

    fn table_of(
        &self,
        key: &str,
        value: &'d Spanned<DeValue<'d>>,
        name: String,
        example: &str,
    ) -> Option<Table<'d>> {
        let DeValue::Table(entries) = value.get_ref() else {
            self.wrong_type(key, value, "a table", example);
            return None;
        };
        let known = Vec::new();
        Some(Table { name, span: value.span(), entries, known, secret: self.secret, report: self.report })
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str, example: &str) {
        let found = match value.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.add(&value.span(), format!("`{key}` is {found}, but {wanted} belongs here"), example);
    }
}

fn whole(number: &DeInteger<'_>) -> Option<u64> {
    u64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn float(number: &DeFloat<'_>) -> Option<f64> {
    number.as_str().parse().ok()
}
