//! One terminal: a WebSocket over TLS that speaks the terminal protocol.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use taoyao_pki::load_chain;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::patience::{PATIENCE, until};
use crate::shape::{PASSWORD, USERNAME};

/// For a handshake with a node that may be gone.
const CONNECT_MAX: Duration = Duration::from_secs(10);

pub(crate) type Socket = WebSocketStream<TlsStream<TcpStream>>;

/// Opens connections to the nodes of one mesh, whose CA it trusts.
#[derive(Clone)]
pub(crate) struct Dialler(TlsConnector);

impl Dialler {
    pub(crate) fn trusting(certs: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        for certificate in load_chain(&certs.join("ca.crt")).unwrap() {
            roots.add(certificate).unwrap();
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Self(TlsConnector::from(Arc::new(config)))
    }

    pub(crate) async fn tls(&self, port: u16) -> Result<TlsStream<TcpStream>, String> {
        self.tls_over(TcpStream::connect(("127.0.0.1", port)).await.map_err(|error| error.to_string())?).await
    }

    /// The answer to `GET /mesh/probe` over a connection that is there.
    pub(crate) async fn probe(&self, tcp: TcpStream) -> String {
        let mut stream = self.tls_over(tcp).await.unwrap();
        let request = b"GET /mesh/probe HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        answer
    }

    async fn tls_over(&self, tcp: TcpStream) -> Result<TlsStream<TcpStream>, String> {
        let server = ServerName::try_from("127.0.0.1").unwrap();
        self.0.connect(server, tcp).await.map_err(|error| error.to_string())
    }

    pub(crate) async fn websocket(&self, port: u16) -> Result<Socket, String> {
        let tcp = TcpStream::connect(("127.0.0.1", port)).await.map_err(|error| error.to_string())?;
        self.websocket_over(tcp, port).await
    }

    /// The same over a connection that is there.
    pub(crate) async fn websocket_over(&self, tcp: TcpStream, port: u16) -> Result<Socket, String> {
        // A message does not wait until the one before is acknowledged.
        tcp.set_nodelay(true).map_err(|error| error.to_string())?;
        let opened = async {
            let stream = self.tls_over(tcp).await?;
            let url = format!("wss://127.0.0.1:{port}/websocket.signal");
            let opened = tokio_tungstenite::client_async(url, stream).await;
            opened.map(|(socket, _)| socket).map_err(|error| error.to_string())
        };
        timeout(CONNECT_MAX, opened).await.unwrap_or_else(|_| Err("no answer".to_owned()))
    }

    /// A connection that has not registered, and what it hears.
    pub(crate) async fn terminal(&self, port: u16) -> Result<(Terminal, Ears), String> {
        let socket = self.websocket(port).await?;
        let (out, said) = mpsc::unbounded_channel();
        let (hears, ears) = mpsc::unbounded_channel();
        let pending = Arc::<Mutex<Pending>>::default();
        let mut serving = JoinSet::new();
        serving.spawn(serve(socket, said, pending.clone(), hears));
        let ids = AtomicI64::new(1);
        Ok((Terminal { out, pending, ids, _serving: serving }, ears))
    }

    /// A registered terminal, and what it hears from then on.
    pub(crate) async fn register(&self, port: u16, name: &str) -> Result<(Terminal, Ears), String> {
        let (terminal, ears) = self.terminal(port).await?;
        let answer = terminal.request("client::register", registration(name)).await;
        match answer {
            Some(answer) if answer["code"] == "0000" => Ok((terminal, ears)),
            other => Err(format!("{name} is not registered: {other:?}")),
        }
    }
}

type Pending = BTreeMap<i64, oneshot::Sender<Value>>;
pub(crate) type Ears = mpsc::UnboundedReceiver<Heard>;

/// What a terminal hears besides the answers to its requests.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Heard {
    Push(Value),
    /// The last: the connection is over, with this code if the node gave one.
    Closed(Option<u16>),
}

/// A connection to a node. Dropping it drops the socket without a word.
pub(crate) struct Terminal {
    out: mpsc::UnboundedSender<Message>,
    pending: Arc<Mutex<Pending>>,
    ids: AtomicI64,
    _serving: JoinSet<()>,
}

/// A request's answer, once it is a success: the way may still be coming up.
pub(crate) async fn asked(terminal: &Terminal, signal: &str, body: Value) -> Value {
    let mut answer = Value::Null;
    until(signal, async || {
        answer = terminal.request(signal, body.clone()).await.unwrap();
        if answer["code"] == "0000" { Vec::new() } else { vec![answer.to_string()] }
    })
    .await;
    answer
}

impl Terminal {
    /// Sends a request and waits for its answer, whatever that says; `None` if the connection ends before.
    pub(crate) async fn request(&self, signal: &str, body: Value) -> Option<Value> {
        let id = self.ids.fetch_add(1, Relaxed);
        let (reply, answer) = oneshot::channel();
        self.pending.lock().unwrap().insert(id, reply);
        if self.out.send(Message::text(envelope(id, signal, body))).is_err() {
            return None;
        }
        answer.await.ok()
    }

    /// Sends a message that nobody waits for; an answer is heard like a push.
    pub(crate) fn tell(&self, signal: &str, body: Value) {
        let id = self.ids.fetch_add(1, Relaxed);
        self.say(Message::text(envelope(id, signal, body)));
    }

    /// Answers a push that is a request.
    pub(crate) fn answer(&self, push: &Value, body: Value) {
        let (id, signal) =
            (push["header"]["id"].as_i64().unwrap(), push["header"]["signal"].as_str().unwrap());
        self.say(Message::text(envelope(id, signal, body)));
    }

    /// Sends a WebSocket message as it is. What is said after the end is lost, as on any line.
    pub(crate) fn say(&self, message: Message) {
        let _ended = self.out.send(message).is_err();
    }
}

/// The body of a registration with the mesh's shared account.
pub(crate) fn registration(name: &str) -> Value {
    registration_of(USERNAME, name)
}

/// The same with another account, which has the same password.
pub(crate) fn registration_of(account: &str, name: &str) -> Value {
    json!({
        "clientId": name, "clientType": "WEB", "name": name, "username": account, "password": PASSWORD,
    })
}

/// A message as terminals write it.
pub(crate) fn envelope(id: i64, signal: &str, body: Value) -> String {
    json!({ "header": { "v": "1.0.0", "id": id, "signal": signal }, "body": body }).to_string()
}

/// Waits for something heard that `pick` takes; what comes before is lost.
pub(crate) async fn hear<T>(ears: &mut Ears, mut pick: impl FnMut(Heard) -> Option<T>) -> T {
    let search = async {
        loop {
            let heard = ears.recv().await.expect("the wanted comes before the end");
            if let Some(found) = pick(heard) {
                return found;
            }
        }
    };
    timeout(PATIENCE, search).await.expect("it is heard in time")
}

/// Waits for the end of a connection, and returns its close code.
pub(crate) async fn hear_close(ears: &mut Ears) -> Option<u16> {
    hear(ears, |heard| match heard {
        Heard::Closed(code) => Some(code),
        Heard::Push(_) => None,
    })
    .await
}

async fn serve(
    mut socket: Socket,
    mut said: mpsc::UnboundedReceiver<Message>,
    pending: Arc<Mutex<Pending>>,
    hears: mpsc::UnboundedSender<Heard>,
) {
    let code = loop {
        tokio::select! {
            message = said.recv() => match message {
                Some(message) => if socket.send(message).await.is_err() {
                    break None;
                },
                None => return,
            },
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => sort(&pending, &hears, &text),
                Some(Ok(Message::Close(frame))) => break frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break None,
            },
        }
    };
    // Whoever waits for an answer, or asks from now on, learns that there will be none.
    drop(said);
    pending.lock().unwrap().clear();
    let _nobody_listens = hears.send(Heard::Closed(code)).is_err();
    // Finishes the closing handshake, as far as there is one.
    while let Some(Ok(_)) = socket.next().await {}
}

/// An answer goes to who waits for it, everything else to the ears.
fn sort(pending: &Mutex<Pending>, hears: &mpsc::UnboundedSender<Heard>, text: &str) {
    let message: Value = serde_json::from_str(text).expect("nodes send JSON");
    let waiting = message["header"]["id"].as_i64().and_then(|id| pending.lock().unwrap().remove(&id));
    let _nobody_listens = match waiting {
        Some(reply) => reply.send(message).is_err(),
        None => hears.send(Heard::Push(message)).is_err(),
    };
}
