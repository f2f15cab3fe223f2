//! What holds of RTP packets: reading them, writing their headers anew, and what their payloads say of frames.

use taoyao_ortc::capabilities::uri;
use taoyao_ortc::{Extension, Parameters};
use taoyao_sfu::codec::{self, CodecKind, DependencyReader};
use taoyao_sfu::packet::{ExtensionMap, Packet, Stamps, TailWriter, Template};

use super::parts::parts;

/// Packets of one stream: what is read lies within the packet; what is passed on to a receiver is read there as the same;
/// what payloads say of frames can be written anew.
///
/// The first byte chooses the codec and the receiver's numbers of extensions.
pub fn rtp(data: &[u8]) {
    let Some((&choice, data)) = data.split_first() else { return };
    let codec = CODECS[usize::from(choice) % CODECS.len()];
    let way = Way::new(choice / 8);
    let mut descriptors = DependencyReader::default();
    for part in parts(data) {
        let Ok(packet) = Packet::parse(part.bytes) else { continue };
        lies_within(&packet);
        let writer = TailWriter::write(packet.elements(), &way.sender, &way.router);
        way.passes_on(&packet, &writer);
        if let Some(descriptor) = writer.descriptor() {
            says_what_can_be(&mut descriptors, descriptor);
        }
        says_the_same_after_a_patch(codec, &packet);
    }
}

const CODECS: [CodecKind; 6] =
    [CodecKind::Vp8, CodecKind::Vp9, CodecKind::H264, CodecKind::H265, CodecKind::Av1, CodecKind::Other];

fn lies_within(packet: &Packet<'_>) {
    let elements: usize = packet.elements().map(|(_, value)| value.len()).sum();
    assert!(packet.payload().len() + packet.padding_bytes() + elements + 12 <= packet.bytes());
    for (id, value) in packet.elements() {
        assert!(id != 0 && value.len() <= 255);
        assert!(packet.element(id).is_some());
    }
}

/// The numbers of extensions on the way from a sender through the router to a receiver.
struct Way {
    sender: ExtensionMap,
    router: ExtensionMap,
    receiver: ExtensionMap,
    template: Template,
}

const PASSED_ON: [&str; 4] =
    [uri::DEPENDENCY_DESCRIPTOR, uri::AUDIO_LEVEL, uri::VIDEO_ORIENTATION, uri::ABS_CAPTURE_TIME];

impl Way {
    fn new(choice: u8) -> Self {
        let all = [uri::MID, uri::RID, uri::ABS_SEND_TIME, uri::TRANSPORT_CC];
        let from = |first: u8| all.into_iter().chain(PASSED_ON).zip(first..);
        let router = map(from(1));
        // A receiver has all, under these numbers or the router's, or only some.
        let receiver = match choice % 3 {
            0 => router.clone(),
            1 => map(from(1 + choice / 3 % 7)),
            _ => map(from(1).filter(|(_, id)| (choice / 3) >> (id - 1) & 1 == 1)),
        };
        let template = Template::new(101, SSRC, Some("v0"), &receiver, &router);
        Self { sender: map(from(3)), router, receiver, template }
    }

    /// Of each extension that both ends have, the receiver gets the first that the sender has written; nothing else but
    /// what the router adds.
    fn passes_on(&self, packet: &Packet<'_>, writer: &TailWriter) {
        let mut out = [0xee; 400];
        let stamps = Stamps {
            has_marker: packet.has_marker(),
            sequence: packet.sequence(),
            timestamp: packet.timestamp(),
            send_time: 0x01_02_03,
        };
        let written = self.template.write(&mut out, &stamps, &writer.tail(), writer.bytes());
        let written = written.expect("a header has fewer than 400 bytes");
        self.template.write_transport_number(&mut out, writer.tail().form, 0x0405);
        // The head of a block is written before it is known whether the block has elements.
        assert!(out[written.bytes.max(16)..].iter().all(|&byte| byte == 0xee), "written beyond the header");
        let read = Packet::parse(&out[..written.bytes]).expect("what is written can be read");
        assert_eq!((read.payload_type(), read.ssrc()), (101, SSRC));
        assert_eq!(
            (read.has_marker(), read.sequence(), read.timestamp()),
            (packet.has_marker(), packet.sequence(), packet.timestamp())
        );
        assert!(read.payload().is_empty());
        for uri in PASSED_ON {
            let Some(id) = number(&self.receiver, uri) else { continue };
            let got = read.element(id);
            let sent = number(&self.sender, uri).and_then(|id| packet.element(id));
            // What does not fit into a tail is left out.
            assert!(got.is_none() || got == sent, "{uri} became another");
            assert!(got.is_some() || sent.is_none_or(|value| value.len() > 150) || is_crowded(packet));
        }
        let own = |uri| number(&self.receiver, uri).map(|id| read.element(id));
        assert_eq!(own(uri::MID).unwrap_or(Some(b"v0")), Some(&b"v0"[..]));
        assert_eq!(own(uri::ABS_SEND_TIME).unwrap_or(Some(&[1, 2, 3])), Some(&[1, 2, 3][..]));
        assert_eq!(own(uri::TRANSPORT_CC).unwrap_or(Some(&[4, 5])), Some(&[4, 5][..]));
    }
}

const SSRC: u32 = 0x0102_0304;

/// Whether all elements together may be more than what is passed on of one packet.
fn is_crowded(packet: &Packet<'_>) -> bool {
    packet.elements().map(|(_, value)| value.len() + 2).sum::<usize>() > 150
}

fn map<'a>(entries: impl Iterator<Item = (&'a str, u8)>) -> ExtensionMap {
    let extension = |(uri, id): (&str, u8)| Extension {
        uri: uri.to_owned(),
        id,
        encrypt: false,
        parameters: Parameters::new(),
    };
    ExtensionMap::new(&entries.map(extension).collect::<Vec<_>>())
}

fn number(map: &ExtensionMap, uri: &str) -> Option<u8> {
    let extension = Extension { uri: uri.to_owned(), id: 1, encrypt: false, parameters: Parameters::new() };
    map.id(ExtensionMap::new(&[extension]).kind(1)?)
}

fn says_what_can_be(reader: &mut DependencyReader, descriptor: &[u8]) {
    let Some(facts) = reader.read(descriptor) else { return };
    let (spatial, temporal) = reader.structure().layers();
    assert!(spatial >= 1 && temporal >= 1);
    assert!(facts.targets.is_some(), "a descriptor that was read says for whom its frame is");
    assert!(reader.structure().target_within(u8::MAX, u8::MAX).is_some_and(|target| target < 32));
}

/// The numbers of a picture are written over in their width, and nothing else changes.
fn says_the_same_after_a_patch(kind: CodecKind, packet: &Packet<'_>) {
    let facts = codec::inspect(kind, packet.payload(), packet.has_marker());
    assert!(facts.spatial < 8 && facts.temporal < 8);
    let Some(numbers) = facts.picture else { return };
    let mut payload = packet.payload().to_vec();
    numbers.patch(&mut payload, 0x7fff, 0x55);
    let after = codec::inspect(kind, &payload, packet.has_marker());
    let patched = after.picture.expect("the numbers are still there");
    assert_eq!(patched.id, if numbers.is_wide { 0x7fff } else { 0x7f });
    assert_eq!(patched.tl0.map(|(_, value)| value), numbers.tl0.map(|_| 0x55));
    let restored = codec::Facts { picture: facts.picture, ..after };
    assert_eq!(restored, facts, "the frame is another");
}
