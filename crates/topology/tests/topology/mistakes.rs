//! Every kind of mistake is told with its place, the name in question and what to write instead.

use taoyao_topology::Topology;

use crate::{MESH, mesh_with, mistakes, topology};

/// Checks that there is exactly one mistake and that its text has all the parts.
#[track_caller]
fn assert_told(text: &str, parts: &[&str]) {
    let mistakes = mistakes(text);
    assert_eq!(mistakes.list().len(), 1, "one mistake is expected:\n{mistakes}");
    for part in parts {
        assert!(mistakes.to_string().contains(part), "{part:?} is missing in:\n{mistakes}");
    }
}

#[test]
fn the_unbroken_mesh_has_no_mistakes() {
    topology(MESH);
}

#[test]
fn an_unknown_parent_is_shown_with_a_caret_and_the_likely_name() {
    let told = mistakes(&mesh_with("parent = [\"cn\"]", "parent = [\"nc\"]")).to_string();
    assert_eq!(
        told,
        "error: unknown parent `nc` of node `east`\n --> t.toml:8:11\n  |\n8 | parent = [\"nc\"]\n  |           ^^^^\n  \
         = instead: \"cn\" (the other nodes are: cn, sh, hz)\n\n1 mistake; nothing of the file is used"
    );
}

#[test]
fn a_circle_of_parents_is_told_once_with_its_way() {
    let text = mesh_with("parent = [\"cn\"]", "parent = [\"sh\"]");
    assert_told(
        &text,
        &["t.toml:8:10", "in a circle: east → sh → east", "instead: a parent nearer to the root"],
    );
}

#[test]
fn a_node_that_is_its_own_parent_is_a_circle() {
    let text = mesh_with("parent = [\"cn\"]", "parent = [\"east\"]");
    assert_told(&text, &["t.toml:8:10", "node `east` is its own parent"]);
}

#[test]
fn a_file_without_nodes_is_told_how_to_begin() {
    assert_told(
        "org = \"demo\"\n",
        &["t.toml:1:1", "the file has no node", "instead: at least one: [[node]]"],
    );
}

#[test]
fn no_root_and_the_unknown_parent_that_causes_it_are_both_told() {
    let mistakes = mistakes("org = \"demo\"\n[[node]]\nname = \"a\"\nparent = \"b\"\n").to_string();
    assert!(mistakes.contains("no root: every node has a parent, `a` too"), "{mistakes}");
    assert!(mistakes.contains("unknown parent `b` of node `a`"), "{mistakes}");
}

#[test]
fn a_second_root_is_told_to_take_a_parent() {
    let text = mesh_with("parent = [\"cn\"]\n", "");
    assert_told(&text, &["t.toml:7:8", "neither `cn` nor `east`", "instead: parent = [\"cn\"]"]);
}

#[test]
fn two_nodes_of_one_name_are_told_both_lines() {
    let text = mesh_with("name = \"hz\"", "name = \"sh\"");
    assert_told(&text, &["t.toml:16:8", "two nodes are called `sh`; the first is in line 11"]);
}

#[test]
fn a_bad_node_name_says_what_is_allowed() {
    let text = mesh_with("name = \"hz\"", "name = \"Hz_1\"");
    assert_told(&text, &["t.toml:16:8", "bad node name \"Hz_1\"", "a-z, 0-9", "instead: a short name"]);
}

#[test]
fn a_node_without_a_name_is_told_so() {
    let text = mesh_with("name = \"hz\"\n", "");
    assert_told(&text, &["t.toml:15:1", "[[node]] has no `name`", "instead: name = \"sh\""]);
}

#[test]
fn a_seventh_tier_is_refused() {
    let mut text = "org = \"demo\"\n".to_owned();
    for (tier, name) in ["a", "b", "c", "d", "e", "f", "g"].into_iter().enumerate() {
        text += &format!("[[node]]\nname = \"{name}\"\nlinks = {{ listen = \"127.0.0.1:70{tier:02}\" }}\n");
        if let Some(parent) = tier.checked_sub(1).map(|parent| &"abcdefg"[parent..=parent]) {
            text += &format!("parent = \"{parent}\"\n");
        }
    }
    assert_told(&text, &["node `g` is on tier 7: `a/b/c/d/e/f/g`", "at most 6 tiers", "t.toml:28:10"]);
}

#[test]
fn more_children_than_a_node_can_have_are_refused() {
    let mut text =
        "org = \"demo\"\n[[node]]\nname = \"a\"\nlinks = { listen = \"127.0.0.1:7000\" }\n".to_owned();
    for child in 0..257 {
        text += &format!("[[node]]\nname = \"n{child}\"\nparent = \"a\"\n");
    }
    assert_told(&text, &["t.toml:3:8", "node `a` has 257 children", "at most 256 children"]);
}

#[test]
fn a_parent_that_nobody_can_dial_is_told_to_listen() {
    let text = mesh_with("links = { listen = \"127.0.0.1:7001\" }\n", "");
    assert_told(
        &text,
        &["t.toml:7:8", "`east` does not listen for links", "child `sh`", "instead: below it: links = {"],
    );
}

#[test]
fn a_standby_parent_below_the_node_is_refused() {
    let text = mesh_with("parent = [\"cn\"]", "parent = [\"cn\", \"sh\"]")
        .replace("serves = [\"mobile.cn\"]", "links = { listen = \"127.0.0.1:7002\" }");
    assert_told(&text, &["t.toml:8:10", "the standby parent `sh` of node `east` lies below it"]);
}

#[test]
fn a_parent_named_twice_is_told() {
    let text = mesh_with("parent = [\"cn\"]", "parent = [\"cn\", \"cn\"]");
    assert_told(&text, &["t.toml:8:17", "node `east` names its parent `cn` twice"]);
}

#[test]
fn an_unknown_primary_parent_is_the_only_mistake_even_beside_a_known_standby() {
    let text = mesh_with("parent = [\"cn\"]", "parent = [\"xxx\", \"hz\"]");
    assert_told(&text, &["t.toml:8:11", "unknown parent `xxx` of node `east`"]);
}

#[test]
fn an_empty_list_of_parents_is_no_root() {
    let text = mesh_with("parent = [\"cn\"]", "parent = []");
    assert!(mistakes(&text).to_string().contains("`parent` of node `east` is an empty list"));
}

#[test]
fn a_partition_delegated_twice_names_both_owners() {
    let text = mesh_with("name = \"hz\"", "name = \"hz\"\npartitions = [\"sh.east.cn\"]");
    assert_told(
        &text,
        &[
            "t.toml:17:15",
            "`sh.east.cn` is delegated twice: to `sh` (line 11) and to `hz`",
            "serves = [\"sh.east.cn\"]",
        ],
    );
}

#[test]
fn a_partition_outside_of_its_parents_is_told_a_better_name() {
    let text = mesh_with("name = \"hz\"", "name = \"hz\"\npartitions = [\"hz.north.cn\"]");
    assert_told(
        &text,
        &[
            "t.toml:17:15",
            "partition `hz.north.cn` of node `hz` lies outside of what its parent `east` owns (east.cn)",
            "instead: partitions = [\"hz.east.cn\"]",
        ],
    );
}

#[test]
fn a_partition_inside_of_what_another_node_was_given_is_refused() {
    let text = format!("{MESH}[[node]]\nname = \"north\"\nparent = \"cn\"\npartitions = [\"x.east.cn\"]\n");
    assert_told(
        &text,
        &[
            "t.toml:22:15",
            "`x.east.cn` of node `north` lies inside `east.cn`, which is delegated to `east`",
            "below `east`",
        ],
    );
}

#[test]
fn a_bad_partition_name_is_told() {
    let text = mesh_with("\"mobile.cn\"]\nlinks", "\"mobile_1.cn\"]\nlinks")
        .replace("serves = [\"mobile.cn\"]\n", "");
    assert_told(&text, &["t.toml:4:21", "bad partition name \"mobile_1.cn\" in node `cn`", "mobile_1"]);
}

#[test]
fn a_node_that_owns_nothing_is_told_its_default() {
    let text = mesh_with("name = \"hz\"", "name = \"hz\"\npartitions = []");
    assert_told(&text, &["t.toml:17:14", "node `hz` owns no partition", "partitions = [\"hz.east.cn\"]"]);
}

#[test]
fn serving_an_unknown_partition_offers_the_likely_one() {
    let text = mesh_with("serves = [\"mobile.cn\"]", "serves = [\"mobil.cn\"]");
    assert_told(
        &text,
        &["t.toml:13:11", "`sh` serves `mobil.cn`, which no node owns", "instead: \"mobile.cn\""],
    );
}

#[test]
fn serving_a_partition_of_a_sibling_is_refused() {
    let text = mesh_with("serves = [\"mobile.cn\"]", "serves = [\"hz.east.cn\"]");
    assert_told(&text, &["t.toml:13:11", "`sh` serves `hz.east.cn` of `hz`, which is not above it"]);
}

#[test]
fn serving_what_one_owns_or_serving_twice_is_told() {
    let own = mesh_with("serves = [\"mobile.cn\"]", "serves = [\"sh.east.cn\"]");
    assert_told(&own, &["t.toml:13:11", "node `sh` serves `sh.east.cn`, which it owns"]);
    let twice = mesh_with("serves = [\"mobile.cn\"]", "serves = [\"mobile.cn\", \"mobile.cn\"]");
    assert_told(&twice, &["t.toml:13:24", "node `sh` serves `mobile.cn` twice"]);
}

#[test]
fn two_nodes_with_one_address_are_told_both_lines() {
    let text = mesh_with("8002", "8001");
    assert_told(
        &text,
        &[
            "t.toml:18:24",
            "127.0.0.1:8001 of `hz`.terminals clashes with 127.0.0.1:8001 of `sh`.terminals (line 14)",
            "instead: another port",
        ],
    );
}

#[test]
fn a_wildcard_clashes_with_every_address_of_its_machine() {
    let text = mesh_with(
        "terminals = { listen = \"127.0.0.1:8002\" }",
        "terminals = { listen = \"0.0.0.0:8001\", advertise = \"127.0.0.1:8002\" }",
    );
    assert_told(&text, &["t.toml:18:24", "0.0.0.0:8001 of `hz`.terminals clashes with 127.0.0.1:8001"]);
}

#[test]
fn admin_and_terminals_of_one_node_clash() {
    let text = format!("{MESH}admin = {{ listen = \"127.0.0.1:8002\" }}\n");
    assert_told(
        &text,
        &["t.toml:19:20", "`hz`.admin clashes with 127.0.0.1:8002 of `hz`.terminals", "another port\n"],
    );
}

/// The mesh with a forwarder at both sites, and what else `hz` has.
fn with_media(sh: &str, hz: &str) -> String {
    let sh = format!("terminals = {{ listen = \"127.0.0.1:8001\" }}\nmedia = {{ {sh} }}\n");
    let mesh = MESH.replace("terminals = { listen = \"127.0.0.1:8001\" }\n", &sh);
    format!("{mesh}{hz}\n")
}

#[test]
fn every_port_of_every_kind_is_compared_with_every_other() {
    let four = "listen = \"127.0.0.1:6000\", workers = 4";
    let plain = "listen = \"127.0.0.1:6000\", workers = 1, plain_ports = \"6998-8003\"";
    let cases = [
        (
            four,
            "media = { listen = \"127.0.0.1:6003\", workers = 1 }",
            "6003 of `hz`.media clashes with 127.0.0.1:6000-6003",
        ),
        (
            four,
            "media = { listen = \"127.0.0.1:5998\", workers = 3 }",
            "5998-6000 of `hz`.media clashes with",
        ),
        (four, "admin = { listen = \"127.0.0.1:6001\" }", "127.0.0.1:6001 of `hz`.admin clashes with"),
        (four, "links = { listen = \"127.0.0.1:6002\" }", "127.0.0.1:6002 of `hz`.links clashes with"),
        (
            four,
            "media = { listen = \"127.0.0.1:6100\", plain_ports = \"5000-6000\" }",
            "127.0.0.1:5000-6000 of `hz`.media.plain_ports clashes with 127.0.0.1:6000-6003 of `sh`.media",
        ),
        (plain, "", "6998-8003 of `sh`.media.plain_ports clashes with 127.0.0.1:7000 of `cn`.links"),
        (
            "listen = \"127.0.0.1:6000\", plain_ports = \"5000-5999\"",
            "media = { listen = \"127.0.0.1:6100\", workers = 1, plain_ports = \"5900-6050\" }",
            "5900-6050 of `hz`.media.plain_ports clashes with 127.0.0.1:6000 of `sh`.media",
        ),
        (
            "listen = \"127.0.0.1:6000\", plain_ports = \"5000-5900\"",
            "media = { listen = \"127.0.0.1:6100\", plain_ports = \"5900-5999\" }",
            "5900-5999 of `hz`.media.plain_ports clashes with 127.0.0.1:5000-5900 of `sh`.media.plain_ports",
        ),
    ];
    for (sh, hz, told) in cases {
        assert_told(&with_media(sh, hz), &[told]);
    }
}

#[test]
fn ports_of_the_two_protocols_and_of_two_machines_do_not_clash() {
    let udp_only = "listen = \"127.0.0.1:6000\", workers = 4, tcp = false";
    topology(&with_media(udp_only, "admin = { listen = \"127.0.0.1:6001\" }"));
    let plain = "listen = \"127.0.0.1:6000\", workers = 4, plain_ports = \"8000-8010\"";
    topology(&with_media(plain, "admin = { listen = \"127.0.0.1:6004\" }"));
    let media =
        |host| format!("listen = \"0.0.0.0:6000\", workers = 4, advertise = \"{host}.example.com:6000\"");
    let other = format!("host = \"elsewhere\"\nmedia = {{ {} }}", media("hz"));
    topology(&with_media(&media("sh"), &other));
}

#[test]
fn workers_that_share_their_advertised_ports_are_told() {
    let media = |port, advertise| {
        format!("listen = \"127.0.0.1:{port}\", workers = 4, advertise = \"sh.example.com:{advertise}\"")
    };
    let text = with_media(&media(6_000, 6_000), &format!("media = {{ {} }}", media(6_100, 6_003)));
    assert_told(&text, &["`hz` and `sh` (line 15) are both reached under sh.example.com:6003"]);
    topology(&with_media(&media(6_000, 6_000), &format!("media = {{ {} }}", media(6_100, 6_004))));
}

#[test]
fn workers_need_a_port_each() {
    let text = with_media("listen = \"127.0.0.1:65534\", workers = 4", "");
    assert_told(&text, &["the ports of 4 workers do not fit behind 65534 of `listen`", "a port up to 65532"]);
}

#[test]
fn links_are_udp_and_do_not_clash_with_terminals() {
    topology(&mesh_with("127.0.0.1:7001", "127.0.0.1:8001"));
}

#[test]
fn nodes_on_different_machines_may_listen_alike() {
    let listen = |host| {
        format!("terminals = {{ listen = \"0.0.0.0:8888\", advertise = \"{host}.example.com:8888\" }}")
    };
    let text = MESH
        .replace("terminals = { listen = \"127.0.0.1:8001\" }", &listen("sh"))
        .replace("terminals = { listen = \"127.0.0.1:8002\" }", &listen("hz"));
    topology(&text);
}

#[test]
fn nodes_behind_one_address_are_told_apart_by_host() {
    let listen =
        |port| format!("terminals = {{ listen = \"0.0.0.0:8888\", advertise = \"nat.example.com:{port}\" }}");
    let text = MESH
        .replace("terminals = { listen = \"127.0.0.1:8001\" }", &listen(1))
        .replace("terminals = { listen = \"127.0.0.1:8002\" }", &listen(2));
    assert_told(&text, &["if the two run on different machines: host = \"hz\""]);
    topology(&text.replace("name = \"hz\"", "name = \"hz\"\nhost = \"rack-2\""));
}

#[test]
fn one_advertised_address_for_two_nodes_is_refused() {
    let listen =
        |ip| format!("terminals = {{ listen = \"{ip}:8888\", advertise = \"sh.example.com:8888\" }}");
    let text = MESH
        .replace("terminals = { listen = \"127.0.0.1:8001\" }", &listen("10.0.0.1"))
        .replace("terminals = { listen = \"127.0.0.1:8002\" }", &listen("10.0.0.2"));
    assert_told(
        &text,
        &["t.toml:18:53", "`hz` and `sh` (line 14) are both reached under sh.example.com:8888"],
    );
}

#[test]
fn a_wildcard_needs_an_advertised_address() {
    let text = mesh_with("127.0.0.1:8002", "0.0.0.0:8002");
    assert_told(
        &text,
        &["t.toml:18:24", "nobody can dial 0.0.0.0:8002", "advertise = \"sh.example.com:8002\""],
    );
}

#[test]
fn bad_addresses_say_why() {
    assert_told(&mesh_with("127.0.0.1:8002", "127.0.0.1:0"), &["t.toml:18:24", "port 0 means any free port"]);
    assert_told(
        &mesh_with("127.0.0.1:8002", "localhost:1"),
        &["`listen` = \"localhost:1\": it is not an IP address"],
    );
    let advertise = mesh_with("\"127.0.0.1:8002\"", "\"127.0.0.1:8002\", advertise = \"https://x\"");
    assert_told(
        &advertise,
        &["t.toml:18:54", "`advertise` = \"https://x\"", "instead: advertise = \"sh.example.com:8888\""],
    );
}

#[test]
fn one_state_directory_for_two_nodes_is_refused() {
    let text = mesh_with("name = \"hz\"", "name = \"hz\"\nstate = { dir = \"../state/sh\" }");
    assert_told(
        &text,
        &["t.toml:17:17", "`sh` and `hz` keep their state in one directory", "dir = \"../state/hz\""],
    );
}

#[test]
fn an_unknown_key_offers_the_likely_one_and_lists_all() {
    let text = mesh_with("serves =", "server =");
    assert_told(
        &text,
        &[
            "t.toml:13:1",
            "unknown key `server` in [[node]]",
            "instead: serves ([[node]] knows: name, parent, partitions, serves",
        ],
    );
    let text = mesh_with("127.0.0.1:8002\" }", "127.0.0.1:8002\", advertize = \"x:1\" }");
    assert_told(&text, &["unknown key `advertize` in [node.terminals]", "instead: advertise ("]);
    assert_told(
        &format!("nodes = 1\n{MESH}"),
        &["t.toml:1:1", "unknown key `nodes` in the file", "instead: node ("],
    );
}

#[test]
fn a_wrong_type_says_what_belongs_there() {
    let text = mesh_with("parent = [\"cn\"]", "parent = 7");
    assert_told(
        &text,
        &[
            "t.toml:8:10",
            "`parent` is a whole number, but a text belongs here",
            "instead: parent = [\"east\"]",
        ],
    );
    let text = mesh_with("serves = [\"mobile.cn\"]", "serves = \"mobile.cn\"");
    assert_told(&text, &["t.toml:13:10", "`serves` is a text, but a list of texts belongs here"]);
    assert_told(&format!("generation = -1\n{MESH}"), &["t.toml:1:14", "`generation` is not between 1 and"]);
    assert_told("org = \"x\"\nnode = 1\n", &["t.toml:2:8", "`node` is a whole number, but a list of tables"]);
}

#[test]
fn a_text_that_is_not_toml_is_told_where() {
    let text = mesh_with("name = \"hz\"", "name = hz");
    assert_told(&text, &["t.toml:16:8", "this is not TOML", "instead: texts in quotes"]);
    let text = mesh_with("name = \"hz\"", "name = \"hz\"\nname = \"x\"");
    assert_told(
        &text,
        &["t.toml:17:1", "this is not TOML: duplicate key", "instead: each key once in its table"],
    );
}

#[test]
fn one_forgotten_bracket_is_one_mistake_wherever_it_is() {
    let whole = format!(
        "{MESH}media = {{ listen = \"127.0.0.1:44444\" }}\nnear = {{ cidr = [\"10.1.0.0/16\"] }}\n[ice]\nstun = []\n"
    );
    topology(&whole);
    for (at, bracket) in whole.char_indices().filter(|(_, c)| "[]{}\"".contains(*c)) {
        let mut text = whole.clone();
        text.remove(at);
        let Err(mistakes) = Topology::parse("t.toml", &text) else { continue };
        let told = mistakes.to_string();
        let syntax = told.matches("this is not TOML").count();
        let repeated = told.matches("duplicate key").count();
        assert!(syntax <= 1 + repeated && (syntax == 0 || mistakes.list().len() == syntax), "{told}");
        let line = whole[..at].matches('\n').count() + 1;
        if syntax > repeated {
            let last = mistakes.list().last().unwrap();
            assert!((line..=line + 1).contains(&last.line), "{bracket} of line {line} is told so:\n{told}");
            assert!(told.contains('^'), "{told}");
        }
    }
}

#[test]
fn a_missing_or_bad_organisation_is_told() {
    assert_told(
        &mesh_with("org = \"demo\"\n", ""),
        &["t.toml:1:1", "the file has no `org`", "instead: org = \"demo\""],
    );
    assert_told(&mesh_with("org = \"demo\"", "org = \"De mo\""), &["t.toml:1:7", "`org` = \"De mo\""]);
}

#[test]
fn two_names_with_one_id_are_told_to_differ() {
    let mesh = |first: &str, second: &str| {
        let node = |name| format!("[[node]]\nname = \"{name}\"\nparent = \"cn\"\n");
        format!("{MESH}{}{}", node(first), node(second))
    };
    // The first of the names n0, n1, … whose hashes begin alike, as nodes and as partitions.
    topology(&mesh("n13000", "n91550"));
    assert_told(
        &mesh("n13000", "n69721"),
        &["t.toml:23:8", "nodes `cn/n13000` and `cn/n69721` have the same id by chance", "another name"],
    );
    assert_told(
        &mesh("n91550", "n152113"),
        &["t.toml:23:8", "partitions `n91550.cn` and `n152113.cn` have the same id by chance"],
    );
}

#[test]
fn only_full_proxy_registration_is_offered() {
    let text = mesh_with("name = \"hz\"", "name = \"hz\"\nproxy = \"none\"");
    assert_told(&text, &["t.toml:17:9", "`proxy` = \"none\"", "instead: proxy = \"full\""]);
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once_in_the_order_of_lines() {
    let text = MESH
        .replace("parent = [\"cn\"]", "parent = [\"nc\"]")
        .replace("serves =", "server =")
        .replace("8002", "8001")
        .replace("org = \"demo\"", "org = 1");
    let mistakes = mistakes(&text);
    let lines: Vec<usize> = mistakes.list().iter().map(|mistake| mistake.line).collect();
    assert_eq!(lines, [1, 8, 13, 18], "{mistakes}");
    assert!(mistakes.to_string().ends_with("4 mistakes; nothing of the file is used"));
}

#[test]
fn damaged_files_are_told_and_never_panic() {
    let mut state: u64 = 7;
    let mut roll = |sides: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % sides
    };
    for _ in 0..1_000 {
        let mut text: Vec<char> = MESH.chars().collect();
        for _ in 0..=roll(4) {
            let (at, other) = (roll(text.len()), roll(text.len()));
            match roll(4) {
                0 => text.truncate(at.max(1)),
                1 => text.swap(at, other),
                2 => text.insert(at, ['é', '\t', '"', '[', '\n', '=', '.', '0'][roll(8)]),
                _ => drop(text.drain(at.min(other)..at.max(other).min(at.min(other) + 30))),
            }
        }
        let text: String = text.into_iter().collect();
        if let Err(mistakes) = Topology::parse("t.toml", &text) {
            assert!(!mistakes.to_string().is_empty());
        }
    }
}
