//! The documents are complete: indexed, in both languages where users read them, and decisions in one form.

use crate::{markdown, settle, tree};

/// Documents for those who change the code; English is enough.
const FOR_DEVELOPERS: [&str; 5] = ["CHANGELOG.md", "CONTRIBUTING.md", "README.md", "STYLE.md", "TESTING.md"];
/// What every decision record has, in this order.
const RECORD: [&str; 4] = ["Status: ", "## Context", "## Decision", "## Consequences"];

#[test]
fn documents_for_users_are_there_in_chinese() {
    let english = documents("docs/");
    let for_users = english.iter().filter(|name| !FOR_DEVELOPERS.contains(&name.as_str()));
    let missing = for_users.filter(|name| !tree::exists(&format!("docs/zh/{name}")));
    let mut wrong: Vec<String> =
        missing.map(|name| format!("docs/zh/{name} is missing, the Chinese of docs/{name}")).collect();
    let orphans =
        documents("docs/zh/").into_iter().filter(|name| name != "README.md" && !english.contains(name));
    wrong.extend(orphans.map(|name| format!("docs/zh/{name} has no English original")));
    settle(wrong);
}

#[test]
fn the_two_languages_have_the_same_sections() {
    let both = documents("docs/zh/")
        .into_iter()
        .filter(|name| tree::exists(&format!("docs/{name}")) && name != "README.md");
    let mut wrong = Vec::new();
    for name in both {
        let [english, chinese] =
            [format!("docs/{name}"), format!("docs/zh/{name}")].map(|path| levels(&tree::read(&path)));
        if english != chinese {
            wrong.push(format!(
                "docs/{name} has the headings {english:?}, its Chinese {chinese:?}; bring them in step"
            ));
        }
    }
    settle(wrong);
}

#[test]
fn the_index_names_every_document() {
    let index = linked_from("docs/README.md");
    let all = documents("docs/").into_iter().filter(|name| name != "README.md");
    let missing = all.filter(|name| !index.contains(name));
    let mut wrong: Vec<String> = missing.map(|name| format!("docs/README.md does not name {name}")).collect();
    let records = linked_from("docs/adr/README.md");
    let missing =
        documents("docs/adr/").into_iter().filter(|name| name != "README.md" && !records.contains(name));
    wrong.extend(missing.map(|name| format!("docs/adr/README.md does not name {name}")));
    settle(wrong);
}

#[test]
fn decision_records_have_one_form() {
    let mut wrong = Vec::new();
    let records = documents("docs/adr/").into_iter().filter(|name| name != "README.md");
    for (index, name) in records.enumerate() {
        let text = tree::read(&format!("docs/adr/{name}"));
        let number = index + 1;
        if !name.starts_with(&format!("{number:04}-")) || !text.starts_with(&format!("# {number}. ")) {
            wrong.push(format!(
                "docs/adr/{name}: its name and title begin with its number, which is {number}"
            ));
        }
        let places = RECORD.map(|part| text.find(part).unwrap_or(usize::MAX));
        if !places.is_sorted() || places.contains(&usize::MAX) {
            wrong.push(format!("docs/adr/{name}: write {RECORD:?}, in this order"));
        }
    }
    settle(wrong);
}

fn documents(folder: &str) -> Vec<String> {
    let files = tree::files_with(&[".md"]).into_iter();
    let names = files.filter_map(|path| path.strip_prefix(folder).map(str::to_owned));
    names.filter(|name| !name.contains('/')).collect()
}

fn linked_from(path: &str) -> Vec<String> {
    markdown::links(&tree::read(path)).into_iter().map(|(_, target)| target).collect()
}

/// The levels of the headings, in order: the shape of a document in any language.
fn levels(text: &str) -> Vec<usize> {
    let prose = markdown::prose(text);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| line.chars().take_while(|c| *c == '#').count()).collect()
}

#[test]
fn the_shape_of_a_document_is_its_headings() {
    assert_eq!(levels("# A\ntext\n## B\n```\n# no\n```\n### C\n"), [1, 2, 3]);
}
