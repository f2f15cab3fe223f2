//! Checks who logs in, beside the driver: what was right a moment ago at once, the rest a few at a time and each address in
//! turn, and nothing while somebody guesses.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use taoyao_auth::{
    Account, AllowList, Credentials, Login, LoginLimiter, LoginVerdict, Place, RecentLogins, Refusal,
    RetryAfter, SharedAccount, Users,
};
use taoyao_core::{Dismissal, Input, Verified, Vouched};
use taoyao_gateway::NotLetIn;
use taoyao_topology::Login as Settings;
use taoyao_types::limits::TOKENS_CHECKED_MAX;
use taoyao_types::{ConnId, Now, PartitionName, Secret, TerminalName};
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinSet};

use crate::login_queue::LoginQueue;
use crate::telemetry::AUDIT;
use crate::users_file::{UsersError, UsersFile, Watched};

/// What one look at a password takes of one core, roughly.
const LOOK: Duration = Duration::from_millis(20);

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

/// What there is for the driver to hear.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A password or a token was looked at; for [`Logins::finish`].
    Checked(Checked),
    /// It was not looked at after all.
    Settled(Settled),
    /// A look failed; others may begin.
    Lost,
    /// Accounts have changed: those who are in have to be judged again.
    Users,
}

/// What has been looked at.
#[derive(Debug)]
pub(crate) enum Checked {
    Password { ticket: Ticket, verdict: LoginVerdict },
    Token { reply: oneshot::Sender<Result<Account, NotLetIn>>, ip: IpAddr, verdict: LoginVerdict },
}

/// How a login ended.
#[derive(Debug)]
pub(crate) struct Settled {
    who: Who,
    outcome: Result<Account, Unsettled>,
}

/// Why nobody is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unsettled {
    /// No account's password.
    Wrong,
    /// The right password of an account that is not for this.
    NotFor(Refusal),
    NotLookedAt(Duration),
}

/// Totals since the start; those that go up and down say so.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LoginStats {
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
    /// Refused without a look at the password: too many failures, or too many logins at once.
    pub(crate) put_off: u64,
    /// Accepted or refused without a slow look: the same password was right, or wrong, a moment ago.
    pub(crate) remembered: u64,
    /// Accepted by a ticket of an earlier life.
    pub(crate) vouched: u64,
    /// Now: logins that wait for a look.
    pub(crate) waiting: u64,
}

/// Who may register at this node, and who tried.
#[derive(Debug)]
pub(crate) struct Logins {
    shared: Option<SharedAccount>,
    /// Where accounts register that name no partition.
    home: PartitionName,
    users: Arc<Users>,
    watched: Watched,
    limiter: LoginLimiter,
    recent: RecentLogins,
    running: JoinSet<Checked>,
    tokens: JoinSet<Checked>,
    waiting: LoginQueue<Ticket>,
    settled: Vec<Settled>,
    cores: usize,
    stats: LoginStats,
}

impl Logins {
    /// Reads the users, and looks at their file from now on; blocks on the disk. `key` must be random and fresh.
    pub(crate) fn open(settings: &Settings, home: PartitionName, key: [u8; 32]) -> Result<Self, UsersError> {
        let shared = settings.shared_account.as_ref().map(|account| SharedAccount {
            username: account.username.clone(),
            password: account.password.reveal().to_owned(),
            roles: account.roles.clone(),
            signals: AllowList(account.signals.clone()),
        });
        let file = UsersFile::open(&settings.users)?;
        let users = Arc::clone(file.users());
        if shared.is_none() && users.list().len() == 0 {
            let path = settings.users.display();
            tracing::warn!(%path, "there are no accounts, so no terminal can register; `taoyao user add` makes one");
        }
        Ok(Self {
            shared,
            home,
            users,
            watched: file.watch(),
            limiter: LoginLimiter::default(),
            recent: RecentLogins::new(key),
            running: JoinSet::new(),
            tokens: JoinSet::new(),
            waiting: LoginQueue::default(),
            settled: Vec::new(),
            cores: std::thread::available_parallelism().map_or(1, NonZero::get),
            stats: LoginStats::default(),
        })
    }

    pub(crate) fn stats(&self) -> LoginStats {
        LoginStats { waiting: self.waiting.len() as u64, ..self.stats }
    }

    /// Decides at once where that costs nothing; else `None`, and [`Logins::next`] has it later. What is returned may be for
    /// another one, who waits no more.
    pub(crate) fn begin(&mut self, now: Now, ticket: Ticket) -> Option<Settled> {
        if self.recent.was_wrong(&ticket.credentials) {
            self.stats.remembered += 1;
            return Some(self.refuse(ticket.ip, None, ticket.who, Refusal::WrongPassword));
        }
        if let Err(RetryAfter(wait)) = self.limiter.check(now, ticket.ip, &ticket.credentials.username) {
            return Some(self.put_off(ticket.who, wait));
        }
        if let Some(verdict) = self.at_once(now, &ticket) {
            return Some(self.finish(now, Checked::Password { ticket, verdict }));
        }
        let put_off = self.waiting.push(ticket.ip, ticket);
        self.go_on(now);
        let wait = self.backlog();
        put_off.map(|ticket| self.put_off(ticket.who, wait))
    }

    /// What needs no slow look: the shared account, and a password that was right a moment ago.
    fn at_once(&mut self, now: Now, ticket: &Ticket) -> Option<LoginVerdict> {
        let Ticket { who, credentials, .. } = ticket;
        if let Some(shared) = &self.shared {
            let login = Login::Shared(shared.clone());
            if let LoginVerdict::Accepted(account) = login.authenticate(credentials) {
                let left = who
                    .terminal()
                    .map_or(Ok(()), |name| self.users.leaves_alone(&account.name, place(name, &self.home)));
                return Some(left.map_or_else(LoginVerdict::Refused, |()| LoginVerdict::Accepted(account)));
            }
        }
        let account = self.users.account(&credentials.username)?;
        if !self.recent.was_right(now, credentials, account.version) {
            return None;
        }
        self.stats.remembered += 1;
        Some(match who.terminal() {
            Some(name) => self.users.readmit(&account.name, place(name, &self.home)),
            None => LoginVerdict::Accepted(account),
        })
    }

    /// Looks whose token it is, apart from the passwords that wait. Nobody guesses a token, so wrong ones put nobody off.
    pub(crate) fn check_token(
        &mut self,
        token: Secret,
        ip: IpAddr,
        reply: oneshot::Sender<Result<Account, NotLetIn>>,
    ) {
        if self.tokens.len() >= TOKENS_CHECKED_MAX {
            self.put_off(Who::Caller { reply }, Duration::from_secs(1)).tell();
            return;
        }
        let users = Arc::clone(&self.users);
        self.tokens.spawn_blocking(move || {
            let verdict = users.authenticate_token(&token);
            Checked::Token { reply, ip, verdict }
        });
    }

    /// Whether a terminal whose account is known already may register under its name.
    pub(crate) fn readmit(&mut self, account: Account, ip: IpAddr, who: Who) -> Settled {
        match who.terminal().and_then(|name| self.judge(&account, name)) {
            None => self.accept(who, account),
            Some(_) => self.refuse(ip, Some(&account.name), who, Refusal::OtherPartition),
        }
    }

    /// Whether who was given a ticket in an earlier life may register, by what holds now; else its password decides.
    pub(crate) fn redeem(&mut self, now: Now, vouched: &Vouched, ticket: Ticket) -> Option<Settled> {
        if let Some(account) = self.vouched_for(vouched, &ticket.who) {
            self.stats.vouched += 1;
            return Some(self.accept(ticket.who, account));
        }
        if ticket.credentials.username.is_empty() {
            return Some(Settled { who: ticket.who, outcome: Err(Unsettled::Wrong) });
        }
        self.begin(now, ticket)
    }

    fn vouched_for(&self, vouched: &Vouched, who: &Who) -> Option<Account> {
        let shared = self.shared.as_ref().map(SharedAccount::account);
        let shared = shared.filter(|account| account.name == vouched.account);
        let account = shared.or_else(|| self.users.account(&vouched.account))?;
        let is_admitted = self.judge(&account, who.terminal()?).is_none();
        (is_admitted && account.version == vouched.version).then_some(account)
    }

    /// Why a terminal may not stay, or not come, by what the accounts are now; none if it may.
    pub(crate) fn judge(&self, account: &Account, name: &TerminalName) -> Option<Dismissal> {
        let place = place(name, &self.home);
        if self.shared.as_ref().is_some_and(|shared| shared.account() == *account) {
            return self
                .users
                .leaves_alone(&account.name, place)
                .is_err()
                .then_some(Dismissal::RightWithdrawn);
        }
        match self.users.readmit(&account.name, place) {
            LoginVerdict::Accepted(now) if now.version == account.version => None,
            LoginVerdict::Accepted(_) => Some(Dismissal::AccountChanged),
            LoginVerdict::Refused(Refusal::UnknownUser) => Some(Dismissal::AccountRemoved),
            LoginVerdict::Refused(_) => Some(Dismissal::RightWithdrawn),
        }
    }

    /// The next thing to hear. Never ends, and may be given up and asked again.
    pub(crate) async fn next(&mut self) -> Heard {
        if let Some(settled) = self.settled.pop() {
            return Heard::Settled(settled);
        }
        let checked = tokio::select! {
            Ok(()) = self.watched.users.changed() => {
                self.users = Arc::clone(&self.watched.users.borrow_and_update());
                self.recent.forget_wrong();
                return Heard::Users;
            }
            checked = next_of(&mut self.running) => checked,
            checked = next_of(&mut self.tokens) => checked,
        };
        checked.map_or_else(
            |error| {
                tracing::error!(%error, "a password check failed; its terminal is closed as unregistered, its caller is told to try again");
                Heard::Lost
            },
            Heard::Checked,
        )
    }

    /// Counts and remembers how a login ended.
    pub(crate) fn finish(&mut self, now: Now, checked: Checked) -> Settled {
        let settled = match checked {
            Checked::Password { ticket, verdict } => self.finish_password(now, ticket, verdict),
            Checked::Token { reply, ip, verdict } => match verdict {
                LoginVerdict::Accepted(account) => self.accept(Who::Caller { reply }, account),
                LoginVerdict::Refused(refusal) => self.refuse(ip, None, Who::Caller { reply }, refusal),
            },
        };
        self.go_on(now);
        settled
    }

    fn finish_password(&mut self, now: Now, ticket: Ticket, verdict: LoginVerdict) -> Settled {
        let Ticket { who, ip, credentials } = ticket;
        match verdict {
            LoginVerdict::Accepted(account) => {
                let is_users = self.users.version_of(&account.name).is_some_and(|now| now == account.version);
                let is_shared = self.shared.as_ref().is_some_and(|shared| shared.account() == account);
                if !is_users && !is_shared {
                    // The account changed while it was looked at.
                    return self.put_off(who, Duration::from_secs(1));
                }
                self.limiter.succeeded(ip, &credentials.username);
                if is_users {
                    self.recent.note_right(now, &credentials, account.version);
                }
                self.accept(who, account)
            }
            LoginVerdict::Refused(refusal) => {
                if refusal.is_wrong() {
                    self.limiter.failed(now, ip, &credentials.username);
                    self.recent.note_wrong(&credentials);
                }
                let known =
                    self.users.version_of(&credentials.username).map(|_| credentials.username.as_str());
                self.refuse(ip, known, who, refusal)
            }
        }
    }

    fn accept(&mut self, who: Who, account: Account) -> Settled {
        self.stats.accepted += 1;
        Settled { who, outcome: Ok(account) }
    }

    /// One line for each refusal; the log thins them out by account. The name is told only if an account has it: people type
    /// passwords into the wrong field.
    fn refuse(&mut self, ip: IpAddr, account: Option<&str>, who: Who, reason: Refusal) -> Settled {
        self.stats.refused += 1;
        let account = account.unwrap_or("unknown");
        tracing::warn!(target: AUDIT, account, address = %ip, %who, rule = "login", %reason, "denied");
        let outcome = if reason.is_wrong() { Unsettled::Wrong } else { Unsettled::NotFor(reason) };
        Settled { who, outcome: Err(outcome) }
    }

    fn put_off(&mut self, who: Who, wait: Duration) -> Settled {
        self.stats.put_off += 1;
        tracing::debug!(%who, ?wait, "login put off");
        // Those who are put off together do not come back together.
        let spread = wait.mul_f64((self.stats.put_off % SPREAD) as f64 / SPREAD as f64);
        Settled { who, outcome: Err(Unsettled::NotLookedAt(wait.max(Duration::from_secs(1)) + spread)) }
    }

    /// When those who wait have been looked at.
    fn backlog(&self) -> Duration {
        LOOK.mul_f64(self.waiting.len() as f64 / self.cores as f64)
    }

    /// Begins as many looks as there is room for. Whoever is locked by now is not looked at: of many guesses at once only those
    /// go through that would have gone through one after the other.
    pub(crate) fn go_on(&mut self, now: Now) {
        while self.running.len() < self.running_max() {
            let Some(ticket) = self.waiting.pop() else { return };
            if let Err(RetryAfter(wait)) = self.limiter.check(now, ticket.ip, &ticket.credentials.username) {
                let settled = self.put_off(ticket.who, wait);
                self.settled.push(settled);
                continue;
            }
            let (users, home) = (Arc::clone(&self.users), self.home.clone());
            self.running.spawn_blocking(move || {
                let verdict = match ticket.who.terminal() {
                    Some(name) => users.verify(&ticket.credentials, place(name, &home)),
                    None => users.authenticate(&ticket.credentials),
                };
                Checked::Password { ticket, verdict }
            });
        }
    }

    /// One core is left to the signals of those who are in, unless so many want to come in that there are few of those.
    fn running_max(&self) -> usize {
        match self.waiting.len() {
            many if many >= MANY => self.cores,
            _ => self.cores.saturating_sub(1).max(1),
        }
    }
}

/// Logins that wait when all cores look at passwords.
const MANY: usize = 64;
/// Parts into which the time is cut in which those come back who were put off.
const SPREAD: u64 = 64;

/// The next one that has ended; never while there is none.
async fn next_of(checks: &mut JoinSet<Checked>) -> Result<Checked, JoinError> {
    match checks.join_next().await {
        Some(checked) => checked,
        None => std::future::pending().await,
    }
}

fn place<'a>(name: &'a TerminalName, home: &'a PartitionName) -> Place<'a> {
    Place { client: &name.client, partition: &name.partition, home }
}

impl Who {
    fn terminal(&self) -> Option<&TerminalName> {
        match self {
            Self::Terminal { name, .. } => Some(name),
            Self::Caller { .. } => None,
        }
    }
}

impl Settled {
    /// Tells a caller; what is returned is for the terminals' machine.
    pub(crate) fn tell(self) -> Option<Input> {
        match self.who {
            Who::Terminal { conn, number, .. } => {
                let verified = match self.outcome {
                    Ok(account) => Verified::Accepted(account),
                    Err(Unsettled::Wrong) => Verified::Refused,
                    Err(Unsettled::NotFor(refusal)) => Verified::NotFor(refusal.to_string()),
                    Err(Unsettled::NotLookedAt(wait)) => Verified::PutOff(wait),
                };
                Some(Input::Verified { conn, number, verified })
            }
            Who::Caller { reply } => {
                let answer = self.outcome.map_err(|unsettled| match unsettled {
                    Unsettled::Wrong | Unsettled::NotFor(_) => NotLetIn::Wrong,
                    Unsettled::NotLookedAt(wait) => {
                        NotLetIn::NotLookedAt { seconds: wait.as_millis().div_ceil(1_000) as u64 }
                    }
                });
                // The caller may have given up by now.
                let _gave_up = reply.send(answer);
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
mod tests;
