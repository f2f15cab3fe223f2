//! The REST interface (reference section 8): a call is a signal in another dress.
//!
//! Each path stands for a signal ([`routes`]), which is carried out for the account behind the call as if one of its
//! terminals had sent it: by the same permission table, over the same way through the mesh, with the same errors. What is
//! no signal is answered here: the node's settings, the list of signals, the document.

mod answer;
mod call;
mod caller;
mod configuration;
mod document;
mod fault;
mod input;
mod message;
mod proof;
mod recording;
mod route;
mod routes;
mod schemas;

use std::net::IpAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{Extension, RawPathParams, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use taoyao_auth::Account;
use taoyao_wire::terminal::Code;

pub use self::call::{NotLetIn, Proof, Rest, RestRequest};
use self::caller::Caller;
pub use self::configuration::Configuration;
pub(super) use self::fault::{Fault, Place, not_let_in};
pub(super) use self::message::Message;
pub use self::recording::{ByteRange, RecordingAnswer, RecordingAsk, RecordingFault, RecordingFile};
use self::route::{Route, Verbs};
use self::routes::ROUTES;
use super::{Remote, Services, protected};

/// Where the OpenAPI document is, as the original's springdoc has it.
const DOCUMENT_PATH: &str = "/v3/api-docs";

/// Everything of the interface but the answer to unknown paths.
pub(super) fn routes() -> Router<Services> {
    let document = any(async |request: Request| document(&request.into_parts().0));
    ROUTES.iter().fold(Router::new().route(DOCUMENT_PATH, document), |router, route| {
        let handler = move |State(services): State<Services>,
                            Extension(Remote(ip)): Extension<Remote>,
                            variables: Result<RawPathParams, RawPathParamsRejection>,
                            request: Request| async move {
            let (parts, body) = request.into_parts();
            serve(route, &services.rest, ip, variables, parts, body).await
        };
        router.route(route.path, any(handler))
    })
}

/// The answer to a path that is none: whoever may not know hears nothing about paths.
pub(super) async fn unknown(rest: &Rest, ip: IpAddr, parts: &Parts) -> Response {
    let place = Place::of(&parts.method, &parts.uri);
    match authenticate(rest, ip, &parts.headers).await {
        Ok(_) => place.unknown(),
        Err(why) => not_let_in(why, &place),
    }
}

fn document(parts: &Parts) -> Response {
    if !Verbs::Get.admits(&parts.method) {
        return Place::of(&parts.method, &parts.uri).wrong_method(Verbs::Get.allowed());
    }
    unkept(([(CONTENT_TYPE, "application/json")], document::TEXT.as_str()))
}

async fn serve(
    route: &'static Route,
    rest: &Rest,
    ip: IpAddr,
    variables: Result<RawPathParams, RawPathParamsRejection>,
    parts: Parts,
    body: Body,
) -> Response {
    let place = Place::of(&parts.method, &parts.uri);
    let account = match authenticate(rest, ip, &parts.headers).await {
        Ok(account) => account,
        Err(why) => return not_let_in(why, &place),
    };
    if !route.verbs.admits(&parts.method) {
        return place.wrong_method(route.verbs.allowed());
    }
    let variables = variables.map_err(|error| Fault::with(Code::BadRequest, error.body_text()));
    let caller = Caller { rest, account };
    match caller.call(route, variables, &parts, body, &place).await {
        Ok(response) => response,
        Err(fault) => fault.answer(&place),
    }
}

pub(super) async fn authenticate(rest: &Rest, ip: IpAddr, headers: &HeaderMap) -> Result<Account, NotLetIn> {
    let proof = proof::proof(headers).ok_or(NotLetIn::Wrong)?;
    rest.authenticate(ip, proof).await
}

/// An answer that nothing may keep.
fn unkept(answer: impl IntoResponse) -> Response {
    let mut response = protected(answer);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
