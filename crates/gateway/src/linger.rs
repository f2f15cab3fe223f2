//! Closing a socket so that the peer gets what was written last.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use crate::stream::Stream;

/// Bytes that are read of a peer that goes on talking: what may have been under way, and no flood.
const DISCARDED_BYTES_MAX: usize = 1024 * 1024;

/// Says that nothing more comes, and reads until the peer says the same: a socket that is dropped with bytes unread is
/// reset, and a reset may overtake the last answer. The caller bounds the time.
pub(crate) async fn close(stream: &mut Stream) {
    if stream.shutdown().await.is_ok() {
        let mut bytes_left = DISCARDED_BYTES_MAX;
        poll_fn(|cx| poll_discard(stream, cx, &mut bytes_left)).await;
    }
}

fn poll_discard(stream: &mut Stream, cx: &mut Context<'_>, bytes_left: &mut usize) -> Poll<()> {
    while *bytes_left > 0 {
        let Ok(count) = ready!(stream.poll_read(cx, <[u8]>::len)) else { return Poll::Ready(()) };
        *bytes_left = bytes_left.saturating_sub(count);
    }
    Poll::Ready(())
}
