//! Ids of peer-to-peer sessions: random texts that look like UUIDs of version 4.

use taoyao_types::NodeId;

/// A seeded generator (SplitMix64). The ids need to be unique, not secret: a session is guarded by its two ends.
#[derive(Debug)]
pub(crate) struct SessionIds(u64);

impl SessionIds {
    /// `seed` must differ from start to start; the node keeps two nodes of one seed apart.
    pub(crate) fn new(seed: u64, node: NodeId) -> Self {
        Self(seed ^ (u64::from(node.0) << 32))
    }

    /// The next id, 36 characters.
    pub(crate) fn next(&mut self) -> String {
        let (high, low) = (self.word(), self.word());
        let (a, b, c) = (high >> 32, (high >> 16) & 0xffff, high & 0x0fff);
        let (d, e) = (0x8000 | ((low >> 48) & 0x3fff), low & 0xffff_ffff_ffff);
        format!("{a:08x}-{b:04x}-4{c:03x}-{d:04x}-{e:012x}")
    }

    /// 128 random bits, for ids that are no texts.
    pub(crate) fn bits(&mut self) -> u128 {
        (u128::from(self.word()) << 64) | u128::from(self.word())
    }

    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_look_like_uuids_and_do_not_repeat() {
        let mut ids = SessionIds::new(7, NodeId(1));
        let mut others = SessionIds::new(7, NodeId(2));
        let made: BTreeSet<String> = (0..1_000).flat_map(|_| [ids.next(), others.next()]).collect();
        assert_eq!(made.len(), 2_000);
        for id in made {
            assert_eq!(id.len(), 36);
            assert_eq!(id.as_bytes()[14], b'4');
            assert!(matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{id}");
        }
    }
}
