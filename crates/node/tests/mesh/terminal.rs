//! A terminal for tests: a TLS WebSocket that speaks the protocol's envelope.

use std::path::Path;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

use crate::support::PATIENCE;

/// One terminal's connection.
pub(crate) struct Terminal {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    count: u64,
}

impl Terminal {
    pub(crate) async fn connect(url: &str, authority: &Path) -> Self {
        let connector = Connector::Rustls(trusting(authority));
        let connecting = connect_async_tls_with_config(url, None, true, Some(connector));
        let (socket, _) = within(connecting).await.unwrap_or_else(|e| panic!("{url}: {e}"));
        Self { socket, count: 100 }
    }

    /// Registers with the shared account and takes the configuration that follows.
    pub(crate) async fn register(&mut self, client: &str) -> Value {
        let answer = self.try_register(client, "taoyao", "taoyao").await;
        assert_eq!(answer["code"], "0000", "{answer}");
        self.expect("client::config").await;
        answer
    }

    pub(crate) async fn try_register(&mut self, client: &str, username: &str, password: &str) -> Value {
        let body = json!({
            "clientId": client, "clientType": "WEB", "name": format!("name of {client}"),
            "username": username, "password": password,
        });
        self.ask("client::register", body).await
    }

    /// Sends without waiting; returns the message's id.
    pub(crate) async fn send(&mut self, signal: &str, body: Value) -> u64 {
        self.count += 1;
        let text = json!({ "header": { "v": "1.0.0", "id": self.count, "signal": signal }, "body": body });
        within(self.socket.send(Message::text(text.to_string()))).await.unwrap();
        self.count
    }

    /// Sends and returns the answer; what else arrives meanwhile is skipped.
    pub(crate) async fn ask(&mut self, signal: &str, body: Value) -> Value {
        let id = self.send(signal, body).await;
        self.find(&format!("the answer to {signal}"), |message| message["header"]["id"] == id).await
    }

    /// Answers a request with a body.
    pub(crate) async fn answer(&mut self, request: &Value, body: Value) {
        let text = json!({ "header": request["header"], "body": body }).to_string();
        within(self.socket.send(Message::text(text))).await.unwrap();
    }

    /// The next message of this signal; what else arrives meanwhile is skipped.
    pub(crate) async fn expect(&mut self, signal: &str) -> Value {
        self.find(signal, |message| message["header"]["signal"] == signal).await
    }

    /// Reads until the node closes; returns its code and reason.
    pub(crate) async fn closed(&mut self) -> Option<CloseFrame> {
        loop {
            match within(self.socket.next()).await {
                Some(Ok(Message::Close(frame))) => return frame,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    pub(crate) async fn close(mut self) {
        within(self.socket.close(None)).await.unwrap();
        self.closed().await;
    }

    async fn find(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let next = tokio::time::timeout_at(end, self.socket.next()).await;
            match next.unwrap_or_else(|_| panic!("{what} did not arrive")) {
                Some(Ok(Message::Text(text))) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    if wanted(&message) {
                        return message;
                    }
                }
                Some(Ok(Message::Close(frame))) => panic!("closed while waiting for {what}: {frame:?}"),
                Some(Ok(_)) => {}
                other => panic!("{other:?} while waiting for {what}"),
            }
        }
    }
}

/// TLS that trusts the mesh's authority and no other.
pub(crate) fn trusting(authority: &Path) -> Arc<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    for cert in taoyao_pki::load_chain(authority).unwrap() {
        roots.add(cert).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(tls)
}

pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("within the tests' patience")
}
