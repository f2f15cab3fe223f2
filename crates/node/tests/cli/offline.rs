//! Commands that need no running node: help, topology, certificates, users, completion.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::Site;

#[test]
fn help_is_grouped_and_a_wrong_command_line_is_a_usage_error() {
    let site = Site::new();
    let help = site.run(&["--help"]).ends_with(0);
    for group in ["Run a mesh:", "Prepare one:", "Look into a running one:", "Exit codes:"] {
        assert!(help.out.contains(group), "{}", help.out);
    }
    assert!(!help.out.contains('\x1b'), "colours in a pipe: {:?}", help.out);
    site.run(&["stauts"]).ends_with(64);
    site.run(&["user"]).ends_with(64);
    let completion = site.run(&["completion", "bash"]).ends_with(0);
    assert!(completion.out.contains("_taoyao()"));
}

#[test]
fn without_a_command_the_demo_is_looked_for() {
    let missing = Site::new().run(&[]).ends_with(74);
    assert!(missing.err.contains("topology/demo.toml"), "{}", missing.err);
}

#[test]
fn a_good_topology_is_counted_and_drawn() {
    let site = Site::new();
    let check = site.run(&["topology", "check", "mesh.toml"]).ends_with(0);
    assert_eq!(check.out, "mesh.toml: ok: 5 nodes, 3 tiers, 5 partitions, generation 1\n");
    let show = site.run(&["topology", "show", "mesh.toml"]).ends_with(0);
    assert!(show.out.contains("└─ sh"), "{}", show.out);
    let json = site.run(&["topology", "show", "--json", "mesh.toml"]).ends_with(0).json();
    assert_eq!(json["nodes"].as_array().unwrap().len(), 5);
}

#[test]
fn every_mistake_of_a_topology_is_told_at_once() {
    let site = Site::new();
    let text = fs::read_to_string(site.path("mesh.toml")).unwrap();
    let bad = text.replace("parent = [\"east\"]", "parent = [\"esat\"]").replace("org =", "ogr =");
    fs::write(site.path("bad.toml"), bad).unwrap();
    let check = site.run(&["topology", "check", "bad.toml"]).ends_with(1);
    assert!(
        check.err.contains("esat") && check.err.contains("\"east\"") && check.err.contains("ogr"),
        "{}",
        check.err
    );
    let json = site.run(&["topology", "check", "--json", "bad.toml"]).ends_with(1).json();
    assert_eq!(json["ok"], false);
    assert!(json["mistakes"].as_array().unwrap().len() >= 2, "{json}");
    site.run(&["up", "bad.toml"]).ends_with(78);
    site.run(&["topology", "check", "none.toml"]).ends_with(74);
}

#[test]
fn certificates_are_made_once_and_renewed_when_asked() {
    let site = Site::new();
    site.run(&["topology", "check", "--certs", "mesh.toml"]).ends_with(1);
    let made = site.run(&["cert", "dev", "--json", "mesh.toml"]).ends_with(0).json();
    assert_eq!(made["created"].as_array().unwrap().len(), 11, "{made}");
    let again = site.run(&["cert", "dev", "--json", "mesh.toml"]).ends_with(0).json();
    assert_eq!(again["kept"].as_array().unwrap().len(), 11, "{again}");
    site.run(&["topology", "check", "--certs", "mesh.toml"]).ends_with(0);

    let print = |path: &str| site.run(&["cert", "show", "--json", path]).ends_with(0).json();
    let (before, key) = (print("certs/nodes/sh.crt"), fs::read(site.path("certs/nodes/sh.key")).unwrap());
    assert_eq!(before["identity"], "spiffe://test/node/cn/east/sh");
    site.run(&["cert", "issue", "sh", "--topology", "mesh.toml", "--days", "90", "--renew"]).ends_with(0);
    assert_ne!(print("certs/nodes/sh.crt")["fingerprint"], before["fingerprint"]);
    assert_eq!(fs::read(site.path("certs/nodes/sh.key")).unwrap(), key);
}

#[test]
fn what_is_no_certificate_or_no_node_is_told() {
    let site = Site::new();
    site.run(&["cert", "show", "none.crt"]).ends_with(74);
    site.run(&["cert", "show", "mesh.toml"]).ends_with(78);
    site.run(&["cert", "issue", "sh", "--topology", "mesh.toml"]).ends_with(74);
    let unknown = site.run(&["cert", "issue", "shh", "--topology", "mesh.toml"]).ends_with(64);
    assert!(unknown.err.contains("it has: cn, east, sh, north, bj"), "{}", unknown.err);
}

#[test]
fn accounts_are_kept_as_hashes_in_a_private_file() {
    let site = Site::new();
    let user = |arguments: &[&str], input: &str| {
        let arguments = [&["user"][..], arguments, &["--topology", "mesh.toml"]].concat();
        site.run_with_input(&arguments, input)
    };
    user(&["add", "ann", "--password-stdin", "--partition", "sh.east.cn"], "correct horse\n").ends_with(0);
    let text = fs::read_to_string(site.path("users.toml")).unwrap();
    assert!(text.contains("$argon2id$") && !text.contains("correct horse"), "{text}");
    assert_eq!(fs::metadata(site.path("users.toml")).unwrap().permissions().mode() & 0o777, 0o600);

    user(&["add", "ann", "--password-stdin"], "another").ends_with(64);
    user(&["add", "bob", "--password-stdin"], "").ends_with(64);
    user(&["add", "bob", "--password-stdin"], "two\nlines\n").ends_with(64);
    let unknown = user(&["add", "bob", "--password-stdin", "--partition", "xx.cn"], "x").ends_with(64);
    assert!(unknown.err.contains("bj.north.cn, cn, east.cn, north.cn, sh.east.cn"), "{}", unknown.err);

    let list = user(&["list", "--json"], "").ends_with(0).json();
    let ann = serde_json::json!({
        "name": "ann", "partitions": ["sh.east.cn"], "anywhere": false, "clients": [],
        "roles": ["terminal"], "signals": [], "tokens": [],
    });
    assert_eq!(list, serde_json::json!([ann]));
    user(&["remove", "ann"], "").ends_with(0);
    user(&["remove", "ann"], "").ends_with(64);
}

#[test]
fn a_token_is_shown_once_and_kept_as_a_hash() {
    let site = Site::new();
    let user = |arguments: &[&str], input: &str| {
        let arguments = [&["user"][..], arguments, &["--topology", "mesh.toml"]].concat();
        site.run_with_input(&arguments, input)
    };
    let roles = ["--role", "terminal", "--role", "operator", "--signal", "room::*"];
    user(&[&["add", "ann", "--password-stdin"][..], &roles].concat(), "correct horse\n").ends_with(0);
    user(&["add", "bob", "--password-stdin", "--role", "king"], "x").ends_with(64);

    let made = user(&["token", "ann", "--name", "laptop"], "").ends_with(0);
    let token = made.out.trim();
    assert!(token.starts_with("tao_") && token.len() == 47, "{token}");
    assert!(!fs::read_to_string(site.path("users.toml")).unwrap().contains(token));
    user(&["token", "ann", "--name", "laptop"], "").ends_with(64);
    user(&["token", "bob"], "").ends_with(64);

    let list = user(&["list", "--json"], "").ends_with(0).json();
    assert_eq!(list[0]["tokens"], serde_json::json!(["laptop"]));
    assert_eq!(list[0]["roles"], serde_json::json!(["terminal", "operator"]));
    user(&["token", "ann", "--revoke", "laptop"], "").ends_with(0);
    user(&["token", "ann", "--revoke", "laptop"], "").ends_with(64);
}

#[test]
fn a_mesh_that_does_not_run_is_not_reachable() {
    let site = Site::new();
    for command in ["status", "links", "terminals"] {
        let silent = site.run(&[command, "--topology", "mesh.toml"]).ends_with(69);
        assert!(silent.err.contains("no node of mesh.toml is running"), "{}", silent.err);
    }
    let one = site.run(&["status", "--node", "sh", "--topology", "mesh.toml"]).ends_with(69);
    assert!(one.err.contains("cn/east/sh"), "{}", one.err);
    site.run(&["trace", "ann@sh.east.cn", "bob@bj.north.cn", "--topology", "mesh.toml"]).ends_with(69);
    site.run(&["trace", "ann", "bob@bj.north.cn", "--topology", "mesh.toml"]).ends_with(64);
}
