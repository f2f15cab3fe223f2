//! The three ways in which a node may check who a terminal is.

use std::fmt;
use std::sync::Arc;

use subtle::ConstantTimeEq;
use taoyao_types::Role;

use crate::account::{Account, AllowList};
use crate::credentials::Credentials;
use crate::users::{Place, Users};

/// How a node checks the credentials of `client::register`.
#[derive(Debug, Clone)]
pub enum Login {
    /// Accounts of a user table: the way for anything but development.
    Users(Arc<Users>),
    /// One account that all terminals share, as the original has it. Development only.
    Shared(SharedAccount),
    /// Anything is accepted: the original's `taoyao.security.enabled=false` (reference section 3.2). Development only.
    Open,
}

impl Login {
    /// Whether `credentials` may register a terminal at this place. With a user table this takes about 20 ms of one
    /// core and 19 MiB: call it where blocking is allowed, and ask [`crate::LoginLimiter`] first.
    pub fn verify(&self, credentials: &Credentials, place: Place<'_>) -> LoginVerdict {
        match self {
            Self::Users(users) => users.verify(credentials, place),
            Self::Shared(account) => account.verify(credentials),
            Self::Open => LoginVerdict::Accepted(anyone()),
        }
    }

    /// Whose account `credentials` are, for use without a terminal; as slow as [`Login::verify`].
    pub fn authenticate(&self, credentials: &Credentials) -> LoginVerdict {
        match self {
            Self::Users(users) => users.authenticate(credentials),
            Self::Shared(account) => account.verify(credentials),
            Self::Open => LoginVerdict::Accepted(anyone()),
        }
    }
}

fn anyone() -> Account {
    Account::new("anyone", [Role::Terminal], AllowList::default(), Vec::new())
}

/// The single account of the original's configuration (`taoyao.security.username` and `.password`).
#[derive(Clone)]
pub struct SharedAccount {
    pub username: String,
    pub password: String,
    pub roles: Vec<Role>,
    pub signals: AllowList,
}

impl SharedAccount {
    /// What everybody is who logs in with it.
    pub fn account(&self) -> Account {
        let Self { username, roles, signals, .. } = self;
        Account::new(username, roles.iter().copied(), signals.clone(), Vec::new())
    }

    fn verify(&self, credentials: &Credentials) -> LoginVerdict {
        let username = self.username.as_bytes().ct_eq(credentials.username.as_bytes());
        let password = self.password.as_bytes().ct_eq(credentials.password.as_bytes());
        if bool::from(username & password) {
            LoginVerdict::Accepted(self.account())
        } else {
            LoginVerdict::Refused(Refusal::WrongPassword)
        }
    }
}

/// Shows the username only.
impl fmt::Debug for SharedAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedAccount").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Whether a terminal may register, or a script may act, and with which rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginVerdict {
    Accepted(Account),
    Refused(Refusal),
}

/// Why a login was refused. Somebody whose password was wrong is told no more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no such account")]
    UnknownUser,
    #[error("the password is wrong")]
    WrongPassword,
    #[error("no account has this token")]
    UnknownToken,
    #[error("the password is longer than any account's may be")]
    TooLong,
    #[error("the account has no role that includes `terminal`")]
    NoTerminals,
    #[error("the account is not for this partition; `taoyao user set` names those that it is for")]
    OtherPartition,
    #[error("the account is not for this client id")]
    OtherClient,
    #[error("another account is bound to this client id")]
    OthersClient,
}

impl Refusal {
    /// Whether nothing was proved: what a guesser hears. Otherwise the password was right.
    pub const fn is_wrong(self) -> bool {
        matches!(self, Self::UnknownUser | Self::WrongPassword | Self::UnknownToken | Self::TooLong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shared_account_wants_both_its_words() {
        let (roles, signals) = (vec![Role::Terminal], AllowList::default());
        let login = Login::Shared(SharedAccount {
            username: "taoyao".into(),
            password: "s3cret".into(),
            roles: roles.clone(),
            signals: signals.clone(),
        });
        let account = Account::new("taoyao", roles, signals, Vec::new());
        assert_eq!(verify(&login, "taoyao", "s3cret"), LoginVerdict::Accepted(account));
        for (username, password) in [("taoyao", ""), ("taoyao", "s3cret2"), ("Taoyao", "s3cret"), ("", "")] {
            let refused = LoginVerdict::Refused(Refusal::WrongPassword);
            assert_eq!(verify(&login, username, password), refused, "{username:?} {password:?}");
        }
        assert!(!format!("{login:?}").contains("s3cret"));
    }

    #[test]
    fn an_open_node_accepts_anything() {
        assert!(matches!(verify(&Login::Open, "", ""), LoginVerdict::Accepted(_)));
    }

    fn verify(login: &Login, username: &str, password: &str) -> LoginVerdict {
        let credentials = Credentials { username: username.into(), password: password.into() };
        let (client, home) = ("cam-7".parse().unwrap(), "sh.east.cn".parse().unwrap());
        login.verify(&credentials, Place { client: &client, partition: &home, home: &home })
    }
}
