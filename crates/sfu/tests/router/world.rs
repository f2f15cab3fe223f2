//! A room with its terminals, in virtual time.

use std::time::Duration;

use taoyao_ortc::{
    Codec, ConsumerId, Encoding, Extension, Feedback, Happening, MediaKind, ParameterValue, Parameters,
    ProducerId, RtpCapabilities, RtpParameters, RtxEncoding, capabilities::uri, router_capabilities,
};
use taoyao_sfu::packet::Packet;
use taoyao_sfu::rtcp::{Packets, Writer};
use taoyao_sfu::{Router, RouterConfig, TransmitKind, TransportKey, TransportSetup};
use taoyao_types::{Instant, Now, Wall};

pub(crate) const VP8: u8 = 96;
pub(crate) const VP8_RTX: u8 = 97;
pub(crate) const OPUS: u8 = 111;
/// The numbers that terminals of these tests give to extensions.
pub(crate) const MID: u8 = 4;
pub(crate) const RID: u8 = 5;
pub(crate) const TRANSPORT_CC: u8 = 3;
pub(crate) const DESCRIPTOR: u8 = 12;

pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) now: Instant,
    ids: u128,
}

/// What left the router.
#[derive(Debug, Clone)]
pub(crate) struct Left {
    pub(crate) to: u32,
    pub(crate) kind: TransmitKind,
    pub(crate) bytes: Vec<u8>,
}

impl Left {
    pub(crate) fn rtp(&self) -> Packet<'_> {
        Packet::parse(&self.bytes).expect("the router sends whole packets")
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(RouterConfig::default())
    }

    pub(crate) fn with(config: RouterConfig) -> Self {
        let now = Instant(1_000_000);
        Self { router: Router::new(7, now, config), now, ids: 0 }
    }

    pub(crate) fn now(&self) -> Now {
        Now { mono: self.now, wall: Wall(1_700_000_000_000 + self.now.0 / 1_000) }
    }

    /// A connected transport without congestion control.
    pub(crate) fn join(&mut self, key: u32) {
        self.join_as(key, TransportSetup::default());
    }

    pub(crate) fn join_as(&mut self, key: u32, setup: TransportSetup) {
        self.router.add_transport(TransportKey(key), setup);
        self.router.set_connected(self.now, TransportKey(key), true);
    }

    pub(crate) fn produce(&mut self, key: u32, kind: MediaKind, rtp: &RtpParameters) -> ProducerId {
        self.ids += 1;
        let id = ProducerId::of_random(self.ids);
        self.router.produce(self.now, TransportKey(key), id, kind, rtp, false).expect("it can be produced");
        id
    }

    /// A consumer that was acknowledged, and its SSRC and that of its retransmissions.
    pub(crate) fn consume(&mut self, key: u32, producer: ProducerId) -> (ConsumerId, u32, Option<u32>) {
        let (id, rtp) = self.consume_paused(key, producer);
        self.router.pause_consumer(self.now, id, false);
        let encoding = &rtp.encodings[0];
        (id, encoding.ssrc.expect("every consumer has one"), encoding.rtx.map(|rtx| rtx.ssrc))
    }

    pub(crate) fn consume_paused(&mut self, key: u32, producer: ProducerId) -> (ConsumerId, RtpParameters) {
        self.consume_by(key, producer, &router_capabilities())
    }

    /// A paused consumer of somebody with these capabilities.
    pub(crate) fn consume_by(
        &mut self,
        key: u32,
        producer: ProducerId,
        capabilities: &RtpCapabilities,
    ) -> (ConsumerId, RtpParameters) {
        self.ids += 1;
        let id = ConsumerId::of_random(self.ids);
        let consumed = self
            .router
            .consume(self.now, TransportKey(key), id, producer, capabilities)
            .expect("it can be consumed");
        (id, consumed.rtp)
    }

    pub(crate) fn rtp(&mut self, from: u32, packet: &[u8]) {
        self.router.handle_rtp(self.now, TransportKey(from), packet);
    }

    pub(crate) fn rtcp(&mut self, from: u32, write: impl FnOnce(&mut Writer<'_>)) {
        let mut buffer = [0; 1_200];
        let mut writer = Writer::new(&mut buffer);
        write(&mut writer);
        let length = writer.len();
        self.router.handle_rtcp(self.now(), TransportKey(from), &buffer[..length]);
    }

    /// Everything that leaves now.
    pub(crate) fn flush(&mut self) -> Vec<Left> {
        let mut buffer = [0; 1_500];
        let now = self.now();
        std::iter::from_fn(|| {
            let sent = self.router.poll_transmit(now, &mut buffer)?;
            Some(Left { to: sent.to.0, kind: sent.kind, bytes: buffer[..sent.len].to_vec() })
        })
        .collect()
    }

    /// The RTP that leaves now.
    pub(crate) fn media(&mut self) -> Vec<Left> {
        self.flush().into_iter().filter(|left| left.kind == TransmitKind::Rtp).collect()
    }

    /// Lets time pass, with all turns that fall into it; what leaves meanwhile.
    pub(crate) fn pass(&mut self, span: Duration) -> Vec<Left> {
        let end = self.now + span;
        let mut left = Vec::new();
        while let Some(due) = self.router.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            let now = self.now();
            self.router.handle_timeout(now);
            left.extend(self.flush());
            assert!(self.router.poll_timeout() > Some(self.now), "a turn makes progress");
        }
        self.now = end;
        left
    }

    pub(crate) fn events(&mut self) -> Vec<Happening> {
        std::iter::from_fn(|| self.router.poll_event()).collect()
    }
}

/// Whether RTCP of this kind is among what left for a transport.
pub(crate) fn has_rtcp(
    left: &[Left],
    to: u32,
    is_meant: impl Fn(&taoyao_sfu::rtcp::Packet<'_>) -> bool,
) -> bool {
    let rtcp = left.iter().filter(|one| one.to == to && one.kind == TransmitKind::Rtcp);
    rtcp.flat_map(|one| Packets::new(&one.bytes)).flatten().any(|packet| is_meant(&packet))
}

fn codec(mime_type: &str, payload_type: u8, clock_rate: u32, feedback: &[(&str, &str)]) -> Codec {
    Codec {
        mime_type: mime_type.to_owned(),
        payload_type,
        clock_rate,
        channels: None,
        parameters: Parameters::new(),
        rtcp_feedback: feedback.iter().map(|(what, parameter)| Feedback::new(what, parameter)).collect(),
    }
}

fn extension(uri: &str, id: u8) -> Extension {
    Extension { uri: uri.to_owned(), id, encrypt: false, parameters: Parameters::new() }
}

/// VP8 with retransmissions, in streams with these encodings.
pub(crate) fn video(mid: &str, encodings: Vec<Encoding>) -> RtpParameters {
    video_of("video/VP8", mid, encodings)
}

pub(crate) fn video_of(mime_type: &str, mid: &str, encodings: Vec<Encoding>) -> RtpParameters {
    let mut rtx = codec("video/rtx", VP8_RTX, 90_000, &[]);
    rtx.parameters.insert("apt".to_owned(), ParameterValue::Integer(VP8.into()));
    let feedback = [("nack", ""), ("nack", "pli"), ("ccm", "fir"), ("goog-remb", ""), ("transport-cc", "")];
    let mut rtp = RtpParameters {
        mid: Some(mid.to_owned()),
        codecs: vec![codec(mime_type, VP8, 90_000, &feedback), rtx],
        header_extensions: vec![
            extension(uri::MID, MID),
            extension(uri::RID, RID),
            extension(uri::TRANSPORT_CC, TRANSPORT_CC),
            extension(uri::VIDEO_ORIENTATION, 11),
            extension(uri::DEPENDENCY_DESCRIPTOR, DESCRIPTOR),
        ],
        encodings,
        ..RtpParameters::default()
    };
    rtp.rtcp.cname = Some("cname".to_owned());
    rtp
}

pub(crate) fn one(ssrc: u32) -> Vec<Encoding> {
    vec![Encoding { ssrc: Some(ssrc), rtx: Some(RtxEncoding { ssrc: ssrc + 1 }), ..Encoding::default() }]
}

/// One stream with layers.
pub(crate) fn layered(ssrc: u32, mode: &str) -> Vec<Encoding> {
    one(ssrc).into_iter().map(|one| Encoding { scalability_mode: Some(mode.to_owned()), ..one }).collect()
}

pub(crate) fn rids(names: &[&str]) -> Vec<Encoding> {
    let encoding = |name: &&str| Encoding {
        rid: Some((*name).to_owned()),
        scalability_mode: Some("L1T2".to_owned()),
        ..Encoding::default()
    };
    names.iter().map(encoding).collect()
}

pub(crate) fn audio(ssrc: u32) -> RtpParameters {
    let mut opus = codec("audio/opus", OPUS, 48_000, &[]);
    opus.channels = Some(2);
    RtpParameters {
        mid: Some("a".to_owned()),
        codecs: vec![opus],
        header_extensions: vec![extension(uri::MID, MID), extension(uri::AUDIO_LEVEL, 10)],
        encodings: vec![Encoding { ssrc: Some(ssrc), ..Encoding::default() }],
        ..RtpParameters::default()
    }
}
