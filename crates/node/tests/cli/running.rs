//! Commands that run nodes, and those that look into them while they run.

use std::time::Instant;

use serde_json::Value;

use crate::support::{PATIENCE, Run, Site, Started};
use crate::terminal::Terminal;

/// Somebody else may take a port between its choice and its use.
const ATTEMPTS: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn a_mesh_comes_up_is_looked_into_and_drains() {
    let (site, up, ready) = started(|site| site.start(&["up", "mesh.toml", "--json"]));
    assert_eq!(ready["nodes"].as_array().unwrap().len(), 5, "{ready}");
    assert_eq!(
        ready["open"],
        site.terminal_url("sh").replace("wss:", "https:").replace("websocket.signal", "")
    );

    let status = ask(&site, &["status"]).ends_with(0);
    assert_eq!(status.out.matches(" ready ").count(), 5, "{}", status.out);
    let links = ask(&site, &["links", "--json"]).ends_with(0).json();
    assert_eq!(links["links"].as_array().unwrap().len(), 4, "{links}");

    let authority = site.path("certs/ca.crt");
    let mut ann = Terminal::connect(&site.terminal_url("sh"), &authority).await;
    ann.register("ann").await;
    let mut bob = Terminal::connect(&site.terminal_url("bj"), &authority).await;
    bob.register("bob").await;
    let names = eventually_two_terminals(&site);
    assert_eq!(names, ["bob@bj.north.cn", "ann@sh.east.cn"]);

    let trace = eventually_traced(&site);
    let hops: Vec<&str> = trace
        .out
        .lines()
        .filter(|line| line.trim_start().starts_with(char::is_numeric))
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    assert_eq!(hops, ["cn/east/sh", "cn/east", "cn", "cn/north", "cn/north/bj"], "{}", trace.out);
    assert!(trace.out.contains("back the same way: cn/north/bj"), "{}", trace.out);
    let nobody = ask(&site, &["trace", "ann@sh.east.cn", "nobody@bj.north.cn"]).ends_with(1);
    assert!(nobody.err.contains("no such terminal") && !nobody.err.contains('{'), "{}", nobody.err);

    let (ended, said) = up.stop("INT");
    assert!(ended.success(), "{ended}: {said}");
    assert!(said.contains("ended: 5 nodes drained") && said.contains("2 terminals"), "{said}");
    ask(&site, &["status"]).ends_with(69);
}

#[test]
fn a_node_by_itself_says_that_it_serves_and_what_it_waits_for() {
    let (site, node, line) = started(|site| {
        site.run(&["cert", "dev", "mesh.toml"]).ends_with(0);
        site.start(&["node", "sh", "--topology", "mesh.toml", "--json"])
    });
    assert_eq!(line["node"], "cn/east/sh");
    assert_eq!(line["terminals"], site.terminal_url("sh"));

    let status = ask(&site, &["status", "--node", "sh"]).ends_with(1);
    assert!(
        status.out.contains("not ready") && status.err.contains("cn/east/sh: not ready:"),
        "{}",
        status.err
    );
    // The others have no token here, so the mesh as a whole is not well.
    let all = ask(&site, &["status", "--json"]).ends_with(1).json();
    let silent = all.as_array().unwrap().iter().filter(|entry| entry["error"].is_string()).count();
    assert_eq!(silent, 4, "{all}");

    let twice = site.run(&["node", "sh", "--topology", "mesh.toml"]).ends_with(74);
    assert!(twice.err.contains("another process"), "{}", twice.err);
    let (ended, said) = node.stop("TERM");
    assert!(ended.success() && said.contains("ended: 1 node drained"), "{ended}: {said}");
}

#[test]
fn a_node_without_certificates_names_them() {
    let site = Site::new();
    let refused = site.run(&["node", "sh", "--topology", "mesh.toml"]).ends_with(78);
    assert!(
        refused.err.contains("certs/nodes/sh.crt") && refused.err.contains("taoyao cert"),
        "{}",
        refused.err
    );
    site.run(&["node", "shh", "--topology", "mesh.toml"]).ends_with(64);
}

/// Starts something until it gets its ports; returns what it printed first.
fn started(start: impl Fn(&Site) -> Started) -> (Site, Started, Value) {
    let mut said = String::new();
    for _ in 0..ATTEMPTS {
        let site = Site::new();
        let mut program = start(&site);
        if let Some(ready) = program.next_json() {
            return (site, program, ready);
        }
        said = program.ended().1;
    }
    panic!("it did not start, {ATTEMPTS} times: {said}")
}

fn ask(site: &Site, arguments: &[&str]) -> Run {
    site.run(&[arguments, &["--topology", "mesh.toml"]].concat())
}

/// The list asks the nodes themselves; the records that a trace follows climb a little later.
fn eventually_traced(site: &Site) -> Run {
    let end = Instant::now() + PATIENCE;
    loop {
        let trace = ask(site, &["trace", "ann@sh.east.cn", "bob@bj.north.cn"]);
        if trace.code == 0 || Instant::now() >= end {
            return trace.ends_with(0);
        }
    }
}

fn eventually_two_terminals(site: &Site) -> Vec<String> {
    let end = Instant::now() + PATIENCE;
    loop {
        let list = ask(site, &["terminals", "--json"]).ends_with(0).json();
        let names: Vec<String> = list["terminals"]
            .as_array()
            .unwrap()
            .iter()
            .map(|terminal| terminal["name"].as_str().unwrap().to_owned())
            .collect();
        if names.len() == 2 {
            return names;
        }
        assert!(Instant::now() < end, "{names:?}");
    }
}
