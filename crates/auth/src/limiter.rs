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
/// Addresses from which an account is known to log in; of more, the one that was used longest ago is forgotten.
const PLACES_MAX: usize = 16;

/// Slows down password guessing, by remote address and by account name.
///
/// Five failures are free; each further one locks the address and the name, for 1 s at first and twice as long each time up
/// to 5 min. Every 5 min without a failure forgive one. An account that has logged in from an address is known there: it has
/// failures of its own, and neither those of others behind the same address nor those of guessers elsewhere shut it out. A
/// success forgives nothing but these, so that nobody buys guesses with an account of their own.
///
/// Ask when a check begins and not when it is asked for: of many guesses at once only the free ones are looked at.
#[derive(Debug, Clone, Default)]
pub struct LoginLimiter {
    addresses: BTreeMap<IpAddr, Failures>,
    /// Only names of at most `limits::USERNAME_BYTES_MAX` bytes: longer ones are no account's.
    names: BTreeMap<String, Failures>,
    known: BTreeMap<String, Places>,
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

/// Where an account is known, the place that was used last at the end; with its failures there.
#[derive(Debug, Clone, Default)]
struct Places(Vec<(IpAddr, Failures)>);

impl LoginLimiter {
    /// Whether a login as `user` from `ip` may be tried now.
    pub fn check(&self, now: Now, ip: IpAddr, user: &str) -> Result<(), RetryAfter> {
        let ip = limited_as(ip);
        let lock = match self.known.get(user).and_then(|places| places.find(ip)) {
            Some(own) => own.lock(now.mono),
            None => {
                let of = |failures: Option<&Failures>| failures.map_or(Duration::ZERO, |f| f.lock(now.mono));
                of(self.addresses.get(&ip)).max(of(self.names.get(user)))
            }
        };
        if lock.is_zero() { Ok(()) } else { Err(RetryAfter(lock)) }
    }

    /// A login was refused.
    pub fn failed(&mut self, now: Now, ip: IpAddr, user: &str) {
        let ip = limited_as(ip);
        if let Some(own) = self.known.get_mut(user).and_then(|places| places.find_mut(ip)) {
            return own.add(now.mono);
        }
        make_room(&mut self.addresses, &ip);
        self.addresses.entry(ip).or_default().add(now.mono);
        if user.len() <= limits::USERNAME_BYTES_MAX {
            make_room(&mut self.names, user);
            self.names.entry(user.to_owned()).or_default().add(now.mono);
        }
    }

    /// A login was accepted: the account is known at this address from now on.
    pub fn succeeded(&mut self, ip: IpAddr, user: &str) {
        let has_room = self.known.len() < limits::LOGINS_REMEMBERED_MAX || self.known.contains_key(user);
        if has_room && user.len() <= limits::USERNAME_BYTES_MAX {
            self.known.entry(user.to_owned()).or_default().note(limited_as(ip));
        }
    }
}

impl Places {
    fn find(&self, ip: IpAddr) -> Option<&Failures> {
        self.0.iter().find(|(place, _)| *place == ip).map(|(_, failures)| failures)
    }

    fn find_mut(&mut self, ip: IpAddr) -> Option<&mut Failures> {
        self.0.iter_mut().find(|(place, _)| *place == ip).map(|(_, failures)| failures)
    }

    fn note(&mut self, ip: IpAddr) {
        self.0.retain(|(place, _)| *place != ip);
        if self.0.len() >= PLACES_MAX {
            self.0.remove(0);
        }
        self.0.push((ip, Failures::default()));
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
fn make_room<K, Q>(table: &mut BTreeMap<K, Failures>, key: &Q)
where
    K: Ord + Clone + std::borrow::Borrow<Q>,
    Q: Ord + ?Sized,
{
    if table.len() < limits::LOGIN_FAILURES_MAX || table.contains_key(key) {
        return;
    }
    let oldest = table.iter().min_by_key(|(_, failures)| failures.last).map(|(key, _)| key.clone());
    if let Some(oldest) = oldest {
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
    fn many_addresses_share_the_guesses_at_one_name() {
        let mut limiter = LoginLimiter::default();
        let looked_at = (0..1_000).filter(|nth| {
            let from = ip((nth % 40) as u8);
            let may = limiter.check(at(0), from, "ann").is_ok();
            may.then(|| limiter.failed(at(0), from, "ann")).is_some()
        });
        assert_eq!(looked_at.count(), FREE as usize + 1);
    }

    #[test]
    fn one_network_of_ipv6_is_one_address() {
        let mut limiter = LoginLimiter::default();
        for nth in 0..=FREE {
            limiter.failed(at(0), format!("2001:db8::{nth}").parse().unwrap(), &format!("user-{nth}"));
        }
        assert!(limiter.check(at(0), "2001:db8::ffff".parse().unwrap(), "ann").is_err());
        assert!(limiter.check(at(0), "2001:db8:0:1::1".parse().unwrap(), "ann").is_ok());
    }

    #[test]
    fn guessers_elsewhere_cannot_lock_out_who_logged_in_before() {
        let mut limiter = LoginLimiter::default();
        limiter.succeeded(ip(1), "ann");
        for _ in 0..20 {
            limiter.failed(at(1), ip(66), "ann");
        }
        assert!(limiter.check(at(1), ip(2), "ann").is_err());
        assert_eq!(limiter.check(at(1), ip(1), "ann"), Ok(()));
    }

    #[test]
    fn one_camera_with_an_old_password_locks_out_nobody_else_of_its_site() {
        let mut limiter = LoginLimiter::default();
        for account in ["cam-1", "cam-2", "cam-3"] {
            limiter.succeeded(ip(1), account);
        }
        for _ in 0..100 {
            limiter.failed(at(1), ip(1), "cam-1");
        }
        assert!(limiter.check(at(1), ip(1), "cam-1").is_err(), "it is slowed down itself");
        assert_eq!(limiter.check(at(1), ip(1), "cam-2"), Ok(()));
        assert_eq!(limiter.check(at(1), ip(1), "cam-new"), Ok(()), "nor a new camera");
        for _ in 0..100 {
            limiter.failed(at(1), ip(1), "guess");
        }
        assert_eq!(limiter.check(at(1), ip(1), "cam-3"), Ok(()), "nor do guesses behind the same address");
        assert!(limiter.check(at(1), ip(1), "cam-new").is_err());
    }

    #[test]
    fn an_own_account_buys_no_guesses() {
        let mut limiter = LoginLimiter::default();
        let mut looked_at = 0;
        for nth in 0..100 {
            limiter.succeeded(ip(1), "mallory");
            if limiter.check(at(0), ip(1), &format!("user-{nth}")).is_ok() {
                limiter.failed(at(0), ip(1), &format!("user-{nth}"));
                looked_at += 1;
            }
        }
        assert_eq!(looked_at, FREE + 1);
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
        (0..100).for_each(|last| limiter.succeeded(ip(last), "ann"));
        assert_eq!(limiter.known["ann"].0.len(), PLACES_MAX);
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
