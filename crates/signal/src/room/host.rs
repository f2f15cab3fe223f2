//! What the node of a room does when it is asked: by terminals of its own and of other nodes in one way.

use taoyao_types::{NodeEpoch, NodeId, Now, PartitionId, Scope, Secret, TerminalName, limits};
use taoyao_wire::Class;
use taoyao_wire::link::{
    Failure, ListEntry, Payload, Reply, RoomAct, RoomCheck, RoomChecked, RoomEvent, RoomReply, RoomRequest,
    RoomState, SeatCheck, Target,
};
use taoyao_wire::terminal::{Code, Fields, room};

use super::hosted::{Addressed, Room};
use super::password::{Check, PasswordDone, PasswordWork};
use crate::failure::Failed;
use crate::io::{Output, Token};
use crate::terminals::Terminals;
use crate::timers::Alarm;

/// What the node's media service is called, as the original's (reference 3.1).
pub(crate) const MEDIA_SERVICE: &str = "taoyao-client-media";

impl Terminals {
    /// Carries out a room's request, now or when its password has been looked at.
    pub(crate) fn serve_room(&mut self, now: Now, token: Token, origin: NodeId, request: Box<RoomRequest>) {
        let reply = match &request.act {
            RoomAct::Create { .. } => self.create_room(now, token, request),
            RoomAct::Enter { .. } => self.let_in(now, token, origin, request),
            _ => Some(self.serve_in_room(now, &request)),
        };
        self.reply_room(token, reply);
    }

    /// A password has been looked at.
    pub(crate) fn password_done(&mut self, now: Now, number: u64, done: PasswordDone) {
        let Some(check) = self.checks.end(number) else { return };
        let (token, reply) = match (check, done) {
            (Check::Create { token, request, state }, PasswordDone::Hashed(hash)) => {
                (token, self.open_room(now, &request, state, Some(hash)))
            }
            (Check::Enter { token, origin, request }, PasswordDone::Matches) => {
                if let Some(room) = self.rooms.get_mut(&request.room) {
                    room.guessed_right(&request.from);
                }
                (token, self.seat(now, origin, &request))
            }
            (Check::Enter { token, .. }, PasswordDone::Differs) => (token, Err(wrong_password())),
            (Check::Create { token, .. } | Check::Enter { token, .. }, _) => {
                (token, Err(Failed::busy("too many passwords are being looked at").into_failure()))
            }
        };
        self.reply_room(token, Some(reply));
    }

    fn reply_room(&mut self, token: Token, reply: Option<Result<RoomReply, Failure>>) {
        let reply = match reply {
            None => return,
            Some(Ok(reply)) => Reply::Room(reply),
            Some(Err(failure)) => Reply::Failed(failure),
        };
        self.outputs.push_back(Output::Reply { token, reply });
    }

    fn create_room(
        &mut self,
        now: Now,
        token: Token,
        request: Box<RoomRequest>,
    ) -> Option<Result<RoomReply, Failure>> {
        let RoomAct::Create { name, password, media } = &request.act else { return None };
        let partition = PartitionId::of(&request.from.partition);
        if self.config.owners.get(&partition) != Some(&self.config.node_id) {
            return Some(Err(no_room("null")));
        }
        let media = match self.media_service(&request.from, media.as_deref()) {
            Ok(media) => media,
            Err(failure) => return Some(Err(failure)),
        };
        let id = self.room_ids.next(partition);
        let state = RoomState { room: id, name: name.clone(), size: 0, media };
        let Some(password) = password.clone() else {
            return Some(self.open_room(now, &request, state, None));
        };
        self.look_at(PasswordWork::Hash(password), Check::Create { token, request, state })
    }

    /// The media service of a new room: the node's own unless another is named, which must be connected here.
    fn media_service(&self, from: &TerminalName, wanted: Option<&str>) -> Result<String, Failure> {
        let Some(wanted) = wanted.filter(|wanted| *wanted != MEDIA_SERVICE) else {
            return Ok(MEDIA_SERVICE.to_owned());
        };
        let name = TerminalName::resolve(wanted, &from.partition).ok();
        match name.and_then(|name| self.registry.by_name(&name)) {
            Some(_) => Ok(wanted.to_owned()),
            None => Err(Failed::new(Code::Unknown, format!("无效媒体服务：{wanted}")).into_failure()),
        }
    }

    fn open_room(
        &mut self,
        now: Now,
        request: &RoomRequest,
        state: RoomState,
        password: Option<String>,
    ) -> Result<RoomReply, Failure> {
        if !self.rooms.make_room(&request.from) {
            return Err(Failed::busy("there are too many rooms, and none is empty").into_failure());
        }
        let RoomState { room, name, media, .. } = state.clone();
        self.rooms.insert(Room::new(now.mono, room, request.from.clone(), name, media, password));
        Ok(RoomReply::State(state))
    }

    fn let_in(
        &mut self,
        now: Now,
        token: Token,
        origin: NodeId,
        request: Box<RoomRequest>,
    ) -> Option<Result<RoomReply, Failure>> {
        let RoomAct::Enter { password, .. } = &request.act else { return None };
        let Some(room) = self.rooms.get_mut(&request.room) else { return Some(Err(no_room(&request.room))) };
        let policy = &self.config.policy;
        if let Err(denied) = policy.authorise(Scope::Room, &request.from.partition, &room.partition) {
            return Some(Err(Failure::Denied { rule: denied.rule.to_string() }));
        }
        if room.is_full() && !room.has(&request.from) {
            return Some(Err(Failed::busy("the room is full").into_failure()));
        }
        let (hash, password) = match (room.password.clone(), password.clone()) {
            (None, _) => return Some(self.seat(now, origin, &request)),
            (Some(_), None) => return Some(Err(wrong_password())),
            (Some(hash), Some(password)) => (hash, password),
        };
        if self.is_pass(now, &request, &password) {
            return Some(self.seat(now, origin, &request));
        }
        let may_guess =
            self.rooms.get_mut(&request.room).is_some_and(|room| room.may_guess(now.mono, &request.from));
        if !may_guess {
            return Some(Err(
                Failed::busy("too many wrong passwords; try again in a few seconds").into_failure()
            ));
        }
        self.look_at(PasswordWork::Check(password, hash), Check::Enter { token, origin, request })
    }

    fn look_at(&mut self, work: PasswordWork, check: Check) -> Option<Result<RoomReply, Failure>> {
        match self.checks.begin(check) {
            Some(number) => {
                self.outputs.push_back(Output::Password { number, work });
                None
            }
            None => Some(Err(Failed::busy("too many passwords are being looked at").into_failure())),
        }
    }

    /// The terminal has shown that it may be in the room.
    fn seat(&mut self, now: Now, origin: NodeId, request: &RoomRequest) -> Result<RoomReply, Failure> {
        let RoomAct::Enter { entry: tag, state, .. } = &request.act else { return Ok(RoomReply::Done) };
        let (name, session) = (request.from.clone(), request.session);
        let entry = ListEntry { name, origin, life: NodeEpoch::default(), session, state: state.clone() };
        // The room may have been closed while the password was looked at.
        let Some(key) = self.rooms.get(&request.room).map(|room| room.key) else {
            return Err(no_room(&request.room));
        };
        let news = self.rooms.enter(now.mono, &request.room, entry, *tag);
        self.publish_news(key, news);
        self.watch_leases(now);
        Ok(RoomReply::Done)
    }

    fn serve_in_room(&mut self, now: Now, request: &RoomRequest) -> Result<RoomReply, Failure> {
        let Some(room) = self.rooms.get_mut(&request.room) else { return Err(no_room(&request.room)) };
        let key = room.key;
        let is_operator = request.is_operator && room.partition.is_within(&request.from.partition);
        let may_act = is_operator || room.owner == request.from;
        // Asked before entering (reference 4.3).
        let is_question = matches!(&request.act, RoomAct::Media { signal } if signal == CAPABILITIES);
        if !room.has(&request.from) && !is_operator && !is_question {
            return Err(no_membership(&request.from, &request.from));
        }
        let from = request.from.clone();
        let news = match &request.act {
            RoomAct::Leave => room.leave(now.mono, &from, request.session),
            RoomAct::Close if !may_act => return Err(not_the_owner()),
            RoomAct::Close => {
                tracing::info!(room = request.room, by = %from, "room closed");
                self.rooms.close(&request.room)
            }
            RoomAct::Broadcast { message } => {
                room.tell_all(&RoomEvent::Told { from, to: None, message: message.clone() })
            }
            RoomAct::Expel { .. } if !may_act => return Err(not_the_owner()),
            RoomAct::Expel { client, message } => {
                let told = RoomEvent::Told { from, to: Some(client.clone()), message: message.clone() };
                room.tell_one(client, told).into_iter().collect()
            }
            RoomAct::Invite { client, message } => {
                let mut message = message.clone();
                let with_pass = room.password.is_some().then(|| (request.room.clone(), client.clone()));
                let pass = with_pass.map(|(room, client)| self.pass(now, &room, &client));
                let body = message.body.take().unwrap_or_default();
                message.body = Some(room::invitation(&Fields::of_text(&body), pass.as_deref()));
                return Ok(RoomReply::Invitation(message));
            }
            RoomAct::Members => return Ok(RoomReply::Members(room.members())),
            RoomAct::Ids { client } if room.has(client) => return Ok(RoomReply::Done),
            RoomAct::Ids { client } => return Err(no_membership(client, &from)),
            RoomAct::Status => return Ok(RoomReply::State(room.state())),
            RoomAct::Media { .. } => {
                let text = format!("无效媒体服务：{}", room.media);
                return Err(Failed::new(Code::Unknown, text).into_failure());
            }
            RoomAct::Record { client } if !may_act && *client != from => return Err(not_the_owner()),
            RoomAct::Record { client } if !room.has(client) => {
                return Err(Failed::new(Code::Unknown, "终端没有进入房间").into_failure());
            }
            RoomAct::Record { .. } => {
                let text = "功能没有开启：this node has no recorder";
                return Err(Failed::new(Code::NotAcceptable, text).into_failure());
            }
            RoomAct::Create { .. } | RoomAct::Enter { .. } => return Ok(RoomReply::Done),
        };
        self.publish_news(key, news);
        Ok(RoomReply::Done)
    }

    /// A node of members says what it knows of rooms here.
    pub(crate) fn check_seats(&mut self, now: Now, origin: NodeId, check: RoomCheck) -> Reply {
        let mut answer = RoomChecked::default();
        for seat in check.seats {
            self.check_seat(now, origin, seat, &mut answer);
        }
        Reply::RoomChecked(answer)
    }

    fn check_seat(&mut self, now: Now, origin: NodeId, seat: SeatCheck, answer: &mut RoomChecked) {
        let SeatCheck { room: id, feed, next, members } = seat;
        let Some(room) = self.rooms.get_mut(&id) else { return answer.closed.push(id) };
        let key = room.key;
        let Some(mut news) = room.catch_up(now.mono, origin, feed, next) else {
            let named = members.iter().filter(|name| room.has_at(name, origin)).cloned().collect::<Vec<_>>();
            let session = taoyao_types::SessionEpoch(u64::MAX);
            let news: Vec<Addressed> =
                named.iter().flat_map(|name| room.leave(now.mono, name, session)).collect();
            answer.out.push((id, members));
            return self.publish_news(key, news);
        };
        let session = taoyao_types::SessionEpoch(u64::MAX);
        for ghost in room.ghosts(origin, next, &members) {
            news.extend(room.leave(now.mono, &ghost, session));
        }
        let strangers: Vec<TerminalName> =
            members.into_iter().filter(|name| !room.has_at(name, origin)).collect();
        if !strangers.is_empty() {
            answer.out.push((id, strangers));
        }
        self.publish_news(key, news);
    }

    /// Looks for leases that have ended, from time to time, while there are any.
    pub(crate) fn watch_leases(&mut self, now: Now) {
        if !self.leases_watched && self.rooms.are_lived_in() {
            self.leases_watched = true;
            self.timers.set(now.mono + limits::ROOM_CHECK, Alarm::RoomLeases);
        }
    }

    pub(crate) fn expire_leases(&mut self, now: Now) {
        self.leases_watched = false;
        for (key, news) in self.rooms.expire(now.mono) {
            self.publish_news(key, vec![news]);
        }
        self.watch_leases(now);
    }

    fn publish_news(&mut self, source: taoyao_types::TerminalKey, news: Vec<Addressed>) {
        for (node, news) in news {
            let (target, payload) = (Target::Node(node), Payload::RoomNews(news));
            self.outputs.push_back(Output::Tell { source, target, class: Class::Event, payload });
        }
    }

    /// What an invited terminal shows in the place of the password: good for it, for this room and for ten minutes.
    fn pass(&self, now: Now, room: &str, client: &TerminalName) -> String {
        let until = (now.wall.0 + limits::ROOM_PASS_KEPT.as_millis() as u64).to_string();
        let seal = self.config.sealer.seal(PASS, &[room, &client.to_string(), &until]);
        format!("{until}.{seal}")
    }

    fn is_pass(&self, now: Now, request: &RoomRequest, password: &Secret) -> bool {
        let Some((until, seal)) = password.0.split_once('.') else { return false };
        let in_time = until.parse::<u64>().is_ok_and(|until| now.wall.0 <= until);
        let words = [&request.room, &request.from.to_string(), until];
        in_time && self.config.sealer.is_sealed(PASS, &words, seal)
    }
}

const PASS: &str = "room pass";
/// What may be asked before entering.
const CAPABILITIES: &str = "media::router::rtp::capabilities";
/// Characters of an unknown room that its error repeats.
const ROOM_CHARS_MAX: usize = 64;

pub(crate) fn no_room(room: &str) -> Failure {
    let room: String = room.chars().take(ROOM_CHARS_MAX).collect();
    Failed::new(Code::Unknown, format!("无效房间：{room}")).into_failure()
}

fn no_membership(name: &TerminalName, asker: &TerminalName) -> Failure {
    let seen = name.seen_from(&asker.partition);
    Failed::new(Code::Unknown, format!("终端没有房间权限：{seen}")).into_failure()
}

fn wrong_password() -> Failure {
    Failed::new(Code::Unauthorised, "密码错误").into_failure()
}

fn not_the_owner() -> Failure {
    Failure::Denied { rule: "owner".to_owned() }
}
