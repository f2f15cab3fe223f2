//! Accounts that are removed or changed while their terminals are registered, and a terminal that is closed by an operator.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::mesh::Mesh;
use crate::patience::until;
use crate::program::taoyao;
use crate::shape::{ONE, PASSWORD};
use crate::terminal::{Ears, Terminal, hear_close, registration};
use crate::witness::Witness;

/// What is documented is a second; the rest is for a machine that has other things to do.
const SOON: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_from_an_account_is_taken_from_its_terminals_and_tickets() {
    let mesh = Mesh::plan(ONE);
    mesh.change("login = { development = true,", "login = { users = \"users.toml\", development = true,");
    for name in ["ann", "bob", "cem"] {
        user(&mesh, &["add", name, "--password-stdin"]);
    }
    let mut mesh = mesh;
    mesh.start_all().await;
    let witness = Witness::at(&mesh, "cn").await;
    let (_ann, mut ann_ears, ticket) = registered(&mesh, "ann").await;
    let (_bob, mut bob_ears, _) = registered(&mesh, "bob").await;
    let (_cem, mut cem_ears, _) = registered(&mesh, "cem").await;

    let began = Instant::now();
    user(&mesh, &["remove", "ann"]);
    hear_close(&mut ann_ears).await;
    assert!(began.elapsed() < SOON, "removed: {:?}", began.elapsed());
    let (again, _ears) = mesh.dialler().terminal(mesh.place("cn").terminals).await.unwrap();
    let refused = again.request("client::register", json!({ "clientId": "of-ann", "ticket": ticket })).await;
    assert_eq!(refused.map(|answer| answer["code"].clone()), Some(json!("3404")), "its ticket is over");
    let refused = register(&mesh, "ann").await.map(drop).unwrap_err();
    assert!(refused.contains("3401"), "{refused}");

    let began = Instant::now();
    user(&mesh, &["set", "bob", "--partition", "mobile.cn"]);
    hear_close(&mut bob_ears).await;
    assert!(began.elapsed() < SOON, "a partition withdrawn: {:?}", began.elapsed());

    let closed = taoyao_says(&mesh, &["terminal", "close", "of-cem@cn"], "");
    assert!(closed.contains("of-cem@cn"), "{closed}");
    hear_close(&mut cem_ears).await;
    until("cem may come back", async || match register(&mesh, "cem").await {
        Ok(_) => Vec::new(),
        Err(answer) => vec![answer],
    })
    .await;
    witness.assert_was_served().await;
}

/// A terminal of this account, what it hears, and its ticket.
async fn registered(mesh: &Mesh, account: &str) -> (Terminal, Ears, Value) {
    let mut found = None;
    until(account, async || match register(mesh, account).await {
        Ok(is_in) => {
            found = Some(is_in);
            Vec::new()
        }
        Err(answer) => vec![answer],
    })
    .await;
    found.unwrap()
}

async fn register(mesh: &Mesh, account: &str) -> Result<(Terminal, Ears, Value), String> {
    let (terminal, ears) = mesh.dialler().terminal(mesh.place("cn").terminals).await?;
    let mut wish = registration(&format!("of-{account}"));
    (wish["username"], wish["resume"]) = (json!(account), json!(true));
    match terminal.request("client::register", wish).await {
        Some(answer) if answer["code"] == "0000" => Ok((terminal, ears, answer["body"]["ticket"].clone())),
        other => Err(format!("{other:?}")),
    }
}

fn user(mesh: &Mesh, arguments: &[&str]) {
    let arguments: Vec<&str> = ["user"].iter().chain(arguments).copied().collect();
    taoyao_says(mesh, &arguments, PASSWORD);
}

/// Runs the program on the mesh's topology file; what it prints.
fn taoyao_says(mesh: &Mesh, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new(taoyao());
    command.args(arguments).arg("--topology").arg(mesh.file("cn"));
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = piped.spawn().unwrap();
    // A command that wants no input may have ended already.
    let _unread = running.stdin.take().unwrap().write_all(input.as_bytes()).is_err();
    let ended = running.wait_with_output().unwrap();
    let (said, complaint) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{arguments:?}: {complaint}");
    format!("{said}{complaint}")
}
