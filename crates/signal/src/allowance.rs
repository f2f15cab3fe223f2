//! Bytes that an account may send to others at once and in a second: the sender is slowed before its readers are lost.
//!
//! A reader's queue is bounded, and one that has too much waiting is closed as a slow reader. Whoever sends faster than an
//! ordinary line takes would have everybody thrown out who has one; so it is charged for what each reader gets, and waits.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use taoyao_types::{Instant, Now, TerminalKey, limits};
use taoyao_wire::link::Message;

use crate::bucket::Bucket;
use crate::failure::Failed;
use crate::say::Request;
use crate::terminals::Terminals;

/// Bytes that one token stands for.
const TOKEN_BYTES: usize = 1024;
/// Messages up to this size to one terminal are free: their number is bounded by what each terminal's queue takes, and
/// telemetry shall not wait.
const SHORT_BYTES: usize = 4 * 1024;
/// Two for each that may be added, so that the table shrinks while it is used.
const FORGOTTEN_AT_ONCE: usize = 2;

/// Receivers of what an account sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Readers {
    /// A partition, or a room.
    Many,
    One(TerminalKey),
}

type Way = (Arc<str>, Readers);

/// Accounts that have sent lately, each by whom it has sent to. Those that have their whole allowance again are forgotten.
#[derive(Debug, Default)]
pub(crate) struct Allowances {
    buckets: BTreeMap<Way, Bucket>,
    /// The same in the order in which they began.
    sending: VecDeque<Way>,
}

impl Allowances {
    /// Charges a message; what does not fit yet has to wait for so long.
    pub(crate) fn charge(
        &mut self,
        now: Instant,
        account: &Arc<str>,
        readers: Readers,
        bytes: usize,
    ) -> Result<(), Duration> {
        if readers != Readers::Many && bytes <= SHORT_BYTES {
            return Ok(());
        }
        self.forget_calm(now);
        let way = (Arc::clone(account), readers);
        if !self.buckets.contains_key(&way) {
            if self.buckets.len() >= limits::ALLOWANCES_MAX {
                return Err(Duration::from_secs(1));
            }
            self.sending.push_back(way.clone());
        }
        let full =
            || Bucket::new(now, limits::ACCOUNT_SENDS_KIB_PER_SECOND, limits::ACCOUNT_SENDS_KIB_AT_ONCE);
        let bucket = self.buckets.entry(way).or_insert_with(full);
        let cost = u32::try_from(bytes.div_ceil(TOKEN_BYTES).max(1)).unwrap_or(u32::MAX);
        if bucket.take(now, cost) { Ok(()) } else { Err(bucket.ready_at().since(now)) }
    }

    fn forget_calm(&mut self, now: Instant) {
        for _ in 0..FORGOTTEN_AT_ONCE.min(self.sending.len()) {
            let Some(way) = self.sending.pop_front() else { return };
            if self.buckets.get_mut(&way).is_some_and(|bucket| !bucket.is_full(now)) {
                self.sending.push_back(way);
            } else {
                self.buckets.remove(&way);
            }
        }
    }
}

impl Terminals {
    /// Charges the sender's account for a message in its own words, and gives it back if it may be sent now; otherwise the
    /// sender is told when.
    pub(crate) fn charged(
        &mut self,
        now: Now,
        request: &Request<'_>,
        readers: Readers,
        message: Message,
    ) -> Option<Message> {
        // Each reader gets these bytes, and an envelope.
        let bytes = message.body.as_ref().map_or(0, String::len);
        let charged = self.allowances.charge(now.mono, &request.account.name, readers, bytes);
        if let Err(wait) = charged {
            self.stats.sends_put_off += 1;
            let why = format!(
                "this account sends more than its readers' lines may take; again in {} ms",
                wait.as_millis().max(1)
            );
            self.refuse(now, request, Failed::busy(why));
        }
        charged.is_ok().then_some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    #[test]
    fn what_an_account_sends_at_once_fits_into_a_readers_queue() {
        let (mut allowances, account) = (Allowances::default(), Arc::from("ann"));
        let mut sent = 0;
        while allowances.charge(Instant(0), &account, Readers::Many, MIB).is_ok() {
            sent += MIB;
        }
        assert!((MIB..limits::TERMINAL_QUEUE_BYTES_MAX).contains(&sent), "{sent}");
        let wait = allowances.charge(Instant(0), &account, Readers::Many, 1).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(2), "{wait:?}");
        assert_eq!(allowances.charge(Instant(0) + wait, &account, Readers::Many, 1), Ok(()));
        assert_eq!(allowances.charge(Instant(0), &Arc::from("bob"), Readers::Many, MIB), Ok(()));
    }

    #[test]
    fn in_the_long_run_it_is_what_a_line_of_10_mbit_takes() {
        let (mut allowances, account) = (Allowances::default(), Arc::from("ann"));
        let mut sent = 0;
        for ms in 0..60_000 {
            let now = Instant(0) + Duration::from_millis(ms);
            if allowances.charge(now, &account, Readers::Many, 100_000).is_ok() {
                sent += 100_000;
            }
        }
        let bits_per_second = (sent - 3 * MIB) * 8 / 60;
        assert!((5_000_000..10_000_000).contains(&bits_per_second), "{bits_per_second}");
    }

    #[test]
    fn short_messages_to_one_are_free_and_what_is_calm_is_forgotten() {
        let (mut allowances, account) = (Allowances::default(), Arc::from("ann"));
        let to = |n: u32| Readers::One(TerminalKey::of(&format!("t{n}@cn").parse().unwrap()));
        for n in 0..1_000 {
            assert_eq!(allowances.charge(Instant(0), &account, to(n), SHORT_BYTES), Ok(()));
        }
        assert!(allowances.buckets.is_empty());
        for n in 0..100 {
            assert_eq!(allowances.charge(Instant(0), &account, to(n), MIB), Ok(()));
        }
        assert_eq!(allowances.buckets.len(), 100);
        let later = Instant(0) + Duration::from_secs(60);
        for _ in 0..100 {
            let _put_off = allowances.charge(later, &account, to(0), MIB).is_err();
        }
        assert_eq!((allowances.buckets.len(), allowances.sending.len()), (1, 1));
    }
}
