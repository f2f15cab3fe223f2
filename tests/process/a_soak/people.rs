//! People: terminals that do everything all the time and may expect to be served.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::figures::{CONNECT, Figures};
use super::line::Line;
use super::place::{FIRE, Plan, SITES, account};
use crate::mesh::Mesh;
use crate::patience::until;
use crate::terminal::{Dialler, registration_of};

/// People whose partition everybody roams in, and who therefore hear what is broadcast there.
const MOBILE_MAX: usize = 4;
/// Between two goes through a door that has a password, which costs a node 20 ms.
const DOOR_PACE: Duration = Duration::from_secs(2);
const DOOR_PASSWORD: &str = "only-friends-know-this";

/// Everybody, and how they are told to end.
pub(super) struct People {
    persons: Vec<Arc<Person>>,
    figures: Arc<Figures>,
    stop: watch::Sender<bool>,
    lives: JoinSet<()>,
}

/// The way a terminal spends most of its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// Looks, calls, writes, meets.
    Talks,
    /// Loses its connection again and again, and comes back with its ticket.
    Wanders,
    /// Takes its leave and logs in anew.
    Comes,
}

/// One terminal.
pub(super) struct Person {
    number: usize,
    name: String,
    account: String,
    partition: String,
    port: u16,
    habit: Habit,
    dialler: Dialler,
    line: Mutex<Arc<Line>>,
    /// The newest ticket, and the messages received on earlier lines of its session.
    ticket: Mutex<(Value, u64)>,
    /// Unicasts that were sent to it. It never loses its connection.
    sent: AtomicU64,
}

impl People {
    /// Brings everybody to the sites, one after the other at each.
    pub(super) async fn gather(mesh: &Mesh, plan: &Plan, figures: &Arc<Figures>) -> Self {
        let mut arrivals = JoinSet::new();
        for (number, site) in SITES.into_iter().enumerate() {
            let place = mesh.place(site);
            let home = place.name.default_partition().to_string();
            let (plan, port, dialler) = (plan.clone(), place.terminals, mesh.dialler().clone());
            arrivals.spawn(async move {
                let mut arrived = Vec::new();
                for index in (number..plan.terminals).step_by(SITES.len()) {
                    arrived.push(Person::arrive(index, &plan, &home, port, &dialler).await);
                }
                arrived
            });
        }
        let mut persons = arrivals.join_all().await.concat();
        persons.sort_by_key(|person| person.number);
        let people =
            Self { persons, figures: figures.clone(), stop: watch::channel(false).0, lives: JoinSet::new() };
        people.know_each_other().await;
        people
    }

    /// Waits until a terminal of each site can be found from every other site.
    async fn know_each_other(&self) {
        for person in &self.persons {
            let first = &self.persons[0];
            until("known", async || {
                let found = first.line().request("client::status", json!({ "clientId": person.name })).await;
                let is_known = found.as_ref().is_ok_and(|text| text.contains("\"clientId\""));
                if is_known { Vec::new() } else { vec![format!("{}: {found:?}", person.name)] }
            })
            .await;
        }
    }

    /// Lets everybody live, and opens the room with a password. Returns that room.
    pub(super) async fn live(&mut self, plan: &Plan) -> String {
        let talkers: Arc<Vec<Arc<Person>>> = Arc::new(self.talkers().cloned().collect());
        let pace = plan.pace();
        for (seed, person) in self.persons.iter().enumerate() {
            let life = Life {
                me: person.clone(),
                others: talkers.clone(),
                figures: self.figures.clone(),
                dice: fastrand::Rng::with_seed(seed as u64),
            };
            self.lives.spawn(life.live(pace, self.stop.subscribe()));
        }
        // Not at the same site, and not of the same account.
        let (owner, guest) = (talkers[0].clone(), talkers[1].clone());
        let body = json!({ "name": "friends", "password": DOOR_PASSWORD, "emptySeconds": 3_600 });
        let created = owner.line().request("room::create", body).await.unwrap();
        let room = room_of(&created);
        for friend in [owner, guest] {
            let (figures, stopped, room) = (self.figures.clone(), self.stop.subscribe(), room.clone());
            self.lives.spawn(go_in_and_out(friend, room, figures, stopped));
        }
        room
    }

    /// Somebody whom everybody may call.
    pub(super) fn telephone(&self) -> String {
        self.talkers().nth(2).unwrap().name.clone()
    }

    fn talkers(&self) -> impl Iterator<Item = &Arc<Person>> {
        self.persons.iter().filter(|person| person.habit == Habit::Talks && person.partition != "mobile.cn")
    }

    /// Lets everybody finish what is under way. How many unicasts were sent, and how many of them nobody has heard.
    pub(super) async fn finish(&mut self) -> (u64, u64) {
        self.stop.send_replace(true);
        while let Some(life) = self.lives.join_next().await {
            life.unwrap();
        }
        let sent: u64 = self.talkers().map(|person| person.sent.load(Relaxed)).sum();
        let mut unheard = u64::MAX;
        // Messages that are still on their way are not lost.
        for _ in 0..50 {
            let missing =
                |person: &Arc<Person>| person.sent.load(Relaxed).saturating_sub(person.line().unicasts());
            unheard = self.talkers().map(missing).sum();
            if unheard == 0 {
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
        (sent, unheard)
    }
}

impl Person {
    async fn arrive(number: usize, plan: &Plan, home: &str, port: u16, dialler: &Dialler) -> Arc<Self> {
        let habit = match number % 20 {
            5 | 15 => Habit::Wanders,
            10 => Habit::Comes,
            _ => Habit::Talks,
        };
        let is_mobile = number % 10 == 7 && number / 10 < MOBILE_MAX;
        let partition = if is_mobile { "mobile.cn" } else { home };
        let (name, account) = (format!("p{number}@{partition}"), account(number % plan.accounts));
        let line = Mutex::new(Arc::new(open(dialler, port).await.unwrap()));
        let (ticket, sent) = Default::default();
        let (partition, dialler) = (partition.to_owned(), dialler.clone());
        let person = Self { number, name, account, partition, port, habit, dialler, line, ticket, sent };
        person.register().await.unwrap();
        Arc::new(person)
    }

    fn line(&self) -> Arc<Line> {
        self.line.lock().unwrap().clone()
    }

    /// Registers on the line that is there, and keeps the ticket.
    async fn register(&self) -> Result<String, String> {
        let mut wish = registration_of(&self.account, &self.name);
        wish["resume"] = json!(self.habit == Habit::Wanders);
        let answer = self.line().request("client::register", wish).await?;
        let message: Value = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
        *self.ticket.lock().unwrap() = (message["body"]["ticket"].clone(), 0);
        Ok(answer)
    }
}

/// A camera that reports a fire, once; its line has to be kept.
pub(super) async fn report_fire(mesh: &Mesh) -> Line {
    let line = open(mesh.dialler(), mesh.place("sh").terminals).await.unwrap();
    line.request("client::register", registration_of(FIRE, "fire@mobile.cn")).await.unwrap();
    line.tell("client::alarm", json!({ "message": FIRE }));
    line
}

async fn open(dialler: &Dialler, port: u16) -> Result<Line, String> {
    Ok(Line::over(dialler.websocket(port).await?))
}

/// One terminal's life.
struct Life {
    me: Arc<Person>,
    others: Arc<Vec<Arc<Person>>>,
    figures: Arc<Figures>,
    dice: fastrand::Rng,
}

impl Life {
    async fn live(mut self, pace: Duration, stopped: watch::Receiver<bool>) {
        while !*stopped.borrow() {
            sleep(pace.mul_f64(0.5 + self.dice.f64())).await;
            match (self.me.habit, self.dice.u8(0..100)) {
                (Habit::Wanders, 0..20) => self.come_back().await,
                (Habit::Comes, 0..20) => self.log_in_anew().await,
                (_, 0..35) => self.look().await,
                (_, 35..60) => self.write(),
                (_, 60..75) => self.call().await,
                (_, 75..85) => {
                    drop(self.ask("heartbeat", "client::heartbeat", json!({ "battery": 50 })).await)
                }
                (_, 85..92) => self.list().await,
                (Habit::Talks, 92..96) => self.meet().await,
                (Habit::Talks, 96) => {
                    self.me.line().tell("client::alarm", json!({ "message": "a door is open" }))
                }
                _ => {}
            }
        }
    }

    async fn ask(&self, kind: &'static str, signal: &str, body: Value) -> Result<String, String> {
        ask(&self.figures, &self.me, kind, signal, body).await
    }

    fn other(&mut self) -> Arc<Person> {
        self.others[self.dice.usize(..self.others.len())].clone()
    }

    async fn look(&mut self) {
        let body = json!({ "clientId": self.other().name });
        let begun = self.figures.begin();
        let found = self.me.line().request("client::status", body).await;
        let found = found.and_then(|text| if text.contains("\"clientId\"") { Ok(()) } else { Err(text) });
        self.figures.end(&begun, "status", &found);
    }

    fn write(&mut self) {
        let other = self.other();
        other.sent.fetch_add(1, Relaxed);
        self.me.line().tell("client::unicast", json!({ "to": other.name, "text": "how are you?" }));
    }

    async fn call(&mut self) {
        // Every tenth call is for the telephone.
        let other = if self.dice.u8(0..10) == 0 { self.others[2].clone() } else { self.other() };
        if other.name == self.me.name {
            return;
        }
        if let Ok(answer) = self.ask("call", "session::call", json!({ "clientId": other.name })).await {
            self.me.line().tell("session::close", json!({ "sessionId": field(&answer, "sessionId") }));
        }
    }

    async fn list(&self) {
        let body = json!({ "partition": self.me.partition, "limit": 20 });
        drop(self.ask("list", "client::list", body).await);
    }

    /// A room from its beginning to its end, with somebody else in it.
    async fn meet(&mut self) {
        let other = self.other();
        let Ok(created) = self.ask("room create", "room::create", json!({ "name": "tea" })).await else {
            return;
        };
        let room = room_of(&created);
        let enter = json!({ "roomId": room });
        if self.ask("room enter", "room::enter", enter.clone()).await.is_ok() {
            let wish = json!({ "roomId": room, "forceTcp": false, "producing": true, "consuming": false });
            let made = self.ask("transport create", "media::transport::webrtc::create", wish).await;
            if other.name != self.me.name {
                drop(ask(&self.figures, &other, "room enter", "room::enter", enter.clone()).await);
                other.line().tell("room::leave", enter.clone());
            }
            self.me.line().tell("room::broadcast", json!({ "roomId": room, "text": "tea is ready" }));
            if let Ok(made) = made {
                let body = json!({ "roomId": room, "transportId": field(&made, "transportId") });
                self.me.line().tell("media::transport::close", body);
            }
            drop(self.ask("room status", "room::status", enter.clone()).await);
            self.me.line().tell("room::leave", enter.clone());
        }
        self.me.line().tell("room::close", enter);
    }

    /// Loses the connection and comes back with the ticket; what arrives after the count is sent again.
    async fn come_back(&self) {
        let Ok(line) = self.connect().await else { return };
        // The old one ends only when the new one is there, so that the other tasks never find none.
        let old = std::mem::replace(&mut *self.me.line.lock().unwrap(), Arc::new(line));
        let (ticket, before) = self.me.ticket.lock().unwrap().clone();
        let received = before + old.messages();
        drop(old);
        let body = json!({ "clientId": self.me.name, "ticket": ticket, "received": received });
        match self.ask("come back", "client::register", body).await {
            Ok(back) => *self.me.ticket.lock().unwrap() = (json!(field(&back, "ticket")), received),
            Err(_) => self.register_again().await,
        }
    }

    async fn log_in_anew(&self) {
        drop(self.ask("close", "client::close", json!({})).await);
        let Ok(line) = self.connect().await else { return };
        *self.me.line.lock().unwrap() = Arc::new(line);
        self.register_again().await;
    }

    async fn register_again(&self) {
        let begun = self.figures.begin();
        self.figures.end(&begun, "register", &self.me.register().await);
    }

    async fn connect(&self) -> Result<Line, ()> {
        let begun = self.figures.begin();
        let opened = open(&self.me.dialler, self.me.port).await;
        self.figures.end(&begun, CONNECT, &opened);
        opened.map_err(drop)
    }
}

async fn ask(
    figures: &Figures,
    who: &Person,
    kind: &'static str,
    signal: &str,
    body: Value,
) -> Result<String, String> {
    let begun = figures.begin();
    let answer = who.line().request(signal, body).await;
    figures.end(&begun, kind, &answer);
    answer
}

/// Enters a room by its password and leaves it, again and again, however many others guess at the password.
async fn go_in_and_out(
    who: Arc<Person>,
    room: String,
    figures: Arc<Figures>,
    stopped: watch::Receiver<bool>,
) {
    while !*stopped.borrow() {
        let body = json!({ "roomId": room, "password": DOOR_PASSWORD });
        drop(ask(&figures, &who, "password enter", "room::enter", body).await);
        who.line().tell("room::leave", json!({ "roomId": room }));
        sleep(DOOR_PACE).await;
    }
}

pub(super) fn room_of(answer: &str) -> String {
    field(answer, "roomId")
}

/// A text in the body of an answer.
fn field(answer: &str, name: &str) -> String {
    let message: Value = serde_json::from_str(answer).expect("nodes send JSON");
    message["body"][name].as_str().unwrap_or_default().to_owned()
}
