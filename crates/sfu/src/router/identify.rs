//! Whose packets an unknown SSRC carries (RFC 8843, section 9.2; RFC 8852).

use taoyao_types::Instant;

use super::Router;
use super::producer::{Producer, Stream};
use super::transport::Incoming;
use crate::congestion::NackGenerator;
use crate::packet::{ExtensionKind, Packet};

impl Router {
    /// By its names (MID, RID), or by its payload type where only one stream can be meant. What is found is remembered;
    /// a stream that was known under another SSRC begins anew.
    pub(super) fn identify(
        &mut self,
        now: Instant,
        transport: usize,
        packet: &Packet<'_>,
    ) -> Option<Incoming> {
        let candidates = self.transports[transport].producers.iter();
        let mut found = candidates.filter_map(|&index| named(index, &self.producers[index], packet));
        let first = found.next();
        let incoming = match (first, found.next()) {
            (Some((incoming, is_named)), None) if is_named || self.is_open(incoming) => incoming,
            _ => return None,
        };
        self.adopt(transport, incoming, packet.ssrc());
        self.poll_key_frames(now, incoming.producer);
        Some(incoming)
    }

    /// Whether nothing was told of the stream's SSRC, so that any may be it.
    fn is_open(&self, incoming: Incoming) -> bool {
        !self.producers[incoming.producer].streams[incoming.stream].is_signalled
    }

    pub(super) fn adopt(&mut self, transport: usize, incoming: Incoming, ssrc: u32) {
        let stream = &mut self.producers[incoming.producer].streams[incoming.stream];
        let place = if incoming.is_rtx { &mut stream.rtx_ssrc } else { &mut stream.ssrc };
        let before = place.replace(ssrc);
        let table = &mut self.transports[transport].incoming;
        if let Some(before) = before {
            table.remove(before);
            if !incoming.is_rtx {
                stream.begin_anew();
                stream.key_frames.want();
                stream.nacks = NackGenerator::default();
                stream.receive = stream.receive.under_another_ssrc();
            }
        }
        table.insert(ssrc, incoming);
    }
}

/// The stream of this producer that the packet is of, and whether the packet's names say so.
fn named(index: usize, producer: &Producer, packet: &Packet<'_>) -> Option<(Incoming, bool)> {
    let is_rtx = producer.rtx_payload_type == Some(packet.payload_type());
    if !is_rtx && packet.payload_type() != producer.payload_type {
        return None;
    }
    let text = |kind| {
        let value = producer.extensions.id(kind).and_then(|id| packet.element(id))?;
        std::str::from_utf8(value).ok()
    };
    let mid = text(ExtensionKind::Mid);
    if mid.is_some() && producer.mid.is_some() && mid != producer.mid.as_deref() {
        return None;
    }
    let rid = text(if is_rtx { ExtensionKind::RepairedRid } else { ExtensionKind::Rid });
    let stream = match rid {
        Some(rid) => producer.streams.iter().position(|stream| stream.rid.as_deref() == Some(rid))?,
        None => only(&producer.streams)?,
    };
    Some((
        Incoming { producer: index, stream, is_rtx },
        mid.is_some() && producer.mid.is_some() || rid.is_some(),
    ))
}

fn only(streams: &[Stream]) -> Option<usize> {
    (streams.len() == 1).then_some(0)
}
