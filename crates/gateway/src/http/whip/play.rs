//! Finds the streams of a player: candidates are received one after the other without anything flowing yet, looked at,
//! and let go again unless they are chosen.

use std::time::Duration;

use serde_json::json;
use taoyao_ortc::MediaKind;
use taoyao_sdp::{Answer, Offer, Wanted};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::Code;
use tokio::time::sleep;

use super::super::rest::{Fault, Message};
use super::choose::{self, Candidate, Choice, Flow};
use super::request::Wish;
use super::room::{unexpected, unfit};
use super::signals::{ConsumerStatus, Consuming, Members, Streams, read};
use super::terminal::Terminal;
use super::trouble::Trouble;

/// Members of a room that are asked what they send. Players of larger rooms say `from` whom they want to receive.
const MEMBERS_ASKED_MAX: usize = 64;
/// Members whose streams are looked at, in the list's order; in rooms where more send, players say `from`.
const MEMBERS_TRIED_MAX: usize = 16;
/// Streams that are received for a look, all in all.
const STREAMS_TRIED_MAX: usize = 64;
/// A stream that was asked for just now may need a moment to come from another worker of a large room.
const SECOND_LOOK_AFTER: Duration = Duration::from_millis(700);

/// A stream that the player receives for the time being.
struct Tried {
    push: Message,
    consuming: Consuming,
    flow: Flow,
}

/// The streams of all members that were tried.
#[derive(Default)]
struct Trial {
    /// By member.
    tried: Vec<Vec<Tried>>,
    /// Kinds of streams that are sent and cannot be received, each with the reason.
    refused: Vec<(MediaKind, String)>,
}

/// Writes into the answer what each section gets. Returns the consumers.
pub(super) async fn play(
    terminal: &mut Terminal,
    wish: &Wish,
    offer: &Offer,
    answer: &mut Answer<'_>,
) -> Result<Vec<String>, Trouble> {
    let wanted = offer.wanted().map_err(unfit)?;
    let mut trial = Trial::default();
    for streams in senders(terminal, wish, &wanted).await? {
        trial.try_member(terminal, wish, &wanted, streams).await?;
    }
    let mut choices = trial.choose(&wanted);
    if choices.is_empty() && trial.tried.iter().any(|streams| !streams.is_empty()) {
        sleep(SECOND_LOOK_AFTER).await;
        trial.look_again(terminal, wish).await;
        choices = trial.choose(&wanted);
    }
    trial.check(&wanted, &choices)?;
    trial.settle(terminal, wish, &choices, answer).await
}

/// The streams of each member that sends something of a wanted kind.
async fn senders(terminal: &mut Terminal, wish: &Wish, wanted: &[Wanted]) -> Result<Vec<Streams>, Fault> {
    let mut senders = Vec::new();
    for member in members(terminal, wish).await? {
        let body = json!({ "roomId": wish.room, "clientId": member });
        // A member that has left meanwhile sends nothing.
        let Ok(told) = terminal.ask(Signal::RoomClientListId, body).await else { continue };
        let Some(streams) = read::<Streams>(told.body.as_deref()) else { continue };
        if wanted.iter().any(|wanted| !streams.of(wanted.kind).is_empty()) {
            senders.push(streams);
        }
        if senders.len() >= MEMBERS_TRIED_MAX {
            break;
        }
    }
    Ok(senders)
}

async fn members(terminal: &mut Terminal, wish: &Wish) -> Result<Vec<String>, Fault> {
    if let Some(from) = &wish.from {
        return Ok(vec![from.clone()]);
    }
    let listed = terminal.ask(Signal::RoomClientList, json!({ "roomId": wish.room })).await?;
    let Members { clients } = read(listed.body.as_deref()).ok_or_else(unexpected)?;
    let others = clients.into_iter().map(|member| member.client_id).filter(|id| *id != wish.client);
    Ok(others.take(MEMBERS_ASKED_MAX).collect())
}

impl Trial {
    /// Receives as many streams of each kind as the player has sections for them.
    async fn try_member(
        &mut self,
        terminal: &mut Terminal,
        wish: &Wish,
        wanted: &[Wanted],
        streams: Streams,
    ) -> Result<(), Fault> {
        let mut tried = Vec::new();
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let places = wanted.iter().filter(|wanted| wanted.kind == kind).count();
            let left = STREAMS_TRIED_MAX
                .saturating_sub(self.tried.iter().map(Vec::len).sum::<usize>() + tried.len());
            for producer in streams.of(kind).iter().take(places.min(left)) {
                match consume(terminal, wish, kind, producer).await {
                    Ok((push, consuming)) => {
                        let flow = flow(terminal, wish, &consuming.consumer_id).await;
                        tried.push(Tried { push, consuming, flow });
                    }
                    // It cannot be received; whatever else is wrong, it has ended meanwhile.
                    Err(fault) if fault.code == Code::BadRequest => self.refused.push((kind, fault.text)),
                    Err(fault) => tracing::debug!(why = fault.text, producer, "not played"),
                }
            }
        }
        self.tried.push(tried);
        Ok(())
    }

    async fn look_again(&mut self, terminal: &mut Terminal, wish: &Wish) {
        for tried in self.tried.iter_mut().flatten() {
            tried.flow = flow(terminal, wish, &tried.consuming.consumer_id).await;
        }
    }

    fn choose(&self, wanted: &[Wanted]) -> Vec<Choice> {
        let stream = |tried: &Tried| choose::Stream { kind: tried.consuming.kind, flow: tried.flow };
        let candidate = |tried: &Vec<Tried>| Candidate { streams: tried.iter().map(stream).collect() };
        choose::choose(wanted, &self.tried.iter().map(candidate).collect::<Vec<_>>())
    }

    /// Nobody gets sound alone where there is a picture that it cannot receive, nor the reverse.
    fn check(&self, wanted: &[Wanted], choices: &[Choice]) -> Result<(), Trouble> {
        let is_empty = |kind| {
            wanted.iter().any(|wanted| wanted.kind == kind)
                && choices.iter().all(|choice| choice.wanted.kind != kind)
        };
        match self.refused.iter().find(|(kind, _)| is_empty(*kind)) {
            Some((_, why)) => Err(Trouble::NotUnderstood(why.clone())),
            None if choices.is_empty() => Err(Trouble::NothingToPlay),
            None => Ok(()),
        }
    }

    /// Begins what was chosen and lets go of the rest.
    async fn settle(
        self,
        terminal: &mut Terminal,
        wish: &Wish,
        choices: &[Choice],
        answer: &mut Answer<'_>,
    ) -> Result<Vec<String>, Trouble> {
        let mut consumers = Vec::new();
        for (candidate, streams) in self.tried.into_iter().enumerate() {
            for (stream, Tried { push, consuming, .. }) in streams.into_iter().enumerate() {
                let is_its = |choice: &&Choice| choice.candidate == candidate && choice.stream == stream;
                let Some(Choice { wanted, .. }) = choices.iter().find(is_its) else {
                    let body = json!({ "roomId": wish.room, "consumerId": consuming.consumer_id });
                    terminal.tell(Signal::MediaConsumerClose, body).await?;
                    continue;
                };
                let (source, consumer) = (&consuming.source_id, &consuming.consumer_id);
                answer.send(wanted.section, &consuming.rtp_parameters, source, consumer);
                consumers.push(consuming.consumer_id);
                // Sent back, it says that the section is ready.
                terminal.tell_text(push.text).await?;
            }
        }
        Ok(consumers)
    }
}

/// Asks for a stream, which does not flow before the push that comes is sent back.
async fn consume(
    terminal: &mut Terminal,
    wish: &Wish,
    kind: MediaKind,
    producer: &str,
) -> Result<(Message, Consuming), Fault> {
    let body = json!({ "roomId": wish.room, "producerId": producer });
    let id = terminal.tell(Signal::MediaConsume, body).await?;
    let is_its = |message: &Message| {
        let consuming = read::<Consuming>(message.body.as_deref());
        message.signal == Signal::MediaConsume.name()
            && consuming.is_some_and(|consuming| consuming.producer_id == producer && consuming.kind == kind)
    };
    let heard = terminal.await_news(|message| is_its(message) || (message.is_error() && message.id == id));
    let message = heard.await?;
    let consuming = read(message.body.as_deref()).ok_or_else(unexpected)?;
    Ok((message, consuming))
}

/// When packets came of the stream that a consumer is of.
async fn flow(terminal: &mut Terminal, wish: &Wish, consumer: &str) -> Flow {
    let body = json!({ "roomId": wish.room, "consumerId": consumer });
    match terminal.ask(Signal::MediaConsumerStatus, body).await {
        Ok(told) => read::<ConsumerStatus>(told.body.as_deref()).map_or(Flow::Untold, |status| status.flow()),
        Err(fault) => {
            tracing::debug!(why = fault.text, consumer, "not looked at");
            Flow::Untold
        }
    }
}
