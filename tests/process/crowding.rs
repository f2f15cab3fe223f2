//! Ten thousand connections that never register, made by a process of their own.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::mesh::Mesh;
use crate::patience::{PATIENCE, until};
use crate::shape::ONE;
use crate::terminal::Dialler;
use crate::witness::Witness;

const CONNECTIONS: usize = 10_000;
/// So many of them become WebSockets, which costs both sides a handshake; the others do not get that far.
const WEBSOCKETS: usize = 500;
/// They come in the time of a few seconds, as over a network, and stay for longer than that.
const AT_ONCE: usize = 250;
const PAUSE: Duration = Duration::from_millis(100);
/// Files that both processes need besides.
const OTHER_FILES: usize = 200;
/// What the node may take for them. An idle WebSocket takes at most 24 KiB, one in its handshake more.
const GROWTH_KIB_MAX: u64 = 256 * 1024;
/// Tells the child where the node is, and whom to trust.
const MARK: &str = "TAOYAO_CROWDING";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_connections_that_never_register_are_closed_and_disturb_nobody() {
    let mut mesh = Mesh::plan(ONE);
    // They all come from one address, and many shall be there at once.
    mesh.change("org = \"acme\"\n", "org = \"acme\"\nlimits = { strangers_per_address = 20000 }\n");
    mesh.start_all().await;
    let witness = Witness::at(&mesh, "cn").await;
    let before_kib = mesh.node("cn").resident_kib();
    let port = mesh.place("cn").terminals;
    let mark = format!("{port} {}", mesh.certs().display());
    let mut child = crowd(&mark).spawn().unwrap();

    let (admin, count) = (mesh.admin("cn"), connections());
    let (mut open_max, mut resident_kib_max) = (0, 0);
    until("crowded", async || {
        assert!(child.try_wait().unwrap().is_none(), "the crowd has gone before its time");
        open_max = open_max.max(admin.metric("taoyao_gateway_connections").await);
        resident_kib_max = resident_kib_max.max(mesh.node("cn").resident_kib());
        // Those that came first may be closed before the last have come.
        if open_max >= count as u64 / 2 { Vec::new() } else { vec![format!("{open_max} of {count}")] }
    })
    .await;
    let ended =
        timeout(2 * PATIENCE, child.wait_with_output()).await.expect("all are closed in time").unwrap();
    let report = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && report.contains("1 passed"), "{report}");

    let grown_kib = resident_kib_max.max(mesh.node("cn").resident_kib()).saturating_sub(before_kib);
    assert!(grown_kib < GROWTH_KIB_MAX, "{grown_kib} KiB for {count} connections");
    assert_eq!(admin.metric("taoyao_terminals_registered").await, 2, "the witnesses");
    witness.assert_was_served().await;
}

/// The crowd itself: opens everything, says nothing, and is done when the node has closed it all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a part of the test above, which starts it as a process"]
async fn crowding_child() {
    let Ok(mark) = std::env::var(MARK) else { return };
    let (port, certs) = mark.split_once(' ').unwrap();
    let (port, dialler) = (port.parse().unwrap(), Dialler::trusting(certs.as_ref()));
    let mut open = JoinSet::new();
    for count in WEBSOCKETS..connections() {
        if count % AT_ONCE == 0 {
            tokio::time::sleep(PAUSE).await;
        }
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        open.spawn(end_of(stream));
    }
    for _ in 0..WEBSOCKETS {
        let socket = dialler.websocket(port).await.unwrap();
        open.spawn(end_of(socket.into_inner()));
    }
    open.join_all().await;
}

fn crowd(mark: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$0\" --ignored --exact crowding::crowding_child"])
        .arg(std::env::current_exe().unwrap())
        .env(MARK, mark)
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// As many as the system lets a process open.
fn connections() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    // Soft, then hard; the children raise the one to the other.
    let hard = line.split_whitespace().nth(1).and_then(|hard| hard.parse().ok()).unwrap_or(usize::MAX);
    CONNECTIONS.min(hard.saturating_sub(OTHER_FILES))
}

async fn end_of(mut stream: impl AsyncReadExt + Unpin) {
    let ended = timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await;
    assert!(ended.is_ok(), "a connection that never registers is closed");
}
