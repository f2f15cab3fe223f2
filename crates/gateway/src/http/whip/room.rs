//! What a session does in its room: enter, send or receive what the offer says, answer it.

use axum::http::HeaderValue;
use serde_json::{Value, json};
use taoyao_sdp::{Answer, BadSdp, Local, Offer};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::Code;
use taoyao_wire::terminal::media::WebRtcCreated;

use super::super::rest::Fault;
use super::play::play;
use super::request::Wish;
use super::signals::read;
use super::terminal::Terminal;
use super::trouble::Trouble;
use super::{Way, ice_servers};

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
) -> Result<(), Trouble> {
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

fn value(body: &impl serde::Serialize) -> Result<Value, Fault> {
    serde_json::to_value(body).map_err(|_| unexpected())
}

pub(super) fn unfit(why: BadSdp) -> Trouble {
    match why {
        BadSdp::NotUnderstood(_) => Trouble::NotUnderstood(why.to_string()),
        _ => Fault::with(Code::BadRequest, why).into(),
    }
}

pub(super) fn unexpected() -> Fault {
    Fault::new(Code::SystemFault, Code::SystemFault.text())
}
