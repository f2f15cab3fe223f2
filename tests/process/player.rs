//! One terminal of a crowd: comes back whenever it is thrown out, listens, and notes what it hears.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use taoyao_types::{NodeName, TerminalName};
use tokio::time::{sleep, timeout};

use crate::notes::{Asked, End, NOBODY, Notes};
use crate::stall;
use crate::terminal::{Dialler, Ears, Heard, Terminal};

/// Before a terminal tries again to reach its node.
const RETRY_AFTER: Duration = Duration::from_millis(250);
/// After this long without an answer nobody believes in one any more.
const SILENCE_AFTER: Duration = Duration::from_secs(15);

/// A terminal with a name and a node of its own.
pub(crate) struct Player {
    pub(crate) name: TerminalName,
    pub(crate) node: NodeName,
    port: u16,
    dialler: Dialler,
    line: Mutex<Option<Arc<Terminal>>>,
    notes: Mutex<Notes>,
    /// The number that its last unicast carried.
    counted: AtomicU64,
    made: Instant,
}

impl Player {
    pub(crate) fn new(name: TerminalName, node: NodeName, port: u16, dialler: Dialler) -> Self {
        let (line, notes, counted) = Default::default();
        Self { name, node, port, dialler, line, notes, counted, made: Instant::now() }
    }

    /// Attaches, listens, and does so again when the connection ends, for ever.
    pub(crate) async fn live(self: Arc<Self>) {
        loop {
            if let Ok((terminal, ears)) = self.dialler.register(self.port, &self.name.to_string()).await {
                self.notes.lock().unwrap().registrations += 1;
                // Who is there; from then on the mesh tells who comes and goes. The answer is heard in its place among
                // the pushes.
                terminal.tell("client::list", json!({}));
                *self.line.lock().unwrap() = Some(Arc::new(terminal));
                self.listen(ears).await;
                *self.line.lock().unwrap() = None;
            }
            sleep(RETRY_AFTER).await;
        }
    }

    /// Looks at the notes.
    pub(crate) fn noted<T>(&self, look: impl FnOnce(&Notes) -> T) -> T {
        look(&self.notes.lock().unwrap())
    }

    /// Sends the next number; returns it, unless there is no connection to send it on.
    pub(crate) fn unicast(&self, to: &TerminalName) -> Option<u64> {
        let line = self.line()?;
        let number = self.counted.fetch_add(1, Relaxed) + 1;
        let body = json!({ "to": to.to_string(), "from": self.name.to_string(), "number": number });
        line.tell("client::unicast", body);
        Some(number)
    }

    /// Calls another terminal and hangs up. `None` if there is no connection to call on.
    pub(crate) async fn call(&self, to: &TerminalName) -> Option<End> {
        let line = self.line()?;
        let (end, answer) = self.ask(&line, "a call", to, "session::call").await;
        if let Some(session) = answer["body"]["sessionId"].as_str() {
            line.tell("session::close", json!({ "sessionId": session }));
        }
        Some(end)
    }

    /// Asks for another terminal's state.
    pub(crate) async fn look_at(&self, to: &TerminalName) {
        if let Some(line) = self.line() {
            drop(self.ask(&line, "the state", to, "client::status").await);
        }
    }

    async fn ask(
        &self,
        line: &Terminal,
        what: &'static str,
        to: &TerminalName,
        signal: &str,
    ) -> (End, Value) {
        let (begin, stalled) = (Instant::now(), stall::so_far());
        let answer =
            timeout(SILENCE_AFTER, line.request(signal, json!({ "clientId": to.to_string() }))).await;
        let end = match &answer {
            Err(_) => End::Silence,
            Ok(None) => End::Lost,
            Ok(Some(answer)) => end_of(answer),
        };
        let (took, stalled) = (begin.elapsed(), stall::so_far() - stalled);
        let asked = Asked { what, to: to.to_string(), end: end.clone(), took, stalled };
        self.notes.lock().unwrap().requests.push(asked);
        (end, answer.ok().flatten().unwrap_or_default())
    }

    fn line(&self) -> Option<Arc<Terminal>> {
        self.line.lock().unwrap().clone()
    }

    /// Notes what it hears until the connection ends.
    async fn listen(&self, mut ears: Ears) {
        while let Some(Heard::Push(push)) = ears.recv().await {
            let mut notes = self.notes.lock().unwrap();
            let client = || push["body"]["clientId"].as_str().unwrap_or_default().to_owned();
            match push["header"]["signal"].as_str().unwrap_or_default() {
                "client::unicast" => {
                    let from = push["body"]["from"].as_str().unwrap_or_default().to_owned();
                    let number = push["body"]["number"].as_u64().unwrap_or_default();
                    notes.heard.entry(from).or_default().push(number);
                }
                "client::list" => notes.sees = listed(&push["body"]),
                "client::online" => {
                    notes.sees.insert(client());
                }
                "client::offline" => {
                    notes.sees.remove(&client());
                    notes.told_offline.insert(client(), self.made.elapsed());
                }
                _ => {}
            }
        }
    }
}

fn end_of(answer: &Value) -> End {
    let is_answer = answer["code"] == "0000";
    match answer.get("body") {
        Some(_) if is_answer => End::Answered,
        None if is_answer => End::Refused(NOBODY.to_owned()),
        _ => End::Refused(answer["message"].as_str().unwrap_or_default().to_owned()),
    }
}

fn listed(body: &Value) -> BTreeSet<String> {
    let entries = body.as_array().into_iter().flatten();
    entries.filter_map(|entry| entry["clientId"].as_str()).map(str::to_owned).collect()
}
