//! The table of reference section 1.4 on a real node, row by row; its row on silence is in `a_minute`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::mesh::Mesh;
use crate::shape::ONE;
use crate::terminal::{Ears, Heard, Terminal, envelope, hear, hear_close, registration};
use crate::witness::Witness;

/// What a peer sends, and the code, the words and the id of the error that answers it.
const ROWS: &[(&str, &str, &str, Option<i64>)] = &[
    ("hello", "9999", "JSON转Java失败：hello", None),
    ("{\"header\":{\"v\":\"1\",\"id\":\"x\",\"signal\":\"s\"}}", "9999", "JSON转Java失败：{\"header\"", None),
    ("null", "1002", "信令消息格式错误（解析失败）", None),
    ("{}", "1002", "信令消息格式错误（没有头部）", None),
    ("{\"header\":{\"id\":3,\"signal\":\"s\"}}", "1002", "信令消息格式错误（缺失头部关键参数）", Some(3)),
    ("{\"header\":{\"v\":\"1\",\"signal\":\"s\"}}", "1002", "信令消息格式错误（缺失头部关键参数）", None),
    ("{\"header\":{\"v\":\"1\",\"id\":4}}", "1002", "信令消息格式错误（缺失头部关键参数）", Some(4)),
    (
        "{\"header\":{\"v\":\"1\",\"id\":5,\"signal\":\"client::nonsense\"}}",
        "3415",
        "不支持的信令协议：client::nonsense",
        Some(5),
    ),
];
const HEARTBEAT: &str = "{\"header\":{\"v\":\"1\",\"id\":6,\"signal\":\"client::heartbeat\"}}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_is_answered_in_its_words_and_the_connection_stays() {
    let mesh = Mesh::start(ONE).await;
    let witness = Witness::at(&mesh, "cn").await;
    let port = mesh.place("cn").terminals;
    let (stranger, mut ears) = mesh.dialler().terminal(port).await.unwrap();
    for row in ROWS {
        assert_answered(&stranger, &mut ears, row).await;
    }
    let unauthorised = (HEARTBEAT, "3401", "终端没有授权", Some(6));
    assert_answered(&stranger, &mut ears, &unauthorised).await;

    // The same of a terminal that has registered, on the connection that has seen it all.
    let answer = stranger.request("client::register", registration("patient")).await.unwrap();
    assert!(answer["body"]["index"].is_u64(), "{answer}");
    for row in ROWS {
        assert_answered(&stranger, &mut ears, row).await;
    }
    stranger.say(Message::text(HEARTBEAT));
    let echo = next_with_id(&mut ears, 6).await;
    assert_eq!((&echo["code"], echo.get("body")), (&json!("0000"), None), "{echo}");
    witness.assert_was_served().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_never_registers_is_closed() {
    let mesh = Mesh::start(ONE).await;
    let witness = Witness::at(&mesh, "cn").await;
    let (stranger, mut ears) = mesh.dialler().terminal(mesh.place("cn").terminals).await.unwrap();
    let begin = Instant::now();
    // A refused registration and any other talk do not count.
    let wrong =
        json!({ "clientId": "thief", "clientType": "WEB", "username": "taoyao", "password": "guess" });
    let refused = stranger.request("client::register", wrong).await.unwrap();
    assert_eq!((&refused["code"], &refused["message"]), (&json!("3401"), &json!("注册失败")));
    stranger.say(Message::text(envelope(9, "client::heartbeat", json!({}))));
    assert_eq!(hear_close(&mut ears).await, Some(1000));
    // 5 s in the node's time; the reference allows up to a minute more.
    let took = begin.elapsed();
    assert!((Duration::from_secs(4)..Duration::from_secs(30)).contains(&took), "{took:?}");
    witness.assert_was_served().await;
}

async fn assert_answered(
    terminal: &Terminal,
    ears: &mut Ears,
    (text, code, words, id): &(&str, &str, &str, Option<i64>),
) {
    terminal.say(Message::text(*text));
    let error = hear(ears, |heard| match heard {
        Heard::Push(push) if push["header"]["signal"] == "platform::error" => Some(push),
        Heard::Push(_) => None,
        Heard::Closed(code) => panic!("{text} closed the connection with {code:?}"),
    })
    .await;
    assert_eq!(error["code"], *code, "{text}: {error}");
    let message = error["message"].as_str().unwrap();
    assert!(message.starts_with(words), "{text}: {error}");
    assert_eq!(error["body"], json!({}), "{text}: {error}");
    if let Some(id) = id {
        assert_eq!(error["header"]["id"], *id, "{text}: {error}");
    }
}

async fn next_with_id(ears: &mut Ears, id: i64) -> Value {
    hear(ears, |heard| match heard {
        Heard::Push(push) if push["header"]["id"] == id => Some(push),
        _ => None,
    })
    .await
}
