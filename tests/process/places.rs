//! Places that one address can take before it logs in, and descriptors that one process has: both end, and others are served.

use std::fs;
use std::time::{Duration, Instant};

use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::mesh::Mesh;
use crate::patience::until;
use crate::shape::ONE;
use crate::terminal::hear_close;
use crate::witness::Witness;

/// Descriptors of a process that is to run out of them.
const FILES: u32 = 128;
/// Within this time an answer counts as given at once, on a machine that has other things to do.
const AT_ONCE: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_of_one_address_take_no_place_from_others() {
    let mut mesh = Mesh::plan(ONE);
    mesh.change("org = \"acme\"\n", "org = \"acme\"\nlimits = { strangers_per_address = 50 }\n");
    mesh.start_all().await;
    let witness = Witness::at(&mesh, "cn").await;
    let port = mesh.place("cn").terminals;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    let admin = mesh.admin("cn");
    until("refused", async || {
        let refused = admin.metric("taoyao_gateway_strangers_refused_total").await;
        if refused >= 150 { Vec::new() } else { vec![format!("{refused} refused")] }
    })
    .await;
    // As soon as those who say nothing have had their time to be told.
    until("told to come back", async || match mesh.dialler().terminal(port).await {
        Ok((_terminal, mut ears)) => {
            let code = hear_close(&mut ears).await;
            if code == Some(1013) { Vec::new() } else { vec![format!("closed with {code:?}")] }
        }
        Err(error) => vec![error],
    })
    .await;
    let elsewhere = TcpSocket::new_v4().unwrap();
    elsewhere.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let stream = elsewhere.connect(([127, 0, 0, 1], port).into()).await.unwrap();
    let answer = mesh.dialler().probe(stream).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    drop(silent);
    until("a place again", async || match mesh.dialler().register(port, "late").await {
        Ok(_) => Vec::new(),
        Err(error) => vec![error],
    })
    .await;
    witness.assert_was_served().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_descriptors_is_healthy_and_rests() {
    let mut mesh = Mesh::plan(ONE);
    mesh.run_with_files("cn", FILES);
    mesh.ready(&["cn"]).await;
    let witness = Witness::at(&mesh, "cn").await;
    let (terminals, admin) = (mesh.place("cn").terminals, mesh.place("cn").admin);
    let mut silent = Vec::new();
    for _ in 0..FILES {
        silent.push(TcpStream::connect(("127.0.0.1", terminals)).await.unwrap());
        silent.push(TcpStream::connect(("127.0.0.1", admin)).await.unwrap());
    }
    let process = mesh.node("cn").process();
    let (began, used) = (Instant::now(), processor_ms(process));
    for _ in 0..5 {
        let health = timeout(AT_ONCE, mesh.admin("cn").get("/healthz")).await.expect("an answer at once");
        assert_eq!(health.unwrap().0, 200);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let used = processor_ms(process) - used;
    let took = began.elapsed().as_millis() as u64;
    assert!(used < took / 2, "{used} ms of the processor in {took} ms in which nothing could be accepted");
    let failed = mesh.admin("cn").metric("taoyao_admin_accepts_failed_total").await;
    assert!(failed > 0, "the process has descriptors left, so that this shows nothing");
    drop(silent);
    until("a place again", async || match mesh.dialler().register(terminals, "late").await {
        Ok(_) => Vec::new(),
        Err(error) => vec![error],
    })
    .await;
    witness.assert_was_served().await;
}

/// Milliseconds that a process has had of the processor, in user and system mode. A tick is 10 ms wherever Linux runs.
pub(crate) fn processor_ms(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name before it may have spaces.
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks: Vec<u64> =
        fields.split_whitespace().skip(11).take(2).map(|field| field.parse().unwrap()).collect();
    10 * (ticks[0] + ticks[1])
}
