//! Members, and whole rooms, that are recorded at the room's node (reference section 6.6).
//!
//! Every beginning and every end is told to all members, with why it ended. What is under way is known by the number of the
//! command that began it, so that the late end of one recording is never taken for that of the next.

use taoyao_ortc::{
    MediaKind, ProducerId, RecordAct, RecordCharge, RecordCommand, RecordEnd, RecordSource, Recorded,
};
use taoyao_types::{Exhausted, NodeId, Now, TerminalName, limits};
use taoyao_wire::link::{
    Failure, MediaNews, RecordNews, RoomAct, RoomEvent, RoomReply, RoomRequest, StreamKind,
};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::{Code, Fields, room};

use super::acts::busy;
use super::answers::failure;
use super::is_service;
use super::studio::{Producer, Recording, Studio};
use super::works::Work;
use crate::failure::Failed;
use crate::io::Token;
use crate::room::host::{MEDIA_SERVICE, no_room};
use crate::room::hosted::{Room, Said};
use crate::room::shares::{Holder, Scarce};
use crate::terminals::Terminals;

impl Terminals {
    /// `control::server::record`: of oneself, or by the room's owner or an operator; of the whole room by the latter two.
    pub(in crate::room) fn serve_record(
        &mut self,
        now: Now,
        token: Token,
        origin: NodeId,
        request: &RoomRequest,
    ) -> Option<Result<RoomReply, Failure>> {
        let RoomAct::Record { client, enabled } = &request.act else { return None };
        let may = self.room_for(origin, request).and_then(|(_, standing)| match standing.to_act() {
            Err(denied) if *client != request.from => Err(denied),
            _ => Ok(()),
        });
        if let Err(failure) = may {
            return Some(Err(failure));
        }
        let holder = Holder::of(origin, request);
        if let (true, Err(why)) = (*enabled, self.may_record_more(&holder)) {
            return Some(Err(self.refuse_share(Scarce::Recordings, why)));
        }
        let Some(room) = self.rooms.get_mut(&request.room) else { return Some(Err(no_room(&request.room))) };
        let subject = if is_service(client) { room.whole() } else { Some(client.clone()) };
        let Some(subject) = subject else { return Some(Err(no_recorder())) };
        let key = room.key;
        match room.record(token, &subject, *enabled, holder) {
            Err(failure) => Some(Err(failure)),
            Ok((reply, said)) => {
                self.reply_room(token, reply.map(Ok));
                self.publish_news(now, key, said);
                None
            }
        }
    }

    /// Whether the account may have one more recording under way. There are few: they are counted where they are.
    fn may_record_more(&self, holder: &Holder) -> Result<(), Exhausted> {
        let max = self.config.account.recordings;
        let studios = self.rooms.iter().filter_map(|room| room.studio.as_ref());
        let own = studios.flat_map(Studio::recorders).filter(|recorder| *recorder == holder).count();
        if own >= max { Err(Exhausted::Own { max }) } else { Ok(()) }
    }

    /// The recorder says something.
    pub(crate) fn recorder_said(&mut self, now: Now, recorded: Recorded) {
        let Some(room) = self.rooms.get_mut(&recorded.room) else { return };
        let key = room.key;
        if recorded.number == 0 {
            let said = room.ended_by_itself(&recorded);
            return self.publish_news(now, key, said);
        }
        let work = room.studio.as_mut().and_then(|studio| studio.works.end(recorded.number));
        let Some(work) = work else { return };
        let token = work.token();
        let (reply, said) = room.recorded(work, recorded);
        if let Some(token) = token {
            self.reply_room(token, Some(reply));
        }
        self.publish_news(now, key, said);
    }
}

impl Room {
    /// The name under which all of the room is recorded: that of its media terminal.
    fn whole(&self) -> Option<TerminalName> {
        let client = MEDIA_SERVICE.parse().ok()?;
        Some(TerminalName { client, partition: self.partition.clone() })
    }

    fn record(
        &mut self,
        token: Token,
        subject: &TerminalName,
        enabled: bool,
        holder: Holder,
    ) -> Result<(Option<RoomReply>, Vec<Said>), Failure> {
        if !self.has(subject) && !is_service(subject) && enabled {
            return Err(Failed::new(Code::Unknown, "终端没有进入房间").into_failure());
        }
        let Some(studio) = &mut self.studio else { return Err(no_recorder()) };
        match (studio.recording(subject), enabled) {
            (Some(Recording::Starting(_)), _) => Err(busy("the recording is just being started")),
            (Some(Recording::At(_, filepath)), true) => {
                Ok((Some(RoomReply::Recorded { filepath: filepath.clone() }), Vec::new()))
            }
            (Some(Recording::At(..)), false) => {
                let number = studio.works.begin(Work::StopRecording { token });
                let end = RecordEnd::Stopped;
                let mut said = vec![self.to_recorder(subject, number, RecordAct::Stop { end })];
                said.extend(self.recording_ended(subject, end));
                Ok((None, said))
            }
            (_, false) => Ok((Some(RoomReply::Recorded { filepath: None }), Vec::new())),
            (_, true) => self.start_recording(token, subject, holder),
        }
    }

    /// A whole room may be silent yet: who sends later is taken in.
    fn start_recording(
        &mut self,
        token: Token,
        subject: &TerminalName,
        holder: Holder,
    ) -> Result<(Option<RoomReply>, Vec<Said>), Failure> {
        let Some(studio) = &self.studio else { return Err(no_recorder()) };
        let is_whole_room = is_service(subject);
        let is_of = |producer: &Producer| is_whole_room || producer.owner == *subject;
        let ready = studio.producers().filter(|(_, producer)| is_of(producer) && producer.is_ready);
        let sources: Vec<RecordSource> = ready.filter_map(|(id, of)| self.source(id, of)).collect();
        if sources.is_empty() && !is_whole_room {
            let why = "无效媒体：the terminal sends neither sound nor picture";
            return Err(Failed::new(Code::Unknown, why).into_failure());
        }
        let charge = RecordCharge { holder: holder.to_string(), partition: self.partition.to_string() };
        let Some(studio) = &mut self.studio else { return Err(no_recorder()) };
        let number = studio.works.begin(Work::StartRecording { token, member: subject.clone() });
        studio.set_recording(subject, Recording::Starting(number));
        studio.set_recorder(subject, holder);
        let start = RecordAct::Start { sources, charge, is_whole_room };
        Ok((None, vec![self.to_recorder(subject, number, start)]))
    }

    fn recorded(&mut self, work: Work, recorded: Recorded) -> (Result<RoomReply, Failure>, Vec<Said>) {
        let Recorded { recording: number, result, .. } = recorded;
        let subject = match work {
            Work::StartRecording { member, .. } => Some(member),
            _ => None,
        };
        // Who has left meanwhile, and may have come back, is not recorded by this: it was stopped then.
        let waiting = subject.filter(|subject| self.is_recording(subject, number));
        match (result, waiting) {
            (Ok(filepath), Some(subject)) => {
                let reply = Ok(RoomReply::Recorded { filepath: filepath.clone() });
                if let Some(studio) = &mut self.studio {
                    studio.set_recording(&subject, Recording::At(number, filepath));
                }
                (reply, self.tell_recorded(&subject, None))
            }
            (Ok(filepath), None) => (Ok(RoomReply::Recorded { filepath }), Vec::new()),
            (Err(why), waiting) => {
                if let (Some(subject), Some(studio)) = (waiting, &mut self.studio) {
                    studio.set_recording(&subject, Recording::No);
                }
                (Err(failure(&why)), Vec::new())
            }
        }
    }

    fn ended_by_itself(&mut self, recorded: &Recorded) -> Vec<Said> {
        let Ok(subject) = recorded.member.parse() else { return Vec::new() };
        if !self.is_recording(&subject, recorded.recording) {
            return Vec::new();
        }
        self.recording_ended(&subject, recorded.end.unwrap_or(RecordEnd::RecorderFailed))
    }

    /// Whether the recording that this command began is the one that is under way.
    fn is_recording(&self, subject: &TerminalName, number: u64) -> bool {
        match self.studio.as_ref().and_then(|studio| studio.recording(subject)) {
            Some(Recording::Starting(began) | Recording::At(began, _)) => *began == number,
            _ => false,
        }
    }

    /// A new producer of somebody who is being recorded, or of a room that is.
    pub(super) fn record_too(&self, id: ProducerId) -> Vec<Said> {
        let Some(studio) = &self.studio else { return Vec::new() };
        let Some(producer) = studio.producer(id) else { return Vec::new() };
        let Some(source) = self.source(id, producer) else { return Vec::new() };
        let subjects = [Some(producer.owner.clone()), self.whole()].into_iter().flatten();
        let recorded = subjects.filter(|subject| studio.recording(subject).is_some_and(Recording::is_on));
        let add = |subject| self.to_recorder(&subject, 0, RecordAct::Add { sources: vec![source.clone()] });
        recorded.map(add).collect()
    }

    /// Without anybody who waits for it.
    pub(super) fn stop_recording(&mut self, subject: &TerminalName, end: RecordEnd) -> Vec<Said> {
        let mut said = vec![self.to_recorder(subject, 0, RecordAct::Stop { end })];
        said.extend(self.recording_ended(subject, end));
        said
    }

    /// Of all members, and of the room.
    pub(super) fn stop_recordings(&mut self, end: RecordEnd) -> Vec<Said> {
        let desks = self.studio.iter().flat_map(Studio::desks).map(|(name, _)| name.clone());
        let mut subjects: Vec<TerminalName> = desks.chain(self.whole()).collect();
        let is_on = |subject: &TerminalName| {
            self.studio.as_ref().and_then(|studio| studio.recording(subject)).is_some_and(Recording::is_on)
        };
        subjects.retain(is_on);
        subjects.iter().flat_map(|subject| self.stop_recording(subject, end)).collect()
    }

    /// Nothing is told of one that had not begun: who waits for its beginning is answered.
    fn recording_ended(&mut self, subject: &TerminalName, end: RecordEnd) -> Vec<Said> {
        let Some(studio) = &mut self.studio else { return Vec::new() };
        let had_begun = matches!(studio.recording(subject), Some(Recording::At(..)));
        studio.set_recording(subject, Recording::No);
        if had_begun { self.tell_recorded(subject, Some(end)) } else { Vec::new() }
    }

    /// A member has left, and its desk is gone with what was on it.
    pub(super) fn left_while_recorded(&mut self, member: &TerminalName, was: &Recording) -> Vec<Said> {
        let end = RecordEnd::Left;
        match was {
            Recording::No => Vec::new(),
            Recording::Starting(_) => vec![self.to_recorder(member, 0, RecordAct::Stop { end })],
            Recording::At(..) => {
                let mut said = vec![self.to_recorder(member, 0, RecordAct::Stop { end })];
                said.extend(self.tell_recorded(member, Some(end)));
                said
            }
        }
    }

    /// Whether any member, or all of the room, is being recorded.
    pub(in crate::room) fn is_recorded(&self) -> bool {
        self.studio.as_ref().is_some_and(Studio::is_recorded)
    }

    /// To all members: that this recording has begun, or why it is over.
    fn tell_recorded(&mut self, subject: &TerminalName, end: Option<RecordEnd>) -> Vec<Said> {
        let news = RecordNews { state: self.state(), who: subject.clone(), end };
        let news = Box::new(MediaNews::Recorded(Box::new(news)));
        self.tell_all(&RoomEvent::Media { to: None, news })
    }

    /// To one who has entered.
    pub(in crate::room) fn tell_state_to(&mut self, member: &TerminalName) -> Option<Said> {
        let whole = self.whole();
        let of_room = whole.as_ref().and_then(|whole| self.studio.as_ref()?.recording(whole));
        let news = match (of_room, &whole) {
            (Some(Recording::At(..)), Some(whole)) => {
                let news = RecordNews { state: self.state(), who: whole.clone(), end: None };
                MediaNews::Recorded(Box::new(news))
            }
            _ => {
                let body = room::recording(&self.state());
                MediaNews::Push { signal: Signal::RoomStatus.name().to_owned(), body }
            }
        };
        self.tell_media(member, news)
    }

    /// None of what recordings have no place for.
    fn source(&self, producer: ProducerId, of: &Producer) -> Option<RecordSource> {
        let kind = match of.kind {
            StreamKind::Audio => MediaKind::Audio,
            StreamKind::Video => MediaKind::Video,
            StreamKind::Data => return None,
        };
        Some(RecordSource { producer, kind, label: self.label(of) })
    }

    /// What a person would call it: `Ann (web-1@sh.cn) screen`.
    fn label(&self, of: &Producer) -> String {
        let state = self.state_of(&of.owner).unwrap_or("{}");
        let name = Fields::of_text(state).text("name").filter(|name| *name != of.owner.client.as_str());
        let source = Fields::of_text(&of.app_data).text("videoSource");
        let source = source.filter(|_| of.kind == StreamKind::Video);
        let mut label = match name {
            Some(name) => format!("{name} ({})", of.owner),
            None => of.owner.to_string(),
        };
        label.push(' ');
        label.push_str(&source.map_or_else(|| of.kind.to_string(), |source| source.into_owned()));
        label.retain(|character| !character.is_control());
        label.truncate(label.floor_char_boundary(limits::RECORDING_LABEL_BYTES_MAX));
        label
    }

    fn to_recorder(&self, member: &TerminalName, number: u64, act: RecordAct) -> Said {
        let (room, member) = (self.name_at_sfu(), member.to_string());
        Said::ToRecorder(RecordCommand { room, member, number, act })
    }
}

fn no_recorder() -> Failure {
    Failed::new(Code::NotAcceptable, "功能没有开启：this node has no recorder").into_failure()
}
