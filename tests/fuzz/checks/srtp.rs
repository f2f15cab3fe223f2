//! What holds of SRTP: what is sealed is opened as it was, once; what is not is refused and spoils nothing.

use std::collections::BTreeMap;

use taoyao_media::peer::SEAL_BYTES_MAX;
use taoyao_media::peer::srtp::{MasterKey, OpenError, Opener, Sealer, key_bytes, salt_bytes};
use taoyao_ortc::SrtpSuite;

use super::parts::{Part, parts};

/// Packets that are sealed, changed, repeated, or made up.
///
/// The first byte chooses the suite; a part's choice says what is done with its bytes.
pub fn srtp(data: &[u8]) {
    let Some((&choice, data)) = data.split_first() else { return };
    let suites = [SrtpSuite::AeadAes128Gcm, SrtpSuite::AeadAes256Gcm, SrtpSuite::AesCm128HmacSha1_80];
    let mut session = Session::new(suites[usize::from(choice) % suites.len()]);
    for part in parts(data) {
        match part.choice % 4 {
            0 => session.seal_and_open_rtp(part.bytes),
            1 => session.seal_and_open_rtcp(part.bytes),
            2 => session.refuse(part.bytes),
            _ => session.change(part),
        }
    }
}

struct Session {
    sealer: Sealer,
    opener: Opener,
    /// The newest number of each stream.
    tops: BTreeMap<u32, u16>,
    /// The last one that was sealed, and whether it is RTCP.
    sealed: Option<(Vec<u8>, bool)>,
}

impl Session {
    fn new(suite: SrtpSuite) -> Self {
        let master: Vec<u8> = (1..).take(key_bytes(suite) + salt_bytes(suite)).collect();
        let key = MasterKey::new(suite, &master).expect("the length is the suite's");
        Self { sealer: Sealer::new(&key), opener: Opener::new(&key), tops: BTreeMap::new(), sealed: None }
    }

    fn seal_and_open_rtp(&mut self, packet: &[u8]) {
        let mut buffer = with_room(packet);
        let Ok(length) = self.sealer.seal_rtp(&mut buffer, packet.len()) else {
            return assert_eq!(buffer, with_room(packet), "what is not sealed is left as it was");
        };
        assert!(length <= buffer.len());
        let mut opened = buffer[..length].to_vec();
        let result = self.opener.open_rtp(&mut opened);
        if self.is_newest(packet) {
            assert_eq!(result, Ok(packet.len()));
        }
        if let Ok(length) = result {
            assert_eq!(&opened[..length], packet);
        }
        assert_eq!(self.opener.open_rtp(&mut buffer[..length].to_vec()), Err(OpenError::Repeated));
        self.sealed = Some((buffer[..length].to_vec(), false));
    }

    /// Notes the packet's number.
    fn is_newest(&mut self, packet: &[u8]) -> bool {
        let sequence = u16::from_be_bytes([packet[2], packet[3]]);
        let ssrc = u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]);
        let top = self.tops.entry(ssrc);
        let is_first = matches!(top, std::collections::btree_map::Entry::Vacant(_));
        let top = top.or_insert(sequence);
        let is_newest = is_first || (1..0x8000).contains(&sequence.wrapping_sub(*top));
        if is_newest {
            *top = sequence;
        }
        is_newest
    }

    fn seal_and_open_rtcp(&mut self, packet: &[u8]) {
        let mut buffer = with_room(packet);
        let Ok(length) = self.sealer.seal_rtcp(&mut buffer, packet.len()) else {
            return assert_eq!(buffer, with_room(packet), "what is not sealed is left as it was");
        };
        let mut opened = buffer[..length].to_vec();
        assert_eq!(self.opener.open_rtcp(&mut opened), Ok(packet.len()));
        assert_eq!(&opened[..packet.len()], packet);
        assert_eq!(self.opener.open_rtcp(&mut buffer[..length].to_vec()), Err(OpenError::Repeated));
        self.sealed = Some((buffer[..length].to_vec(), true));
    }

    fn refuse(&mut self, bytes: &[u8]) {
        assert!(self.opener.open_rtp(&mut bytes.to_vec()).is_err());
        assert!(self.opener.open_rtcp(&mut bytes.to_vec()).is_err());
    }

    /// What was sealed, with some bytes changed or cut off, or opened as what it is not.
    fn change(&mut self, part: Part<'_>) {
        let Some((sealed, is_rtcp)) = &self.sealed else { return };
        let mut changed = sealed.clone();
        for pair in part.bytes.chunks_exact(2) {
            let at = usize::from(pair[0]) % changed.len();
            changed[at] ^= pair[1];
        }
        changed.truncate(changed.len() - usize::from(part.choice / 4) % changed.len());
        assert!(self.opener.open_rtp(&mut changed.clone()).is_err() || changed == *sealed && !is_rtcp);
        assert!(self.opener.open_rtcp(&mut changed.clone()).is_err() || changed == *sealed && *is_rtcp);
    }
}

fn with_room(packet: &[u8]) -> Vec<u8> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + SEAL_BYTES_MAX, 0);
    buffer
}
