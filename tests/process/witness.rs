//! Two terminals that behave, on a mesh that somebody mistreats: they must not notice.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::mesh::Mesh;
use crate::patience::{settle, until};
use crate::stall;
use crate::terminal::{Ears, Terminal};

/// Between two requests of the witness.
const PACE: Duration = Duration::from_millis(50);
/// What a request may take while others misbehave.
const DELAY_MAX: Duration = Duration::from_secs(2);

/// Asks and is answered all the time, until it is heard.
pub(crate) struct Witness {
    stop: watch::Sender<bool>,
    asking: JoinHandle<Vec<String>>,
}

impl Witness {
    /// Witnesses at one node.
    pub(crate) async fn at(mesh: &Mesh, short: &str) -> Self {
        Self::between(mesh, short, short).await
    }

    /// One witness at each of two nodes.
    pub(crate) async fn between(mesh: &Mesh, here: &str, there: &str) -> Self {
        let asker = attach(mesh, here, "witness-a").await;
        let asked = attach(mesh, there, "witness-b").await;
        let name = name(mesh, there, "witness-b");
        // A terminal at another node is known here a moment after it has registered there.
        until("known to each other", async || {
            let answer = asker.0.request("client::status", json!({ "clientId": name })).await.unwrap();
            if is_state(&answer) { Vec::new() } else { vec![answer.to_string()] }
        })
        .await;
        let (stop, stopped) = watch::channel(false);
        let asking = tokio::spawn(ask(asker, asked, name, stopped));
        Self { stop, asking }
    }

    /// Fails if it saw an error, or a delay of more than 2 s.
    pub(crate) async fn assert_was_served(self) {
        self.stop.send_replace(true);
        settle(&self.asking.await.unwrap());
    }
}

/// The full name of a terminal of a node's own partition.
pub(crate) fn name(mesh: &Mesh, short: &str, client: &str) -> String {
    format!("{client}@{}", mesh.place(short).name.default_partition())
}

async fn attach(mesh: &Mesh, short: &str, client: &str) -> (Terminal, Ears) {
    let place = mesh.place(short);
    mesh.dialler().register(place.terminals, &name(mesh, short, client)).await.unwrap()
}

fn is_state(answer: &Value) -> bool {
    answer["body"]["clientId"].is_string()
}

async fn ask(
    (asker, _ears): (Terminal, Ears),
    _asked: (Terminal, Ears),
    name: String,
    stopped: watch::Receiver<bool>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut answers = 0;
    while !*stopped.borrow() && wrong.len() < 5 {
        let (begin, stalled) = (Instant::now(), stall::so_far());
        let answer = asker.request("client::status", json!({ "clientId": name })).await;
        let took = begin.elapsed().saturating_sub(stall::so_far() - stalled);
        match answer {
            None => wrong.push("a witness lost its connection".to_owned()),
            Some(answer) if !is_state(&answer) => wrong.push(format!("answered by {answer}")),
            Some(_) if took > DELAY_MAX => wrong.push(format!("answered only after {took:?}")),
            Some(_) => answers += 1,
        }
        sleep(PACE).await;
    }
    if answers == 0 {
        wrong.push("the witness was never answered".to_owned());
    }
    wrong
}
