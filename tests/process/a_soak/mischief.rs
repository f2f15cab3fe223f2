//! Mischief that terminals of other accounts do without pause; what they are refused is what they came for.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_tungstenite::tungstenite::Message;

use super::figures::Figures;
use super::garbage;
use super::line::Line;
use super::people::room_of;
use super::place::{ELSEWHERE, Plan, SITES, account, mallory};
use crate::mesh::Mesh;
use crate::shape::Place;
use crate::terminal::{Dialler, Socket, envelope, registration_of};

/// Time for which a connection is written to while nothing is read on it.
const UNREAD: Duration = Duration::from_secs(3);
/// The receive buffer of such a connection. With the usual one, megabytes would lie there before the node notices.
const UNREAD_BYTES: u32 = 16 * 1024;
/// Between two guesses at a room.
const BREATH: Duration = Duration::from_millis(50);
/// Refused signals in one round.
const REFUSED: usize = 500;
/// Calls in one round, of which nobody answers one.
const CALLS: usize = 64;
/// Transports in one round: as many as one member may have, and one that is refused.
const TRANSPORTS: usize = 17;
/// As many alarms as a name may raise at once.
const ALARMS: usize = 16;
const BROADCAST_BYTES: usize = 1_000_000;

/// One kind of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    UnreadPongs,
    UnreadLists,
    RefusedSignals,
    RoomsLeft,
    Transports,
    Telephone,
    WrongPasswords,
    RoomGuesses,
    Broadcasts,
    NewNames,
    Garbage,
}

impl Kind {
    const ALL: [Self; 11] = [
        Self::UnreadPongs,
        Self::UnreadLists,
        Self::RefusedSignals,
        Self::RoomsLeft,
        Self::Transports,
        Self::Telephone,
        Self::WrongPasswords,
        Self::RoomGuesses,
        Self::Broadcasts,
        Self::NewNames,
        Self::Garbage,
    ];

    /// Those that a plan wants: all, unless it names some.
    pub(super) fn wanted(plan: &Plan) -> Vec<Self> {
        let is_wanted =
            |kind: &Self| plan.mischief.is_empty() || plan.mischief.contains(&format!("{kind:?}"));
        Self::ALL.into_iter().filter(is_wanted).collect()
    }

    /// The name under which the figures count it.
    pub(super) fn counted(self) -> &'static str {
        match self {
            Self::UnreadPongs => "connections, pongs unread",
            Self::UnreadLists => "connections, lists unread",
            Self::RefusedSignals => "signals refused",
            Self::RoomsLeft => "rooms left behind",
            Self::Transports => "transports never connected",
            Self::Telephone => "calls never answered",
            Self::WrongPasswords => "wrong passwords",
            Self::RoomGuesses => "guesses at a room",
            Self::Broadcasts => "broadcasts of 1 MB",
            Self::NewNames => "alarms under new names",
            Self::Garbage => "pieces of garbage",
        }
    }

    /// The numbers of those who do it: who has which account and is at which site.
    fn doers(self, strength: usize) -> Vec<usize> {
        match self {
            // Two accounts engage the telephone as far as they can; four have to act together to keep it engaged.
            Self::Telephone => vec![0, 1],
            // All accounts, at the site where the fire is.
            Self::NewNames => vec![0, 4, 8],
            _ => (self as usize..self as usize + strength).collect(),
        }
    }
}

/// The targets of those who do it, and the way to them.
pub(super) struct Mischief {
    dialler: Dialler,
    places: [Place; 4],
    figures: Arc<Figures>,
    accounts: usize,
    pause: Duration,
    telephone: String,
    room: String,
}

/// One of them, in its so many-th round.
#[derive(Debug, Clone, Copy)]
struct Who {
    number: usize,
    turn: u64,
}

impl Mischief {
    /// Against the people's accounts, the telephone and the room.
    pub(super) fn plan(
        mesh: &Mesh,
        plan: &Plan,
        figures: &Arc<Figures>,
        (telephone, room): (String, String),
    ) -> Self {
        let places = SITES.map(|site| mesh.place(site).clone());
        let (dialler, figures) = (mesh.dialler().clone(), figures.clone());
        let (accounts, pause) = (plan.accounts, plan.pause);
        Self { dialler, places, figures, accounts, pause, telephone, room }
    }

    /// Lets so many do each kind that is wanted, until the set is dropped.
    pub(super) fn begin(self, plan: &Plan) -> JoinSet<()> {
        let (all, mut doing) = (Arc::new(self), JoinSet::new());
        for kind in Kind::wanted(plan) {
            for number in kind.doers(plan.strength()) {
                doing.spawn(all.clone().again(kind, number));
            }
        }
        doing
    }

    /// Does it again and again. What ends a round does not matter: a connection that is closed is what it asked for.
    async fn again(self: Arc<Self>, kind: Kind, number: usize) {
        for turn in 0.. {
            let done = self.round(kind, Who { number, turn }).await.unwrap_or_default();
            if done > 0 {
                self.figures.mischief(kind.counted(), done);
            }
            sleep(self.pause).await;
        }
    }

    /// Does it once, and says how often that was.
    async fn round(&self, kind: Kind, who: Who) -> Result<u64, String> {
        match kind {
            Kind::UnreadPongs => self.leave_unread(who, &ping()).await,
            Kind::UnreadLists => self.leave_unread(who, &text(&envelope(1, "client::list", json!({})))).await,
            Kind::RefusedSignals => self.be_refused(who).await,
            Kind::RoomsLeft => self.leave_rooms(who).await,
            Kind::Transports => self.make_transports(who).await,
            Kind::Telephone => self.call(who).await,
            Kind::WrongPasswords => self.guess_login(who).await,
            Kind::RoomGuesses => self.guess_at_room(who).await,
            Kind::Broadcasts => self.broadcast(who).await,
            Kind::NewNames => self.raise_alarms(who).await,
            Kind::Garbage => garbage::throw(self.place(who)).await,
        }
    }

    /// Writes one frame again and again, as far as it is taken, and reads nothing.
    async fn leave_unread(&self, who: Who, frame: &[u8]) -> Result<u64, String> {
        let tcp = TcpSocket::new_v4().map_err(|error| error.to_string())?;
        tcp.set_recv_buffer_size(UNREAD_BYTES).map_err(|error| error.to_string())?;
        let mut socket = self.connect(who, tcp).await?;
        let wish = registration_of(&mallory(who.number), &format!("deaf-{}@{ELSEWHERE}", who.number));
        let said = socket.send(Message::text(envelope(1, "client::register", wish))).await;
        said.map_err(|error| error.to_string())?;
        drop(socket.next().await);
        let (mut stream, frames) = (socket.into_inner(), frame.repeat(100));
        let (until, mut at) = (Instant::now() + UNREAD, 0);
        while let Ok(Ok(count)) = timeout_at(until, stream.write(&frames[at..])).await {
            at = (at + count) % frames.len();
        }
        sleep_until(until).await;
        Ok(1)
    }

    /// Orders what only operators may, by the hundred.
    async fn be_refused(&self, who: Who) -> Result<u64, String> {
        let line = self.register(who, "order").await?;
        for _ in 0..REFUSED {
            line.tell("platform::script", json!({ "script": "anything" }));
        }
        // Answered when all of them are refused.
        line.request("client::heartbeat", json!({})).await?;
        Ok(REFUSED as u64)
    }

    async fn leave_rooms(&self, who: Who) -> Result<u64, String> {
        let line = self.register(who, "guest").await?;
        for _ in 0..50 {
            let room = json!({ "roomId": room_of(&line.request("room::create", json!({})).await?) });
            line.request("room::enter", room.clone()).await?;
            line.tell("room::leave", room);
        }
        Ok(50)
    }

    async fn make_transports(&self, who: Who) -> Result<u64, String> {
        let line = self.register(who, "member").await?;
        let room = room_of(&line.request("room::create", json!({})).await?);
        line.request("room::enter", json!({ "roomId": room })).await?;
        let wish = json!({ "roomId": room, "forceTcp": false, "producing": true, "consuming": true });
        let mut made = 0;
        for _ in 0..TRANSPORTS {
            made += u64::from(line.request("media::transport::webrtc::create", wish.clone()).await.is_ok());
        }
        Ok(made)
    }

    /// Calls, and neither waits for an answer nor hangs up until there are too many calls.
    async fn call(&self, who: Who) -> Result<u64, String> {
        let line = self.register(who, "caller").await?;
        let mut ring = 0;
        for _ in 0..CALLS {
            let body = json!({ "clientId": self.telephone });
            ring += u64::from(line.request("session::call", body).await.is_ok());
        }
        sleep(UNREAD).await;
        Ok(ring)
    }

    /// Guesses at the password of somebody's account, each time from another address.
    async fn guess_login(&self, who: Who) -> Result<u64, String> {
        let tcp = TcpSocket::new_v4().map_err(|error| error.to_string())?;
        let [_, _, high, low] = (who.turn as u32 % 60_000 + 256).to_be_bytes();
        tcp.bind(([127, 1, high, low], 0).into()).map_err(|error| error.to_string())?;
        let line = Line::over(self.connect(who, tcp).await?);
        let mut wish = registration_of(&account(who.turn as usize % self.accounts), "thief");
        wish["password"] = json!(format!("guess-{}-{}", who.number, who.turn));
        let refused = line.request("client::register", wish).await;
        assert!(refused.is_err(), "a wrong password registers");
        Ok(1)
    }

    async fn guess_at_room(&self, who: Who) -> Result<u64, String> {
        let line = self.register(who, "stranger").await?;
        for guess in 0..20 {
            let body = json!({ "roomId": self.room, "password": format!("guess-{}-{guess}", who.turn) });
            let refused = line.request("room::enter", body).await;
            assert!(refused.is_err(), "a wrong password opens a room");
            sleep(BREATH).await;
        }
        Ok(20)
    }

    async fn broadcast(&self, who: Who) -> Result<u64, String> {
        let line = self.register_in("mobile.cn", who, "crier").await?;
        for _ in 0..3 {
            line.tell("client::broadcast", json!({ "text": "x".repeat(BROADCAST_BYTES) }));
            sleep(self.pause).await;
        }
        // Nothing that lies before it is lost.
        line.request("client::heartbeat", json!({})).await?;
        Ok(3)
    }

    async fn raise_alarms(&self, who: Who) -> Result<u64, String> {
        let line = self.register(who, &format!("new-{}", who.turn)).await?;
        for _ in 0..ALARMS {
            line.tell("client::alarm", json!({ "message": "nothing at all" }));
        }
        line.request("client::heartbeat", json!({})).await?;
        Ok(ALARMS as u64)
    }

    async fn register(&self, who: Who, name: &str) -> Result<Line, String> {
        self.register_in(ELSEWHERE, who, name).await
    }

    async fn register_in(&self, partition: &str, who: Who, name: &str) -> Result<Line, String> {
        let line = Line::over(self.dialler.websocket(self.place(who).terminals).await?);
        let name = format!("{name}-{}@{partition}", who.number);
        line.request("client::register", registration_of(&mallory(who.number), &name)).await?;
        Ok(line)
    }

    async fn connect(&self, who: Who, tcp: TcpSocket) -> Result<Socket, String> {
        let port = self.place(who).terminals;
        let stream = tcp.connect(([127, 0, 0, 1], port).into()).await.map_err(|error| error.to_string())?;
        self.dialler.websocket_over(stream, port).await
    }

    fn place(&self, who: Who) -> &Place {
        &self.places[who.number % self.places.len()]
    }
}

/// A masked ping of the greatest length.
fn ping() -> Vec<u8> {
    [&[0x89, 0x80 | 125, 0, 0, 0, 0][..], &[b'x'; 125]].concat()
}

/// A masked text of less than 126 bytes.
fn text(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    [&[0x81, 0x80 | length, 0, 0, 0, 0][..], text.as_bytes()].concat()
}
