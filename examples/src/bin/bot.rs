//! A terminal without a screen: registers at a node, says who comes and goes, and sends every unicast back.
//!
//! With a mesh running (`cargo run --release`):
//!
//! ```sh
//! TAOYAO_NODE=127.0.0.1:8885 TAOYAO_ID=bot cargo run -p taoyao-examples --bin bot
//! ```
//!
//! Settings come from the environment, where no list of processes shows the password; [`Options`] names them all.
//!
//! A unicast needs a way back, and the protocol does not name its sender (reference section 12, Q27): write your own id
//! into the body as `from`.

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

/// Ids of clients lie above those of nodes, so that an answer is never mistaken for a push (reference section 2.3).
const FIRST_ID: u64 = 10_000_000;
/// How often a terminal says that it is there (reference section 3.6).
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Where to register, and as whom.
struct Options {
    /// `TAOYAO_NODE`: address of the node's terminal listener; default `127.0.0.1:8883`.
    node: String,
    /// `TAOYAO_CA`: the CA that signed the node's certificate, PEM; default `certs/ca.crt`.
    ca: PathBuf,
    /// `TAOYAO_ID`: this terminal's id; default `bot`.
    id: String,
    /// `TAOYAO_USERNAME`, default `taoyao`.
    username: String,
    /// `TAOYAO_PASSWORD`, default `taoyao`.
    password: String,
}

impl Options {
    fn from_env() -> Self {
        let read = |name: &str, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
        Self {
            node: read("TAOYAO_NODE", "127.0.0.1:8883"),
            ca: read("TAOYAO_CA", "certs/ca.crt").into(),
            id: read("TAOYAO_ID", "bot"),
            username: read("TAOYAO_USERNAME", "taoyao"),
            password: read("TAOYAO_PASSWORD", "taoyao"),
        }
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_env();
    let mut bot = Bot { socket: connect(&options).await?, last_id: FIRST_ID };
    bot.register(&options).await?;
    bot.run().await
}

async fn connect(options: &Options) -> Result<Socket, Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(&options.ca)? {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let url = format!("wss://{}/websocket.signal", options.node);
    let tls = Connector::Rustls(Arc::new(config));
    let (socket, _) = connect_async_tls_with_config(url, None, true, Some(tls)).await?;
    Ok(socket)
}

struct Bot {
    socket: Socket,
    last_id: u64,
}

impl Bot {
    /// The first message on a connection (reference section 3.2).
    async fn register(&mut self, options: &Options) -> Result<(), Box<dyn Error>> {
        let Options { id, username, password, .. } = options;
        let body = json!({
            "clientId": id, "name": id, "clientType": "OTHER", "username": username, "password": password,
        });
        self.say("client::register", body).await
    }

    /// Hears what the node says until it ends the connection.
    async fn run(&mut self) -> Result<(), Box<dyn Error>> {
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        heartbeat.tick().await;
        loop {
            tokio::select! {
                _ = heartbeat.tick() => self.say("client::heartbeat", json!({})).await?,
                message = self.socket.next() => match message {
                    Some(Ok(Message::Text(text))) => self.hear(&serde_json::from_str(&text)?).await?,
                    Some(Ok(Message::Close(frame))) => {
                        print(&format!("closed: {frame:?}"));
                        return Ok(());
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error.into()),
                    None => return Ok(()),
                },
            }
        }
    }

    async fn hear(&mut self, message: &Value) -> Result<(), Box<dyn Error>> {
        let (signal, body) = (message["header"]["signal"].as_str().unwrap_or_default(), &message["body"]);
        match signal {
            "client::register" => print("registered"),
            "client::online" => print(&format!("online   {}", text(&body["clientId"]))),
            "client::offline" => print(&format!("offline  {}", text(&body["clientId"]))),
            "platform::error" => {
                print(&format!("refused  {} {}", text(&message["code"]), text(&message["message"])))
            }
            "client::unicast" => return self.send_back(body).await,
            _ => {}
        }
        Ok(())
    }

    async fn send_back(&mut self, body: &Value) -> Result<(), Box<dyn Error>> {
        let Some(from) = body["from"].as_str() else {
            print("a unicast without `from`: nobody to answer");
            return Ok(());
        };
        print(&format!("unicast  {from}: {body}"));
        self.say("client::unicast", json!({ "to": from, "echo": body })).await
    }

    async fn say(&mut self, signal: &str, body: Value) -> Result<(), Box<dyn Error>> {
        self.last_id += 1;
        let message =
            json!({ "header": { "v": "1.0.0", "id": self.last_id, "signal": signal }, "body": body });
        self.socket.send(Message::text(message.to_string())).await?;
        Ok(())
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

#[expect(clippy::print_stdout, reason = "what a program in a terminal is for")]
fn print(line: &str) {
    println!("{line}");
}
