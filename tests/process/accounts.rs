//! Accounts that are removed or changed while their terminals are registered, and a terminal that is closed by an operator.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::mesh::Mesh;
use crate::patience::until;
use crate::shape::ONE;
use crate::terminal::{Ears, Terminal, hear_close, registration_of};
use crate::witness::Witness;

/// A second is documented; the rest is for a machine that has other things to do.
const SOON: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_from_an_account_is_taken_from_its_terminals_and_tickets() {
    let mut mesh = Mesh::plan(ONE);
    mesh.change("login = { development = true,", "login = { users = \"users.toml\", development = true,");
    for name in ["ann", "bob", "cem"] {
        mesh.add_account(name, &[]);
    }
    mesh.start_all().await;
    let witness = Witness::at(&mesh, "cn").await;
    let (_ann, mut ann_ears, ticket) = registered(&mesh, "ann").await;
    let (_bob, mut bob_ears, _) = registered(&mesh, "bob").await;
    let (_cem, mut cem_ears, _) = registered(&mesh, "cem").await;

    let began = Instant::now();
    mesh.taoyao(&["user", "remove", "ann"], "");
    hear_close(&mut ann_ears).await;
    assert!(began.elapsed() < SOON, "removed: {:?}", began.elapsed());
    let (again, _ears) = mesh.dialler().terminal(mesh.place("cn").terminals).await.unwrap();
    let refused = again.request("client::register", json!({ "clientId": "of-ann", "ticket": ticket })).await;
    assert_eq!(refused.map(|answer| answer["code"].clone()), Some(json!("3404")), "its ticket is over");
    let refused = register(&mesh, "ann").await.map(drop).unwrap_err();
    assert!(refused.contains("3401"), "{refused}");

    let began = Instant::now();
    mesh.taoyao(&["user", "set", "bob", "--partition", "mobile.cn"], "");
    hear_close(&mut bob_ears).await;
    assert!(began.elapsed() < SOON, "a partition withdrawn: {:?}", began.elapsed());

    let closed = mesh.taoyao(&["terminal", "close", "of-cem@cn"], "");
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
    let mut wish = registration_of(account, &format!("of-{account}"));
    wish["resume"] = json!(true);
    match terminal.request("client::register", wish).await {
        Some(answer) if answer["code"] == "0000" => Ok((terminal, ears, answer["body"]["ticket"].clone())),
        other => Err(format!("{other:?}")),
    }
}
