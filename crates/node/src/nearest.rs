//! Answers `GET /mesh/nearest` out of the topology.

use serde_json::{Value, json};
use taoyao_gateway::NearestQuery;
use taoyao_topology::{Candidate, Candidates, Geo, Nearest, Reason, Topology};
use taoyao_types::{NodeId, PartitionId};

/// `{"partitions": [{"partition", "nodes": [{"node", "url", "probe", "reason", "distance"}]}]}`, best first.
pub(crate) fn answer(topology: &Topology, asked: NodeId, query: &NearestQuery) -> Result<Value, String> {
    let partition = query.partition.as_ref().map(PartitionId::of);
    if let Some(name) =
        query.partition.as_ref().filter(|name| topology.partition(PartitionId::of(name)).is_none())
    {
        return Err(format!("There is no partition {name} in this mesh."));
    }
    let geo = query.geo.map(|geo| Geo { lat: geo.lat, lon: geo.lon });
    let found = topology.nearest(&Nearest { address: query.ip, partition, geo, asked });
    Ok(json!({ "partitions": found.iter().map(partition_json).collect::<Vec<_>>() }))
}

fn partition_json(candidates: &Candidates) -> Value {
    let nodes: Vec<Value> = candidates.nodes.iter().map(candidate_json).collect();
    json!({ "partition": candidates.partition, "nodes": nodes })
}

fn candidate_json(candidate: &Candidate) -> Value {
    let reason = match candidate.reason {
        Reason::Cidr { .. } => "cidr",
        Reason::Geo { .. } => "geo",
        Reason::Hops => "distance",
    };
    json!({
        "node": candidate.node,
        "url": candidate.url,
        "probe": candidate.probe,
        "reason": reason,
        "distance": candidate.hops,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESH: &str = r#"
org = "acme"
[[node]]
name = "cn"
terminals = { listen = "127.0.0.1:8880" }
links = { listen = "127.0.0.1:7880" }
[[node]]
name = "sh"
parent = ["cn"]
terminals = { listen = "127.0.0.1:8881" }
near = { cidr = ["192.0.2.0/24"] }
"#;

    #[test]
    fn a_terminal_is_sent_to_the_node_of_its_network_first() {
        let found = ask("192.0.2.9", None).unwrap();
        let first = &found["partitions"][0];
        assert_eq!(first["partition"], "sh.cn");
        assert_eq!(first["nodes"][0]["node"], "cn/sh");
        assert_eq!(first["nodes"][0]["url"], "wss://127.0.0.1:8881/websocket.signal");
        assert_eq!(first["nodes"][0]["probe"], "https://127.0.0.1:8881/mesh/probe");
        assert_eq!(
            (&first["nodes"][0]["reason"], &first["nodes"][0]["distance"]),
            (&json!("cidr"), &json!(1))
        );
    }

    #[test]
    fn an_unknown_partition_is_told() {
        assert!(ask("192.0.2.9", Some("mars")).unwrap_err().contains("mars"));
        assert_eq!(ask("192.0.2.9", Some("cn")).unwrap()["partitions"].as_array().unwrap().len(), 1);
    }

    fn ask(ip: &str, partition: Option<&str>) -> Result<Value, String> {
        let query = NearestQuery { ip: parsed(ip), partition: partition.map(parsed), geo: None };
        let topology = Topology::parse("acme.toml", MESH).map_err(|mistakes| mistakes.to_string())?;
        answer(&topology, topology.root().id, &query)
    }

    fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
        text.parse().unwrap()
    }
}
