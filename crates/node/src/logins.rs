//! Checks passwords beside the driver: a few at a time, not at all while somebody guesses.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::num::NonZero;
use std::sync::Arc;

use taoyao_auth::{AllowList, Credentials, Login, LoginLimiter, LoginVerdict, SharedAccount};
use taoyao_core::Verified;
use taoyao_topology::Login as Settings;
use taoyao_types::limits::LOGINS_WAITING_MAX;
use taoyao_types::{ConnId, Now, TerminalName};
use tokio::task::JoinSet;

use crate::users_file::{UsersError, UsersFile};

/// One password to check.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) conn: ConnId,
    /// The terminals' machine knows the check by it.
    pub(crate) number: u64,
    pub(crate) ip: IpAddr,
    pub(crate) credentials: Credentials,
    pub(crate) terminal: TerminalName,
}

/// A ticket whose password has been checked.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) ticket: Ticket,
    verdict: LoginVerdict,
}

/// Totals since the start.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LoginStats {
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
    /// Refused without a look at the password: too many failures, or too many logins at once.
    pub(crate) put_off: u64,
}

/// Who may register at this node, and who tried.
#[derive(Debug)]
pub(crate) struct Logins {
    shared: Option<Login>,
    users: Arc<UsersFile>,
    limiter: LoginLimiter,
    running: JoinSet<Checked>,
    waiting: VecDeque<Ticket>,
    running_max: usize,
    stats: LoginStats,
}

impl Logins {
    /// Reads the users; blocks on the disk.
    pub(crate) fn open(settings: &Settings) -> Result<Self, UsersError> {
        let shared = settings.shared_account.as_ref().map(|account| {
            Login::Shared(SharedAccount {
                username: account.username.clone(),
                password: account.password.reveal().to_owned(),
                roles: account.roles.clone(),
                signals: AllowList(account.signals.clone()),
            })
        });
        let users = UsersFile::open(&settings.users)?;
        if shared.is_none() && users.current().list().len() == 0 {
            let path = settings.users.display();
            tracing::warn!(%path, "there are no accounts, so no terminal can register; `taoyao user add` makes one");
        }
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Ok(Self {
            shared,
            users: Arc::new(users),
            limiter: LoginLimiter::default(),
            running: JoinSet::new(),
            waiting: VecDeque::new(),
            // One core is left to the signals of those who are in.
            running_max: cores.saturating_sub(1).max(1),
            stats: LoginStats::default(),
        })
    }

    pub(crate) fn stats(&self) -> LoginStats {
        self.stats
    }

    /// Decides at once where that costs nothing; else `None`, and [`Logins::next`] has it later.
    pub(crate) fn begin(&mut self, now: Now, ticket: Ticket) -> Option<Verified> {
        if let Err(wait) = self.limiter.check(now, ticket.ip, &ticket.credentials.username) {
            tracing::debug!(conn = ticket.conn.0, terminal = %ticket.terminal, %wait, "login put off");
            self.stats.put_off += 1;
            return Some(Verified::Refused);
        }
        if let Some(shared) = &self.shared {
            let name = &ticket.terminal;
            let verdict = shared.verify(&ticket.credentials, &name.client, &name.partition);
            if let LoginVerdict::Accepted(_) = verdict {
                return Some(self.finish(now, &Checked { ticket, verdict }));
            }
        }
        if self.waiting.len() >= LOGINS_WAITING_MAX {
            self.stats.put_off += 1;
            return Some(Verified::Refused);
        }
        self.waiting.push_back(ticket);
        self.start_waiting();
        None
    }

    /// The next login that has been checked; `None` if none is being checked.
    pub(crate) async fn next(&mut self) -> Option<Checked> {
        let checked = self.running.join_next().await?;
        self.start_waiting();
        match checked {
            Ok(checked) => Some(checked),
            Err(error) => {
                tracing::error!(%error, "a password check failed; its terminal is closed as unregistered");
                None
            }
        }
    }

    /// Counts and remembers how a login ended.
    pub(crate) fn finish(&mut self, now: Now, checked: &Checked) -> Verified {
        let Ticket { conn, ip, credentials, terminal, .. } = &checked.ticket;
        match &checked.verdict {
            LoginVerdict::Accepted(account) => {
                self.limiter.succeeded(now, *ip, &credentials.username);
                self.stats.accepted += 1;
                Verified::Accepted(account.clone())
            }
            LoginVerdict::Refused(reason) => {
                self.limiter.failed(now, *ip, &credentials.username);
                self.stats.refused += 1;
                tracing::debug!(conn = conn.0, %terminal, %reason, "login refused");
                Verified::Refused
            }
        }
    }

    fn start_waiting(&mut self) {
        while self.running.len() < self.running_max {
            let Some(ticket) = self.waiting.pop_front() else { return };
            let users = Arc::clone(&self.users);
            self.running.spawn_blocking(move || check(&users, ticket));
        }
    }
}

/// About 20 ms of one core.
fn check(users: &UsersFile, ticket: Ticket) -> Checked {
    let name = &ticket.terminal;
    let verdict = users.current().verify(&ticket.credentials, &name.client, &name.partition);
    Checked { ticket, verdict }
}

#[cfg(test)]
mod tests {
    use taoyao_topology::Topology;

    use super::*;

    const NOW: Now = Now { mono: taoyao_types::Instant(0), wall: taoyao_types::Wall(0) };

    #[tokio::test]
    async fn the_shared_account_is_decided_at_once_and_others_are_looked_up() {
        let mut logins = logins("shared_account = { username = \"taoyao\", password = \"peach\" }");
        assert!(matches!(logins.begin(NOW, ticket("taoyao", "peach")), Some(Verified::Accepted(_))));
        assert_eq!(logins.begin(NOW, ticket("taoyao", "pear")), None);
        let checked = logins.next().await.unwrap();
        assert_eq!(logins.finish(NOW, &checked), Verified::Refused);
        assert_eq!(logins.stats(), LoginStats { accepted: 1, refused: 1, put_off: 0 });
    }

    #[tokio::test]
    async fn whoever_guesses_is_put_off_without_a_look_at_the_password() {
        let mut logins = logins("shared_account = { username = \"taoyao\", password = \"peach\" }");
        for _ in 0..6 {
            assert_eq!(logins.begin(NOW, ticket("taoyao", "pear")), None);
            let checked = logins.next().await.unwrap();
            logins.finish(NOW, &checked);
        }
        assert_eq!(logins.begin(NOW, ticket("taoyao", "peach")), Some(Verified::Refused));
        assert_eq!(logins.stats().put_off, 1);
    }

    #[tokio::test]
    async fn too_many_logins_at_once_are_refused() {
        let mut logins = logins("");
        let room = logins.running_max + LOGINS_WAITING_MAX;
        for nth in 0..room {
            assert_eq!(logins.begin(NOW, ticket("ann", "x")), None, "{nth}");
        }
        assert_eq!(logins.begin(NOW, ticket("ann", "x")), Some(Verified::Refused));
    }

    fn logins(settings: &str) -> Logins {
        let text = format!(
            "org = \"acme\"\n[login]\ndevelopment = true\nusers = \"no-such-users.toml\"\n{settings}\n[[node]]\nname = \"cn\"\n"
        );
        Logins::open(Topology::parse("acme.toml", &text).unwrap().login()).unwrap()
    }

    fn ticket(username: &str, password: &str) -> Ticket {
        let credentials = Credentials { username: username.to_owned(), password: password.to_owned() };
        let (ip, terminal) = (IpAddr::from([192, 0, 2, 1]), "cam-7@cn".parse().unwrap());
        Ticket { conn: ConnId(1), number: 1, ip, credentials, terminal }
    }
}
