//! How rooms come to be at their node, and who comes in: terminals of its own and of other nodes in one way.

use std::time::Duration;

use taoyao_types::{
    Exhausted, NodeEpoch, NodeId, Now, PartitionId, Scope, Secret, TerminalKey, TerminalName, limits,
};
use taoyao_wire::Class;
use taoyao_wire::link::{
    Failure, ListEntry, Payload, Reply, RoomAct, RoomEvent, RoomNews, RoomReply, RoomRequest, RoomState,
    Target,
};
use taoyao_wire::terminal::Code;

use super::hosted::{Newcomer, Owner, Room, Said};
use super::ids::partition_of;
use super::password::{Check, PasswordDone, PasswordWork};
use super::rooms::NoPlace;
use super::shares::{Holder, RoomLimits, Scarce};
use crate::failure::Failed;
use crate::io::{Output, Token};
use crate::terminals::Terminals;

/// What the node's media service is called, as the original's (reference 3.1).
pub(crate) const MEDIA_SERVICE: &str = "taoyao-client-media";
/// How people are shown it, as the original's.
pub(crate) const MEDIA_SERVICE_SHOWN: &str = "桃夭媒体服务";

impl Terminals {
    /// Carries out a room's request, now or when its password has been looked at.
    pub(crate) fn serve_room(
        &mut self,
        now: Now,
        token: Token,
        origin: NodeId,
        mut request: Box<RoomRequest>,
    ) {
        let life = token.0.epoch;
        self.believe_operator(origin, &mut request);
        if let Err(failure) = self.permit_in_room(&request) {
            return self.reply_room(token, Some(Err(failure)));
        }
        let reply = match &request.act {
            RoomAct::Create { .. } => self.create_room(now, token, origin, request),
            RoomAct::Enter { .. } => self.let_in(now, token, (origin, life), request),
            RoomAct::Media { .. } => self.serve_media(now, token, origin, &request),
            RoomAct::Record { .. } => self.serve_record(now, token, origin, &request),
            _ => Some(self.serve_in_room(now, origin, &request)),
        };
        self.reply_room(token, reply);
    }

    /// A password has been looked at.
    pub(crate) fn password_done(&mut self, now: Now, number: u64, done: PasswordDone) {
        let Some(check) = self.checks.end(number) else { return };
        let (token, reply) = match (check, done) {
            (Check::Create { token, origin, request, state }, PasswordDone::Hashed(hash)) => {
                let reply = self.open_room(now, token, origin, &request, state, Some(hash));
                return self.reply_room(token, reply);
            }
            (Check::Enter { token, origin, request, guesser }, PasswordDone::Matches) => {
                if let Some(room) = self.rooms.get_mut(&request.room) {
                    room.door.right(guesser, request.account, &request.from);
                }
                (token, self.seat(now, (origin, token.0.epoch), &request))
            }
            (Check::Enter { token, .. }, PasswordDone::Differs) => (token, Err(wrong_password())),
            (check @ (Check::Create { .. } | Check::Enter { .. }), _) => {
                let token = self.put_off(check);
                (token, Err(Failed::busy("too many passwords are being looked at").into_failure()))
            }
        };
        self.reply_room(token, Some(reply));
    }

    /// Too much of such work waits already.
    fn put_off(&mut self, check: Check) -> Token {
        match check {
            Check::Create { token, .. } => token,
            Check::Enter { token, request, guesser, .. } => {
                if let Some(room) = self.rooms.get_mut(&request.room) {
                    room.door.put_off(&guesser);
                }
                token
            }
        }
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
        origin: NodeId,
        request: Box<RoomRequest>,
    ) -> Option<Result<RoomReply, Failure>> {
        let RoomAct::Create { name, password, media, empty_seconds } = &request.act else { return None };
        let partition = PartitionId::of(&request.from.partition);
        if self.config.owners.get(&partition) != Some(&self.config.node_id) {
            return Some(Err(no_room("null")));
        }
        if let Err(failure) = self.empty_kept(*empty_seconds) {
            return Some(Err(failure));
        }
        let media = match self.media_service(&request.from, media.as_deref()) {
            Ok(media) => media,
            Err(failure) => return Some(Err(failure)),
        };
        let id = self.room_ids.next(partition);
        let state = RoomState { room: id, name: name.clone(), size: 0, media, is_recorded: false };
        let Some(password) = password.clone() else {
            return self.open_room(now, token, origin, &request, state, None);
        };
        let holder = Holder::of(origin, &request);
        self.look_at(PasswordWork::Hash(password), holder, Check::Create { token, origin, request, state })
    }

    /// How long a new room stays without members.
    fn empty_kept(&self, wanted: Option<u32>) -> Result<Duration, Failure> {
        let RoomLimits { empty_kept, empty_kept_max, .. } = &self.config.rooms;
        let Some(wanted) = wanted.map(|seconds| Duration::from_secs(u64::from(seconds))) else {
            return Ok(*empty_kept);
        };
        let within = limits::ROOM_EMPTY_KEPT_MIN..=*empty_kept_max;
        if within.contains(&wanted) {
            return Ok(wanted);
        }
        let (least, most) = (within.start().as_secs(), within.end().as_secs());
        let why = format!("{}：emptySeconds is {least} to {most}", Code::BadRequest.text());
        Err(Failed::new(Code::BadRequest, why).into_failure())
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
        origin: NodeId,
        request: &RoomRequest,
        state: RoomState,
        password: Option<String>,
    ) -> Option<Result<RoomReply, Failure>> {
        let RoomAct::Create { empty_seconds, .. } = &request.act else { return None };
        let owner = Owner { name: request.from.clone(), account: request.account };
        let mut room = Room::new(now.mono, state.clone(), owner, Holder::of(origin, request));
        room.password = password;
        room.empty_kept = match self.empty_kept(*empty_seconds) {
            Ok(empty_kept) => empty_kept,
            Err(failure) => return Some(Err(failure)),
        };
        let is_carried = self.config.has_sfu && state.media == MEDIA_SERVICE;
        let opening = is_carried.then(|| room.open_media(token, true));
        let key = room.key;
        match self.rooms.add(room) {
            Ok(last_words) => self.publish_news(now, key, last_words),
            Err(why) => return Some(Err(self.no_place(why))),
        }
        self.watch_rooms(now);
        match opening {
            Some(opening) => {
                self.publish_news(now, key, vec![opening]);
                None
            }
            None => Some(Ok(RoomReply::State(state))),
        }
    }

    fn no_place(&mut self, why: NoPlace) -> Failure {
        match why {
            NoPlace::Share(why) => self.refuse_share(Scarce::Rooms, why),
            NoPlace::OfTerminal => {
                let most = limits::ROOMS_PER_TERMINAL_MAX;
                Failed::busy(format!("the terminal has {most} rooms with members: close one")).into_failure()
            }
        }
    }

    /// Something scarce is not to be had.
    pub(super) fn refuse_share(&mut self, what: Scarce, why: Exhausted) -> Failure {
        *self.stats.shares_refused.entry(what).or_default() += 1;
        what.refused(why)
    }

    fn let_in(
        &mut self,
        now: Now,
        token: Token,
        (origin, life): (NodeId, NodeEpoch),
        request: Box<RoomRequest>,
    ) -> Option<Result<RoomReply, Failure>> {
        let RoomAct::Enter { password, .. } = &request.act else { return None };
        if let Err(denied) = self.may_join(&request) {
            return Some(Err(denied));
        }
        let Some(room) = self.rooms.get_mut(&request.room) else { return Some(Err(no_room(&request.room))) };
        if room.is_full() && !room.has(&request.from) {
            return Some(Err(Failed::busy("the room is full").into_failure()));
        }
        let (hash, password) = match (room.password.clone(), password.clone()) {
            (None, _) => return Some(self.seat(now, (origin, life), &request)),
            (Some(_), None) => return Some(Err(wrong_password())),
            (Some(hash), Some(password)) => (hash, password),
        };
        let holder = Holder::of(origin, &request);
        let is_owner = room.is_owner(&request.from, request.account);
        let guesser = room.door.guesser(holder, request.account, &request.from, is_owner);
        if self.is_pass(now, &request, &password) {
            return Some(self.seat(now, (origin, life), &request));
        }
        let room = self.rooms.get_mut(&request.room)?;
        if let Err(wait) = room.door.knock(now.mono, &guesser) {
            let seconds = wait.as_secs() + 1;
            let why = format!("too many wrong passwords; try again in {seconds} s, or ask for an invitation");
            return Some(Err(Failed::busy(why).into_failure()));
        }
        let (id, known) = (request.room.clone(), guesser.clone());
        let check = Check::Enter { token, origin, request, guesser };
        let reply = self.look_at(PasswordWork::Check(password, hash), holder, check);
        if let Some(room) = self.rooms.get_mut(&id).filter(|_| reply.is_some()) {
            room.door.put_off(&known);
        }
        reply
    }

    /// Whether policy lets the terminal into rooms of the partition that the id names, whether there is such a room or not:
    /// what is refused tells nothing.
    fn may_join(&self, request: &RoomRequest) -> Result<(), Failure> {
        let partition = partition_of(&request.room).and_then(|id| self.partitions.get(&id));
        let Some(partition) = partition else { return Err(no_room(&request.room)) };
        let allowed = self.config.policy.authorise(Scope::Room, &request.from.partition, partition);
        allowed.map(drop).map_err(|denied| Failure::Denied { rule: denied.rule.to_string() })
    }

    fn look_at(
        &mut self,
        work: PasswordWork,
        holder: Holder,
        check: Check,
    ) -> Option<Result<RoomReply, Failure>> {
        match self.checks.begin(holder, check) {
            Ok(number) => {
                self.outputs.push_back(Output::Password { number, work });
                None
            }
            Err(why) => Some(Err(self.refuse_share(Scarce::RoomPasswords, why))),
        }
    }

    /// The terminal has shown that it may be in the room.
    fn seat(
        &mut self,
        now: Now,
        (origin, life): (NodeId, NodeEpoch),
        request: &RoomRequest,
    ) -> Result<RoomReply, Failure> {
        let RoomAct::Enter { entry: tag, state, receiving, .. } = &request.act else {
            return Ok(RoomReply::Done);
        };
        let (name, session) = (request.from.clone(), request.session);
        let entry = ListEntry { name, origin, life, session, state: state.clone() };
        // The room may have been closed while the password was looked at.
        let Some(key) = self.rooms.get(&request.room).map(|room| room.key) else {
            return Err(no_room(&request.room));
        };
        let newcomer = Newcomer { entry, account: request.account, tag: *tag, receiving };
        let news = self.rooms.enter(now.mono, &request.room, newcomer);
        self.publish_news(now, key, news);
        Ok(RoomReply::Done)
    }

    /// Hands on what a room says.
    pub(super) fn publish_news(&mut self, now: Now, source: TerminalKey, said: Vec<Said>) {
        for said in said {
            let output = match said {
                Said::News(node, news) => {
                    if news.seq > 0 {
                        self.kept.keep(&news);
                    }
                    self.tell_node(source, node, news);
                    continue;
                }
                Said::ToMedia(command) => {
                    self.await_media(now, &command.room, command.number);
                    Output::Media(command)
                }
                Said::ToRecorder(command) => {
                    self.await_media(now, &command.room, command.number);
                    Output::Record(command)
                }
                Said::FeedEnds(feed) => {
                    self.kept.forget(feed);
                    continue;
                }
                Said::Freed(taken) => {
                    self.media_shares.give_back(&taken);
                    continue;
                }
            };
            self.outputs.push_back(output);
        }
    }

    /// Tells a node of members. A welcome names those who are there when it is told.
    pub(super) fn tell_node(&mut self, source: TerminalKey, node: NodeId, mut news: RoomNews) {
        if let RoomEvent::Entered { welcome: Some(welcome), .. } = &mut news.event {
            welcome.members = self.rooms.get(&news.room).map(Room::members).unwrap_or_default();
        }
        let (target, payload) = (Target::Node(node), Payload::RoomNews(news));
        self.outputs.push_back(Output::Tell { source, target, class: Class::Event, payload });
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
