//! Peers that provoke answers and read none: they are not read themselves before anything grows.

use std::time::Duration;

use taoyao_gateway::{FrameCipher, Framing, Gateway, TcpConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::abuse::serves;
use crate::support::{Dialler, PATIENCE, Server};

/// Bytes that the kernel's buffers of both ways take at most, and some: a peer that gets rid of more is read without end.
const BYTES_MAX: usize = 24 * 1024 * 1024;
/// A peer that can write nothing for so long is not read.
const STILL: Duration = Duration::from_secs(1);

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Messages that a peer may say over and over, each of it to be answered.
#[derive(Debug, Clone, Copy)]
enum Said {
    Pings,
    EmptyPings,
    Texts,
    Requests(&'static str),
    Frames,
}

const ALL: [Said; 8] = [
    Said::Pings,
    Said::EmptyPings,
    Said::Texts,
    Said::Requests("HEAD / HTTP/1.1"),
    Said::Requests("GET /mesh/probe HTTP/1.1"),
    Said::Requests("GET / HTTP/1.1"),
    Said::Requests("GET /nothing HTTP/1.1"),
    Said::Frames,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_provokes_answers_and_reads_none_is_not_read_without_end() {
    for said in ALL {
        let (gateway, dialler) = start();
        let mut stream = said.dial(&gateway, &dialler).await;
        let piece = said.piece();
        let pushed = push(&mut stream, &piece).await;
        assert!(pushed < BYTES_MAX, "{said:?}: {pushed} bytes were read of a peer that reads nothing");
        timeout(Duration::from_secs(2), serves(&dialler)).await.expect("others are served at once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_at_last_finds_all_answers_and_is_read_again() {
    let (_gateway, dialler) = start();
    let (mut reader, mut writer) = tokio::io::split(dialler.websocket().await.into_inner());
    let pushed = push(&mut writer, &Said::Pings.piece()).await;
    let ping = 6 + 125;
    // The rest of the last one, and one more.
    let rest = [&Said::Pings.piece()[pushed % ping..ping], &Said::Pings.piece()[..ping]].concat();
    let writing = tokio::spawn(async move {
        writer.write_all(&rest).await.unwrap();
        writer
    });
    let expected = (pushed / ping + 2) * (2 + 125);
    let mut pongs = vec![0; expected];
    timeout(PATIENCE, reader.read_exact(&mut pongs)).await.expect("all answers in time").unwrap();
    assert!(pongs.chunks(2 + 125).all(|pong| pong[..3] == [0x8a, 125, b'x']));
    writing.await.unwrap();
}

impl Said {
    async fn dial(self, gateway: &Gateway, dialler: &Dialler) -> Box<dyn Stream> {
        match self {
            Self::Pings | Self::EmptyPings | Self::Texts => Box::new(dialler.websocket().await.into_inner()),
            Self::Requests(_) => Box::new(dialler.tls().await),
            Self::Frames => Box::new(TcpStream::connect(gateway.tcp_addrs()[0]).await.unwrap()),
        }
    }

    /// Some hundred of it.
    fn piece(self) -> Vec<u8> {
        let one = match self {
            Self::Pings => [&[0x89, 0x80 | 125, 0, 0, 0, 0][..], &[b'x'; 125]].concat(),
            Self::EmptyPings => vec![0x89, 0x80, 0, 0, 0, 0],
            Self::Texts => [&[0x81, 0x80 | 100, 0, 0, 0, 0][..], &[b'x'; 100]].concat(),
            Self::Requests(line) => format!("{line}\r\nhost: localhost\r\n\r\n").into_bytes(),
            Self::Frames => [&[0, 100][..], &[b'x'; 100]].concat(),
        };
        one.repeat(500)
    }
}

/// Writes until nothing goes any more, or too much has gone.
async fn push(stream: &mut (impl AsyncWrite + Unpin), piece: &[u8]) -> usize {
    let mut pushed = 0;
    while pushed < BYTES_MAX {
        match timeout(STILL, stream.write(&piece[pushed % piece.len()..])).await {
            Ok(Ok(count)) => pushed += count,
            Ok(Err(_)) | Err(_) => break,
        }
    }
    pushed
}

/// A gateway that sends every text back, by WebSocket and on a bare socket.
fn start() -> (Gateway, Dialler) {
    let framing = Framing::new(FrameCipher::plaintext());
    Server::start_with(|config| {
        config.tcp = vec![TcpConfig { listen: ([127, 0, 0, 1], 0).into(), tls: None, framing }];
    })
    .echo()
}
