//! One producer on its way to one terminal.

use std::collections::VecDeque;
use std::time::Duration;

use taoyao_ortc::negotiate::Layers;
use taoyao_ortc::{ConsumerId, MediaKind, RtpParameters};
use taoyao_types::Instant;

use super::layers::{LayerFilter, LayerPair};
use super::producer::Producer;
use crate::codec::CodecKind;
use crate::packet::{ExtensionMap, Template};
use crate::stream::{Rate, Renumber, SentLog};

#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) id: ConsumerId,
    pub(super) transport: usize,
    pub(super) producer: usize,
    pub(super) kind: MediaKind,
    pub(super) rtp: RtpParameters,
    pub(super) ssrc: u32,
    pub(super) rtx_ssrc: Option<u32>,
    /// Whether what it asks for again can be sent: it wants to ask, and has a stream for it.
    pub(super) has_nack: bool,
    /// Whether there is anything to choose: `simulcast` or `svc`.
    pub(super) has_layers: bool,
    pub(super) is_simulcast: bool,
    /// Whether smaller sizes, too, can be begun at key frames only: those below the one that is sent are left out.
    pub(super) is_keyed: bool,
    pub(super) is_paused: bool,
    /// Whether it stands in its transport's queue.
    pub(super) is_waiting: bool,
    pub(super) priority: u8,
    pub(super) preferred: LayerPair,
    /// How many layers there are at most.
    pub(super) offered: Layers,
    pub(super) source: Source,
    pub(super) filter: LayerFilter,
    pub(super) numbers: Numbers,
    pub(super) media: Template,
    pub(super) again: Option<Template>,
    pub(super) sent: SentLog,
    /// Sequence numbers that are to be sent again.
    pub(super) resend: VecDeque<u16>,
    pub(super) rtx_sequence: u16,
    pub(super) told_layers: Option<(u8, Option<u8>)>,
    pub(super) counts: ConsumerCounts,
    pub(super) score: u8,
}

/// Which of the producer's streams is being sent, and which one is to be.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Source {
    pub(super) current: Option<usize>,
    pub(super) epoch: u32,
    /// The position of the next packet.
    pub(super) cursor: u64,
    pub(super) target: Option<usize>,
    /// From where on a packet is sought with which the target can begin.
    pub(super) target_cursor: u64,
    /// Which layers are wanted of it.
    pub(super) target_layers: LayerPair,
}

/// Everything that is renumbered so that a receiver sees one stream.
#[derive(Debug)]
pub(super) struct Numbers {
    pub(super) sequences: Renumber<8>,
    pub(super) pictures: Renumber<2>,
    /// Added to TL0PICIDX.
    pub(super) tl0_offset: u8,
    pub(super) last_tl0: u8,
    /// Added to AV1's frame numbers.
    pub(super) frame_offset: u16,
    pub(super) last_frame: u16,
    /// Added to timestamps.
    pub(super) timestamp_offset: u32,
    pub(super) last_timestamp: u32,
    /// When the packet with it arrived here.
    pub(super) last_arrival: Instant,
    /// The stream and epoch whose timestamps the offset belongs to.
    pub(super) aligned: Option<(usize, u32)>,
}

#[derive(Debug, Default)]
pub(super) struct ConsumerCounts {
    pub(super) sent: Rate,
    pub(super) octets: u64,
    pub(super) retransmitted: Rate,
    pub(super) nacks: u64,
    pub(super) nacked_packets: u64,
    pub(super) plis: u64,
    pub(super) firs: u64,
    pub(super) fraction_lost: u8,
    pub(super) lost: i32,
    pub(super) jitter: u32,
    pub(super) round_trip: Option<Duration>,
}

impl Consumer {
    /// `start` seeds the first sequence numbers.
    pub(super) fn new(
        id: ConsumerId,
        transport: usize,
        producer: (usize, &Producer),
        rtp: RtpParameters,
        start: u64,
    ) -> Self {
        let (producer_index, producer) = producer;
        let encoding = rtp.encodings.first();
        let ssrc = encoding.and_then(|encoding| encoding.ssrc).unwrap_or_default();
        let rtx_ssrc = encoding.and_then(|encoding| encoding.rtx).map(|rtx| rtx.ssrc);
        let own = ExtensionMap::new(&rtp.header_extensions);
        let template = |payload_type, ssrc| {
            Template::new(payload_type, ssrc, rtp.mid.as_deref(), &own, &producer.router_extensions)
        };
        let payload_type = rtp.codecs.first().map_or(0, |codec| codec.payload_type);
        let rtx = rtp.codecs.iter().find(|codec| codec.is_rtx());
        let (media, again) = (
            template(payload_type, ssrc),
            rtx.zip(rtx_ssrc).map(|(codec, ssrc)| template(codec.payload_type, ssrc)),
        );
        let mode = encoding.and_then(|encoding| encoding.scalability_mode.as_deref());
        let offered = Layers::of(mode);
        Self {
            id,
            transport,
            producer: producer_index,
            kind: producer.kind,
            ssrc,
            rtx_ssrc,
            has_nack: again.is_some() && has_nack(&rtp),
            has_layers: producer.consumable.consumer_type != "simple",
            is_simulcast: producer.is_simulcast(),
            is_keyed: producer.codec == CodecKind::Av1 && mode.is_some_and(|mode| mode.contains("_KEY")),
            is_paused: true,
            is_waiting: false,
            priority: 1,
            preferred: LayerPair::ALL,
            offered,
            source: Source::default(),
            filter: LayerFilter::new(LayerPair::ALL),
            numbers: Numbers::new(start),
            media,
            again,
            sent: SentLog::default(),
            resend: VecDeque::new(),
            rtx_sequence: (start >> 16) as u16,
            told_layers: None,
            counts: ConsumerCounts::default(),
            score: 10,
            rtp,
        }
    }

    /// Between the router and the receiver.
    pub(super) fn round_trip(&self) -> Duration {
        const UNKNOWN: Duration = Duration::from_millis(50);
        self.counts.round_trip.unwrap_or(UNKNOWN)
    }
}

fn has_nack(rtp: &RtpParameters) -> bool {
    let feedback = rtp.codecs.first().map(|codec| codec.rtcp_feedback.as_slice()).unwrap_or_default();
    feedback.iter().any(|one| one.what == "nack" && one.parameter.is_empty())
}

impl Numbers {
    fn new(start: u64) -> Self {
        /// Well above zero, so that late packets have a place below the first.
        const CIRCLE: u64 = 1 << 16;
        Self {
            sequences: Renumber::new(CIRCLE + (start & 0x7fff)),
            pictures: Renumber::new(CIRCLE + ((start >> 32) & 0x3fff)),
            tl0_offset: 0,
            last_tl0: (start >> 48) as u8,
            frame_offset: 0,
            last_frame: 0,
            timestamp_offset: 0,
            last_timestamp: 0,
            last_arrival: Instant(0),
            aligned: None,
        }
    }
}
