//! The sections beside the nodes: what they mean, their defaults, and their mistakes.

use std::path::Path;
use std::time::Duration;

use taoyao_topology::Limits;
use taoyao_types::{Scope, Verdict};

use crate::{MESH, mistakes, topology};

/// Checks that the mesh with these lines before it has exactly one mistake, whose text has all the parts.
#[track_caller]
fn assert_told(head: &str, parts: &[&str]) {
    let mistakes = mistakes(&with_head(head));
    assert_eq!(mistakes.list().len(), 1, "one mistake is expected:\n{mistakes}");
    for part in parts {
        assert!(mistakes.to_string().contains(part), "{part:?} is missing in:\n{mistakes}");
    }
}

/// The mesh with a section between its first line and its nodes.
fn with_head(head: &str) -> String {
    MESH.replacen("[[node]]", &format!("{head}\n[[node]]"), 1)
}

#[test]
fn defaults_are_what_the_documentation_says() {
    let mesh = topology(MESH);
    assert_eq!((mesh.org(), mesh.generation()), ("demo", 1));
    assert_eq!(mesh.certs().dir(), Path::new("certs"));
    assert_eq!(mesh.login().users, Path::new("topology/users.toml"));
    assert_eq!(mesh.login().shared_account, None);
    assert_eq!(mesh.limits(), &Limits::default());
    assert_eq!(mesh.policy().between_partitions, [Scope::See, Scope::Presence, Scope::Call]);
    assert!(mesh.policy().rules.is_empty() && mesh.ice().stun.is_empty() && mesh.ice().turn.is_empty());
    let sh = mesh.by_name("cn/east/sh").unwrap();
    assert_eq!(sh.state_dir, Path::new("state/sh"));
    assert_eq!((sh.tier, sh.links.is_none(), sh.admin), (3, true, None));
    assert_eq!(sh.terminals.as_ref().unwrap().url(), "wss://127.0.0.1:8001/websocket.signal");
}

#[test]
fn limits_can_be_set_within_their_ranges() {
    let text = with_head("[limits]\nterminals_max = 5\nrequest_timeout_ms = 2_000\npending_max = 0x10");
    let mesh = topology(&text);
    assert_eq!(mesh.limits().terminals_max, 5);
    assert_eq!(mesh.limits().pending_max, 16);
    assert_eq!(mesh.limits().request_timeout, Duration::from_secs(2));
    let text = with_head("[limits]\nroom_empty_seconds = 90_000");
    let limits = topology(&text).limits().clone();
    assert_eq!(limits.room_empty, Duration::from_secs(90_000));
    assert_eq!(limits.room_empty_max, limits.room_empty, "what stays by itself may be asked for");
    assert_told(
        "[limits]\nroom_empty_seconds = 5",
        &["t.toml:3:22", "`room_empty_seconds` is not between 10 and 31622400"],
    );
    assert_told(
        "[limits]\nterminals_max = 0",
        &["t.toml:3:17", "`terminals_max` is not between 1 and 10000000"],
    );
    assert_told(
        "[limits]\nterminal_max = 9",
        &["unknown key `terminal_max` in [limits]", "instead: terminals_max ("],
    );
}

#[test]
fn ice_servers_are_read_and_bad_ones_told() {
    let turn = "turn = [{ address = \"turn.example.com:3478\", username = \"u\", password = \"p\" }]";
    let mesh = topology(&with_head(&format!("[ice]\nstun = [\"stun.example.com:3478\"]\n{turn}")));
    assert_eq!(mesh.ice().stun[0].to_string(), "stun.example.com:3478");
    assert_eq!(mesh.ice().turn[0].password.reveal(), "p");
    assert_told(
        "[ice]\nstun = [\"stun:x:1\"]",
        &["t.toml:3:9", "bad STUN server \"stun:x:1\"", "instead: stun = ["],
    );
    assert_told("[[ice.turn]]\naddress = \"t:1\"\nusername = \"u\"", &["[[ice.turn]] has no `password`"]);
}

#[test]
fn policy_rules_are_read_in_their_order() {
    let rule = |id, verdict| {
        format!("[[policy.rule]]\nid = \"{id}\"\nfrom = \"mobile.cn\"\nto = \"cn\"\n{verdict}\n")
    };
    let mesh =
        topology(&with_head(&(rule("a", "deny = [\"call\"]") + &rule("b", "allow = [\"see\", \"see\"]"))));
    let rules = &mesh.policy().rules;
    assert_eq!((rules[0].id.as_str(), rules[0].verdict), ("a", Verdict::Deny));
    assert_eq!((rules[1].verdict, rules[1].scopes.as_slice()), (Verdict::Allow, &[Scope::See][..]));
}

#[test]
fn policy_mistakes_are_told() {
    let rule = |body: &str| format!("[[policy.rule]]\nid = \"a\"\n{body}\n");
    let sides = "from = \"mobile.cn\"\nto = \"cn\"\n";
    assert_told(&rule(sides), &["t.toml:2:1", "a policy rule either allows or denies", "instead: one of"]);
    let both = format!("{sides}allow = [\"see\"]\ndeny = [\"see\"]");
    assert_told(&rule(&both), &["a policy rule either allows or denies"]);
    let scope = format!("{sides}allow = [\"cal\"]");
    assert_told(
        &rule(&scope),
        &["t.toml:6:10", "unknown scope \"cal\"", "instead: \"call\" (the scopes are: see"],
    );
    let unknown = "from = \"mobil.cn\"\nto = \"cn\"\nallow = [\"see\"]";
    assert_told(
        &rule(unknown),
        &["t.toml:4:8", "rule `a` speaks of the unknown partition `mobil.cn`", "\"mobile.cn\""],
    );
    let twice = format!("{sides}allow = [\"see\"]\n");
    let twice = format!("{}{}", rule(&twice), rule(&twice));
    assert_told(&twice, &["two policy rules are called `a`; the first is in line 3"]);
}

#[test]
fn a_rule_may_speak_of_a_partition_that_only_has_others_within_it() {
    let text = "org = \"x\"\n[[node]]\nname = \"a\"\npartitions = [\"a.cn\", \"b.cn\"]\n\
                [[policy.rule]]\nid = \"r\"\nfrom = \"cn\"\nto = \"b.cn\"\nallow = [\"broadcast\"]\n";
    assert_eq!(topology(text).policy().rules.len(), 1);
}

#[test]
fn hints_for_the_nearest_node_are_read_and_bad_ones_told() {
    let near = |near: &str| format!("{MESH}near = {{ {near} }}\n");
    let mesh =
        topology(&near("cidr = [\"10.1.0.0/16\", \"2001:db8::/32\"], geo = { lat = 31, lon = 121.5 }"));
    let hz = mesh.by_name("hz").unwrap();
    assert_eq!(hz.near.cidr.len(), 2);
    assert_eq!(hz.near.geo.unwrap().lon, 121.5);
    for (text, parts) in [
        ("cidr = [\"10.1.2.3/16\"]", ["bits beyond the network", "instead: cidr = [\"10.1.0.0/16\"]"]),
        ("cidr = [\"10.1.2.3\"]", ["bad network \"10.1.2.3\"", "it is not address/bits"]),
        ("geo = { lat = 91.0, lon = 0 }", ["`lat` is not between -90 and 90", "instead: geo = {"]),
        ("geo = { lat = 1.0 }", ["[node.near.geo] has no `lon`", "instead: geo = {"]),
        ("geo = { lat = nan, lon = 0 }", ["`lat` is not between", "instead: geo = {"]),
    ] {
        let told = mistakes(&near(text)).to_string();
        assert!(parts.iter().all(|part| told.contains(part)), "{parts:?} are missing in:\n{told}");
    }
}

#[test]
fn the_summary_is_plain_data() {
    let summary = topology(&with_head("[policy]\nbetween_partitions = []")).summary();
    assert_eq!(summary.nodes[2].name, "cn/east/sh");
    assert_eq!(summary.nodes[2].parents, ["cn/east"]);
    assert_eq!(summary.nodes[1].children, ["cn/east/sh", "cn/east/hz"]);
    let mobile = summary.partitions.iter().find(|partition| partition.name == "mobile.cn").unwrap();
    assert_eq!((mobile.owner.as_str(), mobile.servers.len()), ("cn", 2));
    assert!(summary.policy.between_partitions.is_empty());
}
