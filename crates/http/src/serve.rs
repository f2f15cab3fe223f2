//! Serves one connection: request by request, answer by answer.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use crate::hosts::Hosts;
use crate::progress::Progress;

/// Bytes of a request's head; hyper answers 431 beyond it.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Headers of a request; hyper answers 431 beyond it.
const HEADERS_MAX: usize = 64;

/// How long a peer and a service may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// For a request's head, and for the next request to begin. Then the connection is closed.
    pub head: Duration,
    /// From a request's head to its answer's, with the body between them. Then it is answered 408.
    pub answer: Duration,
    /// Without a byte in or out. Then the connection is cut off, however much of an answer has yet to go.
    pub stalled: Duration,
}

/// How a connection ended.
#[derive(Debug)]
pub struct Ended<S> {
    pub stream: S,
    /// What was read behind the last request: after an upgrade the new protocol's first bytes.
    pub early: Bytes,
    /// Whether it ended as the two sides wanted, and in time.
    pub is_clean: bool,
}

/// Serves a connection's requests, one after the other, until it ends, stalls, or `stop` is there: then the answer under way is
/// the last. Does not close the stream.
pub async fn serve<I, S>(
    stream: I,
    times: Times,
    hosts: Hosts,
    service: S,
    stop: impl Future<Output = ()>,
) -> Ended<I>
where
    I: AsyncRead + AsyncWrite + Unpin,
    S: Service<Request<Incoming>, Response = Response, Error = Infallible> + Send + Sync + 'static,
    S::Future: Send,
{
    let progress = Progress::new();
    let gate = Gate(Arc::new(Gated { times, hosts, service }));
    let mut requests = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(times.head)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(progress.of(stream)), gate);
    let served = {
        let (mut stalled, mut stop) = (pin!(progress.stalled(times.stalled)), pin!(stop));
        let mut is_stopping = false;
        poll_fn(|cx| {
            if !is_stopping && stop.as_mut().poll(cx).is_ready() {
                is_stopping = true;
                Pin::new(&mut requests).graceful_shutdown();
            }
            if let Poll::Ready(served) = requests.poll_without_shutdown(cx) {
                return Poll::Ready(served.is_ok());
            }
            stalled.as_mut().poll(cx).map(|()| false)
        })
        .await
    };
    let parts = requests.into_parts();
    Ended { stream: parts.io.into_inner().into_inner(), early: parts.read_buf, is_clean: served }
}

struct Gated<S> {
    times: Times,
    hosts: Hosts,
    service: S,
}

/// What stands before a service.
struct Gate<S>(Arc<Gated<S>>);

impl<S> Service<Request<Incoming>> for Gate<S>
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible> + Send + Sync + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let gated = Arc::clone(&self.0);
        Box::pin(async move {
            if let Err(bad) = gated.hosts.check(&request) {
                return Ok(last(bad.status(), bad.to_string()));
            }
            timeout(gated.times.answer, gated.service.call(request)).await.unwrap_or_else(|_| {
                let text = "The request did not come in time, or was not answered in time.".to_owned();
                Ok(last(StatusCode::REQUEST_TIMEOUT, text))
            })
        })
    }
}

/// An answer after which the connection ends: what comes behind such a request is not worth reading.
fn last(status: StatusCode, text: String) -> Response {
    let mut response = (status, Body::from(text + "\n")).into_response();
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
