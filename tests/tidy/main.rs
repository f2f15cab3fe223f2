//! The rules of the house that no compiler checks, each as one small function; docs/STYLE.md gives their reasons.
//!
//! A rule returns sentences that say which file breaks it and what to do. It has a test of its own on made-up input where
//! it reads text, so that a rule that finds nothing is known to look.

mod arrows;
mod dependencies;
mod documents;
mod examples;
mod first_line;
mod limits;
mod links;
mod manifest;
mod markdown;
mod purity;
mod scripts;
mod sources;
mod tree;
mod words;

/// Fails the test with everything that breaks its rule.
#[track_caller]
fn settle(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{} to mend:\n  {}", wrong.len(), wrong.join("\n  "));
}
