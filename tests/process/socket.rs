//! A terminal on a bare TCP socket, in each of the modes of reference section 1.3.

use serde_json::{Value, json};
use taoyao_gateway::{FrameCipher, FrameReader, Framing};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::patience::PATIENCE;
use crate::terminal::{Dialler, envelope, registration};

/// The key that the original publishes.
const DES_SECRET: (&str, [u8; 8]) = ("2SPWy+TF1zM=", [0xd9, 0x23, 0xd6, 0xcb, 0xe4, 0xc5, 0xd7, 0x33]);
const AES_SECRET: (&str, &[u8; 16]) = ("MDEyMzQ1Njc4OWFiY2RlZg==", b"0123456789abcdef");

/// How frames are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Tls,
    Plaintext,
    Des,
    Aes,
}

impl Mode {
    pub(crate) const ALL: [Self; 4] = [Self::Tls, Self::Plaintext, Self::Des, Self::Aes];

    /// As the topology file calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Plaintext => "plaintext",
            Self::Des => "des",
            Self::Aes => "aes",
        }
    }

    /// A listener in the topology file.
    pub(crate) fn listener(self, port: u16) -> String {
        let (des, aes) = (DES_SECRET.0, AES_SECRET.0);
        let rest = match self {
            Self::Tls => String::new(),
            Self::Plaintext => ", allow_insecure_legacy = true".to_owned(),
            Self::Des => format!(", allow_insecure_legacy = true, secret = \"{des}\""),
            Self::Aes => format!(", allow_insecure_legacy = true, secret = \"{aes}\""),
        };
        format!("{{ listen = \"127.0.0.1:{port}\", mode = \"{}\"{rest} }}", self.name())
    }

    fn framing(self) -> Framing {
        Framing::new(match self {
            Self::Tls | Self::Plaintext => FrameCipher::plaintext(),
            Self::Des => FrameCipher::des(&DES_SECRET.1).unwrap(),
            Self::Aes => FrameCipher::aes(AES_SECRET.1).unwrap(),
        })
    }
}

trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// A connection on which one message is said or heard at a time.
pub(crate) struct Socket {
    stream: Box<dyn Bytes>,
    framing: Framing,
    reader: FrameReader,
    heard: Vec<Box<str>>,
}

impl Socket {
    /// A connection that has not registered.
    pub(crate) async fn dial(dialler: &Dialler, mode: Mode, port: u16) -> Self {
        let stream: Box<dyn Bytes> = match mode {
            Mode::Tls => Box::new(dialler.tls(port).await.unwrap()),
            _ => Box::new(TcpStream::connect(("127.0.0.1", port)).await.unwrap()),
        };
        Self { stream, framing: mode.framing(), reader: FrameReader::default(), heard: Vec::new() }
    }

    /// A registered terminal.
    pub(crate) async fn register(dialler: &Dialler, mode: Mode, port: u16, name: &str) -> Self {
        let mut socket = Self::dial(dialler, mode, port).await;
        let answer = socket.request(1, "client::register", registration(name)).await;
        assert_eq!(answer["code"], "0000", "{mode:?}: {answer}");
        socket
    }

    pub(crate) async fn say(&mut self, id: i64, signal: &str, body: Value) {
        let mut frame = Vec::new();
        self.framing.append(&envelope(id, signal, body), &mut frame).unwrap();
        self.say_bytes(&frame).await;
    }

    pub(crate) async fn say_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Says something and waits for the message with its id; what comes before is lost.
    pub(crate) async fn request(&mut self, id: i64, signal: &str, body: Value) -> Value {
        self.say(id, signal, body).await;
        self.hear(|message| message["header"]["id"] == json!(id)).await
    }

    /// Waits for a message that is wanted; what comes before is lost.
    pub(crate) async fn hear(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            while self.heard.is_empty() {
                let mut bytes = [0; 4096];
                let read = timeout(PATIENCE, self.stream.read(&mut bytes)).await.expect("a frame in time");
                let count = read.unwrap();
                assert!(count > 0, "the node ended the connection");
                self.reader.handle_bytes(&self.framing, &bytes[..count], &mut self.heard).unwrap();
            }
            let message: Value = serde_json::from_str(&self.heard.remove(0)).expect("nodes send JSON");
            if wanted(&message) {
                return message;
            }
        }
    }

    /// Reads to the end of the connection; how it ends does not matter.
    pub(crate) async fn end(&mut self) {
        let end = timeout(PATIENCE, self.stream.read_to_end(&mut Vec::new())).await;
        assert!(end.is_ok(), "the node does not end the connection");
    }
}
