//! The admin listener's answers, without a socket but for one test.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use taoyao_admin::{
    AdminCounters, AdminFailure, AdminQuery, AdminRequest, AdminService, ApiToken, Hosts, Kind, Sample,
    router, serve,
};
use tokio::sync::{mpsc, oneshot};
use tower::ServiceExt;

#[tokio::test]
async fn a_node_is_healthy_without_being_asked() {
    let (router, _never_answered) = silent();
    assert_eq!(get(&router, "/healthz").await, (200, "alive\n".into()));
}

#[tokio::test]
async fn a_node_that_is_not_ready_says_what_for() {
    assert_eq!(get(&node(Vec::new()), "/readyz").await, (200, "ready\n".into()));
    let waiting = node(vec!["link to cn/east: dialling".into(), "directory: not complete".into()]);
    let lines = "link to cn/east: dialling\ndirectory: not complete\n";
    assert_eq!(get(&waiting, "/readyz").await, (503, lines.into()));
}

#[tokio::test]
async fn metrics_need_no_token() {
    let (status, text) = get(&node(Vec::new()), "/metrics").await;
    assert_eq!(status, 200);
    let own = "# HELP taoyao_up Whether.\n# TYPE taoyao_up gauge\ntaoyao_up{node=\"cn\"} 1\n";
    assert!(text.starts_with(own) && text.contains("\ntaoyao_admin_accepts_failed_total 0\n"), "{text}");
}

#[tokio::test]
async fn the_api_needs_the_token_and_says_where_it_is() {
    let router = node(Vec::new());
    for path in ["/api/status", "/api/terminals", "/api/links", "/api/nothing"] {
        for header in [None, Some("Bearer wrong"), Some("Basic s3cret")] {
            let (status, body) = ask(&router, Method::GET, path, header, "").await;
            assert_eq!(status, 401, "{path} {header:?}");
            assert!(body.contains("state/admin-token") && !body.contains("s3cret"), "{body}");
        }
    }
    for path in ["/api/trace", "/api/drain"] {
        assert_eq!(ask(&router, Method::POST, path, None, "{}").await.0, 401, "{path}");
    }
}

#[tokio::test]
async fn the_token_for_reading_changes_nothing() {
    let router = node(Vec::new());
    let reader = Some("Bearer l00k");
    for path in
        ["/api/status", "/api/terminals", "/api/links", "/api/alarms", "/api/rooms", "/api/recordings"]
    {
        assert_eq!(ask(&router, Method::GET, path, reader, "").await.0, 200, "{path}");
    }
    let trace = r#"{"from": "a@cn", "to": "b@cn"}"#;
    assert_eq!(ask(&router, Method::POST, "/api/trace", reader, trace).await.0, 200);
    for path in ["/api/drain", "/api/status", "/api/anything"] {
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            let (status, body) = ask(&router, method, path, reader, "{}").await;
            assert_eq!(status, 403, "{path}: {body}");
            assert!(body.contains("state/admin-token") && !body.contains("s3cret"), "{body}");
        }
    }
}

#[tokio::test]
async fn questions_reach_the_node_as_they_were_meant() {
    let router = node(Vec::new());
    for (method, path, body, query) in [
        (Method::GET, "/api/status", "", "Status"),
        (Method::GET, "/api/links", "", "Links"),
        (Method::GET, "/api/terminals", "", "Terminals { partition: None, limit: 100, after: None }"),
        (
            Method::GET,
            "/api/terminals?partition=sh.east.cn&limit=5000&after=cam-7",
            "",
            "Terminals { partition: Some(sh.east.cn), limit: 1000, after: Some(\"cam-7\") }",
        ),
        (
            Method::POST,
            "/api/trace",
            r#"{"from": "cam-7", "to": "cam-8@bj.north.cn"}"#,
            "Trace { from: \"cam-7\", to: \"cam-8@bj.north.cn\" }",
        ),
        (Method::GET, "/api/alarms", "", "Alarms { limit: 100 }"),
        (Method::GET, "/api/alarms?limit=5000", "", "Alarms { limit: 1024 }"),
        (Method::POST, "/api/drain", "", "Drain"),
    ] {
        let (status, text) = ask(&router, method, path, Some("Bearer s3cret"), body).await;
        assert_eq!((status, json_of(&text)), (200, json!({ "asked": query })), "{path}");
    }
}

#[tokio::test]
async fn bad_questions_are_answered_in_words() {
    let router = node(Vec::new());
    for (method, path, body, status, words) in [
        (Method::GET, "/api/terminals?partition=No%20Such", "", 400, "No Such"),
        (Method::GET, "/api/terminals?limit=many", "", 400, "limit"),
        (Method::GET, "/api/terminals?page=2", "", 400, "page"),
        (Method::GET, "/api/alarms?limit=all", "", 400, "limit"),
        (Method::POST, "/api/trace", r#"{"from": "cam-7"}"#, 400, "to"),
        (Method::POST, "/api/trace", r#"{"from": "cam-7", "to": "nobody"}"#, 404, "There is no nobody."),
        (Method::GET, "/api/drain", "", 405, "/api/drain cannot be asked for with GET."),
        (Method::GET, "/api/nothing", "", 404, "There is nothing at /api/nothing."),
        (Method::GET, "/nothing", "", 404, "There is nothing at /nothing."),
    ] {
        let (found, text) = ask(&router, method, path, Some("Bearer s3cret"), body).await;
        assert_eq!(found, status, "{path}: {text}");
        assert!(json_of(&text)["error"].as_str().unwrap().contains(words), "{path}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_does_not_answer_gives_504() {
    let (router, _never_answered) = silent();
    assert_eq!(get(&router, "/readyz").await, (504, "The node did not answer within 10 s.\n".into()));
    let (status, text) = ask(&router, Method::GET, "/api/status", Some("Bearer s3cret"), "").await;
    assert_eq!((status, json_of(&text)), (504, json!({ "error": "The node did not answer within 10 s." })));
}

#[tokio::test]
async fn a_node_that_is_gone_gives_503() {
    let (router, requests) = silent();
    drop(requests);
    assert_eq!(get(&router, "/readyz").await, (503, "The node is stopping.\n".into()));
}

#[tokio::test]
async fn it_serves_a_socket_until_it_is_told_to_stop() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move { stopped.await.unwrap() };
    let serving = tokio::spawn(async move {
        serve(listener, node(Vec::new()), Hosts::ours([]), &AdminCounters::default(), shutdown).await;
    });
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    socket.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("alive\n"), "{answer}");
    stop.send(()).unwrap();
    serving.await.unwrap();
}

#[tokio::test]
async fn every_path_needs_a_host_of_ours_and_the_head_in_time() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let _serving = tokio::spawn(async move {
        let hosts = Hosts::ours(["node1.example"]);
        serve(listener, node(Vec::new()), hosts, &AdminCounters::default(), std::future::pending()).await;
    });
    let ask = async |request: String| {
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    };
    for path in ["/healthz", "/readyz", "/metrics", "/api/status", "/api/rooms", "/nothing"] {
        for (host, refused) in [
            ("host: evil.example\r\n", Some(421)),
            ("", Some(400)),
            ("host: localhost:1\r\nhost: evil.example\r\n", Some(400)),
            ("host: 127.0.0.1:9001\r\n", None),
            ("host: node1.example\r\n", None),
        ] {
            let answer = ask(format!("GET {path} HTTP/1.1\r\n{host}connection: close\r\n\r\n")).await;
            let status: u16 = answer.split(' ').nth(1).unwrap().parse().unwrap();
            assert_eq!(
                Some(status).filter(|status| matches!(status, 400 | 421)),
                refused,
                "{path} {host:?}: {answer}"
            );
        }
    }
    let began = tokio::time::Instant::now();
    ask("GET /healthz HTTP/1.1\r\nhost: ".to_owned()).await;
    assert!(
        began.elapsed() < std::time::Duration::from_secs(20),
        "a head that never ends: {:?}",
        began.elapsed()
    );
}

/// A listener whose node answers.
fn node(missing: Vec<String>) -> Router {
    let (router, mut requests) = silent();
    tokio::spawn(async move {
        while let Some(request) = requests.recv().await {
            match request {
                AdminRequest::Ready { reply } => reply.send(missing.clone()).unwrap(),
                AdminRequest::Metrics { reply } => reply.send(vec![up()]).unwrap(),
                AdminRequest::Api { query, reply } => reply.send(answer(&query)).unwrap(),
            }
        }
    });
    router
}

fn answer(query: &AdminQuery) -> Result<Value, AdminFailure> {
    match query {
        AdminQuery::Trace { to, .. } if to == "nobody" => Err(AdminFailure::new(404, "There is no nobody.")),
        query => Ok(json!({ "asked": format!("{query:?}") })),
    }
}

fn up() -> Sample {
    let labels = vec![("node", "cn".to_owned())];
    Sample { name: "taoyao_up", help: "Whether.", kind: Kind::Gauge, labels, value: 1.0 }
}

/// A listener, and its node's end.
fn silent() -> (Router, mpsc::Receiver<AdminRequest>) {
    let (sender, requests) = mpsc::channel(8);
    (
        router(AdminService::new(sender, ApiToken::new("s3cret", "state/admin-token").with_reader("l00k"))),
        requests,
    )
}

async fn get(router: &Router, path: &str) -> (u16, String) {
    ask(router, Method::GET, path, None, "").await
}

async fn ask(
    router: &Router,
    method: Method,
    path: &str,
    authorization: Option<&str>,
    body: &str,
) -> (u16, String) {
    let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    let response = router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}
