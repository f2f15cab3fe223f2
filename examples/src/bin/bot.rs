//! A terminal without a screen: registers at a node, says who comes and goes, and sends every unicast back.
//!
//! With a mesh running (`cargo run --release`):
//!
//! ```sh
//! cargo run -p taoyao-examples --bin bot -- --node 127.0.0.1:8885 --ca certs/ca.crt --id bot
//! ```
//!
//! A unicast needs a way back, and the protocol does not name its sender (reference section 12, Q27): write your own id
//! into the body as `from`.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
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

/// A terminal that sends every unicast back.
#[derive(Debug, Parser)]
struct Options {
    /// Address of the node's terminal listener.
    #[arg(long, default_value = "127.0.0.1:8883")]
    node: String,
    /// The CA that signed the node's certificate, PEM.
    #[arg(long, default_value = "certs/ca.crt")]
    ca: PathBuf,
    /// This terminal's id.
    #[arg(long, default_value = "bot")]
    id: String,
    #[arg(long, default_value = "taoyao")]
    username: String,
    /// Read from the environment, so that it shows in no list of processes.
    #[arg(long, env = "TAOYAO_PASSWORD", hide_env_values = true, default_value = "taoyao")]
    password: String,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
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
