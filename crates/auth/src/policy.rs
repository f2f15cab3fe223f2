//! Policy between partitions: one decision for running, explaining and testing.

use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use taoyao_types::{PartitionName, PolicyRule, Scope, Verdict};

const OWN_PARTITION: &str = "own-partition";
const DEFAULT: &str = "default";

/// Which partition may do what towards which other one.
///
/// - Inside one partition everything is allowed (rule id `own-partition`).
/// - Else the most specific rule that matches decides: the one whose `from` and `to` have the most labels together;
///   among equals a denial comes before an allowance, then the earlier rule before the later.
/// - Else the default list decides (rule id `default`): scopes in it are allowed, others denied.
#[derive(Debug, Clone)]
pub struct Policy {
    default: Vec<Scope>,
    /// In the order in which they are tried.
    rules: Vec<Rule>,
    own_partition: Arc<str>,
    by_default: Arc<str>,
}

#[derive(Debug, Clone)]
struct Rule {
    id: Arc<str>,
    rule: PolicyRule,
}

/// Proof that policy lets something through. Only [`Policy::authorise`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    rule: Arc<str>,
    scope: Scope,
}

impl Permit {
    /// The id of the rule that let it through, for logs, metrics and traces.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// What was permitted.
    pub fn scope(&self) -> Scope {
        self.scope
    }
}

/// Policy stops it. The text may be shown to the terminal: it names partitions and the rule, nothing secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("partition {from} may not {} partition {to}: denied by policy rule {rule}", deed(*scope))]
pub struct Denied {
    pub rule: Arc<str>,
    pub scope: Scope,
    pub from: PartitionName,
    pub to: PartitionName,
}

/// A decision with its reason, as `trace` and other tools show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub verdict: Verdict,
    pub rule: Arc<str>,
    pub scope: Scope,
    pub from: PartitionName,
    pub to: PartitionName,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let may = if self.verdict == Verdict::Allow { "may" } else { "may not" };
        let Self { rule, scope, from, to, .. } = self;
        write!(f, "partition {from} {may} {} partition {to} (rule {rule})", deed(*scope))
    }
}

impl Policy {
    /// A policy of `rules`, in any order, above the scopes that are allowed where no rule speaks.
    pub fn new(default: Vec<Scope>, rules: Vec<PolicyRule>) -> Self {
        let mut rules: Vec<Rule> =
            rules.into_iter().map(|rule| Rule { id: rule.id.as_str().into(), rule }).collect();
        rules.sort_by_key(|Rule { rule, .. }| {
            (Reverse(labels(&rule.from) + labels(&rule.to)), rule.verdict == Verdict::Allow)
        });
        Self { default, rules, own_partition: OWN_PARTITION.into(), by_default: DEFAULT.into() }
    }

    /// Whether a terminal of `from` may do `scope` towards `to`. Allocates nothing.
    pub fn authorise(
        &self,
        scope: Scope,
        from: &PartitionName,
        to: &PartitionName,
    ) -> Result<Permit, Denied> {
        let (verdict, rule) = self.decide(scope, from, to);
        let rule = Arc::clone(rule);
        match verdict {
            Verdict::Allow => Ok(Permit { rule, scope }),
            Verdict::Deny => Err(Denied { rule, scope, from: from.clone(), to: to.clone() }),
        }
    }

    /// The decision that [`Policy::authorise`] takes, without a permit.
    pub fn explain(&self, scope: Scope, from: &PartitionName, to: &PartitionName) -> Explanation {
        let (verdict, rule) = self.decide(scope, from, to);
        Explanation { verdict, rule: Arc::clone(rule), scope, from: from.clone(), to: to.clone() }
    }

    fn decide(&self, scope: Scope, from: &PartitionName, to: &PartitionName) -> (Verdict, &Arc<str>) {
        if from == to {
            return (Verdict::Allow, &self.own_partition);
        }
        let speaks = |Rule { rule, .. }: &&Rule| {
            rule.scopes.contains(&scope) && from.is_within(&rule.from) && to.is_within(&rule.to)
        };
        match self.rules.iter().find(speaks) {
            Some(Rule { id, rule }) => (rule.verdict, id),
            None if self.default.contains(&scope) => (Verdict::Allow, &self.by_default),
            None => (Verdict::Deny, &self.by_default),
        }
    }
}

fn labels(partition: &PartitionName) -> usize {
    partition.as_str().split('.').count()
}

fn deed(scope: Scope) -> &'static str {
    match scope {
        Scope::See => "see",
        Scope::Presence => "follow the presence of",
        Scope::Call => "call",
        Scope::Broadcast => "broadcast to",
        Scope::Control => "control terminals of",
        Scope::Room => "meet in rooms with",
        Scope::Record => "record",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Scope; 7] = [
        Scope::See,
        Scope::Presence,
        Scope::Call,
        Scope::Broadcast,
        Scope::Control,
        Scope::Room,
        Scope::Record,
    ];

    #[test]
    fn inside_one_partition_everything_is_allowed_even_against_a_rule() {
        let policy = Policy::new(vec![], vec![rule("no", Verdict::Deny, "cn", "cn", &ALL)]);
        for scope in ALL {
            assert_eq!(permit(&policy, scope, "sh.east.cn", "sh.east.cn"), "own-partition");
        }
    }

    #[test]
    fn without_rules_the_default_list_decides() {
        let policy = Policy::new(vec![Scope::See], vec![]);
        assert_eq!(permit(&policy, Scope::See, "a.cn", "b.cn"), "default");
        assert_eq!(denial(&policy, Scope::Call, "a.cn", "b.cn"), "default");
    }

    #[test]
    fn the_rule_with_the_most_labels_wins_whatever_its_place() {
        let wide = rule("wide", Verdict::Deny, "cn", "cn", &ALL);
        let narrow = rule("narrow", Verdict::Allow, "sh.east.cn", "cn", &[Scope::Call]);
        for rules in [vec![wide.clone(), narrow.clone()], vec![narrow, wide]] {
            let policy = Policy::new(ALL.to_vec(), rules);
            assert_eq!(permit(&policy, Scope::Call, "sh.east.cn", "bj.north.cn"), "narrow");
            assert_eq!(permit(&policy, Scope::Call, "door.sh.east.cn", "bj.north.cn"), "narrow");
            assert_eq!(denial(&policy, Scope::See, "sh.east.cn", "bj.north.cn"), "wide");
            assert_eq!(denial(&policy, Scope::Call, "bj.north.cn", "sh.east.cn"), "wide");
        }
    }

    #[test]
    fn long_labels_do_not_outweigh_many() {
        let few = rule("few", Verdict::Deny, "a-very-long-name-indeed.cn", "cn", &ALL);
        let many = rule("many", Verdict::Allow, "cn", "x.y.cn", &ALL);
        let policy = Policy::new(vec![], vec![few, many]);
        assert_eq!(permit(&policy, Scope::See, "a-very-long-name-indeed.cn", "x.y.cn"), "many");
    }

    #[test]
    fn among_equals_a_denial_comes_first() {
        let yes = rule("yes", Verdict::Allow, "a.cn", "cn", &ALL);
        let no = rule("no", Verdict::Deny, "cn", "b.cn", &ALL);
        let policy = Policy::new(ALL.to_vec(), vec![yes, no]);
        assert_eq!(denial(&policy, Scope::See, "a.cn", "b.cn"), "no");
    }

    #[test]
    fn an_explanation_tells_what_authorise_decides() {
        let policy = Policy::new(vec![], vec![rule("r", Verdict::Allow, "a.cn", "b.cn", &[Scope::Call])]);
        for scope in ALL {
            let explained = policy.explain(scope, &name("a.cn"), &name("b.cn"));
            let decided = policy.authorise(scope, &name("a.cn"), &name("b.cn"));
            assert_eq!(explained.verdict == Verdict::Allow, decided.is_ok());
        }
        let text = policy.explain(Scope::Call, &name("a.cn"), &name("b.cn")).to_string();
        assert_eq!(text, "partition a.cn may call partition b.cn (rule r)");
        let denied = policy.authorise(Scope::See, &name("a.cn"), &name("b.cn")).unwrap_err();
        assert_eq!(
            denied.to_string(),
            "partition a.cn may not see partition b.cn: denied by policy rule default"
        );
    }

    fn permit(policy: &Policy, scope: Scope, from: &str, to: &str) -> String {
        policy.authorise(scope, &name(from), &name(to)).unwrap().rule().to_owned()
    }

    fn denial(policy: &Policy, scope: Scope, from: &str, to: &str) -> String {
        policy.authorise(scope, &name(from), &name(to)).unwrap_err().rule.to_string()
    }

    fn rule(id: &str, verdict: Verdict, from: &str, to: &str, scopes: &[Scope]) -> PolicyRule {
        PolicyRule { id: id.into(), verdict, from: name(from), to: name(to), scopes: scopes.to_vec() }
    }

    fn name(text: &str) -> PartitionName {
        text.parse().unwrap()
    }
}
