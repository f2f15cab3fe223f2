//! How rooms come to be at their node, and who comes in: terminals of its own and of other nodes in one way.

use taoyao_types::{NodeEpoch, NodeId, Now, PartitionId, Secret, TerminalKey, TerminalName, limits};
use taoyao_wire::Class;
use taoyao_wire::link::{
    Failure, ListEntry, Payload, Reply, RoomAct, RoomReply, RoomRequest, RoomState, Target,
};
use taoyao_wire::terminal::Code;

use super::hosted::{Newcomer, Room, Said};
use super::password::{Check, PasswordDone, PasswordWork};
use crate::failure::Failed;
use crate::io::{Output, Token};
use crate::terminals::Terminals;

/// What the node's media service is called, as the original's (reference 3.1).
pub(crate) const MEDIA_SERVICE: &str = "taoyao-client-media";

impl Terminals {
    /// Carries out a room's request, now or when its password has been looked at.
    pub(crate) fn serve_room(
        &mut self,
        now: Now,
        token: Token,
        origin: NodeId,
        mut request: Box<RoomRequest>,
    ) {
        self.believe_operator(origin, &mut request);
        if let Err(failure) = self.permit_in_room(&request) {
            return self.reply_room(token, Some(Err(failure)));
        }
        let reply = match &request.act {
            RoomAct::Create { .. } => self.create_room(now, token, request),
            RoomAct::Enter { .. } => self.let_in(now, token, origin, request),
            RoomAct::Media { .. } => self.serve_media(now, token, &request),
            RoomAct::Record { .. } => self.serve_record(now, token, &request),
            _ => Some(self.serve_in_room(now, &request)),
        };
        self.reply_room(token, reply);
    }

    /// A password has been looked at.
    pub(crate) fn password_done(&mut self, now: Now, number: u64, done: PasswordDone) {
        let Some(check) = self.checks.end(number) else { return };
        let (token, reply) = match (check, done) {
            (Check::Create { token, request, state }, PasswordDone::Hashed(hash)) => {
                let reply = self.open_room(now, token, &request, state, Some(hash));
                return self.reply_room(token, reply);
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

    pub(super) fn reply_room(&mut self, token: Token, reply: Option<Result<RoomReply, Failure>>) {
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
        let state = RoomState { room: id, name: name.clone(), size: 0, media, is_recorded: false };
        let Some(password) = password.clone() else {
            return self.open_room(now, token, &request, state, None);
        };
        self.look_at(PasswordWork::Hash(password), Check::Create { token, request, state })
    }

    /// The media service of a new room: the node's own unless another is named, which must be connected here.
    fn media_service(&self, from: &TerminalName, wanted: Option<&str>) -> Result<String, Failure> {
        let Some(wanted) = wanted.filter(|wanted| *wanted != MEDIA_SERVICE) else {
            return Ok(MEDIA_SERVICE.to_owned());
        };
        let name = TerminalName::resolve(wanted, &from.partition).ok();
        if self.config.has_sfu && name.as_ref().is_some_and(|name| name.client.as_str() == MEDIA_SERVICE) {
            return Ok(MEDIA_SERVICE.to_owned());
        }
        match name.and_then(|name| self.registry.by_name(&name)) {
            Some(_) => Ok(wanted.to_owned()),
            None => Err(Failed::new(Code::Unknown, format!("无效媒体服务：{wanted}")).into_failure()),
        }
    }

    /// There is a new room, as soon as the node's SFU has opened it, too.
    fn open_room(
        &mut self,
        now: Now,
        token: Token,
        request: &RoomRequest,
        state: RoomState,
        password: Option<String>,
    ) -> Option<Result<RoomReply, Failure>> {
        let Some(last_words) = self.rooms.make_room(&request.from) else {
            return Some(Err(Failed::busy("there are too many rooms, and none is empty").into_failure()));
        };
        let RoomState { room, name, media, .. } = state.clone();
        let is_carried = self.config.has_sfu && media == MEDIA_SERVICE;
        let mut room = Room::new(now.mono, room, request.from.clone(), name, media, password);
        let key = room.key;
        self.publish_news(now, key, last_words);
        let opening = is_carried.then(|| room.open_media(token));
        self.rooms.insert(room);
        match opening {
            Some(opening) => {
                self.publish_news(now, key, vec![opening]);
                None
            }
            None => Some(Ok(RoomReply::State(state))),
        }
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
        let RoomAct::Enter { entry: tag, state, receiving, .. } = &request.act else {
            return Ok(RoomReply::Done);
        };
        let (name, session) = (request.from.clone(), request.session);
        let entry = ListEntry { name, origin, life: NodeEpoch::default(), session, state: state.clone() };
        // The room may have been closed while the password was looked at.
        let Some(key) = self.rooms.get(&request.room).map(|room| room.key) else {
            return Err(no_room(&request.room));
        };
        let news = self.rooms.enter(now.mono, &request.room, Newcomer { entry, tag: *tag, receiving });
        self.publish_news(now, key, news);
        self.watch_leases(now);
        Ok(RoomReply::Done)
    }

    /// Hands on what a room says.
    pub(super) fn publish_news(&mut self, now: Now, source: TerminalKey, said: Vec<Said>) {
        for said in said {
            let output = match said {
                Said::News(node, news) => {
                    let (target, payload) = (Target::Node(node), Payload::RoomNews(news));
                    Output::Tell { source, target, class: Class::Event, payload }
                }
                Said::ToMedia(command) => {
                    self.await_media(now, &command.room, command.number);
                    Output::Media(command)
                }
                Said::ToRecorder(command) => {
                    self.await_media(now, &command.room, command.number);
                    Output::Record(command)
                }
            };
            self.outputs.push_back(output);
        }
    }

    /// What an invited terminal shows in the place of the password: good for it, for this room and for ten minutes.
    pub(super) fn pass(&self, now: Now, room: &str, client: &TerminalName) -> String {
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
/// Characters of an unknown room that its error repeats.
const ROOM_CHARS_MAX: usize = 64;

pub(crate) fn no_room(room: &str) -> Failure {
    let room: String = room.chars().take(ROOM_CHARS_MAX).collect();
    Failed::new(Code::Unknown, format!("无效房间：{room}")).into_failure()
}

pub(super) fn no_membership(name: &TerminalName, asker: &TerminalName) -> Failure {
    let seen = name.seen_from(&asker.partition);
    Failed::new(Code::Unknown, format!("终端没有房间权限：{seen}")).into_failure()
}

fn wrong_password() -> Failure {
    Failed::new(Code::Unauthorised, "密码错误").into_failure()
}
