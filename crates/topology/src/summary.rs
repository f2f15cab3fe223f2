//! The topology as plain data for `--json`: what an operator may see, without passwords and file paths.

use serde::Serialize;
use taoyao_types::{Scope, Verdict};

use crate::node::Node;
use crate::recordings::Recordings;
use crate::rewrite::Rewrite;
use crate::topology::Topology;

/// The whole topology as plain data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub org: String,
    pub generation: u64,
    pub nodes: Vec<NodeSummary>,
    pub partitions: Vec<PartitionSummary>,
    pub policy: PolicySummary,
}

/// One node; addresses are written as `host:port`, nodes as full paths.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeSummary {
    pub name: String,
    pub short: String,
    /// Eight hexadecimal digits.
    pub id: String,
    pub tier: usize,
    pub parents: Vec<String>,
    pub children: Vec<String>,
    pub partitions: Vec<String>,
    pub serves: Vec<String>,
    pub terminals: Option<ListenerSummary>,
    pub tcp: Vec<TcpSummary>,
    pub links: Option<ListenerSummary>,
    pub media: Option<ListenerSummary>,
    pub recordings: Option<RecordingsSummary>,
    pub admin: Option<String>,
    pub cidr: Vec<String>,
    /// Latitude and longitude in degrees.
    pub geo: Option<[f64; 2]>,
    pub rewrite: RewriteSummary,
}

/// Where a node listens and under what it is reached.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListenerSummary {
    pub listen: String,
    pub advertise: String,
}

/// How many recordings are kept, and where they are moved to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordingsSummary {
    pub bytes_max: u64,
    /// `delete-oldest` or `refuse`.
    pub when_full: &'static str,
    pub days_max: Option<u32>,
    /// The bucket's name, behind its endpoint.
    pub bucket: Option<String>,
}

/// A listener for bare TCP sockets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TcpSummary {
    pub listen: String,
    /// `tls`, `plaintext`, `des` or `aes`.
    pub mode: &'static str,
}

/// Which addresses terminals in several subnets are told.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RewriteSummary {
    pub prefix: u8,
    pub prefix_v6: u8,
    pub rules: Vec<RewriteRuleSummary>,
}

/// One rewriting rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RewriteRuleSummary {
    pub network: String,
    pub inner_host: Option<String>,
    pub outer_host: Option<String>,
}

/// One partition with its owner and all nodes where its terminals may attach.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartitionSummary {
    pub name: String,
    /// Eight hexadecimal digits.
    pub id: String,
    pub owner: String,
    pub servers: Vec<String>,
}

/// What partitions may do with each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicySummary {
    pub between_partitions: Vec<Scope>,
    pub rules: Vec<RuleSummary>,
}

/// One policy rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleSummary {
    pub id: String,
    pub verdict: Verdict,
    pub scopes: Vec<Scope>,
    pub from: String,
    pub to: String,
}

impl Topology {
    /// The topology as plain data.
    pub fn summary(&self) -> Summary {
        Summary {
            org: self.org.clone(),
            generation: self.generation,
            nodes: self.nodes.iter().map(|node| self.summarize(node)).collect(),
            partitions: self.summarize_partitions(),
            policy: self.summarize_policy(),
        }
    }

    fn summarize(&self, node: &Node) -> NodeSummary {
        let listener = |listen: &dyn ToString, advertise: &dyn ToString| ListenerSummary {
            listen: listen.to_string(),
            advertise: advertise.to_string(),
        };
        NodeSummary {
            name: node.name.to_string(),
            short: node.name.short().to_owned(),
            id: node.id.hex(),
            tier: node.tier,
            parents: self.names(&node.parents),
            children: self.names(&node.children),
            partitions: node.partitions.iter().map(ToString::to_string).collect(),
            serves: node.serves.iter().map(ToString::to_string).collect(),
            terminals: node.terminals.as_ref().map(|at| listener(&at.listen, &at.advertise)),
            tcp: summarize_tcp(node),
            links: node.links.as_ref().map(|at| listener(&at.listen, &at.advertise)),
            media: node.media.as_ref().map(|at| listener(&at.listen, &at.advertise)),
            recordings: node.recordings.as_ref().map(summarize_recordings),
            admin: node.admin.map(|admin| admin.to_string()),
            cidr: node.near.cidr.iter().map(ToString::to_string).collect(),
            geo: node.near.geo.map(|geo| [geo.lat, geo.lon]),
            rewrite: summarize_rewrite(&node.rewrite),
        }
    }

    fn summarize_partitions(&self) -> Vec<PartitionSummary> {
        let mut partitions: Vec<PartitionSummary> = self
            .partitions()
            .map(|partition| PartitionSummary {
                name: partition.name.to_string(),
                id: partition.id.hex(),
                owner: self.names(&[partition.owner]).concat(),
                servers: self.names(&partition.servers),
            })
            .collect();
        partitions.sort_by(|a, b| a.name.cmp(&b.name));
        partitions
    }

    fn summarize_policy(&self) -> PolicySummary {
        let rules = self.policy.rules.iter().map(|rule| RuleSummary {
            id: rule.id.clone(),
            verdict: rule.verdict,
            scopes: rule.scopes.clone(),
            from: rule.from.to_string(),
            to: rule.to.to_string(),
        });
        PolicySummary { between_partitions: self.policy.between_partitions.clone(), rules: rules.collect() }
    }

    fn names(&self, ids: &[taoyao_types::NodeId]) -> Vec<String> {
        ids.iter().filter_map(|id| self.node(*id)).map(|node| node.name.to_string()).collect()
    }
}

fn summarize_tcp(node: &Node) -> Vec<TcpSummary> {
    let tcp = node.terminals.iter().flat_map(|terminals| &terminals.tcp);
    tcp.map(|tcp| TcpSummary { listen: tcp.listen.to_string(), mode: tcp.mode.name() }).collect()
}

fn summarize_recordings(recordings: &Recordings) -> RecordingsSummary {
    RecordingsSummary {
        bytes_max: recordings.bytes_max,
        when_full: recordings.when_full.name(),
        days_max: recordings.days_max,
        bucket: recordings.bucket.as_ref().map(|bucket| format!("{}/{}", bucket.endpoint, bucket.name)),
    }
}

fn summarize_rewrite(rewrite: &Rewrite) -> RewriteSummary {
    let rules = rewrite.rules.iter().map(|rule| RewriteRuleSummary {
        network: rule.network.to_string(),
        inner_host: rule.inner_host.map(|host| host.to_string()),
        outer_host: rule.outer_host.map(|host| host.to_string()),
    });
    RewriteSummary { prefix: rewrite.prefix, prefix_v6: rewrite.prefix_v6, rules: rules.collect() }
}
