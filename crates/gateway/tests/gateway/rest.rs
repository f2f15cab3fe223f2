//! The REST interface in front of a node that answers every signal with what it was asked.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use taoyao_auth::{Account, AllowList};
use taoyao_gateway::{
    Configuration, NotLetIn, Proof, RecordingAnswer, RecordingAsk, RecordingFault, RecordingFile, Rest,
    RestRequest,
};
use taoyao_types::{Role, limits};
use tokio::sync::mpsc;

use crate::support::{Answer, Server};

const ANN: &str = "Basic YW5uOnBlYWNo";
const ADMIN: &str = "Bearer tao_admin";
const JSON: &str = "content-type: application/json\r\n";

#[tokio::test]
async fn who_does_not_log_in_hears_how_and_nothing_of_paths() {
    let rest = Interface::start();
    for (path, authorization) in [
        ("/client/list", ""),
        ("/no/such/path", ""),
        ("/client/list", "authorization: Basic YW5uOnBlYXI=\r\n"),
        ("/client/list", "authorization: Bearer tao_other\r\n"),
    ] {
        let answer = rest.call("GET", path, authorization, "").await;
        assert_eq!((answer.status, answer.text.as_str()), (401, ""), "{path}");
        assert!(answer.head.contains("www-authenticate: Basic Realm=\"taoyao\""), "{}", answer.head);
        assert!(answer.head.contains("www-authenticate: Bearer"), "{}", answer.head);
    }
}

#[tokio::test]
async fn whoever_guesses_is_told_to_wait() {
    let answer = Interface::start().call("GET", "/client/list", "authorization: Bearer hasty\r\n", "").await;
    assert_eq!(answer.status, 503, "it may have been right");
    assert!(answer.head.contains("retry-after: 8"), "{}", answer.head);
    assert!(answer.text.contains("3503"), "{}", answer.text);
}

#[tokio::test]
async fn recordings_are_for_operators_and_come_in_ranges() {
    let rest = Interface::start();
    for (method, path) in [
        ("GET", "/recordings/list"),
        ("GET", "/recordings/status/a"),
        ("GET", "/recordings/media/a"),
        ("GET", "/recordings/preview/a"),
        ("DELETE", "/recordings/a"),
    ] {
        let denied = rest.call(method, path, &as_ann(), "").await;
        assert_eq!((denied.status, denied.json()["code"].as_str()), (403, Some("3403")), "{path}");
    }
    let listed = rest.call("GET", "/recordings/list", &as_admin(""), "").await;
    assert_eq!(listed.json()["body"], json!([{ "id": "a" }]));
    let part = rest.call("GET", "/recordings/media/a", &as_admin("range: bytes=2-4\r\n"), "").await;
    assert_eq!((part.status, part.text.as_str()), (206, "234"), "{}", part.head);
    assert!(part.head.contains("content-range: bytes 2-4/10") && part.head.contains("content-length: 3"));
    let beyond = rest.call("GET", "/recordings/media/a", &as_admin("range: bytes=10-\r\n"), "").await;
    assert_eq!((beyond.status, beyond.text.as_str()), (416, ""));
    for (method, path, status) in [
        ("GET", "/recordings/media/b", 404),
        ("GET", "/recordings/preview/a", 404),
        ("DELETE", "/recordings/a", 200),
        ("DELETE", "/recordings/b", 400),
        ("POST", "/recordings/a", 405),
    ] {
        assert_eq!(rest.call(method, path, &as_admin(""), "").await.status, status, "{method} {path}");
    }
}

#[tokio::test]
async fn a_call_becomes_the_signal_of_its_path() {
    let rest = Interface::start();
    for (method, path, body, signal, fields) in [
        (
            "GET",
            "/client/list?clientType=WEB&limit=3",
            "",
            "client::list",
            json!({ "clientType": "WEB", "limit": 3 }),
        ),
        ("GET", "/client/status/cam-7%40sh", "", "client::status", json!({ "clientId": "cam-7@sh" })),
        ("GET", "/room/status/r%2F1", "", "room::status", json!({ "roomId": "r/1" })),
        ("POST", "/client/reboot/a", "", "client::reboot", json!({ "clientId": "a" })),
        ("DELETE", "/room/r1", "", "room::close", json!({ "roomId": "r1" })),
        ("POST", "/platform/script", r#"{"script":"x"}"#, "platform::script", json!({ "script": "x" })),
    ] {
        let answer = rest.call(method, path, &as_admin(JSON), body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        let heard = rest.heard().await;
        assert_eq!((&heard["header"]["signal"], &heard["body"]), (&json!(signal), &fields), "{path}");
    }
}

#[tokio::test]
async fn a_control_brings_the_terminals_own_message() {
    let rest = Interface::start();
    let rung = rest.call("GET", "/control/bell/a?enabled=true", &as_admin(""), "").await.json();
    assert_eq!(rung["header"]["signal"], "control::bell");
    assert_eq!(rung["body"], json!({ "to": "a", "enabled": true }));
    let body = r#"{"resolution":"720*480","to":"somebody else"}"#;
    let set = rest.call("GET", "/control/config/video/a", &as_admin(JSON), body).await.json();
    assert_eq!(set["body"], json!({ "resolution": "720*480", "to": "a" }));
    let recorded =
        rest.call("POST", "/control/server/record/r/a?enabled=off", &as_admin(""), "").await.json();
    assert_eq!(recorded["body"], json!({ "roomId": "r", "to": "a", "enabled": false }));
}

#[tokio::test]
async fn what_is_wrong_with_a_call_is_told_with_its_place() {
    let rest = Interface::start();
    let long = format!("{{\"type\":\"{}\"}}", "x".repeat(limits::REST_BODY_BYTES_MAX));
    for (method, path, headers, body, status, code) in [
        ("GET", "/no/such?a=b", "", "", 404, "3404"),
        ("PUT", "/client/list", "", "", 405, "3405"),
        ("HEAD", "/client/reboot/a", "", "", 405, ""),
        ("GET", "/control/ptz/a", "", "", 405, "3405"),
        ("GET", "/control/bell/a", "", "", 400, "3400"),
        ("GET", "/control/bell/a?enabled=maybe", "", "", 400, "3400"),
        ("POST", "/control/ptz/a", JSON, "{}", 400, "3400"),
        ("POST", "/control/ptz/a", "", "{}", 415, "3415"),
        ("POST", "/control/ptz/a", JSON, &long, 400, "3400"),
        ("GET", "/client/status/%ff", "", "", 400, "3400"),
        ("GET", "/client/reboot/a", "sec-fetch-site: cross-site\r\n", "", 403, "3403"),
        ("POST", "/client/reboot/a", "sec-fetch-site: same-site\r\n", "", 403, "3403"),
        ("GET", "/room/status/denied", "", "", 403, "3403"),
        ("GET", "/room/status/silent", "", "", 503, "3503"),
    ] {
        let answer = rest.call(method, path, &as_admin(headers), body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
        if method == "HEAD" {
            continue;
        }
        let told = answer.json();
        assert_eq!(
            (&told["code"], &told["body"]["method"]),
            (&json!(code), &json!(method)),
            "{path}: {told}"
        );
        assert!(path.starts_with(told["body"]["path"].as_str().unwrap()), "{told}");
    }
    let answer = rest.call("GET", "/control/ptz/a", &as_admin(""), "").await;
    assert!(answer.head.contains("allow: POST"), "{}", answer.head);
}

#[tokio::test]
async fn settings_are_for_administrators_and_the_rule_is_named() {
    let rest = Interface::start();
    for path in ["/config/media", "/config/webrtc", "/config/socket", "/config/ffmpeg", "/config/rewrite"] {
        assert_eq!(rest.call("GET", path, &as_admin(""), "").await.status, 200, "{path}");
        let refused = rest.call("GET", path, &as_ann(), "").await;
        assert_eq!((refused.status, &refused.json()["code"]), (403, &json!("3403")), "{path}");
        assert!(refused.text.contains("rule role:admin"), "{}", refused.text);
    }
    let media = rest.call("GET", "/config/media", &as_admin(""), "").await.json();
    assert_eq!(media, json!({ "code": "0000", "message": "成功", "body": { "minWidth": 720 } }));
}

#[tokio::test]
async fn the_rooms_are_logged_for_operators_only() {
    let rest = Interface::start();
    assert_eq!(rest.call("POST", "/room/log", &as_admin(""), "").await.status, 200);
    assert_eq!(rest.heard().await["header"]["signal"], "room::list");
    let refused = rest.call("POST", "/room/log", &as_ann(), "").await;
    assert!(refused.status == 403 && refused.text.contains("rule role:operator"), "{}", refused.text);
}

#[tokio::test]
async fn the_signals_are_listed_as_markdown_for_any_account() {
    let answer = Interface::start().call("GET", "/protocol/list", &as_ann(), "").await;
    assert!(answer.head.contains("content-type: text/markdown; charset=utf-8"), "{}", answer.head);
    assert!(answer.text.contains("| `client::list` |"), "{}", answer.text);
}

#[tokio::test]
async fn the_document_and_its_page_are_for_everybody() {
    let rest = Interface::start();
    let document = rest.call("GET", "/v3/api-docs", "", "").await;
    assert!(document.head.contains("content-type: application/json"), "{}", document.head);
    assert!(document.json()["paths"]["/client/list"]["get"].is_object());
    for path in ["/swagger-ui", "/swagger-ui/", "/swagger-ui.html", "/swagger-ui/index.html"] {
        let page = rest.call("GET", path, "", "").await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.head.contains("content-type: text/html"), "{path}: {}", page.head);
    }
    assert_eq!(rest.call("POST", "/v3/api-docs", "", "").await.status, 405);
}

struct Interface {
    server: Server,
    heard: tokio::sync::Mutex<mpsc::Receiver<Value>>,
}

impl Interface {
    fn start() -> Self {
        let (requests, asked) = mpsc::channel(4);
        let (hears, heard) = mpsc::channel(64);
        tokio::spawn(play_node(asked, hears));
        let configuration = Configuration { media: json!({ "minWidth": 720 }), ..Configuration::default() };
        let server = Server::start_with_rest(Rest::new(requests, configuration));
        Self { server, heard: heard.into() }
    }

    /// The envelope that the node was given.
    async fn heard(&self) -> Value {
        self.heard.lock().await.recv().await.unwrap()
    }

    async fn call(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        self.server.dialler.call(method, path, headers, body).await
    }
}

async fn play_node(mut asked: mpsc::Receiver<RestRequest>, hears: mpsc::Sender<Value>) {
    while let Some(request) = asked.recv().await {
        match request {
            RestRequest::Authenticate { ip, proof, reply } => {
                assert!(ip.is_loopback());
                reply.send(authenticate(&proof)).unwrap();
            }
            RestRequest::Signal { account, text, reply } => {
                assert_eq!(&*account.name, "root");
                let asked: Value = serde_json::from_str(&text).unwrap();
                if let Some(answer) = answer(&asked) {
                    reply.send(answer.to_string()).unwrap();
                    hears.send(asked).await.unwrap();
                }
            }
            RestRequest::Recording { account, ask, reply } => {
                assert_eq!(&*account.name, "root");
                reply.send(recording(ask)).unwrap();
            }
        }
    }
}

fn authenticate(proof: &Proof) -> Result<Account, NotLetIn> {
    let account = |name, role| Ok(Account::new(name, [role], AllowList::default(), Vec::new()));
    match proof {
        Proof::Password(shown) if shown.password == "peach" => account(&shown.username, Role::Terminal),
        Proof::Token(shown) if shown.0 == "tao_admin" => account("root", Role::Admin),
        Proof::Token(shown) if shown.0 == "hasty" => Err(NotLetIn::NotLookedAt { seconds: 8 }),
        _ => Err(NotLetIn::Wrong),
    }
}

/// A shelf with one recording of ten bytes.
fn recording(ask: RecordingAsk) -> Result<RecordingAnswer, RecordingFault> {
    match ask {
        RecordingAsk::List => Ok(RecordingAnswer::Told(json!([{ "id": "a" }]))),
        RecordingAsk::Media { id, range } if id == "a" => {
            let wanted = range.map_or(Some(0..10), |range| range.of(10)).ok_or(RecordingFault::Beyond(10))?;
            let bytes = Bytes::from_static(b"0123456789").slice(wanted.start as usize..wanted.end as usize);
            let content = stream::iter([Ok(bytes)]).boxed();
            let (name, content_type, part) = ("a.webm".to_owned(), "video/webm", Some((wanted, 10)));
            let is_partial = range.is_some();
            Ok(RecordingAnswer::File(RecordingFile { name, content_type, part, is_partial, content }))
        }
        RecordingAsk::Delete(id) if id == "a" => Ok(RecordingAnswer::Deleted),
        RecordingAsk::Delete(_) => Err(RecordingFault::UnderWay),
        _ => Err(RecordingFault::Missing),
    }
}

/// What was asked, or an error for rooms of certain names.
fn answer(asked: &Value) -> Option<Value> {
    let (code, message, signal) = match asked["body"]["roomId"].as_str() {
        Some("silent") => return None,
        Some("denied") => ("3403", "denied by rule role:operator", "platform::error"),
        _ => ("0000", "成功", asked["header"]["signal"].as_str()?),
    };
    let header = json!({ "v": "1.0.0", "id": asked["header"]["id"], "signal": signal });
    Some(json!({ "code": code, "message": message, "header": header, "body": asked["body"] }))
}

fn as_admin(headers: &str) -> String {
    format!("authorization: {ADMIN}\r\n{headers}")
}

fn as_ann() -> String {
    format!("authorization: {ANN}\r\n")
}
