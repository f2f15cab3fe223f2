//! Nearest-node choice: networks, then distance on Earth, then the tree.

use std::net::IpAddr;

use taoyao_topology::{Candidates, Geo, Nearest, Reason, Topology};
use taoyao_types::PartitionId;

use crate::topology;

const MESH: &str = r#"org = "demo"
[[node]]
name = "cn"
partitions = ["cn", "mobile.cn"]
links = { listen = "127.0.0.1:7000" }
[[node]]
name = "sh"
parent = "cn"
serves = ["mobile.cn"]
terminals = { listen = "127.0.0.1:8001" }
near = { cidr = ["10.0.0.0/8"], geo = { lat = 31.2, lon = 121.5 } }
[[node]]
name = "hz"
parent = "cn"
serves = ["mobile.cn"]
terminals = { listen = "127.0.0.1:8002", advertise = "hz.example.com:443" }
near = { cidr = ["10.1.0.0/16", "10.1.2.0/24"], geo = { lat = 30.3, lon = 120.2 } }
[[node]]
name = "xx"
parent = "cn"
serves = ["mobile.cn"]
terminals = { listen = "127.0.0.1:8003" }
"#;

fn ask(mesh: &Topology, address: &str, geo: Option<Geo>, asked: &str) -> Vec<Candidates> {
    let address: IpAddr = address.parse().expect("an address");
    let asked = mesh.by_name(asked).expect("a node").id;
    mesh.nearest(&Nearest { address, partition: None, geo, asked })
}

/// The short names of a partition's candidates.
fn order<'c>(all: &'c [Candidates], partition: &str) -> Vec<&'c str> {
    let candidates = all.iter().find(|candidates| candidates.partition.as_str() == partition);
    candidates.expect("the partition is there").nodes.iter().map(|candidate| candidate.node.short()).collect()
}

#[test]
fn the_longest_matching_prefix_comes_first() {
    let mesh = topology(MESH);
    let far = Geo { lat: 31.2, lon: 121.5 };
    let found = ask(&mesh, "10.1.2.3", Some(far), "xx");
    assert_eq!(order(&found, "mobile.cn"), ["hz", "sh", "xx"]);
    assert_eq!(found[0].partition.as_str(), "hz.cn");
    assert_eq!(found[1].partition.as_str(), "mobile.cn");
    assert_eq!(found[0].nodes[0].reason, Reason::Cidr { prefix_bits: 24 });
    assert_eq!(found[0].nodes[0].url, "wss://hz.example.com:443/websocket.signal");
    assert_eq!(found[0].nodes[0].probe, "https://hz.example.com:443/mesh/probe");
}

#[test]
fn an_ipv4_address_seen_through_an_ipv6_socket_matches() {
    let found = ask(&topology(MESH), "::ffff:10.1.9.9", None, "sh");
    assert_eq!(found[0].nodes[0].reason, Reason::Cidr { prefix_bits: 16 });
}

#[test]
fn without_a_network_the_distance_on_earth_decides() {
    let found = ask(&topology(MESH), "192.0.2.1", Some(Geo { lat: 30.0, lon: 120.0 }), "xx");
    assert_eq!(order(&found, "mobile.cn"), ["hz", "sh", "xx"]);
    assert!(matches!(found[0].nodes[0].reason, Reason::Geo { km } if km < 50.0));
}

#[test]
fn without_any_hint_the_tree_decides() {
    let found = ask(&topology(MESH), "192.0.2.1", None, "xx");
    assert_eq!(order(&found, "mobile.cn"), ["xx", "sh", "hz"]);
    assert_eq!(found[0].partition.as_str(), "xx.cn");
    assert_eq!(found[0].nodes[0].reason, Reason::Hops);
    assert_eq!(found[1].nodes.iter().map(|candidate| candidate.hops).collect::<Vec<_>>(), [0, 2, 2]);
}

#[test]
fn a_partition_without_a_terminal_listener_is_left_out() {
    let mesh = topology(MESH);
    let found = ask(&mesh, "192.0.2.1", None, "cn");
    assert!(found.iter().all(|candidates| candidates.partition.as_str() != "cn"));
}

#[test]
fn one_partition_can_be_asked_for_and_an_unknown_one_gives_nothing() {
    let mesh = topology(MESH);
    let asked = mesh.root().id;
    let ask = |name: &str| {
        let partition = Some(PartitionId::of(&name.parse().unwrap()));
        let address = IpAddr::from([192, 0, 2, 1]);
        mesh.nearest(&Nearest { address, partition, geo: None, asked })
    };
    assert_eq!(ask("mobile.cn").len(), 1);
    assert!(ask("nobody.cn").is_empty());
}
