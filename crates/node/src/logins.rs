//! Checks passwords beside the driver: a few at a time, not at all while somebody guesses.

use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use std::num::NonZero;
use std::sync::Arc;

use taoyao_auth::{
    Account, AllowList, Credentials, Login, LoginLimiter, LoginVerdict, RetryAfter, SharedAccount,
};
use taoyao_core::{Input, Verified};
use taoyao_gateway::NotLetIn;
use taoyao_topology::Login as Settings;
use taoyao_types::limits::LOGINS_WAITING_MAX;
use taoyao_types::{ConnId, Now, Secret, TerminalName};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::users_file::{UsersError, UsersFile};

/// One password to check.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) who: Who,
    pub(crate) ip: IpAddr,
    pub(crate) credentials: Credentials,
}

/// Who logs in.
#[derive(Debug)]
pub(crate) enum Who {
    /// A terminal; the terminals' machine knows the check by the number.
    Terminal { conn: ConnId, number: u64, name: TerminalName },
    /// Somebody who calls the REST interface.
    Caller { reply: oneshot::Sender<Result<Account, NotLetIn>> },
}

/// What has been looked at.
#[derive(Debug)]
pub(crate) enum Checked {
    Password { ticket: Ticket, verdict: LoginVerdict },
    Token { reply: oneshot::Sender<Result<Account, NotLetIn>>, verdict: LoginVerdict },
    Known { who: Who, verdict: LoginVerdict },
}

/// How a login ended.
#[derive(Debug)]
pub(crate) struct Settled {
    who: Who,
    outcome: Result<Account, NotLetIn>,
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
    pub(crate) fn begin(&mut self, now: Now, ticket: Ticket) -> Option<Settled> {
        if let Err(wait) = self.limiter.check(now, ticket.ip, &ticket.credentials.username) {
            tracing::debug!(who = %ticket.who, %wait, "login put off");
            let RetryAfter(wait) = wait;
            return Some(self.put_off(ticket.who, NotLetIn::TooSoon { seconds: wait.as_secs().max(1) }));
        }
        if let Some(shared) = &self.shared {
            let verdict = ticket.verify_by(shared);
            if let LoginVerdict::Accepted(_) = verdict {
                return Some(self.finish(now, Checked::Password { ticket, verdict }));
            }
        }
        if self.waiting.len() >= LOGINS_WAITING_MAX {
            return Some(self.put_off(ticket.who, NotLetIn::Busy));
        }
        self.waiting.push_back(ticket);
        self.start_waiting();
        None
    }

    /// Looks whose token it is, beside the passwords that wait: it takes no time. Nobody guesses a token, so wrong ones put
    /// nobody off.
    pub(crate) fn check_token(&mut self, token: Secret, reply: oneshot::Sender<Result<Account, NotLetIn>>) {
        if self.running.len() >= LOGINS_WAITING_MAX {
            self.put_off(Who::Caller { reply }, NotLetIn::Busy).tell();
            return;
        }
        let users = Arc::clone(&self.users);
        self.running.spawn_blocking(move || {
            let verdict = users.current().authenticate_token(&token);
            Checked::Token { reply, verdict }
        });
    }

    /// Looks whether a terminal whose account is known already may register under its name.
    pub(crate) fn readmit(&mut self, account: Account, conn: ConnId, number: u64, name: TerminalName) {
        let (client, partition) = (name.client.clone(), name.partition.clone());
        let who = Who::Terminal { conn, number, name };
        let is_shared = match &self.shared {
            Some(Login::Shared(shared)) => *shared.username == *account.name,
            _ => false,
        };
        let users = Arc::clone(&self.users);
        self.running.spawn_blocking(move || {
            let verdict = match is_shared {
                true => LoginVerdict::Accepted(account),
                false => users.current().readmit(&account.name, &client, &partition),
            };
            Checked::Known { who, verdict }
        });
    }

    /// The next login that has been checked; `None` if none is being checked.
    pub(crate) async fn next(&mut self) -> Option<Checked> {
        let checked = self.running.join_next().await?;
        self.start_waiting();
        match checked {
            Ok(checked) => Some(checked),
            Err(error) => {
                tracing::error!(%error, "a password check failed; its terminal is closed as unregistered, its caller is told to try again");
                None
            }
        }
    }

    /// Counts and remembers how a login ended.
    pub(crate) fn finish(&mut self, now: Now, checked: Checked) -> Settled {
        match checked {
            Checked::Password { ticket: Ticket { who, ip, credentials }, verdict } => {
                match verdict {
                    LoginVerdict::Accepted(_) => self.limiter.succeeded(now, ip, &credentials.username),
                    LoginVerdict::Refused(_) => self.limiter.failed(now, ip, &credentials.username),
                }
                self.settle(who, verdict)
            }
            Checked::Token { reply, verdict } => self.settle(Who::Caller { reply }, verdict),
            Checked::Known { who, verdict } => self.settle(who, verdict),
        }
    }

    fn settle(&mut self, who: Who, verdict: LoginVerdict) -> Settled {
        let outcome = match verdict {
            LoginVerdict::Accepted(account) => {
                self.stats.accepted += 1;
                Ok(account)
            }
            LoginVerdict::Refused(reason) => {
                self.stats.refused += 1;
                tracing::debug!(%who, %reason, "login refused");
                Err(NotLetIn::Wrong)
            }
        };
        Settled { who, outcome }
    }

    fn put_off(&mut self, who: Who, why: NotLetIn) -> Settled {
        self.stats.put_off += 1;
        Settled { who, outcome: Err(why) }
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
    let verdict = ticket.verify_by(&Login::Users(users.current()));
    Checked::Password { ticket, verdict }
}

impl Ticket {
    fn verify_by(&self, login: &Login) -> LoginVerdict {
        match &self.who {
            Who::Terminal { name, .. } => login.verify(&self.credentials, &name.client, &name.partition),
            Who::Caller { .. } => login.authenticate(&self.credentials),
        }
    }
}

impl Settled {
    /// Tells a caller; what is returned is for the terminals' machine.
    pub(crate) fn tell(self) -> Option<Input> {
        match self.who {
            Who::Terminal { conn, number, .. } => {
                let verified = self.outcome.map_or(Verified::Refused, Verified::Accepted);
                Some(Input::Verified { conn, number, verified })
            }
            Who::Caller { reply } => {
                // The caller may have given up by now.
                let _gave_up = reply.send(self.outcome);
                None
            }
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Terminal { name, .. } => write!(f, "terminal {name}"),
            Self::Caller { .. } => f.write_str("a REST call"),
        }
    }
}

#[cfg(test)]
mod tests {
    use taoyao_topology::Topology;

    use super::*;

    const NOW: Now = Now { mono: taoyao_types::Instant(0), wall: taoyao_types::Wall(0) };

    #[tokio::test]
    async fn the_shared_account_is_decided_at_once_and_others_are_looked_up() {
        let mut logins = logins("shared_account = { username = \"taoyao\", password = \"peach\" }");
        assert!(is_accepted(logins.begin(NOW, ticket("taoyao", "peach")).unwrap()));
        assert!(logins.begin(NOW, ticket("taoyao", "pear")).is_none());
        let checked = logins.next().await.unwrap();
        assert!(!is_accepted(logins.finish(NOW, checked)));
        assert_eq!(logins.stats(), LoginStats { accepted: 1, refused: 1, put_off: 0 });
    }

    #[tokio::test]
    async fn whoever_guesses_is_put_off_without_a_look_at_the_password() {
        let mut logins = logins("shared_account = { username = \"taoyao\", password = \"peach\" }");
        for _ in 0..6 {
            assert!(logins.begin(NOW, ticket("taoyao", "pear")).is_none());
            let checked = logins.next().await.unwrap();
            logins.finish(NOW, checked);
        }
        assert!(!is_accepted(logins.begin(NOW, ticket("taoyao", "peach")).unwrap()));
        assert_eq!(logins.stats().put_off, 1);
        let (reply, answer) = oneshot::channel();
        let caller = Ticket { who: Who::Caller { reply }, ..ticket("taoyao", "peach") };
        assert!(logins.begin(NOW, caller).unwrap().tell().is_none());
        assert_eq!(answer.await.unwrap(), Err(NotLetIn::TooSoon { seconds: 1 }));
    }

    #[tokio::test]
    async fn whoever_calls_gets_the_account_of_a_password_or_a_token() {
        let mut logins = logins("shared_account = { username = \"taoyao\", password = \"peach\" }");
        let (reply, answer) = oneshot::channel();
        let caller = Ticket { who: Who::Caller { reply }, ..ticket("taoyao", "peach") };
        assert!(logins.begin(NOW, caller).unwrap().tell().is_none());
        assert_eq!(&*answer.await.unwrap().unwrap().name, "taoyao");

        let (reply, answer) = oneshot::channel();
        logins.check_token(Secret("tao_nobody's".into()), reply);
        let checked = logins.next().await.unwrap();
        assert!(logins.finish(NOW, checked).tell().is_none());
        assert_eq!(answer.await.unwrap(), Err(NotLetIn::Wrong));
    }

    #[tokio::test]
    async fn too_many_logins_at_once_are_refused() {
        let mut logins = logins("");
        let room = logins.running_max + LOGINS_WAITING_MAX;
        for nth in 0..room {
            assert!(logins.begin(NOW, ticket("ann", "x")).is_none(), "{nth}");
        }
        assert!(!is_accepted(logins.begin(NOW, ticket("ann", "x")).unwrap()));
    }

    fn logins(settings: &str) -> Logins {
        let text = format!(
            "org = \"acme\"\n[login]\ndevelopment = true\nusers = \"no-such-users.toml\"\n{settings}\n[[node]]\nname = \"cn\"\n"
        );
        Logins::open(Topology::parse("acme.toml", &text).unwrap().login()).unwrap()
    }

    fn ticket(username: &str, password: &str) -> Ticket {
        let credentials = Credentials { username: username.to_owned(), password: password.to_owned() };
        let who = Who::Terminal { conn: ConnId(1), number: 1, name: "cam-7@cn".parse().unwrap() };
        Ticket { who, ip: IpAddr::from([192, 0, 2, 1]), credentials }
    }

    fn is_accepted(settled: Settled) -> bool {
        matches!(settled.tell(), Some(Input::Verified { verified: Verified::Accepted(_), .. }))
    }
}
