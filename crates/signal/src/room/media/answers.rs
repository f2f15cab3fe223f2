//! What comes of requests when the SFU has answered, or has not in time.

use taoyao_ortc::{Act, Done, Event, RecordEnd, Refused, Reply, RoomName, TransportId, TransportLocal};
use taoyao_types::{Now, limits};
use taoyao_wire::link::{Consumed, Failure, MediaAnswer, MediaNews, RoomReply};
use taoyao_wire::terminal::Code;
use taoyao_wire::terminal::media::{PlainCreated, WebRtcCreated, json, of_transport, with_json};

use super::consume::consume_reply;
use super::studio::Studio;
use super::works::Work;
use crate::failure::Failed;
use crate::io::{Output, Token};
use crate::room::hosted::{Room, Said};
use crate::terminals::Terminals;
use crate::timers::Alarm;

/// What a request gets, and what is said after it.
type Outcome = (Result<RoomReply, Failure>, Vec<Said>);

impl Terminals {
    /// The SFU says something.
    pub(crate) fn media_said(&mut self, now: Now, event: Event) {
        match event {
            Event::Done(Done { room, number, result }) => self.media_done(now, &room, number, result),
            Event::Happened { room, what } => self.media_happened(now, &room, what),
        }
    }

    fn media_done(&mut self, now: Now, id: &RoomName, number: u64, result: Result<Reply, Refused>) {
        let Some(room) = self.rooms.get_mut(id) else { return };
        let Some(work) = room.studio.as_mut().and_then(|studio| studio.works.end(number)) else { return };
        let (key, token) = (room.key, work.token());
        if let (Work::Open { token, may_displace: true }, Err(Refused::Full(_))) = (&work, &result)
            && self.open_in_place_of_an_empty_one(now, id, *token)
        {
            return;
        }
        let Some(room) = self.rooms.get_mut(id) else { return };
        let is_failed_opening = matches!((&work, &result), (Work::Open { .. }, Err(_)));
        let (reply, mut said) = room.work_done(work, result);
        if is_failed_opening {
            said.extend(self.rooms.close(id));
        }
        if let Some(token) = token {
            self.reply_room(token, Some(reply));
        }
        self.publish_news(now, key, said);
    }

    /// The SFU is full, whatever it was thought to carry: an empty room gives way, and the new one is opened once more.
    fn open_in_place_of_an_empty_one(&mut self, now: Now, id: &RoomName, token: Token) -> bool {
        let Some((key, holder)) = self.rooms.get(id).map(|room| (room.key, room.holder)) else {
            return false;
        };
        let Some(mut said) = self.rooms.end_for(&holder, Some(id)) else { return false };
        if let Some(room) = self.rooms.get_mut(id) {
            said.push(room.open_media(token, false));
        }
        self.publish_news(now, key, said);
        true
    }

    /// Remembers when a command should have been answered.
    pub(in crate::room) fn await_media(&mut self, now: Now, room: &RoomName, number: u64) {
        if number == 0 {
            return;
        }
        let at = now.mono + limits::MEDIA_TIMEOUT;
        if self.media_deadlines.first().is_none() {
            self.timers.set(at, Alarm::Media);
        }
        self.media_deadlines.push(at, room, number);
    }

    /// Who has waited long enough is told so, and what it asked for is closed, should it come to be.
    pub(crate) fn media_overdue(&mut self, now: Now) {
        while let Some((id, number)) = self.media_deadlines.due(now.mono) {
            let Some(room) = self.rooms.get_mut(&id) else { continue };
            let Some(work) = room.studio.as_mut().and_then(|studio| studio.works.end(number)) else {
                continue;
            };
            tracing::warn!(room = %id, ?work, "no answer in time");
            let (key, token) = (room.key, work.token());
            let is_opening = matches!(work, Work::Open { .. });
            let mut said = room.give_up(work);
            if is_opening {
                said.extend(self.rooms.close(&id));
            }
            if let Some(token) = token {
                self.reply_room(token, Some(Err(Failure::Deadline)));
            }
            self.publish_news(now, key, said);
        }
        if let Some(at) = self.media_deadlines.first() {
            self.timers.set(at, Alarm::Media);
        }
    }

    /// Those who wait for a room that is no more.
    pub(super) fn fail_works(&mut self, works: Vec<Work>, why: &Refused) {
        for token in works.iter().filter_map(Work::token) {
            let reply = taoyao_wire::link::Reply::Failed(failure(why));
            self.outputs.push_back(Output::Reply { token, reply });
        }
    }
}

impl Room {
    /// The room is opened at the SFU, too; whoever made it waits for that.
    pub(in crate::room) fn open_media(&mut self, token: Token, may_displace: bool) -> Said {
        let studio = self.studio.get_or_insert_with(|| Studio::new(&self.id));
        let number = studio.works.begin(Work::Open { token, may_displace });
        Said::ToMedia(taoyao_ortc::Command { room: self.name_at_sfu(), number, act: Act::OpenRoom })
    }

    fn work_done(&mut self, work: Work, result: Result<Reply, Refused>) -> Outcome {
        match (work, result) {
            (Work::Open { .. }, Ok(_)) => (Ok(RoomReply::State(self.state())), Vec::new()),
            (Work::CreateTransport { ask, transport, .. }, Ok(Reply::Transport(local))) => {
                self.transport_made(transport, ask, local)
            }
            (Work::Connect { transport, .. }, Ok(_)) => {
                (Ok(body(of_transport(&self.id, &transport))), Vec::new())
            }
            (Work::RestartIce { body: request, .. }, Ok(Reply::Ice(ice))) => {
                (Ok(body(with_json(&request, "iceParameters", &ice))), Vec::new())
            }
            (Work::Status { body: request, .. }, Ok(Reply::Status(stats))) => {
                (Ok(body(with_json(&request, "status", &stats))), Vec::new())
            }
            (Work::Produce { producer, .. }, Ok(_)) => self.produced(producer),
            (
                Work::Consume { consumer, .. },
                Ok(Reply::Consumed { consumer_type, rtp, is_producer_paused }),
            ) => {
                let (consumer_type, rtp) = (consumer_type.to_owned(), json(&rtp));
                let how = Consumed::Media { consumer_type, rtp, is_paused: is_producer_paused };
                (consume_reply(Ok(())), self.consumed(consumer, how))
            }
            (Work::Consume { consumer, .. }, Ok(Reply::DataConsumed { stream, label, protocol })) => {
                let how = Consumed::Data { label, protocol, stream: json(&stream) };
                (consume_reply(Ok(())), self.consumed(consumer, how))
            }
            (Work::Consume { consumer, .. }, Err(why)) => {
                self.not_consumed(consumer, &why);
                (consume_reply(Err(&why)), Vec::new())
            }
            (work, Err(why)) => (Err(failure(&why)), self.give_up(work)),
            // Another answer than was asked for: the SFU's mistake.
            (work, Ok(_)) => {
                debug_assert!(false, "{work:?} was answered with something else");
                (
                    Err(Failed::new(Code::ServerFault, Code::ServerFault.text()).into_failure()),
                    self.give_up(work),
                )
            }
        }
    }

    /// The answer, once more in its place among the news, and then what the member has subscribed to (quirk Q4).
    fn transport_made(&mut self, id: TransportId, ask: u64, local: TransportLocal) -> Outcome {
        let room_id = self.id.clone();
        let Some(studio) = &mut self.studio else { return (Err(gone()), Vec::new()) };
        let Some(transport) = studio.transport_mut(id) else { return (Err(gone()), Vec::new()) };
        transport.is_ready = true;
        let owner = transport.owner.clone();
        let receives = studio.desk(&owner).is_some_and(|desk| desk.receives_on == Some(id));
        let answer = created(room_id, id, local);
        let mut said = Vec::new();
        if receives {
            let again = MediaNews::Answered { ask, answer: answer.clone() };
            said.extend(self.tell_media(&owner, again));
            said.extend(self.consume_all(&owner));
        }
        (Ok(RoomReply::Media(answer)), said)
    }

    fn produced(&mut self, id: taoyao_ortc::ProducerId) -> Outcome {
        let Some(studio) = &mut self.studio else { return (Err(gone()), Vec::new()) };
        let Some(producer) = studio.producer_mut(id) else { return (Err(gone()), Vec::new()) };
        producer.is_ready = true;
        let answer = MediaAnswer::Produced { kind: producer.kind, producer: id.to_string() };
        let mut said = self.offer(id);
        said.extend(self.record_too(id));
        (Ok(RoomReply::Media(answer)), said)
    }

    /// It has not come to be, or nobody knows: it is closed, and nobody has heard of it.
    fn give_up(&mut self, work: Work) -> Vec<Said> {
        match work {
            Work::CreateTransport { transport, .. } => self.close_transport(transport),
            Work::Produce { producer, .. } => self.close_producer(producer),
            Work::Consume { consumer, .. } => self.close_consumer(consumer),
            Work::StartRecording { member, .. } => self.stop_recording(&member, RecordEnd::RecorderFailed),
            Work::Open { .. }
            | Work::Connect { .. }
            | Work::RestartIce { .. }
            | Work::Status { .. }
            | Work::StopRecording { .. } => Vec::new(),
        }
    }
}

fn created(room_id: String, transport_id: TransportId, local: TransportLocal) -> MediaAnswer {
    match local {
        TransportLocal::WebRtc { ice, candidates, dtls, sctp } => {
            MediaAnswer::WebRtc(Box::new(WebRtcCreated {
                room_id,
                transport_id,
                ice_candidates: candidates,
                ice_parameters: ice,
                dtls_parameters: dtls,
                sctp_parameters: sctp,
            }))
        }
        TransportLocal::Plain { ip, port, rtcp_port, srtp } => MediaAnswer::Plain(PlainCreated {
            room_id,
            transport_id,
            ip: ip.to_string(),
            port,
            rtcp_port,
            srtp_parameters: srtp,
        }),
    }
}

fn body(json: String) -> RoomReply {
    RoomReply::Media(MediaAnswer::Body(json))
}

fn gone() -> Failure {
    Failed::new(Code::Unknown, "无效媒体：it was closed meanwhile").into_failure()
}

/// Why the SFU did not do it, for a terminal.
pub(super) fn failure(why: &Refused) -> Failure {
    let told = |code: Code| Failed::new(code, format!("{}：{why}", code.text()));
    let failed = match why {
        Refused::Unknown(_) => Failed::new(Code::Unknown, format!("无效媒体：{why}")),
        Refused::Invalid(_) | Refused::Unsupported(_) => told(Code::BadRequest),
        Refused::Full(_) => told(Code::Overloaded),
        Refused::SwitchedOff(_) => Failed::new(Code::NotAcceptable, format!("功能没有开启：{why}")),
        Refused::WorkerLost => told(Code::Unreachable),
    };
    failed.into_failure()
}
