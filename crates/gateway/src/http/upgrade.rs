//! The service that hyper calls for each request: the WebSocket's handshake, or the router.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::Service;
use tower::ServiceExt;
use tungstenite::handshake::server::create_response_with_body;

use super::{Remote, sentence};

/// Where the signalling WebSocket is (reference section 1.2).
pub const WEBSOCKET_PATH: &str = "/websocket.signal";

/// Answers the requests of one connection.
///
/// The handshake is answered here and not by axum: axum hands the upgraded stream to a task of its own, behind a box and
/// hyper's buffers; so it stays in the connection's task, bare.
pub(crate) struct Answers {
    pub(crate) ip: IpAddr,
    pub(crate) router: Router,
    /// Whether the node lets no terminal in any more.
    pub(crate) going_away: bool,
    /// Set by the handshake; hyper then ends and gives the stream back.
    pub(crate) upgraded: Arc<AtomicBool>,
}

impl Service<Request<Incoming>> for Answers {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        if request.uri().path() == WEBSOCKET_PATH {
            let response = self.upgrade(&request);
            return Box::pin(async { Ok(response) });
        }
        request.extensions_mut().insert(Remote(self.ip));
        Box::pin(self.router.clone().oneshot(request.map(Body::new)))
    }
}

impl Answers {
    fn upgrade(&self, request: &Request<Incoming>) -> Response {
        if self.going_away {
            return sentence(StatusCode::SERVICE_UNAVAILABLE, "This node is going away; use another.".into());
        }
        match create_response_with_body(request, Body::empty) {
            Ok(response) => {
                self.upgraded.store(true, Ordering::Relaxed);
                response
            }
            Err(error) => {
                let text =
                    format!("{WEBSOCKET_PATH} is for WebSockets (RFC 6455, version 13) only: {error}.");
                let mut response = sentence(StatusCode::UPGRADE_REQUIRED, text);
                let headers = response.headers_mut();
                headers.insert("upgrade", axum::http::HeaderValue::from_static("websocket"));
                headers.insert("sec-websocket-version", axum::http::HeaderValue::from_static("13"));
                response
            }
        }
    }
}
