//! Asks the admin listener of a node, by HTTP as plain as it gets.

use std::io;

use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::patience::PATIENCE;

/// The way to one node's admin listener.
pub(crate) struct Admin {
    pub(crate) port: u16,
    pub(crate) token: String,
}

impl Admin {
    /// `GET path`: the status and the body. Fails as long as nobody listens.
    pub(crate) async fn get(&self, path: &str) -> io::Result<(u16, String)> {
        let asked = timeout(PATIENCE, self.ask(path)).await;
        let answer = asked.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::InvalidData)?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Ok((status.ok_or(io::ErrorKind::InvalidData)?, body.to_owned()))
    }

    /// `GET path` of a node that is up: the JSON that it answers with.
    pub(crate) async fn report<T: DeserializeOwned>(&self, path: &str) -> T {
        let (status, body) = self.get(path).await.unwrap();
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
    }

    /// The value of one metric; with labels as they are printed, `name{peer="cn/east"}`.
    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let (status, body) = self.get("/metrics").await.unwrap();
        assert_eq!(status, 200, "{body}");
        let line = body.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no metric {name} in\n{body}")).parse().unwrap()
    }

    async fn ask(&self, path: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        let request = format!("GET {path} HTTP/1.0\r\nauthorization: Bearer {}\r\n\r\n", self.token);
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }
}
