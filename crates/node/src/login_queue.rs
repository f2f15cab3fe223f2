//! Logins that wait for a look at their password: each address in turn, however many wait behind one of them.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use taoyao_types::limits::{LOGINS_WAITING_MAX, LOGINS_WAITING_PER_ADDRESS_MAX};
use taoyao_types::net::limited_as;

/// Invariant: `turns` has each address that has somebody waiting once, and `len` counts all who wait.
#[derive(Debug)]
pub(crate) struct LoginQueue<T> {
    waiting: BTreeMap<IpAddr, VecDeque<T>>,
    turns: VecDeque<IpAddr>,
    len: usize,
}

impl<T> Default for LoginQueue<T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), turns: VecDeque::new(), len: 0 }
    }
}

impl<T> LoginQueue<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Lets one wait; who has to go for it, which may be itself. In a full queue the address goes short that has most.
    pub(crate) fn push(&mut self, ip: IpAddr, login: T) -> Option<T> {
        let ip = limited_as(ip);
        let own = self.waiting.get(&ip).map_or(0, VecDeque::len);
        if own >= LOGINS_WAITING_PER_ADDRESS_MAX {
            return Some(login);
        }
        let mut gone = None;
        if self.len >= LOGINS_WAITING_MAX {
            let heaviest = self.waiting.iter().max_by_key(|(_, logins)| logins.len());
            match heaviest.map(|(ip, logins)| (*ip, logins.len())) {
                Some((heaviest, most)) if most > own + 1 => gone = self.drop_newest(heaviest),
                _ => return Some(login),
            }
        }
        let logins = self.waiting.entry(ip).or_default();
        if logins.is_empty() {
            self.turns.push_back(ip);
        }
        logins.push_back(login);
        self.len += 1;
        gone
    }

    /// The next one, of the address whose turn it is.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let ip = self.turns.pop_front()?;
        let logins = self.waiting.get_mut(&ip)?;
        let next = logins.pop_front();
        if logins.is_empty() {
            self.waiting.remove(&ip);
        } else {
            self.turns.push_back(ip);
        }
        self.len -= usize::from(next.is_some());
        next
    }

    fn drop_newest(&mut self, ip: IpAddr) -> Option<T> {
        let logins = self.waiting.get_mut(&ip)?;
        let newest = logins.pop_back();
        if logins.is_empty() {
            self.waiting.remove(&ip);
            self.turns.retain(|turn| *turn != ip);
        }
        self.len -= usize::from(newest.is_some());
        newest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_take_turns() {
        let mut queue = LoginQueue::default();
        for login in 0..5 {
            queue.push(ip(1), ("loud", login));
        }
        queue.push(ip(2), ("quiet", 0));
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order[..3], [("loud", 0), ("quiet", 0), ("loud", 1)]);
        assert_eq!((order.len(), queue.len(), queue.waiting.len(), queue.turns.len()), (6, 0, 0, 0));
    }

    #[test]
    fn one_address_has_a_share_and_a_full_queue_still_takes_a_quiet_one() {
        let mut queue = LoginQueue::default();
        for nth in 0..8 * LOGINS_WAITING_PER_ADDRESS_MAX {
            queue.push(ip((nth % 8) as u8), "loud");
        }
        assert_eq!(queue.len(), LOGINS_WAITING_MAX);
        assert_eq!(queue.push(ip(1), "one more"), Some("one more"));
        assert_eq!(queue.push(ip(99), "quiet"), Some("loud"));
        let place = std::iter::from_fn(|| queue.pop()).position(|login| login == "quiet");
        assert!(place.is_some_and(|place| place < 9), "{place:?}");
        let mut queue = LoginQueue::default();
        for _ in 0..=LOGINS_WAITING_PER_ADDRESS_MAX {
            queue.push(ip(1), "alone");
        }
        assert_eq!(queue.len(), LOGINS_WAITING_PER_ADDRESS_MAX);
    }

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }
}
