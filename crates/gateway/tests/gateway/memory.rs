//! What an idle terminal costs: `ulimit -n 12000; cargo test -p taoyao-gateway -- --ignored --nocapture memory`.

use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;

use crate::child::spawn;
use crate::support::{Client, Dialler};

/// As many as the promise is made for; each is a file in this process and one in the server's.
const TERMINALS: usize = 5_000;
const KIB_MAX: u64 = 24;

#[tokio::test]
#[ignore = "measures; takes a while and thousands of sockets"]
async fn an_idle_terminal_with_tls_takes_at_most_24_kib() {
    let (child, dialler) = spawn(TERMINALS + 1_000).await;
    let process = child.id().unwrap();
    let mut clients = open(&dialler, 100).await;
    let before = resident_kib(process);
    clients.extend(open(&dialler, TERMINALS).await);
    let opened = report("idle", process, before);

    talk(&mut clients, 300).await;
    let spoken = report("after 300 bytes each way", process, before);
    talk(&mut clients, 100_000).await;
    let burst = report("after 100,000 bytes each way", process, before);
    assert!(opened.max(spoken).max(burst) <= KIB_MAX);
}

async fn open(dialler: &Dialler, count: usize) -> Vec<Client> {
    let mut clients = Vec::new();
    while clients.len() < count {
        clients.extend(join_all((0..50).map(|_| dialler.websocket())).await);
    }
    clients
}

/// Each terminal sends a message of so many bytes and gets it back.
async fn talk(clients: &mut [Client], bytes: usize) {
    for client in clients {
        client.send(Message::text("x".repeat(bytes))).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap().len(), bytes);
    }
}

#[expect(clippy::print_stdout, reason = "a measurement is for reading")]
fn report(when: &str, process: u32, before: u64) -> u64 {
    let grown = resident_kib(process) - before;
    let each = grown as f64 / TERMINALS as f64;
    println!("{when}: {grown} KiB more for {TERMINALS} terminals, {each:.1} KiB each");
    grown.div_ceil(TERMINALS as u64)
}

fn resident_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
