//! Taps: a transport that leads into this process. The router sends to it as to a terminal.

use std::sync::mpsc::SyncSender;

use taoyao_ortc::control::RoomName;
use taoyao_ortc::{ConsumerId, ProducerId, RtpCapabilities, TransportId, router_capabilities};
use taoyao_sfu::rtcp::{Packet, Packets};
use taoyao_sfu::{Router, TransmitKind, TransportKey, TransportSetup};
use taoyao_types::{Now, limits};

use super::Worker;
use super::room::{Consumer, Room};
use super::transport::{Kind, Transport};
use crate::tap::{TapId, TapItem, TapPlan};

/// One tap of a room.
pub(crate) struct Tap {
    pub(crate) key: u32,
    streams: Vec<TapStream>,
    sink: SyncSender<TapItem>,
    pub(crate) dropped: u64,
}

struct TapStream {
    producer: ProducerId,
    consumer: ConsumerId,
    ssrc: u32,
    /// Whether it has been said what the stream's clock means.
    is_placed: bool,
}

impl Tap {
    /// Hands a packet on. What the sink has no room for is dropped: media does not wait.
    pub(crate) fn take(&mut self, now: Now, router: &mut Router, kind: TransmitKind, packet: &[u8]) {
        match kind {
            TransmitKind::Rtcp => self.take_reports(now, router, packet),
            TransmitKind::Rtp => {
                let ssrc = packet.get(8..12).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
                let Some(place) = ssrc.and_then(|ssrc| self.place_of(ssrc)) else { return };
                if !self.streams[place].is_placed {
                    self.tell_clock(now, router, place);
                }
                let producer = self.streams[place].producer;
                self.tell(TapItem::Packet { producer, at: now, packet: packet.to_vec() });
            }
        }
    }

    /// The router's reports say when; what they say before the sender's own first one is but a guess by arrival.
    fn take_reports(&mut self, now: Now, router: &mut Router, packet: &[u8]) {
        for part in Packets::new(packet).flatten() {
            if let Packet::SenderReport(report) = part
                && let Some(place) = self.place_of(report.ssrc)
            {
                self.tell_clock(now, router, place);
            }
        }
    }

    fn tell_clock(&mut self, now: Now, router: &mut Router, place: usize) {
        let stream = &mut self.streams[place];
        let Some((ntp, rtp)) = router.clock_of(now, stream.consumer) else { return };
        stream.is_placed = true;
        let report = TapItem::Report { producer: stream.producer, at: now, ntp: ntp.0, rtp };
        self.tell(report);
    }

    fn tell(&mut self, item: TapItem) {
        if self.sink.try_send(item).is_err() {
            self.dropped += 1;
        }
    }

    fn place_of(&self, ssrc: u32) -> Option<usize> {
        self.streams.iter().position(|stream| stream.ssrc == ssrc)
    }
}

impl Room {
    pub(crate) fn end_taps_of(&mut self, producer: ProducerId) {
        for tap in self.taps.values_mut() {
            if tap.streams.iter().any(|stream| stream.producer == producer) {
                tap.streams.retain(|stream| stream.producer != producer);
                tap.tell(TapItem::Ended { producer });
            }
        }
    }

    pub(crate) fn pause_taps_of(&mut self, producer: ProducerId, is_paused: bool) {
        for tap in self.taps.values_mut() {
            if tap.streams.iter().any(|stream| stream.producer == producer) {
                tap.tell(TapItem::Paused { producer, is_paused });
            }
        }
    }
}

impl Worker {
    /// Whatever cannot be tapped ends at once, in the tap's own channel.
    pub(super) fn open_tap(&mut self, now: Now, id: TapId, plan: TapPlan) {
        let TapPlan { room, producers, sink } = plan;
        // Without a room the sink is dropped, which ends the tap.
        let Some(index) = self.by_name.get(&room).copied() else { return };
        let is_full = self.rooms[index].taps.len() >= limits::MEDIA_TAPS_PER_ROOM_MAX
            || self.transports.len() >= self.config.transports_per_worker;
        if is_full {
            return;
        }
        let transport = TransportId::of_random(fastrand::u128(..));
        let key = self.insert_transport(Transport::new(transport, index, Kind::Tap(id)));
        let of_index = &mut self.rooms[index];
        of_index.router.add_transport(TransportKey(key), TransportSetup::default());
        of_index.router.set_connected(now.mono, TransportKey(key), true);
        of_index.taps.insert(id, Tap { key, streams: Vec::new(), sink, dropped: 0 });
        self.widen_tap(now, &room, id, &producers);
    }

    /// Taps more producers. One that is tapped already goes on.
    pub(super) fn widen_tap(&mut self, now: Now, room: &RoomName, id: TapId, producers: &[ProducerId]) {
        let Some(index) = self.by_name.get(room).copied() else { return };
        self.rooms[index].widen_tap(now, id, producers);
        self.touch(index);
    }

    pub(super) fn close_tap(&mut self, room: &RoomName, id: TapId) {
        if let Some(index) = self.by_name.get(room).copied() {
            self.drop_tap(index, id);
        }
    }

    /// With the tap goes its sink: whoever reads sees the end.
    pub(super) fn drop_tap(&mut self, room: usize, id: TapId) {
        if let Some(tap) = self.rooms[room].taps.remove(&id) {
            self.remove_transport(tap.key);
        }
    }

    pub(super) fn request_tap_key_frame(
        &mut self,
        now: Now,
        room: &RoomName,
        id: TapId,
        producer: ProducerId,
    ) {
        let Some(index) = self.by_name.get(room).copied() else { return };
        let of_index = &mut self.rooms[index];
        let stream =
            of_index.taps.get(&id).and_then(|tap| tap.streams.iter().find(|one| one.producer == producer));
        if let Some(consumer) = stream.map(|stream| stream.consumer) {
            of_index.router.request_key_frame(now.mono, consumer);
            self.touch(index);
        }
    }
}

impl Room {
    fn widen_tap(&mut self, now: Now, id: TapId, producers: &[ProducerId]) {
        let Some(mut tap) = self.taps.remove(&id) else { return };
        let capabilities = capabilities();
        for &producer in producers {
            if tap.streams.iter().any(|stream| stream.producer == producer) {
                continue;
            }
            match self.tap_producer(now, tap.key, producer, &capabilities) {
                Some((stream, item)) => {
                    tap.streams.push(stream);
                    tap.tell(item);
                }
                None => tap.tell(TapItem::Ended { producer }),
            }
        }
        self.taps.insert(id, tap);
    }

    fn tap_producer(
        &mut self,
        now: Now,
        key: u32,
        producer: ProducerId,
        capabilities: &RtpCapabilities,
    ) -> Option<(TapStream, TapItem)> {
        let consumer = ConsumerId::of_random(fastrand::u128(..));
        let consumed =
            self.router.consume(now.mono, TransportKey(key), consumer, producer, capabilities).ok()?;
        let ssrc = consumed.rtp.encodings.first()?.ssrc?;
        self.router.pause_consumer(now.mono, consumer, false);
        self.consumers.insert(consumer, Consumer { transport: key, producer });
        let stream = TapStream { producer, consumer, ssrc, is_placed: false };
        Some((stream, TapItem::Stream { producer, rtp: Box::new(consumed.rtp) }))
    }
}

/// All codecs; no retransmissions, as nothing gets lost on the way.
fn capabilities() -> RtpCapabilities {
    let mut capabilities = router_capabilities();
    capabilities.codecs.retain(|codec| !codec.mime_type.to_ascii_lowercase().ends_with("/rtx"));
    for codec in &mut capabilities.codecs {
        codec
            .rtcp_feedback
            .retain(|feedback| feedback.what != "transport-cc" && feedback.what != "goog-remb");
    }
    capabilities
}
