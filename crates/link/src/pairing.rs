//! Joins a link's two connections, and decides between two links of one node.
//!
//! Each dial of a node has a stamp: its life and its count in it. The newer stamp wins at once, however healthy the
//! older link looks: a node that dials again knows that its old link is gone, the accepting end cannot.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use taoyao_types::{NodeEpoch, NodeId};
use taoyao_wire::link::hello::ConnectionKind;

use crate::LinkNo;

/// Which dial of a node a connection belongs to; a later dial is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp {
    pub(crate) epoch: NodeEpoch,
    pub(crate) dial: u64,
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "dial {} of life {}", self.dial, self.epoch.0)
    }
}

/// What becomes of a connection that has said its hello. `T` is the connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrival<T> {
    /// It waits for its twin; connections of an older dial no longer do.
    Waits { superseded: Vec<T> },
    /// Both are here; an older link goes.
    Pairs { signal: T, bulk: T, replaces: Option<(LinkNo, Stamp)> },
    /// A connection that is as new or newer is here already.
    Refused { half: T, newer: Stamp },
}

/// Waiting connections and live links, at most one of each for a peer.
#[derive(Debug)]
pub(crate) struct Pairing<T> {
    waiting: BTreeMap<NodeId, Half<T>>,
    live: BTreeMap<NodeId, (LinkNo, Stamp)>,
}

#[derive(Debug)]
struct Half<T> {
    stamp: Stamp,
    kind: ConnectionKind,
    connection: T,
    since: Instant,
}

impl<T> Default for Pairing<T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), live: BTreeMap::new() }
    }
}

impl<T> Pairing<T> {
    pub(crate) fn arrive(
        &mut self,
        peer: NodeId,
        stamp: Stamp,
        kind: ConnectionKind,
        connection: T,
        now: Instant,
    ) -> Arrival<T> {
        let replaces = self.live.get(&peer).copied();
        if let Some((_, live)) = replaces
            && live >= stamp
        {
            return Arrival::Refused { half: connection, newer: live };
        }
        let half = Half { stamp, kind, connection, since: now };
        let Some(other) = self.waiting.remove(&peer) else {
            self.waiting.insert(peer, half);
            return Arrival::Waits { superseded: Vec::new() };
        };
        if other.stamp == stamp && other.kind != kind {
            let (signal, bulk) = match kind {
                ConnectionKind::Signal => (half.connection, other.connection),
                ConnectionKind::Bulk => (other.connection, half.connection),
            };
            return Arrival::Pairs { signal, bulk, replaces };
        }
        if other.stamp >= stamp {
            let newer = other.stamp;
            self.waiting.insert(peer, other);
            return Arrival::Refused { half: half.connection, newer };
        }
        self.waiting.insert(peer, half);
        Arrival::Waits { superseded: vec![other.connection] }
    }

    pub(crate) fn up(&mut self, peer: NodeId, link: LinkNo, stamp: Stamp) {
        self.live.insert(peer, (link, stamp));
    }

    /// Forgets a link, unless a newer one has taken its place.
    pub(crate) fn down(&mut self, peer: NodeId, link: LinkNo) {
        if self.live.get(&peer).is_some_and(|(live, _)| *live == link) {
            self.live.remove(&peer);
        }
    }

    /// Takes out the connections that have waited for their twin for `limit` or longer.
    pub(crate) fn expire(&mut self, now: Instant, limit: Duration) -> Vec<T> {
        let over = |half: &mut Half<T>| now.saturating_duration_since(half.since) >= limit;
        self.waiting.extract_if(.., |_, half| over(half)).map(|(_, half)| half.connection).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ConnectionKind::{Bulk, Signal};

    const PEER: NodeId = NodeId(1);

    fn stamp(epoch: u32, dial: u64) -> Stamp {
        Stamp { epoch: NodeEpoch(epoch), dial }
    }

    fn pair(pairing: &mut Pairing<&'static str>, at: Stamp) -> Arrival<&'static str> {
        let now = Instant::now();
        assert_eq!(pairing.arrive(PEER, at, Bulk, "bulk", now), Arrival::Waits { superseded: vec![] });
        pairing.arrive(PEER, at, Signal, "signal", now)
    }

    #[test]
    fn two_connections_of_one_dial_become_a_link_in_any_order() {
        let mut pairing = Pairing::default();
        let link = pair(&mut pairing, stamp(1, 1));
        assert_eq!(link, Arrival::Pairs { signal: "signal", bulk: "bulk", replaces: None });
        let now = Instant::now();
        pairing.arrive(PEER, stamp(1, 2), Signal, "signal", now);
        let link = pairing.arrive(PEER, stamp(1, 2), Bulk, "bulk", now);
        assert_eq!(link, Arrival::Pairs { signal: "signal", bulk: "bulk", replaces: None });
    }

    #[test]
    fn a_newer_dial_or_life_replaces_the_link_and_an_older_or_equal_one_is_refused() {
        let mut pairing = Pairing::default();
        pair(&mut pairing, stamp(2, 5));
        pairing.up(PEER, LinkNo(1), stamp(2, 5));
        for old in [stamp(2, 5), stamp(2, 4), stamp(1, 99)] {
            let refused = Arrival::Refused { half: "x", newer: stamp(2, 5) };
            assert_eq!(pairing.arrive(PEER, old, Signal, "x", Instant::now()), refused, "{old}");
        }
        for (number, newer) in [(2, stamp(2, 6)), (3, stamp(3, 1))] {
            let Arrival::Pairs { replaces: Some((link, _)), .. } = pair(&mut pairing, newer) else {
                panic!("{newer} did not replace")
            };
            assert_eq!(link, LinkNo(number - 1));
            pairing.up(PEER, LinkNo(number), newer);
        }
    }

    #[test]
    fn halves_of_different_dials_never_pair() {
        let (mut pairing, now) = (Pairing::default(), Instant::now());
        pairing.arrive(PEER, stamp(1, 2), Signal, "two", now);
        let refused = Arrival::Refused { half: "one", newer: stamp(1, 2) };
        assert_eq!(pairing.arrive(PEER, stamp(1, 1), Bulk, "one", now), refused);
        let waits = Arrival::Waits { superseded: vec!["two"] };
        assert_eq!(pairing.arrive(PEER, stamp(1, 3), Bulk, "three", now), waits);
        let twice = Arrival::Refused { half: "again", newer: stamp(1, 3) };
        assert_eq!(pairing.arrive(PEER, stamp(1, 3), Bulk, "again", now), twice);
    }

    #[test]
    fn the_end_of_a_replaced_link_does_not_forget_the_newer_one() {
        let mut pairing = Pairing::<&str>::default();
        pairing.up(PEER, LinkNo(1), stamp(1, 1));
        pairing.up(PEER, LinkNo(2), stamp(1, 2));
        pairing.down(PEER, LinkNo(1));
        let refused = pairing.arrive(PEER, stamp(1, 2), Signal, "x", Instant::now());
        assert!(matches!(refused, Arrival::Refused { .. }));
        pairing.down(PEER, LinkNo(2));
        let waits = pairing.arrive(PEER, stamp(1, 2), Signal, "x", Instant::now());
        assert!(matches!(waits, Arrival::Waits { .. }));
    }

    #[test]
    fn a_half_whose_twin_never_comes_is_given_up() {
        let (mut pairing, now) = (Pairing::default(), Instant::now());
        let limit = Duration::from_secs(5);
        pairing.arrive(PEER, stamp(1, 1), Signal, "alone", now);
        assert!(pairing.expire(now + limit / 2, limit).is_empty());
        assert_eq!(pairing.expire(now + limit, limit), ["alone"]);
        assert!(pairing.expire(now + limit, limit).is_empty());
    }
}
