//! What this process takes of the machine: memory, files, sockets, threads.

use std::fs;

use super::super::error::{BenchError, io};

/// What must not grow while members come and go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holdings {
    pub(super) files: usize,
    /// Of the files those that are sockets: each has a port.
    pub(super) sockets: usize,
    pub(super) threads: usize,
}

/// Bytes of memory that are in use for it now.
pub(super) fn resident_bytes() -> Result<u64, BenchError> {
    const STATUS: &str = "/proc/self/status";
    let status = fs::read_to_string(STATUS).map_err(io(STATUS))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|text| text.trim().strip_suffix(" kB")).and_then(|text| text.parse().ok());
    kib.map(|kib: u64| kib * 1024)
        .ok_or_else(|| BenchError::Lacking("the system does not tell this process's memory".to_owned()))
}

pub(super) fn holdings() -> Result<Holdings, BenchError> {
    const FILES: &str = "/proc/self/fd";
    const THREADS: &str = "/proc/self/task";
    let files: Vec<_> = fs::read_dir(FILES).map_err(io(FILES))?.flatten().collect();
    let is_socket = |path: &std::path::Path| {
        fs::read_link(path).is_ok_and(|target| target.to_string_lossy().starts_with("socket:"))
    };
    let sockets = files.iter().filter(|file| is_socket(&file.path())).count();
    let threads = fs::read_dir(THREADS).map_err(io(THREADS))?.count();
    Ok(Holdings { files: files.len(), sockets, threads })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_socket_is_counted_and_a_closed_one_is_not() {
        // Other tests of this process open sockets as well: only that it is among them can be held.
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let held = holdings().unwrap();
        assert!(held.sockets >= 1 && held.files > held.sockets && held.threads >= 1);
        drop(socket);
        assert!(resident_bytes().unwrap() > 1024);
    }
}
