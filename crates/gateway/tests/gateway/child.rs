//! A gateway in a process of its own, for what is a matter of the process: its memory and its file descriptors.

use std::process::Stdio;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::abuse::serves;
use crate::support::{Dialler, Server};

/// Tells a test that it runs in a process of its own.
const MARK: &str = "TAOYAO_GATEWAY_CHILD";

#[tokio::test]
async fn accepting_survives_a_lack_of_file_descriptors() {
    let (_child, dialler) = spawn(64).await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(dialler.tcp().await);
    }
    drop(silent);
    serves(&dialler).await;
}

/// Runs one ignored test of this binary in a process that may open so many files.
pub(crate) fn again(files_max: usize, test: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("ulimit -n {files_max} && exec \"$0\" --ignored --exact {test} --nocapture"));
    command.arg(std::env::current_exe().unwrap()).env(MARK, "1").stdin(Stdio::piped()).kill_on_drop(true);
    command
}

/// Starts a gateway that echoes in a process that may open so many files.
pub(crate) async fn spawn(files_max: usize) -> (Child, Dialler) {
    let mut child = again(files_max, "child::server").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some((_, hello)) = line.split_once("listening ") {
            let (address, certificate) = hello.split_once(' ').unwrap();
            let dialler = Dialler::new(address.parse().unwrap(), CertificateDer::from(unhex(certificate)));
            // The test harness over there fails if nobody reads what it reports.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return (child, dialler);
        }
    }
    panic!("the server ended before it listened");
}

/// The server that `spawn` starts; ends when its standard input does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a part of other tests, which start it as a process"]
async fn server() {
    if std::env::var_os(MARK).is_none() {
        return;
    }
    // Longer than a measurement on a loaded machine.
    let server = Server::start_with(|config| {
        config.timeouts.idle = Duration::from_secs(600);
        config.strangers_per_address_max = usize::MAX;
    });
    println!("listening {} {}", server.gateway.local_addr(), hex(server.dialler.certificate()));
    let _serving = server.echo();
    let parent = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    parent.await.unwrap().unwrap();
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
