//! `[policy]` as it was written.

use taoyao_types::{SCOPES, Scope, Verdict};

use crate::mistake::{At, Report};
use crate::read::Table;
use crate::suggest::closest;

/// What partitions may do with each other, as it was written.
#[derive(Debug)]
pub(crate) struct RawPolicy {
    pub(crate) between_partitions: Vec<Scope>,
    pub(crate) rules: Vec<RawRule>,
}

/// One `[[policy.rule]]`; `from` and `to` are not looked up yet.
#[derive(Debug)]
pub(crate) struct RawRule {
    pub(crate) id: At<String>,
    pub(crate) verdict: Verdict,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) from: At<String>,
    pub(crate) to: At<String>,
}

impl Default for RawPolicy {
    fn default() -> Self {
        Self { between_partitions: vec![Scope::See, Scope::Presence, Scope::Call], rules: Vec::new() }
    }
}

impl RawPolicy {
    pub(crate) fn read(mut table: Table<'_>, report: &Report<'_>) -> Self {
        let default = Self::default();
        let between = read_scopes(&mut table, "between_partitions", report);
        let rules = table.tables("rule", "[[policy.rule]]");
        table.finish();
        Self {
            between_partitions: between.unwrap_or(default.between_partitions),
            rules: rules.into_iter().filter_map(|table| RawRule::read(table, report)).collect(),
        }
    }
}

impl RawRule {
    fn read(mut table: Table<'_>, report: &Report<'_>) -> Option<Self> {
        let id = table.required_text("id", "id = \"cameras-stay-home\"");
        let from = table.required_text("from", "from = \"east.cn\"");
        let to = table.required_text("to", "to = \"north.cn\"");
        let allow = read_scopes(&mut table, "allow", report);
        let deny = read_scopes(&mut table, "deny", report);
        if table.has("allow") == table.has("deny") {
            table.add(
                &table.span,
                "a policy rule either allows or denies",
                "one of: allow = [\"see\"] or deny = [\"call\"]",
            );
        }
        table.finish();
        let (verdict, scopes) = match (allow, deny) {
            (Some(scopes), None) => (Verdict::Allow, scopes),
            (None, Some(scopes)) => (Verdict::Deny, scopes),
            _ => return None,
        };
        Some(Self { id: id?, verdict, scopes, from: from?, to: to? })
    }
}

fn read_scopes(table: &mut Table<'_>, key: &'static str, report: &Report<'_>) -> Option<Vec<Scope>> {
    let texts = table.texts(key, "[\"see\", \"presence\", \"call\"]")?;
    let mut scopes: Vec<Scope> = texts.value.iter().filter_map(|text| read_scope(text, report)).collect();
    scopes.sort();
    scopes.dedup();
    Some(scopes)
}

fn read_scope(text: &At<String>, report: &Report<'_>) -> Option<Scope> {
    let found = SCOPES.into_iter().find(|scope| scope.as_str() == text.value);
    if found.is_none() {
        let names = SCOPES.map(Scope::as_str);
        let all = format!("the scopes are: {}", names.join(", "));
        let advice = match closest(&text.value, names) {
            Some(name) => format!("\"{name}\" ({all})"),
            None => all,
        };
        report.add(&text.span, format!("unknown scope {:?}", text.value), advice);
    }
    found
}
