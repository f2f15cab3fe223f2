//! What terminals ask of rooms, and how they are answered.

use taoyao_types::{
    AccountTag, NodeId, Now, PartitionId, Scope, SessionEpoch, TerminalKey, TerminalName, limits,
};
use taoyao_wire::Class;
use taoyao_wire::link::{
    Failure, Message, Payload, Reply, RoomAct, RoomCheck, RoomReply, RoomRequest, SeatCheck, Target,
};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::room::PageRequest;
use taoyao_wire::terminal::{Code, Fields, media, room};

use super::host::no_room;
use super::ids::partition_of;
use super::seats::{Entry, Sitter};
use crate::allowance::Readers;
use crate::asks::{Asker, OpenAsk, Purpose};
use crate::failure::Failed;
use crate::io::Output;
use crate::rights::manages;
use crate::say::Request;
use crate::terminal::Terminal;
use crate::terminals::Terminals;
use crate::timers::Alarm;

/// What a request to a room is for, until it is answered.
#[derive(Debug)]
pub(crate) struct RoomAsk {
    signal: Signal,
    pub(super) room: String,
    /// Of `room::enter`.
    entry: Option<u64>,
    /// Of `room::invite`: who is invited. Of `room::client::list::id`: whose ids. Of `control::server::record`: who is
    /// recorded.
    client: Option<TerminalName>,
    /// What the answer repeats.
    body: Option<String>,
    /// Of `room::client::list`: which part is wanted.
    page: PageRequest,
}

// What the terminals of this node want.
impl Terminals {
    pub(crate) fn create_room_for(&mut self, now: Now, request: &Request<'_>) {
        if !self.is_client(now, request) {
            return;
        }
        let room::CreateRequest { name, password, media, empty_seconds } =
            room::CreateRequest::of(request.message);
        if password.as_ref().is_some_and(|password| password.0.len() > limits::PASSWORD_BYTES_MAX) {
            let why = format!("请求错误：the password has more than {} bytes", limits::PASSWORD_BYTES_MAX);
            return self.refuse(now, request, Failed::new(Code::BadRequest, why));
        }
        let partition = PartitionId::of(&request.from.partition);
        let Some(host) = self.config.owners.get(&partition).copied() else {
            return self.refuse(now, request, Self::plainly(Code::Unknown));
        };
        let act = RoomAct::Create { name, password, media, empty_seconds };
        self.ask_room(now, request, host, Wanted::of(String::new(), act));
    }

    pub(crate) fn enter_room(&mut self, now: Now, request: &Request<'_>) {
        if !self.is_client(now, request) {
            return;
        }
        let fields = Fields::of(request.message.body);
        let Some((room, host)) = self.room_of(now, request, &fields) else { return };
        let password =
            room::password(&fields).filter(|password| password.0.len() <= limits::PASSWORD_BYTES_MAX);
        if !self.seats.has_room(&request.from, &room) {
            return self.refuse(now, request, Failed::busy("the terminal is in too many rooms"));
        }
        let receiving = match media::receiving(&fields) {
            Ok(receiving) => receiving,
            Err(bad) => {
                let text = format!("{}：{bad}", Code::BadRequest.text());
                return self.refuse(now, request, Failed::new(Code::BadRequest, text));
            }
        };
        let Some(terminal) = self.registry.terminal(request.conn) else { return };
        let (state, session) = (terminal.state.to_json(), terminal.session);
        let entry = self.seats.begin_entry(Entry { room: room.clone(), asker: request.asker(), session });
        // A little later than the mesh gives up, which says more.
        self.timers.set(now.mono + ENTRY_MAX, Alarm::Entry(entry));
        let act = RoomAct::Enter { entry, password, state, receiving };
        self.ask_room(now, request, host, Wanted { entry: Some(entry), ..Wanted::of(room, act) });
    }

    /// Local at once, so that nothing more is heard of the room; its node is told.
    pub(crate) fn leave_room(&mut self, now: Now, request: &Request<'_>) {
        let fields = Fields::of(request.message.body);
        let Some((room, host)) = self.room_of(now, request, &fields) else { return };
        match self.stand_up(&room, &request.from) {
            Some(Sitter { session, .. }) => self.tell_left(room, host, request.from.clone(), session),
            None => self.ask_room(now, request, host, Wanted::of(room, RoomAct::Leave)),
        }
    }

    /// All other signals of rooms.
    pub(crate) fn ask_in_room(&mut self, now: Now, request: &Request<'_>) {
        let fields = Fields::of(request.message.body);
        let Some((room, host)) = self.room_of(now, request, &fields) else { return };
        let home = &request.from.partition;
        let named = |field: &str| fields.text(field).and_then(|text| TerminalName::resolve(&text, home).ok());
        let message = || request.message.relayed();
        let (mut client, mut body) = (None, None);
        let page = PageRequest::of(&fields);
        let act = match request.signal {
            Signal::RoomBroadcast => match self.charged(now, request, Readers::Many, message()) {
                Some(message) => RoomAct::Broadcast { message },
                None => return,
            },
            Signal::RoomClose => RoomAct::Close,
            Signal::RoomClientList => RoomAct::Members,
            Signal::RoomStatus => RoomAct::Status,
            Signal::RoomClientListId => {
                let whose = named("clientId").unwrap_or_else(|| request.from.clone());
                client = Some(whose.clone());
                RoomAct::Ids { client: whose }
            }
            Signal::RoomExpel | Signal::RoomInvite => {
                // A target that cannot be is dropped in silence, like one that is not there (quirk Q43).
                let Some(whom) = named("clientId") else { return };
                let reader = Readers::One(TerminalKey::of(&whom));
                let Some(message) = self.charged(now, request, reader, message()) else { return };
                if request.signal == Signal::RoomExpel {
                    RoomAct::Expel { client: whom, message }
                } else {
                    client = Some(whom.clone());
                    RoomAct::Invite { client: whom, message }
                }
            }
            Signal::ControlServerRecord => match named("to") {
                Some(recorded) if !self.may_record(now, request, &recorded) => return,
                Some(recorded) => {
                    client = Some(recorded.clone());
                    body = message().body;
                    let enabled = fields.flag("enabled").unwrap_or(true);
                    RoomAct::Record { client: recorded, enabled }
                }
                None => return self.refuse(now, request, Failed::no_target("null")),
            },
            other => {
                let body = message().body.unwrap_or_else(|| "{}".to_owned());
                RoomAct::Media { ask: 0, signal: other.name().to_owned(), body }
            }
        };
        self.ask_room(now, request, host, Wanted { client, body, page, ..Wanted::of(room, act) });
    }

    /// Rooms are for terminals with people or cameras behind them (reference 4.6).
    fn is_client(&mut self, now: Now, request: &Request<'_>) -> bool {
        let terminal = self.registry.terminal(request.conn);
        let is_client = terminal.is_some_and(|terminal| terminal.state.client_type.is_client());
        if !is_client {
            let why =
                format!("{}：only WEB, CAMERA and MOBILE terminals meet in rooms", Code::BadRequest.text());
            self.refuse(now, request, Failed::new(Code::BadRequest, why));
        }
        is_client
    }

    /// The node that has, or would have, a room of this id; none if no room can have it.
    pub(super) fn host_of(&self, room: &str) -> Option<NodeId> {
        self.config.owners.get(&partition_of(room)?).copied()
    }

    /// The room that the request names, and its node.
    fn room_of(&mut self, now: Now, request: &Request<'_>, fields: &Fields<'_>) -> Option<(String, NodeId)> {
        let room = room::room_id(fields);
        let Some((host, partition)) = self.host_of(&room).zip(self.partition_of_room(&room)) else {
            self.refuse(now, request, Failed::of(&no_room(&room), Self::plainly(Code::Unknown)));
            return None;
        };
        let home = &request.from.partition;
        let asks = request.signal.row().asks.scope().is_some();
        if asks && !manages(Self::is_operator(request), home, &partition) {
            // By the id alone, so that nobody learns which rooms there are.
            if let Err(denied) = self.config.policy.authorise(Scope::Room, home, &partition) {
                self.deny(now, request, denied);
                return None;
            }
        }
        Some((room, host))
    }

    /// Whether policy lets the sender have this terminal recorded; it is told if not.
    fn may_record(&mut self, now: Now, request: &Request<'_>, recorded: &TerminalName) -> bool {
        let policy = &self.config.policy;
        match policy.authorise(Scope::Record, &request.from.partition, &recorded.partition) {
            Ok(_) => true,
            Err(denied) => {
                self.deny(now, request, denied);
                false
            }
        }
    }

    fn ask_room(&mut self, now: Now, request: &Request<'_>, host: NodeId, wanted: Wanted) {
        let Wanted { room, mut act, entry, client, body, page } = wanted;
        let signal = request.signal;
        let purpose =
            Purpose::Room(Box::new(RoomAsk { signal, room: room.clone(), entry, client, body, page }));
        let Some((ask, source)) = self.open_ask(now, request, purpose) else {
            return drop(entry.and_then(|entry| self.seats.end_entry(entry)));
        };
        if let RoomAct::Media { ask: number, .. } = &mut act {
            *number = ask.0;
        }
        let session =
            self.registry.terminal(request.conn).map(|terminal| terminal.session).unwrap_or_default();
        let (from, is_operator) = (request.from.clone(), Self::is_operator(request));
        let account = AccountTag::of(&request.account.name);
        let request = RoomRequest { from, session, account, room, is_operator, act };
        let payload = Payload::Room(Box::new(request));
        self.outputs.push_back(Output::Ask { ask, source, target: Target::Node(host), payload });
    }
}

// How it ended.
impl Terminals {
    pub(crate) fn room_replied(&mut self, now: Now, asker: &Asker, ask: RoomAsk, reply: Reply) {
        let failure = match reply {
            Reply::Room(reply) => return self.room_answered(now, asker, ask, reply),
            Reply::Failed(failure) => failure,
            _ => no_room(&ask.room),
        };
        if let Some(Entry { session, .. }) = ask.entry.and_then(|entry| self.seats.end_entry(entry))
            && matches!(failure, Failure::Deadline | Failure::Interrupted { .. })
        {
            // It may be in all the same, and has been told otherwise.
            self.leave_again(asker, &ask.room, session);
        }
        if let Failure::Denied { rule } = &failure {
            self.audit_later(asker, ask.signal, rule);
        }
        self.fail(now, asker.conn, Some(asker.id), Failed::of(&failure, Self::plainly(Code::Gone)));
    }

    fn room_answered(&mut self, now: Now, asker: &Asker, ask: RoomAsk, reply: RoomReply) {
        let body = match reply {
            // A guest sees no news of the room, but it waits.
            RoomReply::Done if self.registry.is_guest(asker.conn) => {
                return self.answer_later(asker, ask.signal, None);
            }
            // What is to be seen of it comes with the room's news.
            RoomReply::Done => return,
            RoomReply::Ids(ids) => {
                let (Some(viewer), Some(client)) = (self.registry.caller(asker.conn), ask.client) else {
                    return;
                };
                room::ids(&ask.room, &viewer.sees(&client), &ids)
            }
            RoomReply::Media(answer) => return self.media_answered(asker, ask.signal, &ask.room, answer),
            RoomReply::Recorded { filepath } => {
                let (Some(viewer), Some(client)) = (self.registry.caller(asker.conn), ask.client) else {
                    return;
                };
                // The requester, as far as it has a name (quirk Q23).
                let shown = if viewer.is_guest() { &client } else { viewer.name };
                let body = ask.body.unwrap_or_default();
                room::recorded(&body, filepath.as_deref(), &viewer.sees(shown))
            }
            RoomReply::State(state) => room::state(&state),
            RoomReply::Status(state, rights) => room::status(&state, rights),
            RoomReply::Members(entries) => {
                match self.members_shown(asker.conn, &ask.room, entries, &ask.page) {
                    Some(body) => body,
                    None => return,
                }
            }
            RoomReply::Invitation(message) => return self.hand_invitation(now, asker, ask.client, message),
        };
        self.answer_later(asker, ask.signal, Some(&body));
    }

    fn hand_invitation(&mut self, now: Now, asker: &Asker, client: Option<TerminalName>, message: Message) {
        let Some(client) = client else { return };
        if message.signal != Signal::RoomInvite.name() {
            // The room's node would have this terminal say something else.
            self.stats.mesh_refused += 1;
            return self.fail(now, asker.conn, Some(asker.id), Self::plainly(Code::Unknown));
        }
        let policy = &self.config.policy;
        if let Err(denied) = policy.authorise(Scope::Room, &asker.name.partition, &client.partition) {
            self.audit_later(asker, Signal::RoomInvite, &denied.rule);
            return self.fail(now, asker.conn, Some(asker.id), denied.into());
        }
        let (source, target) = (TerminalKey::of(&asker.name), Target::Terminal(TerminalKey::of(&client)));
        let payload = Payload::Message { from: asker.name.clone(), message };
        self.outputs.push_back(Output::Tell { source, target, class: Class::Event, payload });
    }

    /// The room's node has not said in time that the terminal is in.
    pub(crate) fn entry_overdue(&mut self, now: Now, entry: u64) {
        let Some(Entry { room, asker, session }) = self.seats.end_entry(entry) else { return };
        self.leave_again(&asker, &room, session);
        if self.is_there(&asker) {
            self.fail(
                now,
                asker.conn,
                Some(asker.id),
                Failed::of(&Failure::Deadline, Self::plainly(Code::Gone)),
            );
        }
    }

    fn leave_again(&mut self, asker: &Asker, room: &str, session: SessionEpoch) {
        if let (Some(host), false) = (self.host_of(room), self.seats.is_member(room, &asker.name)) {
            self.tell_left(room.to_owned(), host, asker.name.clone(), session);
        }
    }
}

// Without anybody who waits for an answer.
impl Terminals {
    /// A terminal goes: it leaves all its rooms (reference 3.7).
    pub(crate) fn leave_rooms(&mut self, terminal: &Terminal) {
        for (room, host) in self.seats.rooms_of(&terminal.name) {
            if let Some(Sitter { session, .. }) = self.stand_up(&room, &terminal.name) {
                self.tell_left(room, host, terminal.name.clone(), session);
            }
        }
        for (room, session) in self.seats.drop_entries(&terminal.name) {
            if let Some(host) = self.host_of(&room) {
                self.tell_left(room, host, terminal.name.clone(), session);
            }
        }
    }

    fn tell_left(&mut self, room: String, host: NodeId, from: TerminalName, session: SessionEpoch) {
        if self.asks.is_full() {
            return; // The next comparison says so, too.
        }
        let ask = self.asks.open(OpenAsk::Farewell { is_local: host == self.config.node_id });
        let source = TerminalKey::of(&from);
        // Leaving takes no right: the member is named by terminal and session.
        let account = AccountTag::NOBODY;
        let request = RoomRequest { from, session, account, room, is_operator: false, act: RoomAct::Leave };
        let payload = Payload::Room(Box::new(request));
        self.outputs.push_back(Output::Ask { ask, source, target: Target::Node(host), payload });
    }

    /// Compares what is known of rooms with their nodes.
    pub(crate) fn compare_seats(&mut self, now: Now) {
        self.seats_compared = false;
        for host in self.seats.hosts() {
            self.compare_with(host);
        }
        self.watch_seats(now);
    }

    pub(crate) fn compare_with(&mut self, host: NodeId) {
        for seats in self.seats.known_of(host) {
            self.say_known(host, seats);
        }
    }

    /// Tells the node of a room that nobody here is in it, as it seems to believe. Not more than once in a second: one time
    /// is enough for all its rooms when this node has begun a new life.
    pub(super) fn disown(&mut self, now: Now, host: NodeId, seat: SeatCheck) {
        let was_told = self.disowned.get(&host).is_some_and(|at| now.mono.since(*at) < DISOWN_PAUSE);
        if !was_told {
            self.disowned.insert(host, now.mono);
            self.say_known(host, vec![seat]);
        }
    }

    pub(super) fn say_known(&mut self, host: NodeId, seats: Vec<SeatCheck>) {
        if self.asks.is_full() {
            return;
        }
        let ask = self.asks.open(OpenAsk::RoomCheck);
        let source = TerminalKey::first_in(PartitionId::of(&self.config.home));
        let payload = Payload::RoomCheck(RoomCheck { seats });
        self.outputs.push_back(Output::Ask { ask, source, target: Target::Node(host), payload });
    }

    pub(crate) fn watch_seats(&mut self, now: Now) {
        if !self.seats_compared && self.seats.len() > 0 {
            self.seats_compared = true;
            self.timers.set(now.mono + limits::ROOM_CHECK, Alarm::Seats);
        }
    }
}

/// See [`Terminals::disown`].
const DISOWN_PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

struct Wanted {
    room: String,
    act: RoomAct,
    entry: Option<u64>,
    client: Option<TerminalName>,
    body: Option<String>,
    page: PageRequest,
}

impl Wanted {
    fn of(room: String, act: RoomAct) -> Self {
        Self { room, act, entry: None, client: None, body: None, page: PageRequest::default() }
    }
}

/// How long a terminal waits to be told that it is in: as long as it waits for any answer (reference 2.6).
const ENTRY_MAX: std::time::Duration = std::time::Duration::from_millis(4_900);
