//! Statistics in mediasoup's shapes (reference section 6.5).

use taoyao_ortc::{ConsumerId, ProducerId, Stat};
use taoyao_types::Now;

use super::consumer::Consumer;
use super::producer::{Producer, Stream};
use super::{Router, TransportKey};

impl Router {
    /// The RTP part of a transport's statistics; the caller adds addresses, ICE and DTLS.
    pub fn transport_stats(&self, now: Now, key: TransportKey) -> Option<Vec<Stat>> {
        let transport = self.transports.get(*self.keys.get(&key)?)?;
        let mut stat = Stat::default()
            .with("timestamp", now.wall.0)
            .with("rtpBytesReceived", transport.received.bytes)
            .with("rtpRecvBitrate", transport.received.bits_per_second(now.mono))
            .with("rtpBytesSent", transport.line.sent.bytes)
            .with("rtpSendBitrate", transport.line.sent.bits_per_second(now.mono));
        if let Some(available) = transport.line.available() {
            stat = stat.with("availableOutgoingBitrate", available);
        }
        if let Some(max) = transport.setup.max_incoming_bitrate {
            stat = stat.with("maxIncomingBitrate", max);
        }
        if let Some(policer) = &transport.policer {
            stat = stat.with("rtpPacketsPoliced", policer.dropped);
        }
        if let Some(control) = &transport.line.control {
            stat = stat.with("rtpPacketLossSent", control.estimator.loss());
        }
        Some(vec![stat])
    }

    /// One `inbound-rtp` for each stream from which something came.
    pub fn producer_stats(&self, now: Now, producer: ProducerId) -> Option<Vec<Stat>> {
        let producer = self.producers.get(*self.producer_ids.get(&producer)?)?;
        let streams = (0..producer.streams.len()).filter_map(|at| inbound(now, producer, at));
        Some(streams.collect())
    }

    /// One `outbound-rtp` and the `inbound-rtp` of the producer's stream that is being sent; before anything is, of the one
    /// from which something came last.
    pub fn consumer_stats(&self, now: Now, consumer: ConsumerId) -> Option<Vec<Stat>> {
        let consumer = self.consumers.get(*self.consumer_ids.get(&consumer)?)?;
        let producer = self.producers.get(consumer.producer)?;
        let latest =
            || (0..producer.streams.len()).max_by_key(|at| producer.streams[*at].receive.last_arrival);
        let inbound = consumer.source.current.or_else(latest).and_then(|at| inbound(now, producer, at));
        Some(std::iter::once(outbound(now, consumer, producer)).chain(inbound).collect())
    }
}

fn inbound(now: Now, producer: &Producer, at: usize) -> Option<Stat> {
    let stream = producer.streams.get(at)?;
    let (ssrc, receive) = (stream.ssrc?, &stream.receive);
    let (first, last) = (receive.first_arrival?, receive.last_arrival?);
    let wall = |at| now.wall.0.saturating_sub(now.mono.since(at).as_millis() as u64);
    let stat = named(begin("inbound-rtp", now, ssrc, producer), stream)
        .with("packetsLost", receive.lost().max(0).cast_unsigned())
        .with("fractionLost", u64::from(receive.fraction_lost))
        .with("packetsDiscarded", 0_u64)
        .with("packetsRetransmitted", stream.counts.rtx_packets)
        .with("packetsRepaired", receive.recovered)
        .with("nackCount", stream.counts.nacks)
        .with("nackPacketCount", stream.counts.nacked_packets)
        .with("pliCount", stream.counts.plis)
        .with("firCount", stream.counts.firs)
        .with("score", u64::from(producer.scores.get(at).copied().unwrap_or_default()))
        .with("jitter", receive.jitter())
        .with("packetCount", receive.rate.packets)
        .with("byteCount", receive.rate.bytes)
        .with("bitrate", receive.rate.bits_per_second(now.mono))
        .with("rtxPacketsDiscarded", stream.counts.rtx_discarded)
        .with("firstPacketReceivedTimestamp", wall(first))
        .with("lastPacketReceivedTimestamp", wall(last));
    Some(stat)
}

fn outbound(now: Now, consumer: &Consumer, producer: &Producer) -> Stat {
    let counts = &consumer.counts;
    let mut stat = begin("outbound-rtp", now, consumer.ssrc, producer);
    if let Some(rtx) = consumer.rtx_ssrc {
        stat = stat.with("rtxSsrc", rtx);
    }
    if let Some(round_trip) = counts.round_trip {
        stat = stat.with("roundTripTime", round_trip.as_secs_f64() * 1_000.0);
    }
    if let Some(layers) = consumer.layers_sent(producer).filter(|_| consumer.has_layers) {
        let (spatial, temporal) = (u64::from(layers.spatial), u64::from(layers.temporal));
        stat = stat.with("currentSpatialLayer", spatial).with("currentTemporalLayer", temporal);
    }
    stat.with("packetsLost", u64::from(counts.lost.max(0).cast_unsigned()))
        .with("fractionLost", u64::from(counts.fraction_lost))
        .with("packetsDiscarded", 0_u64)
        .with("packetsRetransmitted", counts.retransmitted.packets)
        .with("packetsRepaired", 0_u64)
        .with("nackCount", counts.nacks)
        .with("nackPacketCount", counts.nacked_packets)
        .with("pliCount", counts.plis)
        .with("firCount", counts.firs)
        .with("score", u64::from(consumer.score))
        .with("jitter", counts.jitter)
        .with("packetCount", counts.sent.packets)
        .with("byteCount", counts.sent.bytes)
        .with("bitrate", counts.sent.bits_per_second(now.mono))
}

fn begin(kind: &str, now: Now, ssrc: u32, producer: &Producer) -> Stat {
    let mime_type = producer.consumable.rtp.codecs.first().map(|codec| codec.mime_type.as_str());
    Stat::default()
        .with("type", kind)
        .with("timestamp", now.wall.0)
        .with("ssrc", ssrc)
        .with("kind", producer.kind.as_str())
        .with("mimeType", mime_type.unwrap_or_default())
}

/// What a stream of a producer has besides its SSRC.
fn named(mut stat: Stat, stream: &Stream) -> Stat {
    if let Some(rtx) = stream.rtx_ssrc {
        stat = stat.with("rtxSsrc", rtx);
    }
    if let Some(rid) = &stream.rid {
        stat = stat.with("rid", rid.as_str());
    }
    stat
}
