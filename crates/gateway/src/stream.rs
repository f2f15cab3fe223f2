//! The bytes of one connection: TLS over TCP, or TCP alone on listeners that say so.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// Bytes that are read at once from a stream without TLS, on the stack: what is idle holds no buffer.
const READ_BYTES: usize = 8 * 1024;

/// A connection's stream.
#[expect(clippy::large_enum_variant, reason = "nearly all are TLS, and a session is boxed as a whole")]
pub(crate) enum Stream {
    Tls(TlsStream<TcpStream>),
    Plain(TcpStream),
}

impl Stream {
    /// Reads once and shows what came to `take`.
    ///
    /// # Errors
    /// Also `UnexpectedEof` when the peer has said that nothing more comes.
    pub(crate) fn poll_read<T>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Poll<io::Result<T>> {
        match self {
            Self::Tls(stream) => {
                let bytes = ready!(Pin::new(&mut *stream).poll_fill_buf(cx))?;
                let count = bytes.len();
                let taken = some(bytes).map(take);
                Pin::new(stream).consume(count);
                Poll::Ready(taken)
            }
            Self::Plain(stream) => {
                let mut space = [MaybeUninit::uninit(); READ_BYTES];
                let mut buffer = ReadBuf::uninit(&mut space);
                ready!(Pin::new(stream).poll_read(cx, &mut buffer))?;
                Poll::Ready(some(buffer.filled()).map(take))
            }
        }
    }

    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    /// Says that nothing more comes from this side.
    pub(crate) async fn shutdown(&mut self) -> io::Result<()> {
        match self {
            Self::Tls(stream) => stream.shutdown().await,
            Self::Plain(stream) => stream.shutdown().await,
        }
    }
}

fn some(bytes: &[u8]) -> io::Result<&[u8]> {
    if bytes.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
}
