//! News of rooms that are kept for nodes of members that have missed them: bounded in number and in bytes.

use std::collections::{BTreeMap, VecDeque};

use taoyao_types::limits;
use taoyao_wire::link::{RoomEvent, RoomNews};

/// The newest news of each feed. Feeds are numbered through all rooms of the node.
///
/// Invariant: each piece has a stamp of its own; `order` and its room's `order` know it by that, and the sums of bytes are
/// those of what is kept. A welcome is kept without the members: it is made anew when it is told again.
#[derive(Debug, Default)]
pub(crate) struct NewsKept {
    feeds: BTreeMap<u64, Feed>,
    rooms: BTreeMap<String, Room>,
    /// Feeds by the stamps of their pieces.
    order: BTreeMap<u64, u64>,
    stamps: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Feed {
    room: String,
    /// The number of the last piece.
    last: u64,
    pieces: VecDeque<Piece>,
    bytes: usize,
}

#[derive(Debug)]
struct Piece {
    stamp: u64,
    bytes: usize,
    event: RoomEvent,
}

#[derive(Debug, Default)]
struct Room {
    order: BTreeMap<u64, u64>,
    bytes: usize,
}

impl NewsKept {
    /// Keeps a piece of news, at the cost of the oldest ones.
    pub(crate) fn keep(&mut self, news: &RoomNews) {
        let RoomNews { room, feed: number, seq, event } = news;
        self.stamps += 1;
        let (stamp, bytes) = (self.stamps, event.weight());
        let fresh = || Feed { room: room.clone(), last: 0, pieces: VecDeque::new(), bytes: 0 };
        let feed = self.feeds.entry(*number).or_insert_with(fresh);
        feed.last = *seq;
        feed.bytes += bytes;
        feed.pieces.push_back(Piece { stamp, bytes, event: event.clone() });
        let of_room = self.rooms.entry(room.clone()).or_default();
        of_room.bytes += bytes;
        of_room.order.insert(stamp, *number);
        self.order.insert(stamp, *number);
        self.bytes += bytes;
        self.trim(*number, room);
    }

    fn trim(&mut self, number: u64, room: &str) {
        let is_over = |feed: &Feed| {
            feed.pieces.len() > limits::ROOM_NEWS_KEPT || feed.bytes > limits::ROOM_NEWS_FEED_BYTES_MAX
        };
        while self.feeds.get(&number).is_some_and(is_over) {
            self.drop_oldest_of(number);
        }
        while let Some(of_room) = self.rooms.get(room)
            && of_room.bytes > limits::ROOM_NEWS_ROOM_BYTES_MAX
            && let Some((_, oldest)) = of_room.order.first_key_value()
        {
            self.drop_oldest_of(*oldest);
        }
        while self.bytes > limits::ROOM_NEWS_BYTES_MAX
            && let Some((_, oldest)) = self.order.first_key_value()
        {
            self.drop_oldest_of(*oldest);
        }
    }

    fn drop_oldest_of(&mut self, number: u64) {
        let Some(feed) = self.feeds.get_mut(&number) else { return };
        let Some(Piece { stamp, bytes, .. }) = feed.pieces.pop_front() else { return };
        feed.bytes -= bytes;
        self.bytes -= bytes;
        self.order.remove(&stamp);
        if let Some(of_room) = self.rooms.get_mut(&feed.room) {
            of_room.bytes -= bytes;
            of_room.order.remove(&stamp);
            if of_room.order.is_empty() {
                self.rooms.remove(&feed.room);
            }
        }
    }

    /// The feed has ended: nobody will ask for it.
    pub(crate) fn forget(&mut self, number: u64) {
        while self.feeds.get(&number).is_some_and(|feed| !feed.pieces.is_empty()) {
            self.drop_oldest_of(number);
        }
        self.feeds.remove(&number);
    }

    /// The news of a feed from number `next` on, whose last one has the number `last`. None if some are kept no longer.
    pub(crate) fn since(&self, number: u64, next: u64, last: u64) -> Option<Vec<(u64, RoomEvent)>> {
        let missing = usize::try_from(last.checked_sub(next.checked_sub(1)?)?).ok()?;
        if missing == 0 {
            return Some(Vec::new());
        }
        let feed = self.feeds.get(&number).filter(|feed| feed.last == last)?;
        let skipped = feed.pieces.len().checked_sub(missing)?;
        Some((next..).zip(feed.pieces.iter().skip(skipped).map(|piece| piece.event.clone())).collect())
    }

    /// About how much memory they take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(room: &str, feed: u64, seq: u64, bytes: usize) -> RoomNews {
        let news = taoyao_wire::link::MediaNews::Push { signal: String::new(), body: "x".repeat(bytes) };
        let event = RoomEvent::Media { to: None, news: Box::new(news) };
        RoomNews { room: room.to_owned(), feed, seq, event }
    }

    /// What is really there, by walking through it.
    fn walked(kept: &NewsKept) -> usize {
        let pieces = kept.feeds.values().flat_map(|feed| &feed.pieces);
        pieces.map(|piece| piece.event.weight()).sum()
    }

    #[test]
    fn what_was_missed_is_told_again_or_was_too_much() {
        let mut kept = NewsKept::default();
        (1..=5).for_each(|seq| kept.keep(&told("r", 7, seq, 10)));
        let seqs = |next| Some(kept.since(7, next, 5)?.into_iter().map(|(seq, _)| seq).collect::<Vec<_>>());
        assert_eq!(seqs(4), Some(vec![4, 5]));
        assert_eq!(seqs(6), Some(Vec::new()));
        assert_eq!((seqs(0), seqs(7)), (None, None));
        kept.forget(7);
        assert_eq!(kept.since(7, 5, 5), None);
        assert_eq!((kept.bytes(), kept.order.len(), kept.rooms.len()), (0, 0, 0));
    }

    #[test]
    fn memory_is_bounded_for_a_feed_a_room_and_the_node_whatever_is_said() {
        let mut kept = NewsKept::default();
        for seq in 1..=2_000 {
            for feed in 0..64 {
                // Rooms of one noisy node and of many.
                let room = format!("room {}", feed / 32);
                kept.keep(&told(&room, feed, seq, 1_000 * (1 + (seq as usize + feed as usize) % 90)));
            }
        }
        let largest = kept.feeds.values().map(|feed| feed.bytes).max().unwrap();
        assert!(largest <= limits::ROOM_NEWS_FEED_BYTES_MAX, "{largest}");
        assert!(kept.feeds.values().all(|feed| feed.pieces.len() <= limits::ROOM_NEWS_KEPT));
        let largest = kept.rooms.values().map(|room| room.bytes).max().unwrap();
        assert!(
            largest <= limits::ROOM_NEWS_ROOM_BYTES_MAX && largest > limits::ROOM_NEWS_ROOM_BYTES_MAX / 2
        );
        for feed in 64..1_000 {
            (1..=4).for_each(|seq| kept.keep(&told(&format!("room {feed}"), feed, seq, 60_000)));
        }
        assert!(kept.bytes() <= limits::ROOM_NEWS_BYTES_MAX, "{}", kept.bytes());
        assert!(kept.bytes() > limits::ROOM_NEWS_BYTES_MAX / 2, "the bound of the node was reached");
        assert_eq!(kept.bytes(), walked(&kept));
    }
}
