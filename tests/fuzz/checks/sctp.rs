//! What holds of data channels: whatever the other end sends inside of DTLS, we stay within bounds and never turn in circles.

use std::time::Duration;

use bytes::Bytes;
use taoyao_media::peer::PeerEvent;
use taoyao_media::peer::sctp::Sctp;
use taoyao_ortc::NumStreams;
use taoyao_types::Instant;
use taoyao_types::limits::SCTP_MESSAGE_BYTES_MAX;

use super::parts::{Part, parts};

/// Datagrams with right checksums for one end of an association. If the first byte is odd, the association is open before.
///
/// A part's choice says what its bytes are (its lowest two bits), and how much time passes.
pub fn sctp(data: &[u8]) {
    let Some((&choice, data)) = data.split_first() else { return };
    let mut channels = Channels::new();
    if choice % 2 == 1 {
        channels.shake_hands();
        assert_eq!(channels.ours.state(), "connected");
    }
    for part in parts(data) {
        channels.play(part);
    }
}

const STREAMS: NumStreams = NumStreams { outgoing: 32, incoming: 32 };
/// Ports, verification tag, checksum (RFC 9260, section 3.1).
const HEADER: usize = 12;

struct Channels {
    now: Instant,
    ours: Sctp,
    theirs: Sctp,
    /// The last datagram of theirs: its header is good for others.
    last: Vec<u8>,
    /// The number of their next chunk of data.
    next_tsn: u32,
}

impl Channels {
    fn new() -> Self {
        let now = Instant(1_000_000);
        let mut ours = Sctp::new(STREAMS, false);
        let mut theirs = Sctp::new(STREAMS, true);
        ours.start(now);
        theirs.start(now);
        let hello = theirs.poll_transmit(now).expect("the client begins").to_vec();
        // The initial number is at the end of an INIT's fixed part (section 3.3.2).
        let next_tsn = u32::from_be_bytes([hello[28], hello[29], hello[30], hello[31]]);
        Self { now, ours, theirs, last: hello, next_tsn }
    }

    fn shake_hands(&mut self) {
        let mut waiting = vec![Bytes::from(self.last.clone())];
        while let Some(datagram) = waiting.pop() {
            self.last = datagram.to_vec();
            self.ours.handle(self.now, datagram);
            while let Some(answer) = self.ours.poll_transmit(self.now) {
                self.theirs.handle(self.now, answer);
            }
            waiting.extend(std::iter::from_fn(|| self.theirs.poll_transmit(self.now)));
        }
    }

    fn play(&mut self, part: Part<'_>) {
        let datagram = match part.choice % 4 {
            0 => self.with_chunks(part.bytes),
            1 => self.changed(part.bytes),
            2 => part.bytes.to_vec(),
            _ => self.with_data(part.bytes),
        };
        self.ours.handle(self.now, Bytes::from(datagram));
        self.drain();
        self.pass(Duration::from_millis(u64::from(part.choice / 4) * 50));
    }

    fn with_chunks(&self, chunks: &[u8]) -> Vec<u8> {
        signed([&self.last[..HEADER], chunks].concat())
    }

    /// Some bytes of the last real datagram are others: place and difference by turns.
    fn changed(&self, pairs: &[u8]) -> Vec<u8> {
        let mut datagram = self.last.clone();
        for pair in pairs.chunks_exact(2) {
            let at = usize::from(pair[0]) % datagram.len();
            datagram[at] ^= pair[1];
        }
        signed(datagram)
    }

    /// One chunk of data under the next number (section 3.3.1): flags, stream, kind of payload, payload.
    fn with_data(&mut self, bytes: &[u8]) -> Vec<u8> {
        let Some((&[flags, stream, kind], payload)) = bytes.split_first_chunk::<3>() else {
            return self.with_chunks(&[]);
        };
        let length = u16::try_from(16 + payload.len()).expect("a part is short");
        let mut chunk = vec![0, flags];
        chunk.extend(length.to_be_bytes());
        chunk.extend(self.next_tsn.to_be_bytes());
        chunk.extend([0, stream, 0, 0, 0, 0, 0, kind]);
        chunk.extend(payload);
        chunk.resize(chunk.len().next_multiple_of(4), 0);
        self.next_tsn = self.next_tsn.wrapping_add(1);
        self.with_chunks(&chunk)
    }

    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(due) = self.ours.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.ours.handle_timeout(self.now);
            assert!(
                self.ours.poll_timeout() > Some(self.now) || self.ours.poll_timeout().is_none(),
                "it turns in circles"
            );
            self.drain();
        }
        self.now = end;
    }

    fn drain(&mut self) {
        let mut count = 0;
        while let Some(datagram) = self.ours.poll_transmit(self.now) {
            assert!(datagram.len() <= 1_400, "no datagram of ours is too long for DTLS");
            count += 1;
            assert!(count < 1_000, "one datagram makes too many");
        }
        while let Some(event) = self.ours.poll_event() {
            match event {
                PeerEvent::Message { bytes, .. } => assert!(bytes.len() <= SCTP_MESSAGE_BYTES_MAX),
                PeerEvent::StreamOpened { stream, label, protocol } => {
                    assert!(stream.stream_id < STREAMS.incoming, "{stream:?} {label} {protocol}");
                }
                PeerEvent::StreamClosed { .. } | PeerEvent::ChannelsOpen => {}
                other => panic!("channels say nothing of {other:?}"),
            }
        }
    }
}

/// With the right checksum.
fn signed(mut datagram: Vec<u8>) -> Vec<u8> {
    if datagram.len() >= HEADER {
        datagram[8..HEADER].fill(0);
        let sum = crc32c(&datagram);
        datagram[8..HEADER].copy_from_slice(&sum.to_le_bytes());
    }
    datagram
}

fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}
