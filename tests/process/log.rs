//! Logs that cannot be written, that nobody reads, and that somebody tries to fill: the node goes on as if there were none.

use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::mesh::Mesh;
use crate::patience::{PATIENCE, until};
use crate::shape::ONE;
use crate::terminal::{Terminal, registration_of};

/// Writes every signal, so that a pipe is full after a few hundred of them.
const EVERYTHING: Option<&str> = Some("trace");
/// What one signal may take while nobody reads the log; it takes a millisecond otherwise.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// A node without children and with one terminal that closes at once takes much less.
const DRAIN_MAX: Duration = Duration::from_secs(15);
const DROPPED: &str = "taoyao_log_dropped_lines_total";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_under_the_log_ends_no_node() {
    let mut mesh = Mesh::plan(ONE);
    let full = File::options().write(true).open("/dev/full").unwrap();
    mesh.run_saying("cn", full.into(), None);
    mesh.ready(&["cn"]).await;
    let terminal = busy_terminal(&mesh).await;
    chatter(&terminal, 100).await;
    assert!(mesh.admin("cn").metric("taoyao_log_failed_writes_total").await > 0);
    assert!(mesh.admin("cn").metric(DROPPED).await > 0);
    drains(&mut mesh).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_nobody_reads_holds_up_no_node() {
    let mut mesh = Mesh::plan(ONE);
    let (reader, writer) = pipe().unwrap();
    fill(&writer);
    mesh.run_saying("cn", writer.into(), EVERYTHING);
    mesh.ready(&["cn"]).await;
    let terminal = busy_terminal(&mesh).await;
    until_dropped(&mesh, &terminal).await;
    let (status, body) = mesh.admin("cn").get("/healthz").await.unwrap();
    assert_eq!((status, body.as_str()), (200, "alive\n"));
    drains(&mut mesh).await;
    drop(reader);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_read_again_says_how_many_lines_it_lacks() {
    let mut mesh = Mesh::plan(ONE);
    let (mut reader, writer) = pipe().unwrap();
    mesh.run_saying("cn", writer.into(), EVERYTHING);
    mesh.ready(&["cn"]).await;
    let terminal = busy_terminal(&mesh).await;
    until_dropped(&mesh, &terminal).await;
    let reading = thread::spawn(move || lines_until(&mut reader, "lines were dropped"));
    until("the log tells of its loss", async || {
        chatter(&terminal, 1).await;
        if reading.is_finished() { Vec::new() } else { vec!["not yet".to_owned()] }
    })
    .await;
    let told = reading.join().unwrap();
    assert!(told.contains("WARN") && told.contains("lines="), "{told}");
    mesh.node("cn").assert_runs();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_whose_reader_has_gone_ends_no_node() {
    let mut mesh = Mesh::plan(ONE);
    let (reader, writer) = pipe().unwrap();
    mesh.run_saying("cn", writer.into(), EVERYTHING);
    drop(reader);
    mesh.ready(&["cn"]).await;
    let terminal = busy_terminal(&mesh).await;
    chatter(&terminal, 300).await;
    until("failed writes counted", async || {
        let failed = mesh.admin("cn").metric("taoyao_log_failed_writes_total").await;
        if failed > 0 { Vec::new() } else { vec!["none".to_owned()] }
    })
    .await;
    drains(&mut mesh).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_that_is_refused_thousands_of_times_fills_no_log_and_hides_nobody() {
    let mut mesh = Mesh::plan(ONE);
    mesh.add_account("other", &[]);
    mesh.start_all().await;
    let terminal = busy_terminal(&mesh).await;
    let denied = "taoyao_denied_total";
    for _ in 0..3_000 {
        terminal.tell("platform::script", json!({"script": "anything"}));
    }
    until("all refused", async || {
        let count = mesh.admin("cn").metric(denied).await;
        if count >= 3_000 { Vec::new() } else { vec![format!("{count} denied")] }
    })
    .await;
    let (other, _ears) = mesh.dialler().terminal(mesh.place("cn").terminals).await.unwrap();
    let login = registration_of("other", "another");
    let registered = other.request("client::register", login).await.unwrap();
    assert_eq!(registered["code"], "0000", "{registered}");
    other.tell("platform::script", json!({"script": "anything"}));
    assert!(mesh.node("cn").says(&["denied", "other", "platform::script"]).await);
    let log = mesh.node("cn").log();
    let lines = log.lines().filter(|line| line.contains("platform::script")).count();
    assert!((2..100).contains(&lines), "{lines} lines of 3,000 refusals\n{log}");
}

async fn busy_terminal(mesh: &Mesh) -> Terminal {
    let (terminal, _ears) = mesh.dialler().register(mesh.place("cn").terminals, "busy").await.unwrap();
    terminal
}

/// Asks so often, each time for an answer.
async fn chatter(terminal: &Terminal, times: usize) {
    for _ in 0..times {
        let begin = Instant::now();
        let answer = terminal.request("client::list", json!({})).await.expect("the node answers");
        assert_eq!(answer["code"], "0000", "{answer}");
        assert!(begin.elapsed() < ANSWER_MAX, "{:?} for one answer", begin.elapsed());
    }
}

/// Goes on until lines are lost: the pipe is full, and what the node keeps of its log, too.
async fn until_dropped(mesh: &Mesh, terminal: &Terminal) {
    let begin = Instant::now();
    while mesh.admin("cn").metric(DROPPED).await == 0 {
        assert!(begin.elapsed() < PATIENCE, "nothing is dropped");
        chatter(terminal, 500).await;
    }
}

/// SIGTERM ends the node in order, and soon.
async fn drains(mesh: &mut Mesh) {
    let begin = Instant::now();
    mesh.node("cn").signal("TERM").await;
    let ended = mesh.node("cn").ended().await;
    assert_eq!(ended.code(), Some(0), "{ended}");
    assert!(begin.elapsed() < DRAIN_MAX, "{:?} to drain", begin.elapsed());
}

/// Fills a pipe, so that not even the first line of a node fits. What does the filling ends with the pipe's reader.
fn fill(writer: &PipeWriter) {
    let writing = writer.try_clone().unwrap();
    thread::spawn(move || while (&writing).write_all(&[b'-'; 4096]).is_ok() {});
}

/// Reads lines up to the first with these words, and returns it.
fn lines_until(reader: &mut PipeReader, words: &str) -> String {
    let (mut text, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let count = reader.read(&mut piece).unwrap();
        assert!(count > 0, "the log ends");
        text.extend_from_slice(&piece[..count]);
        let whole = String::from_utf8_lossy(&text);
        if let Some(line) = whole.lines().find(|line| line.contains(words) && line.contains("lines=")) {
            return line.to_owned();
        }
        let keep = text.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        text.drain(..keep);
    }
}
