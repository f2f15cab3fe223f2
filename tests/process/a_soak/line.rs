//! A terminal's line that costs little: it reads of a message only whose answer it is, so that the figures are the nodes'.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::terminal::{Socket, envelope};

/// Nodes keep a deadline of 4.75 s; after this long nobody believes in an answer any more.
const SILENCE_AFTER: Duration = Duration::from_secs(15);
/// The first id of a line. The last eight digits of a node's own ids are below it, so that no push is taken for an answer.
const FIRST_ID: i64 = 10_000_000;

/// A connection to a node. Dropping it drops the socket without a word.
pub(super) struct Line {
    out: mpsc::UnboundedSender<Message>,
    heard: Arc<Heard>,
    ids: AtomicI64,
    _serving: JoinSet<()>,
}

#[derive(Default)]
struct Heard {
    waiting: Mutex<BTreeMap<i64, oneshot::Sender<String>>>,
    /// The request whose answer begins the count of messages.
    registering: AtomicI64,
    messages: AtomicU64,
    unicasts: AtomicU64,
}

impl Line {
    pub(super) fn over(socket: Socket) -> Self {
        let (out, said) = mpsc::unbounded_channel();
        let heard = Arc::<Heard>::default();
        let mut serving = JoinSet::new();
        serving.spawn(serve(socket, said, heard.clone()));
        Self { out, heard, ids: AtomicI64::new(FIRST_ID), _serving: serving }
    }

    /// Sends a request. Its answer, if it is a success; otherwise why it is none.
    pub(super) async fn request(&self, signal: &str, body: Value) -> Result<String, String> {
        let (id, answer) = self.wait_for_next();
        if signal == "client::register" {
            self.heard.registering.store(id, Relaxed);
        }
        self.say(envelope(id, signal, body));
        match timeout(SILENCE_AFTER, answer).await {
            Ok(Ok(text)) if text.starts_with("{\"code\":\"0000\"") => Ok(text),
            Ok(Ok(text)) => Err(text),
            Ok(Err(_)) => Err("the connection ended".to_owned()),
            Err(_) => Err("no answer at all".to_owned()),
        }
    }

    /// Sends what nobody waits for.
    pub(super) fn tell(&self, signal: &str, body: Value) {
        self.say(envelope(self.ids.fetch_add(1, Relaxed), signal, body));
    }

    /// Sends a text as it is. What is said after the end is lost, as on any line.
    pub(super) fn say(&self, text: String) {
        let _ended = self.out.send(Message::text(text)).is_err();
    }

    /// Messages that came since the answer to the registration.
    pub(super) fn messages(&self) -> u64 {
        self.heard.messages.load(Relaxed)
    }

    /// Unicasts among them.
    pub(super) fn unicasts(&self) -> u64 {
        self.heard.unicasts.load(Relaxed)
    }

    fn wait_for_next(&self) -> (i64, oneshot::Receiver<String>) {
        let id = self.ids.fetch_add(1, Relaxed);
        let (reply, answer) = oneshot::channel();
        self.heard.waiting.lock().unwrap().insert(id, reply);
        (id, answer)
    }
}

impl Heard {
    fn take(&self, text: &str) {
        self.messages.fetch_add(1, Relaxed);
        let Some(id) = id_of(text) else { return };
        if id == self.registering.load(Relaxed) {
            self.messages.store(0, Relaxed);
        }
        if let Some(reply) = self.waiting.lock().unwrap().remove(&id) {
            let _gave_up = reply.send(text.to_owned()).is_err();
        } else if text.split_once("\"body\"").is_some_and(|(head, _)| head.contains("\"client::unicast\"")) {
            self.unicasts.fetch_add(1, Relaxed);
        }
    }
}

async fn serve(mut socket: Socket, mut said: mpsc::UnboundedReceiver<Message>, heard: Arc<Heard>) {
    loop {
        tokio::select! {
            message = said.recv() => match message {
                Some(message) => if socket.send(message).await.is_err() {
                    break;
                },
                None => return,
            },
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => heard.take(&text),
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
        }
    }
    // Ends the wait of every request that has no answer yet.
    drop(said);
    heard.waiting.lock().unwrap().clear();
}

/// The id in a message's header: it comes before the body, and quotes in texts before it are escaped.
fn id_of(text: &str) -> Option<i64> {
    let (_, rest) = text.split_once("\"id\":")?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit())?;
    rest[..end].parse().ok()
}

#[test]
fn an_answer_is_known_by_its_id() {
    let text = r#"{"code":"0000","message":"an \"id\":7","header":{"v":"1.0.0","id":10000001,"signal":"a"}}"#;
    assert_eq!(id_of(text), Some(10_000_001));
    assert_eq!(id_of("no id"), None);
}
