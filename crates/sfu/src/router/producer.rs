//! What one terminal sends: one stream, or several of one picture in different sizes.

use taoyao_ortc::negotiate::{self, Consumable};
use taoyao_ortc::{Codec, Encoding, MediaKind, ProducerId, Refused, RtpParameters};
use taoyao_types::Instant;

use super::key_frames::KeyFrames;
use super::layer_rates::LayerRates;
use crate::codec::{CodecKind, DependencyReader};
use crate::congestion::NackGenerator;
use crate::packet::ExtensionMap;
use crate::stream::{Receive, SenderClock, Store, Unwrap};

#[derive(Debug)]
pub(super) struct Producer {
    pub(super) id: ProducerId,
    pub(super) transport: usize,
    pub(super) kind: MediaKind,
    pub(super) consumable: Consumable,
    pub(super) codec: CodecKind,
    pub(super) clock_rate: u32,
    pub(super) payload_type: u8,
    pub(super) rtx_payload_type: Option<u8>,
    pub(super) mid: Option<String>,
    /// The producer's own numbers of extensions, and the router's.
    pub(super) extensions: ExtensionMap,
    pub(super) router_extensions: ExtensionMap,
    pub(super) feedback: FeedbackKinds,
    pub(super) is_paused: bool,
    pub(super) streams: Vec<Stream>,
    pub(super) consumers: Vec<usize>,
    /// Whether it stands in the router's list of those with new packets.
    pub(super) is_dirty: bool,
    /// The last byte of the video orientation.
    pub(super) orientation: Option<u8>,
    /// Whether its sound is among those that are forwarded.
    pub(super) is_heard: bool,
    pub(super) scores: Vec<u8>,
}

/// What the sender can be asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FeedbackKinds {
    pub(super) has_nack: bool,
    pub(super) has_pli: bool,
    pub(super) has_fir: bool,
    pub(super) has_remb: bool,
}

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) rid: Option<String>,
    pub(super) ssrc: Option<u32>,
    pub(super) rtx_ssrc: Option<u32>,
    /// Whether its SSRC was told, and not learned from packets.
    pub(super) is_signalled: bool,
    /// False from when it stopped until something comes again.
    pub(super) is_flowing: bool,
    pub(super) receive: Receive,
    pub(super) nacks: NackGenerator,
    pub(super) store: Store,
    /// Grows whenever the stream begins anew (another SSRC, a jump of its numbers), and the position at which it did.
    pub(super) epoch: u32,
    pub(super) epoch_head: u64,
    pub(super) dependency: DependencyReader,
    pub(super) pictures: Unwrap<15>,
    pub(super) narrow_pictures: Unwrap<7>,
    pub(super) key_frames: KeyFrames,
    pub(super) clock: Option<SenderClock>,
    /// The middle of the last sender report's NTP time, and when it came.
    pub(super) last_report: Option<(u32, Instant)>,
    pub(super) counts: StreamCounts,
    pub(super) shares: LayerRates,
    pub(super) fir_number: u8,
}

/// For statistics.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct StreamCounts {
    pub(super) nacks: u64,
    pub(super) nacked_packets: u64,
    pub(super) plis: u64,
    pub(super) firs: u64,
    pub(super) rtx_packets: u64,
    pub(super) rtx_discarded: u64,
}

impl Producer {
    pub(super) fn new(
        id: ProducerId,
        transport: usize,
        kind: MediaKind,
        rtp: &RtpParameters,
        is_paused: bool,
    ) -> Result<Self, Refused> {
        let consumable = negotiate::produce(kind, rtp)?;
        let none = || Refused::Invalid("a producer has at least one codec".to_owned());
        let codec = rtp.codecs.first().ok_or_else(none)?;
        let apt = i64::from(codec.payload_type);
        let rtx = rtp.codecs.iter().find(|other| other.is_rtx() && other.integer("apt") == Some(apt));
        let streams: Vec<_> = if rtp.encodings.is_empty() {
            vec![Stream::new(&Encoding::default())]
        } else {
            rtp.encodings.iter().map(Stream::new).collect()
        };
        Ok(Self {
            id,
            transport,
            kind,
            codec: CodecKind::of(codec),
            clock_rate: codec.clock_rate.max(1),
            payload_type: codec.payload_type,
            rtx_payload_type: rtx.map(|rtx| rtx.payload_type),
            mid: rtp.mid.clone(),
            extensions: ExtensionMap::new(&rtp.header_extensions),
            router_extensions: ExtensionMap::new(&consumable.rtp.header_extensions),
            feedback: FeedbackKinds::of(codec),
            consumable,
            is_paused,
            scores: vec![0; streams.len()],
            streams,
            consumers: Vec::new(),
            is_dirty: false,
            orientation: None,
            is_heard: true,
        })
    }

    pub(super) fn is_simulcast(&self) -> bool {
        self.streams.len() > 1
    }
}

impl FeedbackKinds {
    fn of(codec: &Codec) -> Self {
        let has = |what: &str, parameter: &str| {
            codec.rtcp_feedback.iter().any(|one| one.what == what && one.parameter == parameter)
        };
        Self {
            has_nack: has("nack", ""),
            has_pli: has("nack", "pli"),
            has_fir: has("ccm", "fir"),
            has_remb: has("goog-remb", ""),
        }
    }

    /// All else is asked for by the router that the sender is connected to.
    pub(super) fn keep_key_frames(&mut self) {
        (self.has_nack, self.has_remb) = (false, false);
    }
}

impl Stream {
    fn new(encoding: &Encoding) -> Self {
        Self {
            rid: encoding.rid.clone(),
            ssrc: encoding.ssrc,
            rtx_ssrc: encoding.rtx.map(|rtx| rtx.ssrc),
            is_signalled: encoding.ssrc.is_some(),
            is_flowing: true,
            receive: Receive::default(),
            nacks: NackGenerator::default(),
            store: Store::default(),
            epoch: 0,
            epoch_head: 0,
            dependency: DependencyReader::default(),
            pictures: Unwrap::default(),
            narrow_pictures: Unwrap::default(),
            key_frames: KeyFrames::default(),
            clock: None,
            last_report: None,
            counts: StreamCounts::default(),
            shares: LayerRates::default(),
            fir_number: 0,
        }
    }

    /// Packets that follow have nothing to do with those before.
    pub(super) fn begin_anew(&mut self) {
        self.epoch += 1;
        self.epoch_head = self.store.head();
        self.clock = None;
        self.last_report = None;
        self.dependency = DependencyReader::default();
    }
}
