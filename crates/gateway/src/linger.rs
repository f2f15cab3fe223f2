//! Closing a socket so that the peer gets what was written last.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncBufRead, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// Says that nothing more comes, and reads until the peer says the same: a socket that is dropped with bytes unread is
/// reset, and a reset may overtake the last answer. The caller bounds the time.
pub(crate) async fn close(stream: &mut TlsStream<TcpStream>) {
    if stream.shutdown().await.is_ok() {
        poll_fn(|cx| poll_discard(stream, cx)).await;
    }
}

fn poll_discard(stream: &mut TlsStream<TcpStream>, cx: &mut Context<'_>) -> Poll<()> {
    loop {
        match ready!(Pin::new(&mut *stream).poll_fill_buf(cx)) {
            Ok(bytes) if !bytes.is_empty() => {
                let count = bytes.len();
                Pin::new(&mut *stream).consume(count);
            }
            Ok(_) | Err(_) => return Poll::Ready(()),
        }
    }
}
