//! What is wrong with a topology file, told like a compiler tells it: where, what, and what to write instead.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

use serde::Serialize;

/// A range of bytes of the file's text.
pub(crate) type Span = Range<usize>;

/// A value and where in the file it was written.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

/// One mistake of a topology file. `Display` shows it with the offending line and a caret, over several lines of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// The file's name as it was given to the parser.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What is wrong; names the node, partition or key in question.
    pub what: String,
    /// What to write instead.
    pub advice: String,
    /// The offending line, unless it may hold a secret.
    #[serde(skip)]
    shown: Option<Shown>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    line: String,
    /// How many characters the caret marks, at least 1.
    width: usize,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        writeln!(f, "error: {}", self.what)?;
        writeln!(f, "{margin}--> {}:{}:{}", self.file, self.line, self.column)?;
        match &self.shown {
            Some(shown) => {
                let before = indent(&shown.line, self.column - 1);
                writeln!(f, "{margin} |")?;
                writeln!(f, "{number} | {}", shown.line)?;
                writeln!(f, "{margin} | {before}{}", "^".repeat(shown.width))?;
            }
            None => writeln!(f, "{margin} | (the line is not shown, it may hold a secret)")?,
        }
        write!(f, "{margin} = instead: {}", self.advice)
    }
}

/// White space as wide as the first `columns` characters of `line`; tabs stay tabs.
fn indent(line: &str, columns: usize) -> String {
    let mut space: String = line.chars().take(columns).map(|c| if c == '\t' { c } else { ' ' }).collect();
    space.extend(std::iter::repeat_n(' ', columns.saturating_sub(space.chars().count())));
    space
}

/// All mistakes of one file in the order of their lines; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// The mistakes in the order of their lines, at least one.
    pub fn list(&self) -> &[Mistake] {
        &self.0
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mistake in &self.0 {
            writeln!(f, "{mistake}\n")?;
        }
        let plural = if self.0.len() == 1 { "mistake" } else { "mistakes" };
        write!(f, "{} {plural}; nothing of the file is used", self.0.len())
    }
}

impl std::error::Error for Mistakes {}

/// The file's name and text: turns spans into lines.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) text: String,
}

impl fmt::Debug for Source {
    /// Without the text, for it may hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Source {
    /// The line of a byte offset, counted from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.before(offset).matches('\n').count() + 1
    }

    fn before(&self, offset: usize) -> &str {
        self.text.get(..offset).unwrap_or(&self.text)
    }

    fn mistake(&self, span: &Span, what: String, advice: String, secret: bool) -> Mistake {
        let before = self.before(span.start);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.text[start..].lines().next().unwrap_or_default();
        let column = self.text[start..before.len()].chars().count() + 1;
        let marked = self.text.get(span.clone()).and_then(|text| text.lines().next()).unwrap_or_default();
        let shown = Shown { line: line.to_owned(), width: marked.chars().count().max(1) };
        Mistake {
            file: self.file.clone(),
            line: self.line(span.start),
            column,
            what,
            advice,
            shown: (!secret && !may_hold_secret(line)).then_some(shown),
        }
    }
}

/// Errors end up in logs, so a line that looks like a password's is kept out of them, even one that is misspelt.
fn may_hold_secret(line: &str) -> bool {
    let line = line.to_lowercase();
    ["pass", "pasw", "credential", "secret", "shared_account"].iter().any(|word| line.contains(word))
}

/// Gathers the mistakes of one file while it is read and checked.
#[derive(Debug)]
pub(crate) struct Report<'s> {
    source: &'s Source,
    found: RefCell<Vec<Mistake>>,
}

impl<'s> Report<'s> {
    pub(crate) fn new(source: &'s Source) -> Self {
        Self { source, found: RefCell::default() }
    }

    /// Notes a mistake: what is wrong, and what to write instead.
    pub(crate) fn add(&self, span: &Span, what: impl Into<String>, advice: impl Into<String>) {
        self.note(span, what.into(), advice.into(), false);
    }

    /// As [`Report::add`], without showing the line.
    pub(crate) fn add_secret(&self, span: &Span, what: impl Into<String>, advice: impl Into<String>) {
        self.note(span, what.into(), advice.into(), true);
    }

    /// The line where `span` begins, for a mistake that points at a second place.
    pub(crate) fn line(&self, span: &Span) -> usize {
        self.source.line(span.start)
    }

    /// The name of the file.
    pub(crate) fn file(&self) -> &str {
        &self.source.file
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// All that was noted, or `Ok` if nothing was.
    pub(crate) fn finish(self) -> Result<(), Mistakes> {
        let mut found = self.found.into_inner();
        if found.is_empty() {
            return Ok(());
        }
        found.sort_by_key(|mistake| (mistake.line, mistake.column));
        Err(Mistakes(found))
    }

    fn note(&self, span: &Span, what: String, advice: String, secret: bool) {
        self.found.borrow_mut().push(self.source.mistake(span, what, advice, secret));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_shows_its_line_and_marks_the_place() {
        let source = Source { file: "a.toml".into(), text: "org = 'x'\n\tgeneration = 'y'\n".into() };
        let report = Report::new(&source);
        report.add(&(24..27), "bad value", "generation = 1");
        let shown = report.finish().unwrap_err().to_string();
        assert_eq!(
            shown,
            "error: bad value\n --> a.toml:2:15\n  |\n2 | \tgeneration = 'y'\n  | \t             ^^^\n  \
             = instead: generation = 1\n\n1 mistake; nothing of the file is used"
        );
    }

    #[test]
    fn a_line_with_a_password_is_never_shown() {
        let source = Source { file: "a.toml".into(), text: "pasword = 'hunter2'\nx = 'hunter2'".into() };
        let report = Report::new(&source);
        report.add(&(0..7), "unknown key", "password = …");
        report.add_secret(&(20..21), "unknown key", "username = …");
        assert!(!report.finish().unwrap_err().to_string().contains("hunter2"));
    }

    #[test]
    fn mistakes_come_in_the_order_of_their_lines_and_survive_odd_spans() {
        let source = Source { file: "a.toml".into(), text: "é = 1\nb = 2".into() };
        let report = Report::new(&source);
        report.add(&(99..120), "late", "-");
        report.add(&(1..2), "inside a character", "-");
        report.add(&(0..2), "early", "-");
        assert_eq!(report.finish().unwrap_err().list()[0].what, "early");
    }
}
