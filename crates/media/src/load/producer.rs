//! A producer of the load: frames of so many packets at a pace, by a client or under a bare key.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use taoyao_ortc::{
    Codec, Encoding, Extension, Feedback, ParameterValue, Parameters, RtpParameters, RtxEncoding,
};

use super::link::{Link, local};
use super::packets::{self, PACKET_BYTES, PAYLOAD_TYPE, SSRC, TRANSPORT_CC};
use crate::clock;
use crate::peer::SEAL_BYTES_MAX;
use crate::peer::srtp::{MasterKey, Sealer};
use crate::socket::{Inbound, Udp};

/// Between two looks at the clock; what has fallen due meanwhile goes out.
const PAUSE: Duration = Duration::from_micros(100);
/// Frames that a late producer catches up with at once: those before them are left out.
const LATE_MAX: u64 = 8;

/// How much is produced.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Packets of a frame; they leave together.
    pub burst: u64,
    /// Packets in a second.
    pub rate: f64,
}

/// A thread that sends until it is dropped.
pub struct Producer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    is_stopping: AtomicBool,
    is_paused: AtomicBool,
    sent: AtomicU64,
}

/// What seals, and where it goes.
enum Way {
    Client(Box<Link>),
    Bare { sealer: Box<Sealer>, socket: Udp, to: SocketAddr },
}

impl Producer {
    /// By a connected client.
    pub fn start(link: Link, load: Load) -> Self {
        Self::run(Way::Client(Box::new(link)), load)
    }

    /// Under a key, to a program without ICE and DTLS.
    ///
    /// # Errors
    /// As binding a socket.
    pub fn start_bare(key: &MasterKey, to: SocketAddr, load: Load) -> std::io::Result<Self> {
        let (sealer, socket) = (Box::new(Sealer::new(key)), Udp::bind(local(to), 0, 0)?);
        Ok(Self::run(Way::Bare { sealer, socket, to }, load))
    }

    fn run(way: Way, load: Load) -> Self {
        let shared = Arc::new(Shared { is_paused: AtomicBool::new(true), ..Shared::default() });
        let theirs = Arc::clone(&shared);
        let thread = thread::spawn(move || produce(way, load, &theirs));
        Self { shared, thread: Some(thread) }
    }

    /// A producer begins paused. While paused only its client's protocols speak.
    pub fn pause(&self, is_paused: bool) {
        self.shared.is_paused.store(is_paused, Ordering::Relaxed);
    }

    /// Packets so far.
    pub fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.shared.is_stopping.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn produce(mut way: Way, load: Load, shared: &Shared) {
    let mut inbound = Inbound::new();
    let (start, mut number, mut skipped) = (clock::mono(), 0, 0);
    while !shared.is_stopping.load(Ordering::Relaxed) {
        let due = (clock::mono().since(start).as_secs_f64() * load.rate) as u64 / load.burst * load.burst;
        let late = due.saturating_sub(number + skipped);
        skipped += late.saturating_sub(LATE_MAX * load.burst);
        if shared.is_paused.load(Ordering::Relaxed) {
            skipped = due.saturating_sub(number);
        }
        while number + skipped < due {
            way.send(number, load.burst);
            number += 1;
        }
        shared.sent.store(number, Ordering::Relaxed);
        if let Way::Client(link) = &mut way {
            link.turn(&mut inbound);
        }
        thread::sleep(PAUSE);
    }
}

impl Way {
    fn send(&mut self, number: u64, burst: u64) {
        let mut buffer = [0; PACKET_BYTES + SEAL_BYTES_MAX];
        packets::write(number, burst, clock::mono().0, &mut buffer);
        let (sealed, socket, to) = match self {
            Self::Client(link) => (link.client.seal_rtp(&mut buffer, PACKET_BYTES), &link.socket, link.to),
            Self::Bare { sealer, socket, to } => {
                (sealer.seal_rtp(&mut buffer, PACKET_BYTES).ok(), &*socket, *to)
            }
        };
        if let Some(len) = sealed {
            // A full queue loses packets, as it does everywhere.
            drop(socket.io.send_to(&buffer[..len], to));
        }
    }
}

/// What the load produces, as signalling says it.
pub fn video() -> RtpParameters {
    let codec = |mime_type: &str, payload_type, parameters, feedback: &[(&str, &str)]| Codec {
        mime_type: mime_type.to_owned(),
        payload_type,
        clock_rate: 90_000,
        channels: None,
        parameters,
        rtcp_feedback: feedback.iter().map(|(what, parameter)| Feedback::new(what, parameter)).collect(),
    };
    let apt = Parameters::from([("apt".to_owned(), ParameterValue::Integer(PAYLOAD_TYPE.into()))]);
    let feedback = [("nack", ""), ("nack", "pli"), ("transport-cc", "")];
    RtpParameters {
        mid: Some("0".to_owned()),
        codecs: vec![
            codec("video/VP8", PAYLOAD_TYPE, Parameters::new(), &feedback),
            codec("video/rtx", PAYLOAD_TYPE + 1, apt, &[]),
        ],
        header_extensions: vec![Extension {
            uri: taoyao_ortc::capabilities::uri::TRANSPORT_CC.to_owned(),
            id: TRANSPORT_CC,
            encrypt: false,
            parameters: Parameters::new(),
        }],
        encodings: vec![Encoding {
            ssrc: Some(SSRC),
            rtx: Some(RtxEncoding { ssrc: SSRC + 1 }),
            ..Encoding::default()
        }],
        rtcp: taoyao_ortc::RtcpParameters { cname: Some("load".to_owned()), ..Default::default() },
    }
}
