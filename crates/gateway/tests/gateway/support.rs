//! A gateway to test against, and clients that trust it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde_json::Value;
use taoyao_gateway::{
    Configuration, Gateway, GatewayConfig, GatewayEvent, NearestQuery, Rest, Services, TerminalHandle,
};
use taoyao_types::{ConnId, limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;

/// Far more than anything here takes, even on a loaded machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) type Client = WebSocketStream<TlsStream<TcpStream>>;

/// A gateway whose events the test reads.
pub(crate) struct Server {
    pub(crate) gateway: Gateway,
    pub(crate) events: mpsc::Receiver<GatewayEvent>,
    pub(crate) dialler: Dialler,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    pub(crate) fn start_with(change: impl FnOnce(&mut GatewayConfig)) -> Self {
        Self::start_with_room_for(limits::GATEWAY_EVENTS_MAX, change)
    }

    pub(crate) fn start_with_room_for(events: usize, change: impl FnOnce(&mut GatewayConfig)) -> Self {
        let (tls, certificate) = certificate();
        let mut config = GatewayConfig::new(SocketAddr::from(([127, 0, 0, 1], 0)), tls);
        change(&mut config);
        Self::listen(config, services(), events, certificate)
    }

    /// With somebody behind the REST interface.
    pub(crate) fn start_with_rest(rest: Rest) -> Self {
        let (tls, certificate) = certificate();
        let config = GatewayConfig::new(SocketAddr::from(([127, 0, 0, 1], 0)), tls);
        Self::listen(config, services_with(rest), 16, certificate)
    }

    fn listen(
        config: GatewayConfig,
        services: Services,
        events: usize,
        certificate: CertificateDer<'static>,
    ) -> Self {
        let (sender, events) = mpsc::channel(events);
        let gateway = Gateway::start(config, services, sender).unwrap();
        let dialler = Dialler::new(gateway.local_addr(), certificate);
        Self { gateway, events, dialler }
    }

    pub(crate) async fn next(&mut self) -> GatewayEvent {
        timeout(PATIENCE, self.events.recv()).await.expect("an event in time").expect("a running gateway")
    }

    /// A client and the handle to it.
    pub(crate) async fn terminal(&mut self) -> (Client, ConnId, TerminalHandle) {
        let client = self.dialler.websocket().await;
        match self.next().await {
            GatewayEvent::Opened { conn, terminal, ip, account: None } => {
                assert!(ip.is_loopback());
                (client, conn, terminal)
            }
            other => panic!("expected a terminal, got {other:?}"),
        }
    }

    /// From now on every text goes back to who sent it.
    pub(crate) fn echo(self) -> (Gateway, Dialler) {
        let Self { gateway, events, dialler } = self;
        tokio::spawn(echo(events));
        (gateway, dialler)
    }
}

pub(crate) async fn echo(mut events: mpsc::Receiver<GatewayEvent>) {
    let mut terminals = std::collections::HashMap::new();
    while let Some(event) = events.recv().await {
        match event {
            GatewayEvent::Opened { conn, terminal, .. } => {
                terminals.insert(conn, terminal);
            }
            GatewayEvent::Text { conn, text } => terminals[&conn].send(&*text),
            GatewayEvent::Closed { conn, .. } => {
                terminals.remove(&conn);
            }
        }
    }
}

/// Opens connections of every kind to one gateway.
#[derive(Clone)]
pub(crate) struct Dialler {
    address: SocketAddr,
    certificate: CertificateDer<'static>,
    tls: TlsConnector,
}

impl Dialler {
    pub(crate) fn new(address: SocketAddr, certificate: CertificateDer<'static>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { address, certificate, tls: TlsConnector::from(Arc::new(config)) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn connector(&self) -> &TlsConnector {
        &self.tls
    }

    pub(crate) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    pub(crate) async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub(crate) async fn tls(&self) -> TlsStream<TcpStream> {
        let tcp = self.tcp().await;
        self.tls.connect(ServerName::try_from("localhost").unwrap(), tcp).await.unwrap()
    }

    pub(crate) async fn websocket(&self) -> Client {
        let stream = self.tls().await;
        let (client, answer) =
            tokio_tungstenite::client_async("wss://localhost/websocket.signal", stream).await.unwrap();
        assert_eq!(answer.status(), 101);
        client
    }

    /// Sends a request with a body; `headers` end with a line break each.
    pub(crate) async fn call(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let mut stream = self.tls().await;
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, text) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), text: text.to_owned() }
    }

    /// Sends a request head and returns the whole answer.
    pub(crate) async fn http(&self, head: &str) -> String {
        let mut stream = self.tls().await;
        let request = format!("{head}\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        String::from_utf8(answer).unwrap()
    }
}

/// The answer to a request.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// All values of a header.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(of, _)| *of == name).map(|(_, value)| value).collect()
    }
}

/// A server certificate for `localhost`, and what a client must trust.
pub(crate) fn certificate() -> (Arc<ServerConfig>, CertificateDer<'static>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    (Arc::new(config), cert.der().clone())
}

/// Without a node behind the REST interface.
fn services() -> Services {
    let (nobody, _) = mpsc::channel(1);
    services_with(Rest::new(nobody, Configuration::default()))
}

fn services_with(rest: Rest) -> Services {
    Services {
        rest,
        nearest: Arc::new(|NearestQuery { ip, partition, geo }| match partition {
            Some(partition) if partition.as_str() == "nowhere" => {
                Err("There is no partition nowhere.".to_owned())
            }
            partition => Ok(serde_json::json!({
                "ip": ip.to_string(),
                "partition": partition.map(|name| name.to_string()),
                "lat": geo.map(|geo| geo.lat),
            })),
        }),
    }
}
