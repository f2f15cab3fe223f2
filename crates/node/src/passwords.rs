//! Hashes and checks the passwords of rooms beside the driver, one at a time: a login must not wait long behind them.

use std::collections::VecDeque;

use taoyao_auth::{hash_password, is_password};
use taoyao_core::{PasswordDone, PasswordWork};
use tokio::task::JoinSet;

/// Passwords that are being worked on. How many may wait is the terminals' machine's to bound.
#[derive(Debug, Default)]
pub(crate) struct Passwords {
    running: JoinSet<(u64, PasswordDone)>,
    waiting: VecDeque<(u64, PasswordWork)>,
}

impl Passwords {
    pub(crate) fn begin(&mut self, number: u64, work: PasswordWork) {
        self.waiting.push_back((number, work));
        self.start();
    }

    /// The next one that is done; `None` if there is nothing to do.
    pub(crate) async fn next(&mut self) -> Option<(u64, PasswordDone)> {
        let done = self.running.join_next().await?;
        self.start();
        match done {
            Ok(done) => Some(done),
            Err(error) => {
                tracing::error!(%error, "work on a password failed; whoever waits for it is told at its deadline");
                None
            }
        }
    }

    fn start(&mut self) {
        if self.running.is_empty()
            && let Some((number, work)) = self.waiting.pop_front()
        {
            self.running.spawn_blocking(move || (number, carry_out(work)));
        }
    }
}

/// About 20 ms of one core.
fn carry_out(work: PasswordWork) -> PasswordDone {
    match work {
        PasswordWork::Hash(password) => {
            let mut salt = [0; 16];
            let hash = getrandom::fill(&mut salt).ok().and_then(|()| hash_password(&password, salt));
            hash.map_or(PasswordDone::PutOff, PasswordDone::Hashed)
        }
        PasswordWork::Check(password, hash) if is_password(&password, &hash) => PasswordDone::Matches,
        PasswordWork::Check(..) => PasswordDone::Differs,
    }
}

#[cfg(test)]
mod tests {
    use taoyao_types::Secret;

    use super::*;

    #[tokio::test]
    async fn what_was_hashed_is_recognised() {
        let mut passwords = Passwords::default();
        passwords.begin(1, PasswordWork::Hash(Secret("peach".into())));
        let Some((1, PasswordDone::Hashed(hash))) = passwords.next().await else { panic!("no hash") };
        passwords.begin(2, PasswordWork::Check(Secret("pear".into()), hash.clone()));
        passwords.begin(3, PasswordWork::Check(Secret("peach".into()), hash));
        assert_eq!(passwords.next().await, Some((2, PasswordDone::Differs)));
        assert_eq!(passwords.next().await, Some((3, PasswordDone::Matches)));
        assert_eq!(passwords.next().await, None);
    }
}
