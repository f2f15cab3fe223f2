//! What the listener answers to HTTP: the upgrade to a WebSocket, the nearest node, the probe, the web terminal, the REST
//! interface, WHIP and WHEP.

mod assets;
mod forwarded;
mod manners;
mod nearest;
mod origin;
mod rest;
mod upgrade;
mod whip;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

pub(crate) use self::manners::Manners;
pub use self::nearest::{Geo, NearestQuery};
pub use self::origin::Origins;
pub use self::rest::{
    ByteRange, Configuration, NotLetIn, Proof, RecordingAnswer, RecordingAsk, RecordingFault, RecordingFile,
    Rest, RestRequest,
};
pub(crate) use self::upgrade::Answers;
pub use self::upgrade::WEBSOCKET_PATH;
pub(crate) use self::whip::Entrance;

/// What the listener needs from the node to answer requests.
#[derive(Clone)]
pub struct Services {
    /// Answers `GET /mesh/nearest`; the error is a sentence for whoever asked. Must not block.
    pub nearest: Arc<dyn Fn(NearestQuery) -> Result<serde_json::Value, String> + Send + Sync>,
    /// Carries out REST calls.
    pub rest: Rest,
}

/// The remote address of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remote(pub(crate) IpAddr);

/// Nothing from elsewhere runs or shows in the page; it may talk to any node, which `connect-src` cannot name.
const CONTENT_SECURITY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    media-src 'self' blob: mediastream:; connect-src *; manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'; \
    form-action 'self'";
const PERMISSIONS: &str = "camera=(self), microphone=(self), display-capture=(self)";

pub(crate) fn router(services: Services, entrance: Entrance) -> Router {
    Router::new()
        .route("/mesh/nearest", get(nearest::nearest))
        .route("/mesh/probe", get(probe))
        .merge(rest::routes())
        .merge(whip::routes(entrance))
        .fallback(asset_or_unknown)
        .method_not_allowed_fallback(wrong_method)
        .with_state(services)
}

async fn probe() -> Response {
    for_anyone(StatusCode::NO_CONTENT)
}

/// Files are for everybody; that there is nothing at a path is for those who may log in.
async fn asset_or_unknown(
    State(services): State<Services>,
    Extension(Remote(ip)): Extension<Remote>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    match assets::find(parts.uri.path()) {
        Some(asset) if parts.method == Method::GET || parts.method == Method::HEAD => {
            protected(asset.answer(&parts.headers))
        }
        Some(_) => wrong_method(parts.method, parts.uri).await,
        None => rest::unknown(&services.rest, ip, &parts).await,
    }
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    let text = format!("{} cannot be asked for with {method}; use GET.", uri.path());
    let mut response = sentence(StatusCode::METHOD_NOT_ALLOWED, text);
    response.headers_mut().insert(axum::http::header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

/// An answer that pages of any origin may read and that nothing may keep.
fn for_anyone(answer: impl IntoResponse) -> Response {
    let mut response = protected(answer);
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A plain sentence for a person.
fn sentence(status: StatusCode, text: String) -> Response {
    let mut response = protected((status, text + "\n"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Adds the headers that protect a page in the browser.
fn protected(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    let headers = [
        (CONTENT_SECURITY_POLICY, CONTENT_SECURITY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
