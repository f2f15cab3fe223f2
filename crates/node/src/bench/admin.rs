//! Asks a node's admin listener, as an operator's script would.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::error::{BenchError, io};
use crate::report::StatusReport;

/// A node that answers at all answers in milliseconds.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Whether the node says that it is ready; false also if nobody listens yet.
pub(super) fn is_ready(address: SocketAddr) -> bool {
    get(address, "/readyz", "").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// How the node is.
pub(super) fn status(address: SocketAddr, token: &str) -> Result<StatusReport, BenchError> {
    let answer = get(address, "/api/status", token)?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    serde_json::from_str(body).map_err(|error| BenchError::Answer(format!("status: {error}: {answer}")))
}

fn get(address: SocketAddr, path: &str, token: &str) -> Result<String, BenchError> {
    let failed = || io(format!("admin listener {address}"));
    let mut socket = TcpStream::connect(address).map_err(failed())?;
    socket.set_read_timeout(Some(ANSWER_MAX)).map_err(failed())?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).map_err(failed())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).map_err(failed())?;
    Ok(answer)
}
