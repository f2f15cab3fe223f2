//! Asking one node's admin listener: plain HTTP, with the token that only the node's own user can read.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use taoyao_topology::Node;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::cli::exit::Exit;

/// A listener on this machine or in its network answers in milliseconds or not at all.
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// The node itself gives up after 10 s and says so.
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// A list of 100,000 terminals has about 20 MB. Beyond it the answer is refused.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The admin listener of one node and the token that it wants.
#[derive(Clone)]
pub(super) struct Admin {
    address: SocketAddr,
    token: String,
}

/// Why a node gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    #[error("has no `admin` listener in the topology file, so it cannot be asked")]
    NoListener,
    #[error("not running: {path} is not there; start the node, or call this where its state directory is")]
    NoToken { path: PathBuf },
    #[error("{path}: cannot be read: {source}; the token is for the user who runs the node")]
    Token { path: PathBuf, source: io::Error },
    #[error(
        "{given} is not on this machine, and the token would travel in the clear: open a tunnel, \
         `ssh -N -L 9001:127.0.0.1:PORT HOST`, and ask `--address 127.0.0.1:9001`"
    )]
    InTheClear { given: String },
    #[error("{given:?} is no address: HOST:PORT, as the node's `admin` says, or as a tunnel leads there")]
    NoAddress { given: String },
    #[error("not reachable at {address}: {reason}")]
    Unreachable { address: SocketAddr, reason: String },
    #[error("no answer from {address} within {} s", ANSWER_MAX.as_secs())]
    TimedOut { address: SocketAddr },
    #[error("{address} does not accept the token: {message}")]
    TokenRefused { address: SocketAddr, message: String },
    #[error("{address} refuses ({status}): {message}")]
    Refused { address: SocketAddr, status: u16, message: String },
    #[error("{address} answers in a way that this version does not understand: {reason}")]
    BadAnswer { address: SocketAddr, reason: String },
}

impl AskError {
    pub(super) fn exit(&self) -> Exit {
        match self {
            AskError::NoListener => Exit::Configuration,
            AskError::InTheClear { .. } | AskError::NoAddress { .. } => Exit::Usage,
            AskError::Token { .. } | AskError::TokenRefused { .. } => Exit::Permission,
            AskError::NoToken { .. } | AskError::Unreachable { .. } | AskError::TimedOut { .. } => {
                Exit::Unreachable
            }
            AskError::Refused { .. } => Exit::NotWell,
            AskError::BadAnswer { .. } => Exit::Bug,
        }
    }

    /// Whether another node may do better.
    pub(super) fn is_silence(&self) -> bool {
        !matches!(self, AskError::Refused { .. })
    }
}

impl Admin {
    /// Reads the token from the node's state directory.
    pub(super) fn of(node: &Node) -> Result<Self, AskError> {
        let listen = node.admin.ok_or(AskError::NoListener)?;
        let path = taoyao_node::token_path(&node.state_dir);
        match fs::read_to_string(&path) {
            Ok(token) => Ok(Self { address: dialled(listen), token: token.trim().to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(AskError::NoToken { path }),
            Err(source) => Err(AskError::Token { path, source }),
        }
    }

    /// The listener at an address of this machine, where a tunnel may begin. A token is sent nowhere else: it would be read
    /// by everybody on the way.
    pub(super) fn at(given: &str, token: String) -> Result<Self, AskError> {
        let plain = given.strip_prefix("http://").unwrap_or(given).trim_end_matches('/');
        let no_address = || AskError::NoAddress { given: given.to_owned() };
        let address = match plain.strip_prefix("localhost:") {
            Some(port) => SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().map_err(|_| no_address())?)),
            None => match plain.parse::<SocketAddr>() {
                Ok(address) => address,
                // A name of another machine, if it is one at all.
                Err(_) if plain.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) => {
                    return Err(AskError::InTheClear { given: given.to_owned() });
                }
                Err(_) => return Err(no_address()),
            },
        };
        if !address.ip().is_loopback() {
            return Err(AskError::InTheClear { given: given.to_owned() });
        }
        Ok(Self { address, token })
    }

    /// `GET` with a JSON answer.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, AskError> {
        self.request(Method::GET, path, Bytes::new()).await
    }

    /// `POST` of JSON with a JSON answer.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, AskError> {
        let body = serde_json::to_vec(body).expect("requests have text keys and no failing parts");
        self.request(Method::POST, path, body.into()).await
    }

    async fn request<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<T, AskError> {
        let address = self.address;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, address.to_string())
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| AskError::BadAnswer { address, reason: error.to_string() })?;
        let answer = timeout(ANSWER_MAX, self.exchange(request)).await;
        let (status, bytes) = answer.map_err(|_| AskError::TimedOut { address })??;
        self.read(status, &bytes)
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), AskError> {
        let lost = |reason: String| AskError::Unreachable { address: self.address, reason };
        let connected = timeout(CONNECT_MAX, TcpStream::connect(self.address)).await;
        let socket = connected
            .map_err(|_| lost(format!("no connection within {} s", CONNECT_MAX.as_secs())))?
            .map_err(|error| lost(error.to_string()))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket))
            .await
            .map_err(|error| lost(error.to_string()))?;
        let answered = async {
            let response: Response<_> =
                sender.send_request(request).await.map_err(|e| lost(e.to_string()))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = body
                .map_err(|error| AskError::BadAnswer { address: self.address, reason: error.to_string() })?;
            Ok((status, body.to_bytes()))
        };
        // The connection moves the bytes; its own end without an answer is told by the request's failure.
        tokio::pin!(answered);
        tokio::select! {
            done = &mut answered => done,
            _ = connection => answered.await,
        }
    }

    fn read<T: DeserializeOwned>(&self, status: StatusCode, bytes: &[u8]) -> Result<T, AskError> {
        let address = self.address;
        if status.is_success() {
            return serde_json::from_slice(bytes)
                .map_err(|error| AskError::BadAnswer { address, reason: error.to_string() });
        }
        let message = sentence(bytes);
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(AskError::TokenRefused { address, message })
            }
            _ => Err(AskError::Refused { address, status: status.as_u16(), message }),
        }
    }
}

/// What a refusal says: the `error` of a JSON object, or the text itself.
fn sentence(bytes: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let text = || String::from_utf8_lossy(bytes).trim().to_owned();
    serde_json::from_slice(bytes).map_or_else(|_| text(), |refusal: Refusal| refusal.error)
}

/// Where to dial what listens there: a listener on all addresses is found on the loopback address.
fn dialled(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_answer_is_read_and_the_token_was_sent() {
        let (admin, asked) = served("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n[1,2,3]").await;
        assert_eq!(admin.get::<Vec<u8>>("/api/status").await.unwrap(), [1, 2, 3]);
        let asked = asked.await.unwrap();
        assert!(asked.starts_with("GET /api/status HTTP/1.1\r\n"), "{asked}");
        assert!(asked.contains("authorization: Bearer secret\r\n"), "{asked}");
    }

    #[tokio::test]
    async fn refusals_carry_the_nodes_own_sentence() {
        let (admin, _) =
            served("HTTP/1.1 401 Unauthorized\r\ncontent-length: 20\r\n\r\n{\"error\":\"no token\"}").await;
        let error = admin.get::<u8>("/api/status").await.unwrap_err();
        assert_eq!(error.exit(), Exit::Permission);
        assert!(error.to_string().ends_with("does not accept the token: no token"), "{error}");
        let (admin, _) = served("HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 8\r\n\r\ntoo late").await;
        let error = admin.get::<u8>("/api/status").await.unwrap_err();
        assert!(error.to_string().ends_with("refuses (504): too late"), "{error}");
    }

    #[tokio::test]
    async fn nobody_there_and_nonsense_are_told_apart() {
        let (admin, _) = served("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await;
        assert_eq!(admin.get::<u8>("/").await.unwrap_err().exit(), Exit::Bug);
        let (admin, _) = served("").await;
        assert_eq!(admin.get::<u8>("/").await.unwrap_err().exit(), Exit::Unreachable);
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let admin = Admin { address: closed, token: String::new() };
        assert_eq!(admin.get::<u8>("/").await.unwrap_err().exit(), Exit::Unreachable);
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_token_leaves_this_machine_only_in_a_tunnel() {
        let at = |given: &str| Admin::at(given, "secret".to_owned()).map(|admin| admin.address);
        for given in ["127.0.0.1:9001", "localhost:9001", "http://127.0.0.1:9001/"] {
            assert_eq!(at(given).unwrap(), address("127.0.0.1:9001"), "{given}");
        }
        assert_eq!(at("[::1]:9001").unwrap(), address("[::1]:9001"));
        for given in ["192.0.2.7:9001", "sh.example.com:9001", "0.0.0.0:9001", "http://[2001:db8::1]:9001"] {
            let refused = at(given).unwrap_err();
            assert!(matches!(refused, AskError::InTheClear { .. }), "{given}: {refused}");
            assert!(refused.to_string().contains("ssh -N -L"), "{refused}");
        }
        for given in ["", "sh", "localhost:port", "https://localhost"] {
            assert!(matches!(at(given), Err(AskError::NoAddress { .. })), "{given}");
        }
    }

    #[test]
    fn a_listener_on_all_addresses_is_dialled_on_loopback() {
        assert_eq!(dialled(address("0.0.0.0:9880")), address("127.0.0.1:9880"));
        assert_eq!(dialled(address("[::]:9880")), address("[::1]:9880"));
        assert_eq!(dialled(address("192.0.2.7:9880")), address("192.0.2.7:9880"));
    }

    /// A listener that reads one request, answers with these bytes, and tells what it read.
    async fn served(answer: &'static str) -> (Admin, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut read = vec![0; 4096];
            let count = socket.read(&mut read).await.unwrap();
            socket.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&read[..count]).into_owned()
        });
        (Admin { address, token: "secret".to_owned() }, asked)
    }
}
