//! Two scans over JSON text that is not worth a tree: how deep it nests, and itself without null entries.

use std::borrow::Cow;

use taoyao_types::limits;

/// Whether the text nests deeper than [`limits::JSON_DEPTH_MAX`]. The text need not be JSON.
pub(super) fn is_too_deep(text: &str) -> bool {
    let opening = |byte: &&u8| matches!(byte, b'[' | b'{');
    // What opens this few containers cannot nest too deep: nearly every message ends here.
    if text.as_bytes().iter().filter(opening).count() <= limits::JSON_DEPTH_MAX {
        return false;
    }
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = end_of_string(bytes, at) - 1,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limits::JSON_DEPTH_MAX {
            return true;
        }
        at += 1;
    }
    false
}

/// Valid JSON text without the null entries of its objects, at any depth; array elements stay (reference 2.1).
///
/// Returns the text as it is when it cannot contain any. One pass, no recursion.
pub fn without_nulls(text: &str) -> Cow<'_, str> {
    if !text.contains("null") {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut kept = Kept { out: String::with_capacity(text.len()), open: Vec::new() };
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b' ' | b'\t' | b'\n' | b'\r' => at += 1,
            b',' => {
                kept.next_item();
                at += 1;
            }
            b':' => {
                kept.out.push(':');
                at += 1;
            }
            opener @ (b'{' | b'[') => {
                kept.open(opener == b'{');
                at += 1;
            }
            closer @ (b'}' | b']') => {
                kept.close(closer);
                at += 1;
            }
            b'"' => {
                at = end_of_string(bytes, at);
                kept.token(&text[start..at]);
            }
            _ => {
                at = end_of_word(bytes, at);
                kept.token(&text[start..at]);
            }
        }
    }
    Cow::Owned(kept.out)
}

/// What has been kept so far, and the containers that are still open.
struct Kept {
    out: String,
    open: Vec<Container>,
}

struct Container {
    object: bool,
    /// The next token begins an item (an element, or a member with its name).
    fresh: bool,
    /// Where the current item begins in the output, with the comma before it.
    item: usize,
}

impl Kept {
    fn next_item(&mut self) {
        if let Some(container) = self.open.last_mut() {
            container.fresh = true;
        }
    }

    fn open(&mut self, object: bool) {
        self.begin();
        self.out.push(if object { '{' } else { '[' });
        self.open.push(Container { object, fresh: true, item: self.out.len() });
    }

    fn close(&mut self, closer: u8) {
        self.open.pop();
        self.out.push(closer as char);
    }

    fn token(&mut self, token: &str) {
        self.begin();
        match self.open.last() {
            Some(container) if container.object && token == "null" => self.out.truncate(container.item),
            _ => self.out.push_str(token),
        }
    }

    /// Writes the comma that an item needs, now that it is known to begin.
    fn begin(&mut self) {
        let Some(container) = self.open.last_mut() else { return };
        if !container.fresh {
            return;
        }
        container.fresh = false;
        container.item = self.out.len();
        if !self.out.ends_with(['{', '[']) {
            self.out.push(',');
        }
    }
}

/// The index behind the closing quote of the string that begins at `start`, or the text's end.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn end_of_word(bytes: &[u8], start: usize) -> usize {
    let ends = |byte: &u8| {
        matches!(byte, b',' | b':' | b'{' | b'}' | b'[' | b']' | b'"' | b' ' | b'\t' | b'\n' | b'\r')
    };
    bytes[start..].iter().position(ends).map_or(bytes.len(), |length| start + length)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn null_entries_go_and_null_elements_stay() {
        for (text, kept) in [
            (r#"{"a":null}"#, r#"{}"#),
            (r#"{"a":null,"b":1}"#, r#"{"b":1}"#),
            (r#"{"a":1,"b":null}"#, r#"{"a":1}"#),
            (r#"{"a":1,"b":null,"c":2}"#, r#"{"a":1,"c":2}"#),
            (r#"{ "a" : null , "b" : [ null , 1 , {"c":null} ] }"#, r#"{"b":[null,1,{}]}"#),
            (r#"[null,null]"#, r#"[null,null]"#),
            (r#"{"a":{"b":null},"c":{"d":{"e":null,"f":[]}}}"#, r#"{"a":{},"c":{"d":{"f":[]}}}"#),
            (r#"{"a":"null","null":1,"x\"null":"\\"}"#, r#"{"a":"null","null":1,"x\"null":"\\"}"#),
            (r#"{"a":"{[,","b":null}"#, r#"{"a":"{[,"}"#),
            ("null", "null"),
            (r#""null""#, r#""null""#),
        ] {
            assert_eq!(without_nulls(text), kept, "{text}");
        }
    }

    #[test]
    fn a_text_without_nulls_is_not_copied() {
        assert!(matches!(without_nulls(r#"{"a": [1, 2]}"#), Cow::Borrowed(_)));
    }

    #[test]
    fn it_agrees_with_a_tree_on_many_texts() {
        let mut seed = 1;
        for _ in 0..2_000 {
            let tree = any_value(&mut seed, 5);
            let text = tree.to_string();
            let kept: Value = serde_json::from_str(&without_nulls(&text)).unwrap();
            assert_eq!(kept, pruned(tree), "{text}");
        }
    }

    fn pruned(value: Value) -> Value {
        match value {
            Value::Array(elements) => elements.into_iter().map(pruned).collect(),
            Value::Object(members) => {
                members.into_iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k, pruned(v))).collect()
            }
            scalar => scalar,
        }
    }

    fn any_value(seed: &mut u64, depth: u32) -> Value {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let pick = (*seed >> 33) % if depth == 0 { 4 } else { 7 };
        let items = (*seed >> 40) % 4;
        match pick {
            0 | 1 => Value::Null,
            2 => Value::from("nu\"ll,{["),
            3 => Value::from(*seed >> 50),
            4 => (0..items).map(|_| any_value(seed, depth - 1)).collect(),
            _ => (0..items).map(|i| (format!("null{i}"), any_value(seed, depth - 1))).collect(),
        }
    }
}
