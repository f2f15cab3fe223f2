//! Members who are recorded at the room's node (reference section 6.6).

use taoyao_ortc::{MediaKind, ProducerId, RecordAct, RecordCommand, Recorded, Refused};
use taoyao_types::{Exhausted, NodeId, Now, TerminalName};
use taoyao_wire::link::{Failure, MediaNews, RoomAct, RoomEvent, RoomReply, RoomRequest, StreamKind};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::{Code, room};

use super::acts::busy;
use super::answers::failure;
use super::studio::{Recording, Studio};
use super::works::Work;
use crate::failure::Failed;
use crate::io::Token;
use crate::room::host::no_room;
use crate::room::hosted::{Room, Said};
use crate::room::shares::{Holder, Scarce};
use crate::terminals::Terminals;

impl Terminals {
    /// `control::server::record`: of oneself, or by the room's owner or an operator.
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
        let key = room.key;
        match room.record(token, client, *enabled, holder) {
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
        let own = self.rooms.iter().flat_map(Room::recorders).filter(|recorder| *recorder == holder).count();
        if own >= max { Err(Exhausted::Own { max }) } else { Ok(()) }
    }

    /// The recorder says something.
    pub(crate) fn recorder_said(&mut self, now: Now, recorded: Recorded) {
        let Recorded { room: id, member, number, result } = recorded;
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let key = room.key;
        if number == 0 {
            let ended = member.parse().map(|member| room.recording_ended(&member)).unwrap_or_default();
            return self.publish_news(now, key, ended);
        }
        let Some(work) = room.studio.as_mut().and_then(|studio| studio.works.end(number)) else { return };
        let token = work.token();
        let (reply, said) = room.recorded(work, result);
        if let Some(token) = token {
            self.reply_room(token, Some(reply));
        }
        self.publish_news(now, key, said);
    }
}

impl Room {
    fn record(
        &mut self,
        token: Token,
        member: &TerminalName,
        enabled: bool,
        holder: Holder,
    ) -> Result<(Option<RoomReply>, Vec<Said>), Failure> {
        if !self.has(member) && enabled {
            return Err(Failed::new(Code::Unknown, "终端没有进入房间").into_failure());
        }
        let Some(studio) = &mut self.studio else { return Err(no_recorder()) };
        let recording = studio.desk(member).map_or(&Recording::No, |desk| &desk.recording);
        match (recording, enabled) {
            (Recording::Starting, _) => Err(busy("the recording is just being started")),
            (Recording::At(filepath), true) => {
                Ok((Some(RoomReply::Recorded { filepath: filepath.clone() }), Vec::new()))
            }
            (Recording::No, false) => Ok((Some(RoomReply::Recorded { filepath: None }), Vec::new())),
            (Recording::No, true) => self.start_recording(token, member, holder),
            (Recording::At(_), false) => {
                let number = studio.works.begin(Work::StopRecording { token });
                let stop = self.to_recorder(member, number, RecordAct::Stop);
                let mut said = vec![stop];
                said.extend(self.recording_ended(member));
                Ok((None, said))
            }
        }
    }

    fn start_recording(
        &mut self,
        token: Token,
        member: &TerminalName,
        holder: Holder,
    ) -> Result<(Option<RoomReply>, Vec<Said>), Failure> {
        let Some(studio) = &mut self.studio else { return Err(no_recorder()) };
        let own = studio.producers().filter(|(_, producer)| producer.owner == *member && producer.is_ready);
        let producers: Vec<(ProducerId, MediaKind)> =
            own.filter_map(|(id, producer)| Some((id, kind_of(producer.kind)?))).collect();
        if producers.is_empty() {
            let why = "无效媒体：the terminal sends neither sound nor picture";
            return Err(Failed::new(Code::Unknown, why).into_failure());
        }
        if let Some(desk) = studio.desk_mut(member) {
            (desk.recording, desk.recorder) = (Recording::Starting, Some(holder));
        }
        let number = studio.works.begin(Work::StartRecording { token, member: member.clone() });
        Ok((None, vec![self.to_recorder(member, number, RecordAct::Start { producers })]))
    }

    fn recorded(
        &mut self,
        work: Work,
        result: Result<Option<String>, Refused>,
    ) -> (Result<RoomReply, Failure>, Vec<Said>) {
        let filepath = match result {
            Ok(filepath) => filepath,
            Err(why) => {
                if let Work::StartRecording { member, .. } = &work {
                    self.set_recording(member, Recording::No);
                }
                return (Err(failure(&why)), Vec::new());
            }
        };
        let reply = Ok(RoomReply::Recorded { filepath: filepath.clone() });
        let Work::StartRecording { member, .. } = work else { return (reply, Vec::new()) };
        let was_recorded = self.is_recorded();
        // Who has left meanwhile is not recorded: it was stopped then.
        if !self.set_recording(&member, Recording::At(filepath)) {
            return (reply, Vec::new());
        }
        let mut said: Vec<Said> = self.tell_media(&member, MediaNews::Recording(true)).into_iter().collect();
        if !was_recorded {
            said.extend(self.tell_state());
        }
        (reply, said)
    }

    /// A new producer of somebody who is being recorded.
    pub(super) fn record_too(&self, id: ProducerId) -> Option<Said> {
        let studio = self.studio.as_ref()?;
        let producer = studio.producer(id)?;
        let kind = kind_of(producer.kind)?;
        let is_recorded = !matches!(studio.desk(&producer.owner)?.recording, Recording::No);
        is_recorded
            .then(|| self.order_recorder(&producer.owner, RecordAct::Add { producers: vec![(id, kind)] }))
    }

    /// Without anybody who waits for it.
    pub(super) fn stop_recording(&mut self, member: &TerminalName) -> Vec<Said> {
        let mut said = vec![self.order_recorder(member, RecordAct::Stop)];
        said.extend(self.recording_ended(member));
        said
    }

    /// Of all members.
    pub(super) fn stop_recordings(&mut self) -> Vec<Said> {
        let desks = self.studio.iter().flat_map(Studio::desks);
        let recorded = desks.filter(|(_, desk)| !matches!(desk.recording, Recording::No));
        let recorded: Vec<TerminalName> = recorded.map(|(name, _)| name.clone()).collect();
        recorded.iter().flat_map(|member| self.stop_recording(member)).collect()
    }

    fn recording_ended(&mut self, member: &TerminalName) -> Vec<Said> {
        let was_recorded = self.is_recorded();
        self.set_recording(member, Recording::No);
        let mut said: Vec<Said> = self.tell_media(member, MediaNews::Recording(false)).into_iter().collect();
        said.extend(self.tell_if_recorded_no_more(was_recorded));
        said
    }

    /// Who is charged for the recordings under way, once for each.
    fn recorders(&self) -> impl Iterator<Item = &Holder> {
        let desks = self.studio.iter().flat_map(Studio::desks);
        let recorded = desks.filter(|(_, desk)| !matches!(desk.recording, Recording::No));
        recorded.filter_map(|(_, desk)| desk.recorder.as_ref())
    }

    /// Whether any member is being recorded.
    pub(in crate::room) fn is_recorded(&self) -> bool {
        let mut desks = self.studio.iter().flat_map(Studio::desks);
        desks.any(|(_, desk)| matches!(desk.recording, Recording::At(_)))
    }

    pub(super) fn tell_if_recorded_no_more(&mut self, was_recorded: bool) -> Vec<Said> {
        if was_recorded && !self.is_recorded() { self.tell_state() } else { Vec::new() }
    }

    /// To all members: that the room is recorded now, or no more.
    fn tell_state(&mut self) -> Vec<Said> {
        let news = Box::new(self.state_news());
        self.tell_all(&RoomEvent::Media { to: None, news })
    }

    /// To one who has entered.
    pub(in crate::room) fn tell_state_to(&mut self, member: &TerminalName) -> Option<Said> {
        let news = self.state_news();
        self.tell_media(member, news)
    }

    fn state_news(&self) -> MediaNews {
        MediaNews::Push { signal: Signal::RoomStatus.name().to_owned(), body: room::recording(&self.state()) }
    }

    fn set_recording(&mut self, member: &TerminalName, recording: Recording) -> bool {
        let desk = self.studio.as_mut().and_then(|studio| studio.desk_mut(member));
        desk.map(|desk| desk.recording = recording).is_some()
    }

    /// A command that nobody waits for.
    pub(super) fn order_recorder(&self, member: &TerminalName, act: RecordAct) -> Said {
        self.to_recorder(member, 0, act)
    }

    fn to_recorder(&self, member: &TerminalName, number: u64, act: RecordAct) -> Said {
        let (room, member) = (self.name_at_sfu(), member.to_string());
        Said::ToRecorder(RecordCommand { room, member, number, act })
    }
}

/// None of what recordings have no place for.
fn kind_of(kind: StreamKind) -> Option<MediaKind> {
    match kind {
        StreamKind::Audio => Some(MediaKind::Audio),
        StreamKind::Video => Some(MediaKind::Video),
        StreamKind::Data => None,
    }
}

fn no_recorder() -> Failure {
    Failed::new(Code::NotAcceptable, "功能没有开启：this node has no recorder").into_failure()
}
