//! Closing a socket so that the peer gets what was written last.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use crate::stream::Stream;

/// Says that nothing more comes, and reads until the peer says the same: a socket that is dropped with bytes unread is
/// reset, and a reset may overtake the last answer. The caller bounds the time.
pub(crate) async fn close(stream: &mut Stream) {
    if stream.shutdown().await.is_ok() {
        poll_fn(|cx| poll_discard(stream, cx)).await;
    }
}

fn poll_discard(stream: &mut Stream, cx: &mut Context<'_>) -> Poll<()> {
    while ready!(stream.poll_read(cx, |_| ())).is_ok() {}
    Poll::Ready(())
}
