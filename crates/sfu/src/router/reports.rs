//! Sender and receiver reports (RFC 3550, section 6.4): one clock for all that one terminal sends, so that players can
//! keep sound and picture together.

use taoyao_ortc::ConsumerId;
use taoyao_types::{Instant, Now};

use super::Router;
use super::consumer::Consumer;
use super::producer::Producer;
use crate::rtcp::{NtpTime, ReportBlock, SenderInfo, to_short};
use crate::stream::{ntp_us, ticks};

/// Blocks of one report, and consumers whose reports share a datagram.
const BLOCKS_MAX: usize = 31;
const SENDERS_MAX: usize = 8;

impl Router {
    /// Where the clock of what a consumer is sent stands now, in the numbers of its packets and on this node's clock, once
    /// the sender has told it. What a recorder in this process need not wait for a report for.
    pub fn clock_of(&mut self, now: Now, consumer: ConsumerId) -> Option<(NtpTime, u32)> {
        let consumer = &self.consumers[*self.consumer_ids.get(&consumer)?];
        let producer = &self.producers[consumer.producer];
        let offset_us = self.transports[producer.transport].clock_offset_us;
        let ntp = self.clock.ntp(now);
        Some((ntp, told_timestamp(ntp, consumer, producer, offset_us)?))
    }

    pub(super) fn report(&mut self, now: Now, index: usize) {
        self.report_received(now, index);
        self.report_sent(now, index);
    }

    fn report_received(&mut self, now: Now, index: usize) {
        let mut blocks = [ReportBlock::default(); BLOCKS_MAX];
        let mut count = 0;
        let transport = &mut self.transports[index];
        for &at in &transport.producers {
            for stream in &mut self.producers[at].streams {
                let Some(ssrc) = stream.ssrc.filter(|_| stream.receive.last_arrival.is_some()) else {
                    continue;
                };
                let (last, delay) =
                    stream.last_report.map_or((0, 0), |(last, at)| (last, to_short(now.mono - at)));
                let block = stream.receive.report(ssrc, last, delay);
                if let Some(place) = blocks.get_mut(count) {
                    *place = block;
                    count += 1;
                }
            }
        }
        let own = transport.own_ssrc;
        // An estimate is told by itself, and bounded already.
        let bitrate = transport.setup.max_incoming_bitrate.filter(|_| transport.estimate.is_none());
        if count == 0 || transport.setup.is_mirror {
            return;
        }
        transport.feedback.add(|writer| {
            writer.receiver_report(own, &blocks[..count])?;
            let Some(bitrate) = bitrate else { return Ok(()) };
            let mut sources = [0; BLOCKS_MAX];
            sources.iter_mut().zip(&blocks[..count]).for_each(|(source, block)| *source = block.ssrc);
            writer.remb(own, bitrate, &sources[..count])
        });
    }

    fn report_sent(&mut self, now: Now, index: usize) {
        let ntp = self.clock.ntp(now);
        let count = self.transports[index].consumers.len();
        for from in (0..count).step_by(SENDERS_MAX) {
            self.report_some(now.mono, ntp, index, from..(from + SENDERS_MAX).min(count));
        }
    }

    fn report_some(&mut self, now: Instant, ntp: NtpTime, index: usize, range: std::ops::Range<usize>) {
        let (consumers, producers, transports) = (&self.consumers, &self.producers, &mut self.transports);
        let reports = transports[index].consumers[range].iter().map(|&at| {
            let consumer = &consumers[at];
            let producer = &producers[consumer.producer];
            (consumer, producer, producer.transport)
        });
        let reports: Vec<_> = reports
            .filter(|(consumer, _, _)| !consumer.is_paused && consumer.counts.sent.packets > 0)
            .map(|(consumer, producer, sender)| {
                let offset_us = transports[sender].clock_offset_us;
                (consumer, sender_info(now, ntp, consumer, producer, offset_us))
            })
            .collect();
        transports[index].feedback.add(|writer| {
            for (consumer, info) in &reports {
                writer.sender_report(consumer.ssrc, info, &[])?;
                writer.cname(consumer.ssrc, consumer.rtp.rtcp.cname.as_deref().unwrap_or_default())?;
            }
            Ok(())
        });
    }
}

/// Where the stream's clock stands now: by the sender's own report; before there is one, by when the last packet came.
fn sender_info(
    now: Instant,
    ntp: NtpTime,
    consumer: &Consumer,
    producer: &Producer,
    offset_us: Option<i64>,
) -> SenderInfo {
    let by_arrival = || {
        let elapsed_us = now.since(consumer.numbers.last_arrival).as_micros() as i64;
        consumer.numbers.last_timestamp.wrapping_add(ticks(elapsed_us, producer.clock_rate))
    };
    let rtp = told_timestamp(ntp, consumer, producer, offset_us).unwrap_or_else(by_arrival);
    // Both counters have 32 bits and wrap (RFC 3550, section 6.4.1).
    SenderInfo {
        ntp,
        rtp,
        packets: consumer.counts.sent.packets as u32,
        octets: consumer.counts.octets as u32,
    }
}

/// The sender's own report, moved onto this node's clock by an offset that all streams of the sender share.
fn told_timestamp(
    ntp: NtpTime,
    consumer: &Consumer,
    producer: &Producer,
    offset_us: Option<i64>,
) -> Option<u32> {
    let (stream, epoch) = consumer.numbers.aligned?;
    let clock = producer.streams.get(stream).filter(|stream| stream.epoch == epoch)?.clock?;
    let sender_us = ntp_us(ntp).wrapping_sub(offset_us?);
    Some(clock.timestamp(sender_us, producer.clock_rate).wrapping_add(consumer.numbers.timestamp_offset))
}
