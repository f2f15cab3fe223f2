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
    /// Bytes that were read behind the last request: after an upgrade the new protocol's first bytes.
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

/// Checks that stand before a service.
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

#[cfg(test)]
mod tests {
    use std::future::pending;

    use hyper::service::service_fn;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::task::JoinHandle;
    use tokio::time::{Instant, sleep};

    use super::*;

    const TIMES: Times = Times {
        head: Duration::from_secs(10),
        answer: Duration::from_secs(20),
        stalled: Duration::from_secs(30),
    };
    /// Bytes that fit between the two ends.
    const PIPE_BYTES: usize = 1024;
    const FILE_BYTES: usize = 64 * 1024;

    #[tokio::test(start_paused = true)]
    async fn a_download_may_take_as_long_as_it_moves() {
        let (mut peer, ended) = start();
        peer.write_all(b"GET /file HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
        let (began, mut got, mut part) = (Instant::now(), 0, [0; 4 * PIPE_BYTES]);
        loop {
            sleep(Duration::from_secs(20)).await;
            match peer.read(&mut part).await.unwrap() {
                count if got + count >= FILE_BYTES => break,
                0 => panic!("cut off after {got} bytes and {:?}", began.elapsed()),
                count => got += count,
            }
        }
        assert!(began.elapsed() > Duration::from_secs(600), "{:?}", began.elapsed());
        assert!(ended.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_of_an_answer_is_cut_off() {
        let (mut peer, ended) = start();
        let began = Instant::now();
        peer.write_all(b"GET /file HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        assert!(!ended.await.unwrap());
        assert!((30..40).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_and_a_body_have_their_time_however_steadily_they_trickle() {
        for (begin, most) in
            [("GET /", 15), ("POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 900\r\n\r\n", 40)]
        {
            let (mut peer, ended) = start();
            let began = Instant::now();
            peer.write_all(begin.as_bytes()).await.unwrap();
            let trickling = tokio::spawn(async move {
                while peer.write_all(b"x").await.is_ok() {
                    sleep(Duration::from_secs(5)).await;
                }
            });
            ended.await.unwrap();
            trickling.await.unwrap();
            assert!(began.elapsed().as_secs() <= most, "{begin}: {:?}", began.elapsed());
        }
    }

    /// A service with a large file, and one that waits for the request's body; whether the connection ended well.
    fn start() -> (DuplexStream, JoinHandle<bool>) {
        let (peer, stream) = duplex(PIPE_BYTES);
        let service = service_fn(async |request: Request<Incoming>| {
            if request.uri().path() == "/body" {
                drop(axum::body::to_bytes(Body::new(request.into_body()), FILE_BYTES).await);
            }
            Ok(Body::from(vec![b'x'; FILE_BYTES]).into_response())
        });
        let serving = async move { serve(stream, TIMES, Hosts::Any, service, pending()).await.is_clean };
        (peer, tokio::spawn(serving))
    }
}
