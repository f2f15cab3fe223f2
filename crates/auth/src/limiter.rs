//! How soon a login may be tried again after failures.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use taoyao_types::net::limited_as;
use taoyao_types::{Instant, Now, limits};

/// Failures that cost nothing: people mistype.
const FREE: u32 = 5;
/// The lock after the first failure beyond the free ones; each further one doubles it.
const LOCK_MIN: Duration = Duration::from_secs(1);
/// The longest lock, and the time that forgives one failure.
const LOCK_MAX: Duration = Duration::from_secs(300);

/// Slows down password guessing, by remote address and by account name.
///
/// Five failures are free; each further one locks the address and the name, for 1 s at first and twice as long each
/// time up to 5 min. Every 5 min without a failure forgive one. A success forgives both, and from the address of an
/// account's last success a locked name stays open: who knows a name cannot lock its owner out.
#[derive(Debug, Clone, Default)]
pub struct LoginLimiter {
    addresses: BTreeMap<IpAddr, Failures>,
    /// Only names of at most `limits::USERNAME_BYTES_MAX` bytes: longer ones are no account's.
    names: BTreeMap<String, Account>,
}

/// The login may be tried again after this time; until then it must not even be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many failed logins; try again in {} s", .0.as_secs().max(1))]
pub struct RetryAfter(pub Duration);

#[derive(Debug, Clone, Copy, Default)]
struct Failures {
    count: u32,
    last: Instant,
}

#[derive(Debug, Clone, Copy, Default)]
struct Account {
    failures: Failures,
    succeeded_from: Option<IpAddr>,
}

impl LoginLimiter {
    /// Whether a login as `user` from `ip` may be tried now.
    pub fn check(&self, now: Now, ip: IpAddr, user: &str) -> Result<(), RetryAfter> {
        let ip = limited_as(ip);
        let by_address = self.addresses.get(&ip).map_or(Duration::ZERO, |failures| failures.lock(now.mono));
        let by_name = match self.names.get(user) {
            Some(account) if account.succeeded_from != Some(ip) => account.failures.lock(now.mono),
            _ => Duration::ZERO,
        };
        match by_address.max(by_name) {
            Duration::ZERO => Ok(()),
            lock => Err(RetryAfter(lock)),
        }
    }

    /// A login was refused.
    pub fn failed(&mut self, now: Now, ip: IpAddr, user: &str) {
        let ip = limited_as(ip);
        make_room(&mut self.addresses, &ip, |failures| failures.last);
        self.addresses.entry(ip).or_default().add(now.mono);
        if user.len() <= limits::USERNAME_BYTES_MAX {
            make_room(&mut self.names, user, |account| account.failures.last);
            self.names.entry(user.to_owned()).or_default().failures.add(now.mono);
        }
    }

    /// A login was accepted: the address and the name start afresh.
    pub fn succeeded(&mut self, now: Now, ip: IpAddr, user: &str) {
        let ip = limited_as(ip);
        self.addresses.remove(&ip);
        if user.len() <= limits::USERNAME_BYTES_MAX {
            make_room(&mut self.names, user, |account| account.failures.last);
            let failures = Failures { count: 0, last: now.mono };
            self.names.insert(user.to_owned(), Account { failures, succeeded_from: Some(ip) });
        }
    }
}

impl Failures {
    fn add(&mut self, now: Instant) {
        self.count = self.remembered(now).saturating_add(1);
        self.last = now;
    }

    fn remembered(&self, now: Instant) -> u32 {
        let forgiven = now.since(self.last).as_secs() / LOCK_MAX.as_secs();
        self.count.saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX))
    }

    /// The rest of the lock.
    fn lock(&self, now: Instant) -> Duration {
        if self.count <= FREE {
            return Duration::ZERO;
        }
        let doublings = (self.count - FREE - 1).min(16);
        let whole = LOCK_MIN.saturating_mul(1 << doublings).min(LOCK_MAX);
        whole.saturating_sub(now.since(self.last))
    }
}

/// Forgets the oldest entry if `key` is new and the table is full.
fn make_room<K, Q, V>(table: &mut BTreeMap<K, V>, key: &Q, last: impl Fn(&V) -> Instant)
where
    K: Ord + Clone + std::borrow::Borrow<Q>,
    Q: Ord + ?Sized,
{
    if table.len() < limits::LOGIN_FAILURES_MAX || table.contains_key(key) {
        return;
    }
    if let Some(oldest) = table.iter().min_by_key(|(_, entry)| last(entry)).map(|(key, _)| key.clone()) {
        table.remove(oldest.borrow());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_are_free_then_the_lock_doubles_up_to_five_minutes() {
        let mut limiter = LoginLimiter::default();
        let mut now = at(1_000);
        let mut locks = Vec::new();
        for _ in 0..16 {
            limiter.failed(now, ip(1), "ann");
            let lock = limiter.check(now, ip(1), "ann").err().map_or(0, |RetryAfter(lock)| lock.as_secs());
            locks.push(lock);
            now = at(now.mono.0 / 1_000_000 + lock);
        }
        assert_eq!(locks[..12], [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64]);
        assert!(locks.iter().all(|lock| *lock <= 300));
        assert!(locks.contains(&300), "{locks:?}");
    }

    #[test]
    fn a_lock_ends_by_itself() {
        let mut limiter = locked();
        assert_eq!(limiter.check(at(0), ip(1), "ann"), Err(RetryAfter(Duration::from_secs(1))));
        assert_eq!(limiter.check(at(1), ip(1), "ann"), Ok(()));
        limiter.failed(at(1), ip(1), "ann");
        assert_eq!(limiter.check(at(1), ip(1), "ann"), Err(RetryAfter(Duration::from_secs(2))));
    }

    #[test]
    fn the_address_is_locked_for_other_names_and_the_name_for_other_addresses() {
        let limiter = locked();
        assert!(limiter.check(at(0), ip(1), "bob").is_err());
        assert!(limiter.check(at(0), ip(2), "ann").is_err());
        assert!(limiter.check(at(0), ip(2), "bob").is_ok());
    }

    #[test]
    fn a_success_starts_afresh() {
        let mut limiter = locked();
        limiter.succeeded(at(2), ip(1), "ann");
        for _ in 0..FREE {
            limiter.failed(at(2), ip(1), "ann");
        }
        assert_eq!(limiter.check(at(2), ip(1), "ann"), Ok(()));
    }

    #[test]
    fn an_attacker_elsewhere_cannot_lock_out_who_logged_in_before() {
        let mut limiter = LoginLimiter::default();
        limiter.succeeded(at(0), ip(1), "ann");
        for _ in 0..20 {
            limiter.failed(at(1), ip(66), "ann");
        }
        assert!(limiter.check(at(1), ip(2), "ann").is_err());
        assert_eq!(limiter.check(at(1), ip(1), "ann"), Ok(()));
    }

    #[test]
    fn failures_are_forgiven_with_time() {
        let mut limiter = locked();
        limiter.failed(at(5 * 300 + 1), ip(1), "ann");
        assert_eq!(limiter.check(at(5 * 300 + 1), ip(1), "ann"), Ok(()));
    }

    #[test]
    fn the_tables_are_bounded_and_forget_the_oldest() {
        let mut limiter = LoginLimiter::default();
        for n in 0..=limits::LOGIN_FAILURES_MAX as u32 {
            limiter.failed(at(u64::from(n)), IpAddr::from(n.to_be_bytes()), &format!("user-{n}"));
        }
        assert_eq!(limiter.addresses.len(), limits::LOGIN_FAILURES_MAX);
        assert_eq!(limiter.names.len(), limits::LOGIN_FAILURES_MAX);
        assert!(!limiter.names.contains_key("user-0") && limiter.names.contains_key("user-1"));
        limiter.failed(at(0), ip(1), &"x".repeat(1_000));
        assert_eq!(limiter.names.len(), limits::LOGIN_FAILURES_MAX);
    }

    fn locked() -> LoginLimiter {
        let mut limiter = LoginLimiter::default();
        for _ in 0..=FREE {
            limiter.failed(at(0), ip(1), "ann");
        }
        limiter
    }

    fn at(seconds: u64) -> Now {
        Now { mono: Instant(seconds * 1_000_000), ..Now::default() }
    }

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }
}
