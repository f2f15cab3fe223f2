//! A compound packet (RFC 3550 section 6.1) as an iterator over the packets in it.

use super::description::{Bye, Description};
use super::extended::ExtendedReport;
use super::feedback::{Fir, Nack};
use super::remb::Remb;
use super::report::{ReceiverReport, SenderReport};
use super::transport_feedback::TransportFeedback;

/// Packet types (RFC 3550 section 12.1, RFC 4585 section 6.1, RFC 3611 section 2).
pub(super) mod kind {
    pub(crate) const SENDER_REPORT: u8 = 200;
    pub(crate) const RECEIVER_REPORT: u8 = 201;
    pub(crate) const DESCRIPTION: u8 = 202;
    pub(crate) const BYE: u8 = 203;
    pub(crate) const TRANSPORT_FEEDBACK: u8 = 205;
    pub(crate) const PAYLOAD_FEEDBACK: u8 = 206;
    pub(crate) const EXTENDED: u8 = 207;
}

/// Formats of feedback messages: of the transport layer NACK and TWCC, of the payload the rest.
pub(super) mod format {
    pub(crate) const NACK: u8 = 1;
    pub(crate) const TWCC: u8 = 15;
    pub(crate) const PLI: u8 = 1;
    pub(crate) const FIR: u8 = 4;
    pub(crate) const REMB: u8 = 15;
}

pub(super) const HEADER_BYTES: usize = 4;
pub(super) const VERSION: u8 = 2;

/// One packet of a compound. Views are checked as far as their own lengths go: reading them cannot fail.
#[derive(Debug, Clone, Copy)]
pub enum Packet<'a> {
    SenderReport(SenderReport<'a>),
    ReceiverReport(ReceiverReport<'a>),
    Description(Description<'a>),
    Bye(Bye<'a>),
    Nack(Nack<'a>),
    TransportFeedback(TransportFeedback<'a>),
    /// `sender` asks for a key frame of `media` (RFC 4585 section 6.3.1).
    Pli {
        sender: u32,
        media: u32,
    },
    Fir(Fir<'a>),
    Remb(Remb<'a>),
    Extended(ExtendedReport<'a>),
    /// Well formed, and of no interest here.
    Other {
        kind: u8,
        format: u8,
    },
}

/// What is wrong with a packet of a compound: the peer's fault. The packet is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRtcp {
    #[error("what follows is not RTCP of version 2")]
    Header,
    #[error("an RTCP packet goes beyond the datagram")]
    Length,
    #[error("an RTCP packet has more padding than bytes")]
    Padding,
    #[error("a {0} is shorter than what it says it holds")]
    Body(&'static str),
}

/// The packets of one datagram. A bad body is told and passed over; a bad header or length ends the walk.
#[derive(Debug, Clone)]
pub struct Packets<'a> {
    rest: &'a [u8],
}

impl<'a> Packets<'a> {
    pub fn new(datagram: &'a [u8]) -> Packets<'a> {
        Packets { rest: datagram }
    }

    fn take(&mut self) -> Result<Packet<'a>, BadRtcp> {
        let rest = std::mem::take(&mut self.rest);
        let [first, kind, words @ ..] = *rest.first_chunk::<HEADER_BYTES>().ok_or(BadRtcp::Header)?;
        if first >> 6 != VERSION {
            return Err(BadRtcp::Header);
        }
        let len = HEADER_BYTES * (usize::from(u16::from_be_bytes(words)) + 1);
        let (packet, after) = rest.split_at_checked(len).ok_or(BadRtcp::Length)?;
        self.rest = after;
        let body = without_padding(first, &packet[HEADER_BYTES..])?;
        parse(kind, first & 0x1f, body)
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, BadRtcp>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.rest.is_empty()).then(|| self.take())
    }
}

fn without_padding(first: u8, body: &[u8]) -> Result<&[u8], BadRtcp> {
    const PADDING: u8 = 0x20;
    if first & PADDING == 0 {
        return Ok(body);
    }
    let padding = usize::from(*body.last().ok_or(BadRtcp::Padding)?);
    let len = body.len().checked_sub(padding).filter(|_| padding > 0);
    Ok(&body[..len.ok_or(BadRtcp::Padding)?])
}

fn parse(kind: u8, format: u8, body: &[u8]) -> Result<Packet<'_>, BadRtcp> {
    let count = usize::from(format);
    let parsed = match (kind, format) {
        (kind::SENDER_REPORT, _) => {
            ("sender report", SenderReport::parse(count, body).map(Packet::SenderReport))
        }
        (kind::RECEIVER_REPORT, _) => {
            ("receiver report", ReceiverReport::parse(count, body).map(Packet::ReceiverReport))
        }
        (kind::DESCRIPTION, _) => ("description", Description::parse(count, body).map(Packet::Description)),
        (kind::BYE, _) => ("goodbye", Bye::parse(count, body).map(Packet::Bye)),
        (kind::TRANSPORT_FEEDBACK, format::NACK) => ("nack", Nack::parse(body).map(Packet::Nack)),
        (kind::TRANSPORT_FEEDBACK, format::TWCC) => {
            ("transport feedback", TransportFeedback::parse(body).map(Packet::TransportFeedback))
        }
        (kind::PAYLOAD_FEEDBACK, format::PLI) => ("picture loss indication", parse_pli(body)),
        (kind::PAYLOAD_FEEDBACK, format::FIR) => ("full intra request", Fir::parse(body).map(Packet::Fir)),
        (kind::PAYLOAD_FEEDBACK, format::REMB) if Remb::is_named(body) => {
            ("bitrate estimate", Remb::parse(body).map(Packet::Remb))
        }
        (kind::EXTENDED, _) => ("extended report", ExtendedReport::parse(body).map(Packet::Extended)),
        _ => ("", Some(Packet::Other { kind, format })),
    };
    let (name, packet) = parsed;
    packet.ok_or(BadRtcp::Body(name))
}

fn parse_pli(body: &[u8]) -> Option<Packet<'_>> {
    let (sender, media) = super::feedback::parse_ssrcs(body)?;
    Some(Packet::Pli { sender, media })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_body_does_not_lose_the_packet_behind_it() {
        let datagram = [
            0x81, 201, 0, 1, 0, 0, 0, 1, // a report that says it has a block, and has none
            0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2,
        ];
        let packets: Vec<_> = Packets::new(&datagram).collect();
        assert!(matches!(packets[0], Err(BadRtcp::Body("receiver report"))));
        assert!(matches!(packets[1], Ok(Packet::Pli { sender: 1, media: 2 })));
        assert_eq!(packets.len(), 2);
    }

    #[test]
    fn a_length_beyond_the_datagram_ends_the_walk() {
        let packets: Vec<_> = Packets::new(&[0x81, 206, 0, 3, 0, 0, 0, 1]).collect();
        assert!(matches!(packets[..], [Err(BadRtcp::Length)]));
    }

    #[test]
    fn padding_is_taken_off_and_cannot_exceed_the_packet() {
        let padded = [0xa1, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 4];
        assert!(matches!(Packets::new(&padded).next(), Some(Ok(Packet::Pli { sender: 1, media: 2 }))));
        for wrong in [0, 13, 255] {
            let mut padded = padded;
            padded[15] = wrong;
            assert!(matches!(Packets::new(&padded).next(), Some(Err(BadRtcp::Padding))), "{wrong}");
        }
    }

    #[test]
    fn other_kinds_are_passed_over() {
        let app = [0x80, 204, 0, 2, 0, 0, 0, 1, b'n', b'a', b'm', b'e'];
        assert!(matches!(Packets::new(&app).next(), Some(Ok(Packet::Other { kind: 204, format: 0 }))));
        assert!(matches!(Packets::new(b"GET /").next(), Some(Err(BadRtcp::Header))));
        assert!(Packets::new(&[]).next().is_none());
    }
}
