//! What was right, or wrong, a moment ago: a login that comes again needs no second look at a slow hash.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use taoyao_types::{Instant, Now, limits};

use crate::credentials::Credentials;
use crate::seal::Sealer;
use crate::version::AccountVersion;

/// Remembers passwords by seals under a key of this process, which nobody can compare with anything once it has ended.
///
/// A right one is remembered for [`limits::LOGIN_REMEMBERED`] after it was looked at, and only for the version of the account
/// that it was right for. A wrong one that comes again tells a guesser nothing new, so it costs nobody a lock: a camera with
/// an old password shuts out nobody but itself.
#[derive(Debug)]
pub struct RecentLogins {
    sealer: Sealer,
    right: BTreeMap<String, Right>,
    wrong: BTreeSet<String>,
    /// The same, the oldest first.
    wrong_since: VecDeque<String>,
}

#[derive(Debug)]
struct Right {
    seal: String,
    version: AccountVersion,
    until: Instant,
}

impl RecentLogins {
    /// `key` must be random, secret and fresh.
    pub fn new(key: [u8; 32]) -> Self {
        let (right, wrong, wrong_since) = Default::default();
        Self { sealer: Sealer::new(key), right, wrong, wrong_since }
    }

    /// Whether this password was right a moment ago, for this version of its account.
    pub fn was_right(&self, now: Now, credentials: &Credentials, version: AccountVersion) -> bool {
        let Some(right) = self.right.get(&credentials.username) else { return false };
        let is_fresh = right.version == version && now.mono < right.until;
        is_fresh && self.sealer.is_sealed(PURPOSE, &words(credentials), &right.seal)
    }

    /// Whether just this was found to be wrong.
    pub fn was_wrong(&self, credentials: &Credentials) -> bool {
        !self.wrong.is_empty() && self.wrong.contains(&self.seal(credentials))
    }

    /// A password was looked at and is right.
    pub fn note_right(&mut self, now: Now, credentials: &Credentials, version: AccountVersion) {
        if self.right.len() >= limits::LOGINS_REMEMBERED_MAX {
            self.right.retain(|_, right| now.mono < right.until);
        }
        if self.right.len() < limits::LOGINS_REMEMBERED_MAX || self.right.contains_key(&credentials.username)
        {
            let until = now.mono + limits::LOGIN_REMEMBERED;
            let right = Right { seal: self.seal(credentials), version, until };
            self.right.insert(credentials.username.clone(), right);
        }
    }

    /// A password was looked at and is wrong.
    pub fn note_wrong(&mut self, credentials: &Credentials) {
        let seal = self.seal(credentials);
        if self.wrong.insert(seal.clone()) {
            self.wrong_since.push_back(seal);
        }
        if self.wrong_since.len() > limits::LOGINS_WRONG_REMEMBERED_MAX
            && let Some(oldest) = self.wrong_since.pop_front()
        {
            self.wrong.remove(&oldest);
        }
    }

    /// Accounts have changed: what was wrong may be right now.
    pub fn forget_wrong(&mut self) {
        self.wrong.clear();
        self.wrong_since.clear();
    }

    fn seal(&self, credentials: &Credentials) -> String {
        self.sealer.seal(PURPOSE, &words(credentials))
    }
}

const PURPOSE: &str = "recent login";

fn words(credentials: &Credentials) -> [&str; 2] {
    [&credentials.username, &credentials.password]
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: AccountVersion = AccountVersion(1);

    #[test]
    fn what_was_right_is_right_for_a_while_and_for_this_version_only() {
        let mut recent = RecentLogins::new([7; 32]);
        let now = Now::default();
        recent.note_right(now, &ann("peach"), NEW);
        assert!(recent.was_right(now, &ann("peach"), NEW));
        assert!(!recent.was_right(now, &ann("pear"), NEW));
        assert!(!recent.was_right(now, &ann("peach"), AccountVersion(2)));
        let later = Now { mono: now.mono + limits::LOGIN_REMEMBERED, ..now };
        assert!(!recent.was_right(later, &ann("peach"), NEW));
        let bob = Credentials { username: "bob".into(), ..ann("peach") };
        assert!(!recent.was_right(now, &bob, NEW));
    }

    #[test]
    fn what_was_wrong_is_wrong_until_accounts_change() {
        let mut recent = RecentLogins::new([7; 32]);
        recent.note_wrong(&ann("pear"));
        assert!(recent.was_wrong(&ann("pear")) && !recent.was_wrong(&ann("peach")));
        recent.forget_wrong();
        assert!(!recent.was_wrong(&ann("pear")));
    }

    #[test]
    fn both_are_bounded() {
        let mut recent = RecentLogins::new([7; 32]);
        for nth in 0..=limits::LOGINS_WRONG_REMEMBERED_MAX {
            recent.note_wrong(&ann(&nth.to_string()));
        }
        assert_eq!(
            (recent.wrong.len(), recent.wrong_since.len()),
            (limits::LOGINS_WRONG_REMEMBERED_MAX, limits::LOGINS_WRONG_REMEMBERED_MAX)
        );
        assert!(!recent.was_wrong(&ann("0")) && recent.was_wrong(&ann("1")));
    }

    fn ann(password: &str) -> Credentials {
        Credentials { username: "ann".into(), password: password.into() }
    }
}
