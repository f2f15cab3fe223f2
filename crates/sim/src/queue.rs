//! Virtual time: what happens next, in order, with ties broken by who came first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use taoyao_types::Instant;

/// A queue of things that will happen.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    heap: BinaryHeap<Reverse<Item<T>>>,
    count: u64,
}

#[derive(Debug)]
struct Item<T> {
    at: Instant,
    number: u64,
    what: T,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), count: 0 }
    }
}

impl<T> Queue<T> {
    pub(crate) fn push(&mut self, at: Instant, what: T) {
        self.count += 1;
        self.heap.push(Reverse(Item { at, number: self.count, what }));
    }

    /// The next thing that happens no later than `until`.
    pub(crate) fn pop(&mut self, until: Instant) -> Option<(Instant, T)> {
        if self.heap.peek()?.0.at > until {
            return None;
        }
        self.heap.pop().map(|Reverse(item)| (item.at, item.what))
    }
}

impl<T> PartialEq for Item<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}

impl<T> Eq for Item<T> {}

impl<T> PartialOrd for Item<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Item<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}
