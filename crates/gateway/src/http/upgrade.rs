//! The service that hyper calls for each request: the WebSocket's handshake, or the router.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONNECTION, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::Service;
use tower::ServiceExt;
use tungstenite::handshake::server::create_response_with_body;

use super::{Manners, Remote, sentence};
use crate::connection::RETRY_SECONDS;
use crate::registry::Crowded;

/// Where the signalling WebSocket is (reference section 1.2).
pub const WEBSOCKET_PATH: &str = "/websocket.signal";

/// Answers the requests of one connection.
///
/// The handshake is answered here and not by axum: axum hands the upgraded stream to a task of its own, behind a box and
/// hyper's buffers; so it stays in the connection's task, bare.
pub(crate) struct Answers {
    /// Where the connection comes from.
    pub(crate) ip: IpAddr,
    pub(crate) router: Router,
    pub(crate) manners: Arc<Manners>,
    /// Whether the node lets no terminal in any more.
    pub(crate) going_away: bool,
    /// Set if there is no place for the connection: it is told so by every answer, a WebSocket by its close.
    pub(crate) refused: Option<Crowded>,
    /// Set by the handshake to who is there; hyper then ends and gives the stream back.
    pub(crate) upgraded: Arc<OnceLock<IpAddr>>,
}

impl Service<Request<Incoming>> for Answers {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let manners = Arc::clone(&self.manners);
        let client = manners.client(self.ip, request.headers());
        if request.uri().path() == WEBSOCKET_PATH {
            let response = manners.finish(self.upgrade(client, &request));
            return Box::pin(async { Ok(response) });
        }
        if let Some(crowded) = self.refused {
            let response = manners.finish(refusal(crowded));
            return Box::pin(async { Ok(response) });
        }
        request.extensions_mut().insert(Remote(client));
        let answer = self.router.clone().oneshot(request.map(Body::new));
        Box::pin(async move { answer.await.map(|response| manners.finish(response)) })
    }
}

impl Answers {
    fn upgrade(&self, client: IpAddr, request: &Request<Incoming>) -> Response {
        if self.going_away {
            return sentence(StatusCode::SERVICE_UNAVAILABLE, "This node is going away; use another.".into());
        }
        if !self.manners.admit_page(request.headers()) {
            let text = "A page of this origin may open no WebSocket here; `origins` in [node.terminals] names those that may.";
            return sentence(StatusCode::FORBIDDEN, text.into());
        }
        match create_response_with_body(request, Body::empty) {
            Ok(response) => {
                self.upgraded.get_or_init(|| client);
                response
            }
            Err(error) => {
                let text =
                    format!("{WEBSOCKET_PATH} is for WebSockets (RFC 6455, version 13) only: {error}.");
                let mut response = sentence(StatusCode::UPGRADE_REQUIRED, text);
                let headers = response.headers_mut();
                headers.insert("upgrade", HeaderValue::from_static("websocket"));
                headers.insert("sec-websocket-version", HeaderValue::from_static("13"));
                response
            }
        }
    }
}

/// The connection ends with it: one that stays would take a place.
fn refusal(crowded: Crowded) -> Response {
    let mut response = sentence(StatusCode::SERVICE_UNAVAILABLE, format!("No place: {crowded}."));
    response.headers_mut().insert(RETRY_AFTER, RETRY_SECONDS.into());
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
