//! Policy rules: each has an id of its own and speaks of partitions that exist.

use std::collections::BTreeMap;

use taoyao_types::{PartitionName, PolicyRule};

use crate::check::Delegation;
use crate::mistake::{At, Report};
use crate::raw::{RawPolicy, RawRule};
use crate::suggest::{closest, listed};

/// Reports every faulty rule; returns the others in the order of the file.
pub(crate) fn check_policy(
    policy: &RawPolicy,
    delegations: &[Delegation],
    report: &Report<'_>,
) -> Vec<PolicyRule> {
    let partitions: Vec<&PartitionName> = delegations.iter().flat_map(|node| &node.owned).collect();
    let mut ids = BTreeMap::new();
    for rule in &policy.rules {
        if let Some(first) = ids.insert(&rule.id.value, &rule.id.span) {
            let what = format!(
                "two policy rules are called `{}`; the first is in line {}",
                rule.id.value,
                report.line(first)
            );
            report.add(&rule.id.span, what, "an id of its own, for logs and refusals name it");
        }
    }
    policy.rules.iter().filter_map(|rule| check_rule(rule, &partitions, report)).collect()
}

fn check_rule(rule: &RawRule, partitions: &[&PartitionName], report: &Report<'_>) -> Option<PolicyRule> {
    let from = find(rule, &rule.from, partitions, report);
    let to = find(rule, &rule.to, partitions, report);
    Some(PolicyRule {
        id: rule.id.value.clone(),
        verdict: rule.verdict,
        from: from?,
        to: to?,
        scopes: rule.scopes.clone(),
    })
}

/// A rule's partition must be one of the file's, or have one of them within it.
fn find(
    rule: &RawRule,
    text: &At<String>,
    partitions: &[&PartitionName],
    report: &Report<'_>,
) -> Option<PartitionName> {
    let name: Option<PartitionName> = text.value.parse().ok();
    let name = name.filter(|name| partitions.iter().any(|partition| partition.is_within(name)));
    if name.is_none() {
        let names = || partitions.iter().map(|partition| partition.as_str());
        let all = format!("the partitions are: {}", listed(names()));
        let advice = match closest(&text.value, names()) {
            Some(name) => format!("\"{name}\" ({all})"),
            None => all,
        };
        let what =
            format!("policy rule `{}` speaks of the unknown partition `{}`", rule.id.value, text.value);
        report.add(&text.span, what, advice);
    }
    name
}
