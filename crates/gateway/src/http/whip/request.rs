//! The requests: who asks, for what, and what it is answered.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, Request};
use axum::http::header::{CONTENT_TYPE, ETAG, IF_MATCH, LINK, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use taoyao_auth::Account;
use taoyao_sdp::{Fragment, StreamOrder};
use taoyao_wire::terminal::Code;
use tokio::sync::{mpsc, oneshot};

use super::super::rest::{self, Fault, Place, Rest, not_let_in};
use super::answer::{ACCEPT_PATCH, FRAGMENT, SDP, shared};
use super::room::Described;
use super::session::{self, Order, Patched};
use super::sessions::Sessions;
use super::trouble::Trouble;
use super::{Way, body};

pub(super) const ENDPOINT_METHODS: &str = "OPTIONS, POST";
pub(super) const RESOURCE_METHODS: &str = "DELETE, OPTIONS, PATCH";

/// What somebody wants of a room.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) way: Way,
    pub(super) room: String,
    pub(super) password: Option<String>,
    /// As what terminal.
    pub(super) client: String,
    pub(super) name: String,
    /// Whom to play.
    pub(super) from: Option<String>,
    pub(super) order: StreamOrder,
    pub(super) offer: String,
    /// The session's id in its path, which cannot be guessed.
    pub(super) id: String,
    /// The session's number in its SDP.
    pub(super) session_number: u64,
}

/// What the query may say.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Asked {
    client_id: Option<String>,
    name: Option<String>,
    password: Option<String>,
    from: Option<String>,
    simulcast: Simulcast,
}

/// How the offer lists the streams of a simulcast.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Simulcast {
    #[default]
    SmallestFirst,
    LargestFirst,
}

/// A request and whose it is.
struct Caller {
    parts: Parts,
    body: Body,
    place: Place,
    account: Account,
}

/// Who asks; else the refusal.
async fn let_in(rest: &Rest, ip: IpAddr, request: Request) -> Result<Caller, Response> {
    let (parts, body) = request.into_parts();
    let place = Place::of(&parts.method, &parts.uri);
    match rest::authenticate(rest, ip, &parts.headers).await {
        Ok(account) => Ok(Caller { parts, body, place, account }),
        Err(why) => Err(shared(not_let_in(why, &place))),
    }
}

/// `POST` of an offer.
pub(super) async fn open(
    sessions: &Arc<Sessions>,
    rest: &Rest,
    way: Way,
    ip: IpAddr,
    room: String,
    request: Request,
) -> Response {
    let Caller { parts, body, place, account } = match let_in(rest, ip, request).await {
        Ok(caller) => caller,
        Err(refusal) => return refusal,
    };
    if parts.method != Method::POST {
        return shared(place.wrong_method(ENDPOINT_METHODS));
    }
    let path = format!("/{}/{}", way.path(), encoded(&room));
    match begin(sessions, way, (ip, account), room, &parts, body).await {
        Ok((id, described)) => created(&format!("{path}/{id}"), described),
        Err(trouble) => trouble.answer(&place),
    }
}

async fn begin(
    sessions: &Arc<Sessions>,
    way: Way,
    (ip, account): (IpAddr, Account),
    room: String,
    parts: &Parts,
    body: Body,
) -> Result<(String, Described), Trouble> {
    let Query(asked) = Query::<Asked>::try_from_uri(&parts.uri)
        .map_err(|error| Fault::with(Code::BadRequest, error.body_text()))?;
    let offer = body::read(&parts.headers, body, SDP).await?;
    let drawn = Drawn::now()?;
    let client = asked.client_id.unwrap_or_else(|| format!("{}-{:08x}", way.path(), drawn.client));
    let wish = Wish {
        way,
        name: asked.name.unwrap_or_else(|| client.clone()),
        client,
        password: asked.password,
        from: asked.from,
        order: match asked.simulcast {
            Simulcast::SmallestFirst => StreamOrder::SmallestFirst,
            Simulcast::LargestFirst => StreamOrder::LargestFirst,
        },
        offer,
        id: format!("{:032x}", drawn.id),
        session_number: drawn.session_number,
        room,
    };
    let id = wish.id.clone();
    let orders = sessions.begin(&id, way, &wish.room, &account.name)?;
    let described = session::start(sessions, wish, ip, account, orders).await;
    Ok((id, described.unwrap_or_else(|_| Err(gone().into()))?))
}

/// What nobody can guess, and what nobody else has.
struct Drawn {
    id: u128,
    client: u32,
    session_number: u64,
}

impl Drawn {
    fn now() -> Result<Self, Fault> {
        let none = |_| Fault::with(Code::SystemFault, "the machine has no random numbers");
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(none)?;
        let client = getrandom::u32().map_err(none)?;
        // 63 bits, as RFC 9429 (section 5.2.1) has it.
        let session_number = getrandom::u64().map_err(none)? >> 1;
        Ok(Self { id: u128::from_be_bytes(id), client, session_number })
    }
}

fn created(location: &str, Described { sdp, etag, links }: Described) -> Response {
    let mut response = shared((StatusCode::CREATED, sdp));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(SDP));
    headers.insert(ACCEPT_PATCH, HeaderValue::from_static(FRAGMENT));
    for (name, value) in [(LOCATION, location), (ETAG, &etag)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    links.into_iter().for_each(|link| {
        headers.append(LINK, link);
    });
    response
}

/// A room's id as a part of a path (RFC 3986, section 2.1).
fn encoded(room: &str) -> String {
    let unreserved = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~@:".contains(byte);
    let part = |byte: u8| match unreserved(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    room.bytes().map(part).collect()
}

/// `PATCH` or `DELETE` of a session.
pub(super) async fn change(
    sessions: &Sessions,
    rest: &Rest,
    way: Way,
    ip: IpAddr,
    (room, id): (&str, &str),
    request: Request,
) -> Response {
    let Caller { parts, body, place, account } = match let_in(rest, ip, request).await {
        Ok(caller) => caller,
        Err(refusal) => return refusal,
    };
    let answered = match (parts.method, sessions.find(id, way, room, &account.name)) {
        (Method::PATCH | Method::DELETE, None) => {
            Err(Fault::with(Code::Gone, "there is no such session of this account").into())
        }
        (Method::PATCH, Some(orders)) => patch(&orders, &parts.headers, body).await,
        (Method::DELETE, Some(orders)) => delete(&orders).await,
        _ => return shared(place.wrong_method(RESOURCE_METHODS)),
    };
    answered.unwrap_or_else(|trouble: Trouble| trouble.answer(&place))
}

async fn patch(orders: &mpsc::Sender<Order>, headers: &HeaderMap, body: Body) -> Result<Response, Trouble> {
    let text = body::read(headers, body, FRAGMENT).await?;
    let fragment = Fragment::read(&text).map_err(|why| Fault::with(Code::BadRequest, why))?;
    let fragment = Box::new(fragment);
    let if_match = headers.get(IF_MATCH).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let patched = ask(orders, |reply| Order::Patch { if_match, fragment, reply }).await??;
    Ok(match patched {
        Patched::Noted => shared(StatusCode::NO_CONTENT),
        Patched::Restarted { fragment, etag } => {
            let etag = HeaderValue::from_str(&etag).map_err(|_| gone())?;
            let headers = [(CONTENT_TYPE, HeaderValue::from_static(FRAGMENT)), (ETAG, etag)];
            shared((headers, fragment).into_response())
        }
    })
}

async fn delete(orders: &mpsc::Sender<Order>) -> Result<Response, Trouble> {
    ask(orders, |reply| Order::End { reply }).await?;
    Ok(shared(StatusCode::OK))
}

async fn ask<T>(
    orders: &mpsc::Sender<Order>,
    order: impl FnOnce(oneshot::Sender<T>) -> Order,
) -> Result<T, Trouble> {
    let (reply, answer) = oneshot::channel();
    let busy = |_| Fault::with(Code::Overloaded, "the session is still busy with an earlier request");
    orders.try_send(order(reply)).map_err(busy)?;
    answer.await.map_err(|_| gone().into())
}

fn gone() -> Fault {
    Fault::with(Code::Gone, "the session has ended")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_written_into_a_path_so_that_it_is_read_back() {
        assert_eq!(encoded("0d3e-1@sh.east:x"), "0d3e-1@sh.east:x");
        assert_eq!(encoded("a/b c?桃"), "a%2Fb%20c%3F%E6%A1%83");
    }
}
