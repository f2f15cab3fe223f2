//! Delegation: who owns which partition, and who else lets its terminals attach.

use std::collections::BTreeMap;

use taoyao_types::PartitionName;

use crate::check::Place;
use crate::mistake::{At, Report, Span};
use crate::raw::RawNode;
use crate::suggest::{closest, listed};

/// What one node is trusted with.
#[derive(Debug, Default)]
pub(crate) struct Delegation {
    /// The partitions that it owns; at least one if nothing was reported.
    pub(crate) owned: Vec<PartitionName>,
    pub(crate) serves: Vec<PartitionName>,
}

/// Reports every fault of the delegation; returns it for each place.
pub(crate) fn check_partitions(places: &[Place], nodes: &[RawNode], report: &Report<'_>) -> Vec<Delegation> {
    let claims = places.iter().map(|place| claims_of(place, &nodes[place.raw], report)).collect();
    let delegations = Delegations { places, nodes, claims };
    let owners = delegations.check_owners(report);
    delegations.check_inside_parents(report);
    delegations.check_not_given_away(&owners, report);
    let serves: Vec<Vec<PartitionName>> =
        (0..places.len()).map(|place| delegations.check_serves(place, &owners, report)).collect();
    let claims = delegations.claims.into_iter();
    claims
        .zip(serves)
        .map(|(claims, serves)| Delegation {
            owned: claims.into_iter().map(|claim| claim.value).collect(),
            serves,
        })
        .collect()
}

/// The partitions that each place claims, while they are compared with each other.
struct Delegations<'a> {
    places: &'a [Place],
    nodes: &'a [RawNode],
    claims: Vec<Vec<At<PartitionName>>>,
}

/// The partitions that a node claims: the written ones or the default.
fn claims_of(place: &Place, node: &RawNode, report: &Report<'_>) -> Vec<At<PartitionName>> {
    let default = place.name.default_partition();
    let Some(written) = &node.partitions else {
        return vec![At { value: default, span: node.name.span.clone() }];
    };
    if written.value.is_empty() {
        let what = format!("node `{}` owns no partition", node.name.value);
        report.add(
            &written.span,
            what,
            format!("partitions = [\"{default}\"], which is what no `partitions` line means"),
        );
    }
    written.value.iter().filter_map(|text| read_partition(text, &node.name.value, report)).collect()
}

fn read_partition(text: &At<String>, node: &str, report: &Report<'_>) -> Option<At<PartitionName>> {
    match text.value.parse() {
        Ok(value) => Some(At { value, span: text.span.clone() }),
        Err(why) => {
            let what = format!("bad partition name {:?} in node `{node}`: {why}", text.value);
            report.add(&text.span, what, "labels with dots between, the most specific first: \"sh.east.cn\"");
            None
        }
    }
}

impl Delegations<'_> {
    /// Each partition has one owner; the result says which place that is.
    fn check_owners(&self, report: &Report<'_>) -> BTreeMap<PartitionName, (usize, Span)> {
        let mut owners: BTreeMap<PartitionName, (usize, Span)> = BTreeMap::new();
        for (place, claim) in self.all_claims() {
            let Some((owner, first)) = owners.get(&claim.value) else {
                owners.insert(claim.value.clone(), (place, claim.span.clone()));
                continue;
            };
            let what = format!(
                "partition `{}` is delegated twice: to `{}` (line {}) and to `{}`",
                claim.value,
                self.short(*owner),
                report.line(first),
                self.short(place)
            );
            let advice = format!(
                "it in one of the two; if terminals of it shall attach at `{}` as well: serves = [\"{}\"]",
                self.short(place),
                claim.value
            );
            report.add(&claim.span, what, advice);
        }
        owners
    }

    /// A parent can hand down only what it has.
    fn check_inside_parents(&self, report: &Report<'_>) {
        for (place, claim) in self.all_claims() {
            let Some(parent) = self.places[place].parent else {
                continue;
            };
            let available = &self.claims[parent];
            if available.is_empty() || available.iter().any(|whole| claim.value.is_within(&whole.value)) {
                continue;
            }
            let names = listed(available.iter().map(|whole| whole.value.as_str()));
            let what = format!(
                "partition `{}` of node `{}` lies outside of what its parent `{}` owns ({names})",
                claim.value,
                self.short(place),
                self.short(parent)
            );
            let advice = format!("partitions = [\"{}.{}\"]", self.short(place), available[0].value);
            report.add(&claim.span, what, advice);
        }
    }

    /// Whoever owns a partition owns what lies within it, but for what is delegated to nodes below.
    fn check_not_given_away(&self, owners: &BTreeMap<PartitionName, (usize, Span)>, report: &Report<'_>) {
        for (place, claim) in self.all_claims() {
            let Some((whole, owner)) = enclosing(&claim.value, owners) else {
                continue;
            };
            if self.is_on_way_up(place, owner) {
                continue;
            }
            let what = format!(
                "partition `{}` of node `{}` lies inside `{whole}`, which is delegated to `{}`",
                claim.value,
                self.short(place),
                self.short(owner)
            );
            let advice = format!("it at `{0}` or at a node below `{0}`", self.short(owner));
            report.add(&claim.span, what, advice);
        }
    }

    /// A node may serve what an ancestor owns: nothing that it could not be trusted with anyway by being below it.
    fn check_serves(
        &self,
        place: usize,
        owners: &BTreeMap<PartitionName, (usize, Span)>,
        report: &Report<'_>,
    ) -> Vec<PartitionName> {
        let node = &self.nodes[self.places[place].raw];
        let mut serves: Vec<PartitionName> = Vec::new();
        for text in &node.serves {
            let Some(claim) = read_partition(text, &node.name.value, report) else {
                continue;
            };
            match owners.get(&claim.value) {
                None => report_unknown(&claim, &node.name.value, owners, report),
                Some((owner, _)) if *owner == place => {
                    let what = format!("node `{}` serves `{}`, which it owns", node.name.value, claim.value);
                    report.add(&claim.span, what, "no `serves` for it: an owner's terminals attach anyway");
                }
                Some((owner, _)) if !self.is_on_way_up(place, *owner) => {
                    let what = format!(
                        "node `{}` serves `{}` of `{}`, which is not above it",
                        node.name.value,
                        claim.value,
                        self.short(*owner)
                    );
                    let advice =
                        "a partition that an ancestor owns; give one that shall roam to a common ancestor";
                    report.add(&claim.span, what, advice);
                }
                Some(_) if serves.contains(&claim.value) => {
                    let what = format!("node `{}` serves `{}` twice", node.name.value, claim.value);
                    report.add(&claim.span, what, "each partition once");
                }
                Some(_) => serves.push(claim.value),
            }
        }
        serves
    }

    fn all_claims(&self) -> impl Iterator<Item = (usize, &At<PartitionName>)> {
        self.claims
            .iter()
            .enumerate()
            .flat_map(|(place, claims)| claims.iter().map(move |claim| (place, claim)))
    }

    fn short(&self, place: usize) -> &str {
        &self.nodes[self.places[place].raw].name.value
    }

    /// Whether `top` is `place` or one of its ancestors.
    fn is_on_way_up(&self, place: usize, top: usize) -> bool {
        let mut way = std::iter::successors(Some(place), |&at| self.places[at].parent);
        way.any(|at| at == top)
    }
}

/// The smallest other partition that `partition` lies in, and its owner.
fn enclosing<'o>(
    partition: &PartitionName,
    owners: &'o BTreeMap<PartitionName, (usize, Span)>,
) -> Option<(&'o PartitionName, usize)> {
    let around = owners.iter().filter(|(whole, _)| partition.is_within(whole) && *whole != partition);
    around.max_by_key(|(whole, _)| whole.as_str().len()).map(|(whole, (owner, _))| (whole, *owner))
}

fn report_unknown(
    claim: &At<PartitionName>,
    node: &str,
    owners: &BTreeMap<PartitionName, (usize, Span)>,
    report: &Report<'_>,
) {
    let names = || owners.keys().map(PartitionName::as_str);
    let all = format!("the partitions are: {}", listed(names()));
    let advice = match closest(claim.value.as_str(), names()) {
        Some(name) => format!("\"{name}\" ({all})"),
        None => all,
    };
    report.add(&claim.span, format!("node `{node}` serves `{}`, which no node owns", claim.value), advice);
}
