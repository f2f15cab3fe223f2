//! The HTTP answers: files, nearest node, probe, errors.

use crate::support::Server;

#[tokio::test]
async fn nearest_answers_json_to_any_origin() {
    let (_gateway, dialler) = Server::start().echo();
    let answer = dialler.http("GET /mesh/nearest?partition=sh.east.cn&lat=31.2&lon=121.5 HTTP/1.1").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("access-control-allow-origin: *"), "{answer}");
    assert!(answer.contains("cache-control: no-store"), "{answer}");
    assert!(answer.contains("content-type: application/json"), "{answer}");
    assert!(answer.contains(r#""ip":"127.0.0.1""#), "{answer}");
    assert!(answer.contains(r#""partition":"sh.east.cn""#) && answer.contains(r#""lat":31.2"#), "{answer}");
}

#[tokio::test]
async fn nearest_says_what_is_wrong_with_a_question() {
    let (_gateway, dialler) = Server::start().echo();
    for (query, status, words) in [
        ("partition=No%20Such", "400", "No Such"),
        ("partition=nowhere", "404", "There is no partition nowhere."),
        ("lat=91&lon=0", "400", "-90 to 90"),
        ("lat=north", "400", "lat"),
    ] {
        let answer = dialler.http(&format!("GET /mesh/nearest?{query} HTTP/1.1")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{query}: {answer}");
        assert!(answer.contains(words), "{query}: {answer}");
        assert!(answer.contains("access-control-allow-origin: *"), "{query}: {answer}");
    }
}

#[tokio::test]
async fn the_probe_is_empty_and_never_kept() {
    let (_gateway, dialler) = Server::start().echo();
    for method in ["GET", "HEAD"] {
        let answer = dialler.http(&format!("{method} /mesh/probe HTTP/1.1")).await;
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
        assert!(answer.contains("access-control-allow-origin: *"), "{answer}");
        assert!(answer.contains("cache-control: no-store"), "{answer}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_protecting_headers() {
    let (_gateway, dialler) = Server::start().echo();
    for path in ["/", "/nothing", "/mesh/probe", "/mesh/nearest", "/websocket.signal"] {
        let answer = dialler.http(&format!("GET {path} HTTP/1.1")).await;
        for header in [
            "content-security-policy: default-src 'none'; script-src 'self'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "permissions-policy: camera=(self)",
        ] {
            assert!(answer.contains(header), "{path} lacks {header}: {answer}");
        }
    }
}

#[tokio::test]
async fn the_client_module_is_served_as_a_script_that_is_asked_for_each_time() {
    let (_gateway, dialler) = Server::start().echo();
    let answer = dialler.http("GET /taoyao.js HTTP/1.1").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("content-type: text/javascript; charset=utf-8"), "{answer}");
    assert!(answer.contains("cache-control: no-cache"), "{answer}");
    let etag = answer.lines().find_map(|line| line.strip_prefix("etag: ")).expect("an etag");
    let again = dialler.http(&format!("GET /taoyao.js HTTP/1.1\r\nif-none-match: {etag}")).await;
    assert!(again.starts_with("HTTP/1.1 304"), "{again}");
    let head = dialler.http("HEAD /taoyao.js HTTP/1.1").await;
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
}

#[tokio::test]
async fn errors_are_plain_sentences() {
    let (_gateway, dialler) = Server::start().echo();
    for (request, status, sentence) in [
        ("POST /", "405", "/ cannot be asked for with POST; use GET."),
        ("DELETE /mesh/nearest", "405", "/mesh/nearest cannot be asked for with DELETE; use GET."),
        ("GET /websocket.signal", "426", "/websocket.signal is for WebSockets"),
    ] {
        let answer = dialler.http(&format!("{request} HTTP/1.1")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{request}: {answer}");
        assert!(answer.contains(sentence), "{request}: {answer}");
        assert!(answer.contains("content-type: text/plain; charset=utf-8"), "{request}: {answer}");
    }
}
