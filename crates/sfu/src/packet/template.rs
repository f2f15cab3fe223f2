//! A receiver's RTP header, built once and patched for each packet.

use super::extension::Form;
use super::kinds::{ExtensionKind, ExtensionMap};
use super::{Elements, HEADER_BYTES};

/// The elements of one packet that all its receivers get as they are, already under the router's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    pub form: Form,
    /// Bits of [`ExtensionKind`].
    pub kinds: u16,
    /// Bytes, without padding.
    pub bytes: u8,
    /// Where the value of the dependency descriptor begins in it.
    pub descriptor_at: Option<u8>,
}

impl Tail {
    /// Bytes of a tail; elements that do not fit are left out.
    pub const BYTES_MAX: usize = 200;
    pub const EMPTY: Self = Self { form: Form::OneByte, kinds: 0, bytes: 0, descriptor_at: None };
}

/// Collects the elements of a packet that are passed on.
#[derive(Debug)]
pub struct TailWriter {
    values: [u8; Tail::BYTES_MAX],
    tail: Tail,
    descriptor_bytes: u8,
}

impl TailWriter {
    /// Reads `elements` twice: once to see which form they need, once to write them under the numbers of `to`.
    pub fn write(elements: Elements<'_>, from: &ExtensionMap, to: &ExtensionMap) -> Self {
        let passed = elements.filter_map(|(id, value)| {
            let kind = from.kind(id).filter(|kind| kind.is_passed_on())?;
            Some((kind, to.id(kind)?, value))
        });
        let mut writer = Self { values: [0; Tail::BYTES_MAX], tail: Tail::EMPTY, descriptor_bytes: 0 };
        if passed.clone().any(|(_, id, value)| needs_two_bytes(id, value)) {
            writer.tail.form = Form::TwoByte;
        }
        for (kind, id, value) in passed {
            writer.push(kind, id, value);
        }
        writer
    }

    pub fn tail(&self) -> Tail {
        self.tail
    }

    pub fn bytes(&self) -> &[u8] {
        &self.values[..usize::from(self.tail.bytes)]
    }

    /// The value of the dependency descriptor.
    pub fn descriptor(&self) -> Option<&[u8]> {
        let at = usize::from(self.tail.descriptor_at?);
        let length = usize::from(self.descriptor_bytes);
        self.values.get(at..at + length)
    }

    fn push(&mut self, kind: ExtensionKind, id: u8, value: &[u8]) {
        let at = usize::from(self.tail.bytes);
        let value_at = at + self.tail.form.prefix_bytes();
        let end = value_at + value.len();
        if self.tail.kinds & kind.bit() != 0 || end > Tail::BYTES_MAX {
            return;
        }
        write_element(&mut self.values[at..end], self.tail.form, id, value);
        self.tail.kinds |= kind.bit();
        // Fits: a tail has fewer than 256 bytes.
        self.tail.bytes = end as u8;
        if kind == ExtensionKind::DependencyDescriptor {
            self.tail.descriptor_at = Some(value_at as u8);
            self.descriptor_bytes = value.len() as u8;
        }
    }
}

/// What a packet for one receiver has of its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stamps {
    pub has_marker: bool,
    pub sequence: u16,
    pub timestamp: u32,
    /// Seconds as 6.18 fixed point, as abs-send-time wants them.
    pub send_time: u32,
}

/// Where things stand in a written header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Bytes of the header; the payload goes behind it.
    pub bytes: usize,
    /// Where the tail begins.
    pub tail_at: usize,
}

/// Fixed header and the elements that stand in every packet of one receiver's stream.
#[derive(Debug, Clone)]
pub struct Template {
    one_byte: Block,
    two_byte: Block,
    /// Kinds of the tail that the receiver has under the router's numbers: a tail of these is copied as it is.
    same: u16,
    /// (The router's number, the receiver's), of what the receiver has negotiated.
    renumbered: Vec<(u8, u8)>,
}

/// What a tail consists of.
const PASSED_ON: [ExtensionKind; 4] = [
    ExtensionKind::DependencyDescriptor,
    ExtensionKind::AudioLevel,
    ExtensionKind::VideoOrientation,
    ExtensionKind::AbsCaptureTime,
];

/// Header and elements in one form.
#[derive(Debug, Clone)]
struct Block {
    bytes: Vec<u8>,
    send_time_at: Option<usize>,
    transport_cc_at: Option<usize>,
}

/// Profile and length (RFC 8285).
const BLOCK_HEAD_BYTES: usize = 4;
const HAS_EXTENSION: u8 = 0x10;
const MARKER: u8 = 0x80;

impl Template {
    /// `own` are the receiver's numbers of extensions, `router` those in which tails are written.
    pub fn new(
        payload_type: u8,
        ssrc: u32,
        mid: Option<&str>,
        own: &ExtensionMap,
        router: &ExtensionMap,
    ) -> Self {
        let block = |form| Block::new(form, payload_type, ssrc, mid, own);
        let numbers = |kind: &ExtensionKind| Some((*kind, router.id(*kind)?, own.id(*kind)?));
        let renumbered: Vec<_> = PASSED_ON.iter().filter_map(numbers).collect();
        let same = renumbered.iter().filter(|(_, router, own)| router == own);
        Self {
            one_byte: block(Form::OneByte),
            two_byte: block(Form::TwoByte),
            same: same.fold(0, |kinds, (kind, _, _)| kinds | kind.bit()),
            renumbered: renumbered.iter().map(|(_, router, own)| (*router, *own)).collect(),
        }
    }

    pub fn has_transport_cc(&self) -> bool {
        self.one_byte.transport_cc_at.is_some()
    }

    /// Writes the transport-wide number into a packet that has been written with a tail of this form.
    pub fn write_transport_number(&self, packet: &mut [u8], form: Form, number: u16) {
        let at = self.block(form).transport_cc_at;
        if let Some(place) = at.and_then(|at| packet.get_mut(at..at + 2)) {
            place.copy_from_slice(&number.to_be_bytes());
        }
    }

    fn block(&self, form: Form) -> &Block {
        match form {
            Form::OneByte => &self.one_byte,
            Form::TwoByte => &self.two_byte,
        }
    }

    /// Writes the header, or nothing if `out` is too short for it. The transport-wide number, which depends on the length
    /// of the whole packet, is still 0.
    pub fn write(&self, out: &mut [u8], stamps: &Stamps, tail: &Tail, values: &[u8]) -> Option<Written> {
        let block = self.block(tail.form);
        let tail_at = block.bytes.len();
        out.get_mut(..tail_at)?.copy_from_slice(&block.bytes);
        let tail_bytes = if tail.kinds & !self.same == 0 {
            out.get_mut(tail_at..tail_at + values.len())?.copy_from_slice(values);
            values.len()
        } else {
            self.write_accepted(out.get_mut(tail_at..)?, tail.form, values)?
        };
        let bytes = finish(out, tail_at + tail_bytes)?;
        block.patch(out, stamps);
        Some(Written { bytes, tail_at })
    }

    /// The tail under the receiver's numbers, without what it did not negotiate.
    fn write_accepted(&self, out: &mut [u8], form: Form, values: &[u8]) -> Option<usize> {
        let mut at = 0;
        for (id, value) in Elements::new(form, values) {
            if let Some((_, own)) = self.renumbered.iter().find(|(router, _)| *router == id) {
                let end = at + form.prefix_bytes() + value.len();
                write_element(out.get_mut(at..end)?, form, *own, value);
                at = end;
            }
        }
        Some(at)
    }
}

impl Block {
    fn new(form: Form, payload_type: u8, ssrc: u32, mid: Option<&str>, extensions: &ExtensionMap) -> Self {
        let mut bytes = vec![0x80, payload_type, 0, 0, 0, 0, 0, 0];
        bytes.extend(ssrc.to_be_bytes());
        bytes.extend(form.profile().to_be_bytes());
        bytes.extend([0, 0]);
        let mut append = |kind, value: &[u8]| {
            let id = extensions.id(kind)?;
            let at = bytes.len();
            let value_at = at + form.prefix_bytes();
            bytes.resize(value_at + value.len(), 0);
            write_element(&mut bytes[at..], form, id, value);
            Some(value_at)
        };
        if let Some(mid) = mid.filter(|mid| (1..=16).contains(&mid.len())) {
            append(ExtensionKind::Mid, mid.as_bytes());
        }
        let send_time_at = append(ExtensionKind::AbsSendTime, &[0; 3]);
        let transport_cc_at = append(ExtensionKind::TransportCc, &[0; 2]);
        Self { bytes, send_time_at, transport_cc_at }
    }

    fn patch(&self, out: &mut [u8], stamps: &Stamps) {
        if stamps.has_marker {
            out[1] |= MARKER;
        }
        out[2..4].copy_from_slice(&stamps.sequence.to_be_bytes());
        out[4..8].copy_from_slice(&stamps.timestamp.to_be_bytes());
        if let Some(at) = self.send_time_at {
            out[at..at + 3].copy_from_slice(&stamps.send_time.to_be_bytes()[1..]);
        }
    }
}

/// Pads the block that ends at `end` and writes its length; a block without elements is left out.
fn finish(out: &mut [u8], end: usize) -> Option<usize> {
    let elements_at = HEADER_BYTES + BLOCK_HEAD_BYTES;
    if end == elements_at {
        return Some(HEADER_BYTES);
    }
    let padded = end.next_multiple_of(4);
    out.get_mut(end..padded)?.fill(0);
    let words = u16::try_from((padded - elements_at) / 4).ok()?;
    out[HEADER_BYTES + 2..elements_at].copy_from_slice(&words.to_be_bytes());
    out[0] |= HAS_EXTENSION;
    Some(padded)
}

fn needs_two_bytes(id: u8, value: &[u8]) -> bool {
    id > 14 || value.is_empty() || value.len() > 16
}

/// Writes one element into exactly its bytes. `form` has been chosen so that it fits.
fn write_element(out: &mut [u8], form: Form, id: u8, value: &[u8]) {
    // Both lengths were bounded when the form was chosen.
    match form {
        Form::OneByte => out[0] = (id << 4) | (value.len() as u8).wrapping_sub(1),
        Form::TwoByte => out[..2].copy_from_slice(&[id, value.len() as u8]),
    }
    out[form.prefix_bytes()..].copy_from_slice(value);
}

#[cfg(test)]
mod tests {
    use taoyao_ortc::capabilities::uri;
    use taoyao_ortc::{Extension, Parameters};

    use super::super::Packet;
    use super::*;

    fn map(entries: &[(&str, u8)]) -> ExtensionMap {
        let entry = |(uri, id): &(&str, u8)| Extension {
            uri: (*uri).to_owned(),
            id: *id,
            encrypt: false,
            parameters: Parameters::new(),
        };
        ExtensionMap::new(&entries.iter().map(entry).collect::<Vec<_>>())
    }

    fn router() -> ExtensionMap {
        map(&[
            (uri::MID, 1),
            (uri::ABS_SEND_TIME, 4),
            (uri::TRANSPORT_CC, 5),
            (uri::DEPENDENCY_DESCRIPTOR, 8),
        ])
    }

    const STAMPS: Stamps = Stamps { has_marker: true, sequence: 77, timestamp: 88, send_time: 0x01_02_03 };

    #[test]
    fn a_written_header_reads_back() {
        let template = Template::new(101, 9, Some("v0"), &router(), &router());
        let sender = map(&[(uri::DEPENDENCY_DESCRIPTOR, 3), (uri::RID, 2)]);
        let elements = Elements::new(Form::OneByte, &[0x21, b'h', b'i', 0x32, 6, 7, 8]);
        let writer = TailWriter::write(elements, &sender, &router());
        let mut out = [0xff; 100];
        let written = template.write(&mut out, &STAMPS, &writer.tail(), writer.bytes()).unwrap();
        template.write_transport_number(&mut out, writer.tail().form, 0x0405);
        let packet = Packet::parse(&out[..written.bytes]).unwrap();
        assert_eq!((packet.payload_type(), packet.ssrc(), packet.sequence()), (101, 9, 77));
        assert!(packet.has_marker() && packet.timestamp() == 88 && packet.payload().is_empty());
        assert_eq!(packet.element(1), Some(&b"v0"[..]));
        assert_eq!(packet.element(4), Some(&[1, 2, 3][..]));
        assert_eq!(packet.element(5), Some(&[4, 5][..]));
        assert_eq!(packet.element(8), Some(&[6, 7, 8][..]));
        assert_eq!(packet.elements().count(), 4);
        assert_eq!(writer.tail().descriptor_at, Some(1));
    }

    #[test]
    fn a_long_element_takes_the_two_byte_form_for_the_packet() {
        let template = Template::new(101, 9, Some("v0"), &router(), &router());
        let mut block = vec![3, 20];
        block.extend([1; 20]);
        let sender = map(&[(uri::DEPENDENCY_DESCRIPTOR, 3)]);
        let writer = TailWriter::write(Elements::new(Form::TwoByte, &block), &sender, &router());
        assert_eq!(writer.tail().form, Form::TwoByte);
        let mut out = [0; 100];
        let written = template.write(&mut out, &STAMPS, &writer.tail(), writer.bytes()).unwrap();
        let packet = Packet::parse(&out[..written.bytes]).unwrap();
        assert_eq!(packet.element(8), Some(&[1; 20][..]));
        assert_eq!(packet.element(5), Some(&[0, 0][..]));
    }

    #[test]
    fn what_was_not_negotiated_is_not_sent() {
        let sender = map(&[(uri::DEPENDENCY_DESCRIPTOR, 3), (uri::VIDEO_ORIENTATION, 6)]);
        let all = map(&[(uri::DEPENDENCY_DESCRIPTOR, 8), (uri::VIDEO_ORIENTATION, 11)]);
        let elements = Elements::new(Form::OneByte, &[0x30, 1, 0x60, 9]);
        let writer = TailWriter::write(elements, &sender, &all);
        let mut out = [0; 100];
        let only_one = Template::new(101, 9, None, &map(&[(uri::VIDEO_ORIENTATION, 12)]), &all);
        let written = only_one.write(&mut out, &STAMPS, &writer.tail(), writer.bytes()).unwrap();
        let packet = Packet::parse(&out[..written.bytes]).unwrap();
        assert_eq!(packet.elements().collect::<Vec<_>>(), [(12, &[9][..])]);
        let none = Template::new(101, 9, None, &ExtensionMap::default(), &all);
        let written = none.write(&mut out, &STAMPS, &writer.tail(), writer.bytes()).unwrap();
        assert_eq!(written.bytes, HEADER_BYTES);
    }

    #[test]
    fn a_buffer_that_is_too_short_is_left_alone() {
        let template = Template::new(101, 9, Some("v0"), &router(), &router());
        for length in 0..28 {
            let mut out = vec![0; length];
            assert_eq!(template.write(&mut out, &STAMPS, &Tail::EMPTY, &[]), None, "{length}");
        }
    }
}
