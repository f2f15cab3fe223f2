//! The operators' view: status, terminals, trace, metrics, readiness and drain over the admin listener.

use std::fs;

use serde_json::{Value, json};
use taoyao_node::report::{StatusReport, TerminalsReport, TraceReport};
use taoyao_node::token_path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Site, until, up};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_between_two_sites_names_five_nodes_and_their_times() {
    let (site, _mesh) = up().await;
    let _ann = site.terminal("sh", "ann").await;
    let _bob = site.terminal("bj", "bob").await;
    let body = json!({ "from": "ann@sh.east.cn", "to": "bob@bj.north.cn" }).to_string();
    // Asked of the site itself, of the other one, and of a node that has neither of the two.
    for node in ["sh", "bj", "cn"] {
        until("both terminals are known everywhere", || async {
            api(&site, node, "POST", "/api/trace", &body).await.0 == 200
        })
        .await;
        let (_, text) = api(&site, node, "POST", "/api/trace", &body).await;
        let trace: TraceReport = serde_json::from_str(&text).unwrap();
        let there: Vec<&str> = trace.there.iter().map(|node| node.as_str()).collect();
        assert_eq!(there, ["cn/east/sh", "cn/east", "cn", "cn/north", "cn/north/bj"], "asked of {node}");
        let back: Vec<&str> = trace.back.iter().map(|hop| hop.node.as_str()).collect();
        let mut reversed = there.clone();
        reversed.reverse();
        assert!(reversed.ends_with(&back) || reversed.starts_with(&back), "{back:?}");
        let times: Vec<u64> = trace.back.iter().map(|hop| hop.round_trip_us).collect();
        assert!(times.is_sorted(), "nearer nodes see longer ways: {times:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_tells_how_it_is_and_who_is_there() {
    let (site, _mesh) = up().await;
    let _ann = site.terminal("sh", "ann").await;
    until("the root knows the terminal", || async {
        let (_, text) = api(&site, "cn", "GET", "/api/status", "").await;
        serde_json::from_str::<StatusReport>(&text).unwrap().directory_records == 1
    })
    .await;
    let (status, text) = api(&site, "east", "GET", "/api/status", "").await;
    let report: StatusReport = serde_json::from_str(&text).unwrap();
    assert_eq!((status, report.node.as_str(), report.tier), (200, "cn/east", 2));
    assert_eq!((report.links.len(), report.not_ready.len()), (2, 0), "{report:?}");
    assert!(report.links.iter().all(|link| link.is_up && link.is_synced && link.round_trip_us.is_some()));
    assert!(report.links.iter().all(|link| link.sent_bytes > 0 && link.reason.is_empty()), "{report:?}");

    let (_, text) = api(&site, "cn", "GET", "/api/terminals", "").await;
    let page: TerminalsReport = serde_json::from_str(&text).unwrap();
    assert_eq!(page.terminals.len(), 1, "{page:?}");
    let ann = &page.terminals[0];
    assert_eq!((ann.name.to_string().as_str(), ann.node.as_str()), ("ann@sh.east.cn", "cn/east/sh"));
    assert_eq!((ann.display_name.as_deref(), ann.client_type.as_deref()), (Some("name of ann"), Some("WEB")));
    assert!(ann.registered_at_ms.unwrap() > 1_700_000_000_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probes_are_open_and_the_api_is_not() {
    let (site, mesh) = up().await;
    let port = site.admin_port("cn");
    assert_eq!(http(port, "GET", "/healthz", None, "").await.0, 200);
    assert_eq!(http(port, "GET", "/readyz", None, "").await.0, 200);
    let (status, text) = http(port, "GET", "/api/status", None, "").await;
    assert_eq!(status, 401);
    let token_file = token_path(site.state_dir("cn")).display().to_string();
    assert!(text.contains(&token_file), "{text}");
    let (status, _) = http(port, "POST", "/api/drain", Some("guess"), "").await;
    assert_eq!(status, 401);
    assert_eq!(mesh.status().await.len(), 5, "nobody was drained");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_without_its_parent_is_alive_but_not_ready_and_says_why() {
    let site = Site::three_tiers();
    let node = site.start("sh").unwrap();
    let port = site.admin_port("sh");
    assert_eq!(http(port, "GET", "/healthz", None, "").await.0, 200);
    let (status, text) = http(port, "GET", "/readyz", None, "").await;
    assert_eq!(status, 503);
    assert!(text.contains("parent"), "{text}");
    until("the reason is known", || async {
        let links = node.status().await.unwrap().links;
        !links[0].is_up && !links[0].reason.is_empty() && !links[0].reason.contains("since this node started")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_move() {
    let (site, _mesh) = up().await;
    let before = metrics(&site, "sh").await;
    let ann = site.terminal("sh", "ann").await;
    let after = metrics(&site, "sh").await;
    for name in ["taoyao_registrations_total", "taoyao_logins_accepted_total", "taoyao_driver_turns_total"] {
        assert!(value(&after, name) > value(&before, name), "{name}\n{after}");
    }
    assert_eq!(value(&after, "taoyao_terminals_registered"), 1.0);
    assert_eq!(value(&after, "taoyao_gateway_websockets"), 1.0);
    assert_eq!(value(&after, "taoyao_link_up{peer=\"cn/east\"}"), 1.0);
    ann.close().await;
    until("the gauge goes down again", || async {
        value(&metrics(&site, "sh").await, "taoyao_terminals_registered") == 0.0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_drains_a_node() {
    let (site, mut mesh) = up().await;
    let mut ann = site.terminal("sh", "ann").await;
    let (asked, frame) = tokio::join!(api(&site, "sh", "POST", "/api/drain", ""), ann.closed());
    assert_eq!(asked.0, 200, "{}", asked.1);
    assert_eq!(frame.map(|frame| u16::from(frame.code)), Some(1001));
    let report = mesh.wait().await.unwrap();
    assert_eq!((report.node.as_str(), report.terminals), ("cn/east/sh", 1));
}

pub(crate) async fn metrics(site: &Site, node: &str) -> String {
    http(site.admin_port(node), "GET", "/metrics", None, "").await.1
}

fn value(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in\n{metrics}")).parse().unwrap()
}

/// Asks the API with the node's own token.
async fn api(site: &Site, node: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    let token = fs::read_to_string(token_path(site.state_dir(node))).unwrap();
    let answer = http(site.admin_port(node), method, path, Some(&token), body).await;
    if answer.0 == 200 {
        serde_json::from_str::<Value>(&answer.1).unwrap();
    }
    answer
}

/// One request on a connection of its own: its status and its body.
async fn http(port: u16, method: &str, path: &str, token: Option<&str>, body: &str) -> (u16, String) {
    let mut tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let authorization = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: localhost\r\n{authorization}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head in {answer:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.unwrap_or_else(|| panic!("no status in {head:?}")), body.to_owned())
}
