//! Address rewriting as the file has it; what the rules do is tested beside them.

use crate::{MESH, mistakes, topology};

/// The mesh with this rewriting at `hz`, its last node, in line 19.
fn with_rewrite(rewrite: &str) -> String {
    format!("{MESH}rewrite = {{ {rewrite} }}\n")
}

#[track_caller]
fn assert_told(rewrite: &str, parts: &[&str]) {
    let mistakes = mistakes(&with_rewrite(rewrite));
    assert_eq!(mistakes.list().len(), 1, "one mistake is expected:\n{mistakes}");
    for part in parts {
        assert!(mistakes.to_string().contains(part), "{part:?} is missing in:\n{mistakes}");
    }
}

#[test]
fn rules_are_read_and_the_defaults_are_those_of_the_original() {
    let plain = topology(MESH);
    let hz = plain.by_name("hz").unwrap();
    assert_eq!((hz.rewrite.prefix, hz.rewrite.prefix_v6, hz.rewrite.rules.len()), (24, 64, 0));
    assert!(plain.rewrites().is_empty());

    let rules = "prefix = 16, rule = [{ network = \"10.2.0.0/16\", inner_host = \"10.2.0.9\", outer_host = \"203.0.113.7\" }, \
                 { network = \"fd00:1::/64\" }]";
    let mesh = topology(&with_rewrite(rules));
    let hz = mesh.by_name("hz").unwrap();
    assert_eq!((hz.rewrite.prefix, hz.rewrite.rules.len()), (16, 2));
    let shown = [
        "hz rewrites 10.2.0.0/16: 10.2.0.9 inside, 203.0.113.7 outside",
        "hz rewrites fd00:1::/64: the same host bits inside",
    ];
    assert_eq!(mesh.rewrites(), shown);
    assert!(mesh.draw().ends_with(&shown.join("\n")), "{}", mesh.draw());
    assert_eq!(mesh.summary().nodes[3].rewrite.rules[0].outer_host.as_deref(), Some("203.0.113.7"));
}

#[test]
fn the_node_itself_is_known_by_an_address_that_others_use() {
    let rules = "rule = [{ network = \"192.168.8.0/24\", outer_host = \"203.0.113.7\" }]";
    let text =
        with_rewrite(rules) + "media = { listen = \"0.0.0.0:9000\", advertise = \"192.168.8.100:9000\" }\n";
    let mesh = topology(&text);
    let told = |source: &str, client: &str| {
        mesh.by_name("hz").unwrap().rewrite(source.parse().unwrap(), client.parse().unwrap()).to_string()
    };
    assert_eq!(told("127.0.0.1", "198.51.100.1"), "203.0.113.7");
    assert_eq!(told("192.168.9.1", "198.51.100.1"), "192.168.9.1");
    assert_eq!(told("127.0.0.1", "127.0.0.1"), "127.0.0.1");
}

#[test]
fn mistakes_of_rules_are_told() {
    assert_told("prefix = 33", &["t.toml:19:", "`prefix` is not between 0 and 32", "instead: prefix = 24"]);
    assert_told("rules = []", &["unknown key `rules` in [node.rewrite]", "instead: rule ("]);
    assert_told("rule = [{ inner_host = \"10.0.0.1\" }]", &["[[node.rewrite.rule]] has no `network`"]);
    assert_told(
        "rule = [{ network = \"10.2.1.0/16\" }]",
        &["`network` = \"10.2.1.0/16\": the address has bits beyond the network 10.2.0.0/16"],
    );
    assert_told(
        "rule = [{ network = \"8.8.8.0/24\" }]",
        &["it is public, and rules are for private networks"],
    );
    assert_told(
        "rule = [{ network = \"10.2.0.0/16\", inner_host = \"media.example.com\" }]",
        &["`inner_host` = \"media.example.com\": it is not an IP address"],
    );
    assert_told(
        "rule = [{ network = \"10.2.0.0/16\", outer_host = \"0.0.0.0\" }]",
        &["nobody can reach it", "instead: outer_host = \"203.0.113.7\""],
    );
}
