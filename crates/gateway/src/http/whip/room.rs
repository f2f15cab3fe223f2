//! What a session does in its room: enter, send or receive what the offer says, answer it.

use axum::http::HeaderValue;
use serde_json::{Value, json};
use taoyao_ortc::MediaKind;
use taoyao_sdp::{Answer, BadSdp, Local, Offer, Wanted};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::Code;
use taoyao_wire::terminal::media::WebRtcCreated;

use super::super::rest::{Fault, Message};
use super::request::Wish;
use super::signals::{Consuming, Members, Streams, read};
use super::terminal::Terminal;
use super::trouble::Trouble;
use super::{Way, ice_servers};

/// Members of a room that are asked what they send. Players of larger rooms say `from` whom they want to receive.
const MEMBERS_ASKED_MAX: usize = 64;

/// A session that runs.
pub(super) struct Running {
    pub(super) transport: String,
    pub(super) local: Local,
    /// What it receives, if it plays.
    pub(super) consumers: Vec<String>,
}

/// What the request is answered.
pub(super) struct Described {
    pub(super) sdp: String,
    pub(super) etag: String,
    pub(super) links: Vec<HeaderValue>,
}

/// Sets a session up, from `client::register` to what is written into the answer.
pub(super) async fn set_up(terminal: &mut Terminal, wish: &Wish) -> Result<(Running, Described), Trouble> {
    let offer = Offer::read(&wish.offer).map_err(unfit)?;
    match wish.way {
        Way::Publish => offer.published_in(wish.order).map(|_| ()),
        Way::Play => offer.wanted().map(|_| ()),
    }
    .map_err(unfit)?;
    let links = register(terminal, wish).await?;
    enter(terminal, wish, &offer).await?;
    let created = create_transport(terminal, wish).await?;
    let transport = created.transport_id.to_string();
    let local = Local {
        ice: created.ice_parameters,
        candidates: created.ice_candidates,
        dtls: created.dtls_parameters,
    };
    let dtls = json!({ "roomId": wish.room, "transportId": transport, "dtlsParameters": offer.dtls() });
    terminal.ask(Signal::MediaTransportWebrtcConnect, dtls).await?;
    let mut answer = Answer::new(&offer, &local, wish.session_number);
    let consumers = match wish.way {
        Way::Publish => {
            publish(terminal, wish, &offer, &transport, &mut answer).await?;
            Vec::new()
        }
        Way::Play => play(terminal, wish, &offer, &mut answer).await?,
    };
    let sdp = answer.write();
    let etag = etag(&local);
    Ok((Running { transport, local, consumers }, Described { sdp, etag, links }))
}

/// The name of an ICE session: it is another one once its credentials are others.
pub(super) fn etag(local: &Local) -> String {
    format!("\"{}\"", local.ice.username_fragment)
}

async fn register(terminal: &mut Terminal, wish: &Wish) -> Result<Vec<HeaderValue>, Fault> {
    let kind = match wish.way {
        Way::Publish => "CAMERA",
        Way::Play => "WEB",
    };
    let body = json!({ "clientId": wish.client, "name": wish.name, "clientType": kind });
    terminal.ask(Signal::ClientRegister, body).await?;
    let config = terminal.await_news(|message| message.signal == Signal::ClientConfig.name()).await?;
    Ok(config.body.map(|body| ice_servers::links(body.get())).unwrap_or_default())
}

/// Nothing is received without being asked for: an offer has only so many sections.
async fn enter(terminal: &mut Terminal, wish: &Wish, offer: &Offer) -> Result<(), Fault> {
    let mut body = json!({ "roomId": wish.room, "password": wish.password, "subscribeType": "NONE" });
    if wish.way == Way::Play {
        body["rtpCapabilities"] = value(&offer.capabilities())?;
    }
    terminal.ask(Signal::RoomEnter, body).await?;
    Ok(())
}

async fn create_transport(terminal: &mut Terminal, wish: &Wish) -> Result<WebRtcCreated, Fault> {
    let body = json!({
        "roomId": wish.room, "forceTcp": false,
        "producing": wish.way == Way::Publish, "consuming": wish.way == Way::Play,
    });
    let created = terminal.ask(Signal::MediaTransportWebrtcCreate, body).await?;
    read(created.body.as_deref()).ok_or_else(unexpected)
}

async fn publish(
    terminal: &mut Terminal,
    wish: &Wish,
    offer: &Offer,
    transport: &str,
    answer: &mut Answer<'_>,
) -> Result<(), Fault> {
    for one in offer.published_in(wish.order).map_err(unfit)? {
        let body = json!({
            "roomId": wish.room, "transportId": transport, "kind": one.kind.as_str(),
            "rtpParameters": value(&one.rtp)?, "appData": {},
        });
        terminal.ask(Signal::MediaProduce, body).await?;
        answer.receive(one.section, &one.rtp);
    }
    Ok(())
}

/// Each section gets a stream of its kind, while there are some. Returns the consumers.
async fn play(
    terminal: &mut Terminal,
    wish: &Wish,
    offer: &Offer,
    answer: &mut Answer<'_>,
) -> Result<Vec<String>, Trouble> {
    let wanted = offer.wanted().map_err(unfit)?;
    let mut consumers = Vec::new();
    for (Wanted { section, kind }, producer) in streams(terminal, wish, &wanted).await? {
        let Some((push, consuming)) = consume(terminal, wish, kind, &producer).await else { continue };
        answer.send(section, &consuming.rtp_parameters, &consuming.source_id, &consuming.consumer_id);
        consumers.push(consuming.consumer_id);
        // Sent back, it says that the section is ready.
        terminal.tell_text(push.text).await?;
    }
    match consumers.is_empty() {
        true => Err(Trouble::NothingToPlay),
        false => Ok(consumers),
    }
}

/// Which producer each section may have, going by the members' order.
async fn streams(
    terminal: &mut Terminal,
    wish: &Wish,
    wanted: &[Wanted],
) -> Result<Vec<(Wanted, String)>, Fault> {
    let mut free: Vec<Wanted> = wanted.to_vec();
    let mut found = Vec::new();
    for member in members(terminal, wish).await? {
        let body = json!({ "roomId": wish.room, "clientId": member });
        // Who has left meanwhile sends nothing.
        let Ok(told) = terminal.ask(Signal::RoomClientListId, body).await else { continue };
        let Some(streams) = read::<Streams>(told.body.as_deref()) else { continue };
        let of_kinds =
            [(MediaKind::Audio, streams.audio_producers), (MediaKind::Video, streams.video_producers)];
        for (kind, producers) in of_kinds {
            for producer in producers {
                if let Some(at) = free.iter().position(|wanted| wanted.kind == kind) {
                    found.push((free.remove(at), producer));
                }
            }
        }
        if free.is_empty() {
            break;
        }
    }
    Ok(found)
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

/// `None` if it cannot be received: another codec, or it has ended meanwhile.
async fn consume(
    terminal: &mut Terminal,
    wish: &Wish,
    kind: MediaKind,
    producer: &str,
) -> Option<(Message, Consuming)> {
    let body = json!({ "roomId": wish.room, "producerId": producer });
    let id = terminal.tell(Signal::MediaConsume, body).await.ok()?;
    let is_its = |message: &Message| {
        let consuming = read::<Consuming>(message.body.as_deref());
        message.signal == Signal::MediaConsume.name()
            && consuming.is_some_and(|consuming| consuming.producer_id == producer && consuming.kind == kind)
    };
    let heard =
        terminal.await_news(|message| is_its(message) || (message.is_error() && message.id == id)).await;
    let message =
        heard.inspect_err(|fault| tracing::debug!(why = fault.text, producer, "not played")).ok()?;
    let consuming = read(message.body.as_deref())?;
    Some((message, consuming))
}

fn value(body: &impl serde::Serialize) -> Result<Value, Fault> {
    serde_json::to_value(body).map_err(|_| unexpected())
}

fn unfit(why: BadSdp) -> Fault {
    let code = match why {
        BadSdp::NotUnderstood { .. } => Code::NotAcceptable,
        _ => Code::BadRequest,
    };
    Fault::with(code, why)
}

pub(super) fn unexpected() -> Fault {
    Fault::new(Code::SystemFault, Code::SystemFault.text())
}
