//! What an account may do once its owner has proved to be its owner: roles, and an allow list of signals.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use taoyao_types::{PartitionName, Role};

use crate::version::AccountVersion;

/// Signals that no allow list takes away: without them nobody could stay connected.
const ALWAYS: [&str; 4] = ["client::register", "client::close", "client::config", "client::heartbeat"];

/// An account in use: what a login gave the terminal or the script that logged in. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The account's name; what the audit log calls whoever acts.
    pub name: Arc<str>,
    /// The state of the account that was logged in to.
    pub version: AccountVersion,
    rights: Arc<Rights>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rights {
    roles: BTreeSet<Role>,
    signals: AllowList,
    partitions: Vec<PartitionName>,
}

/// The signals that an account may send: `family::name` names one, `family::*` admits a family. Empty: all that its roles
/// allow. Nothing else is a pattern, and [`AllowList::check`] refuses what looks like one.
///
/// A named signal is also a grant: it may be sent without the role that it needs otherwise, and those that need to be named
/// (`platform::shutdown` and the like) may be sent at all. A family admits, but grants nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AllowList(pub Vec<String>);

/// An entry of an allow list that names neither a signal nor a family.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a signal such as `room::close` nor a whole family such as `room::*`")]
pub struct BadSignal(pub String);

/// An account lacks what a signal needs. The text may be shown to whoever was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Lacking {
    #[error("denied by rule signals: the allow list of account {account} does not have {signal}")]
    Admission { account: Arc<str>, signal: String },
    #[error(
        "denied by rule role:{role}: account {account} has neither the role nor {signal} in its allow list"
    )]
    Role { account: Arc<str>, signal: String, role: Role },
    #[error("denied by rule named: the allow list of account {account} must name {signal}")]
    Naming { account: Arc<str>, signal: String },
}

impl Lacking {
    /// What logs and metrics call the rule.
    pub fn rule(&self) -> String {
        match self {
            Self::Admission { .. } => "signals".into(),
            Self::Role { role, .. } => format!("role:{role}"),
            Self::Naming { .. } => "named".into(),
        }
    }
}

impl Account {
    pub fn new(
        name: &str,
        roles: impl IntoIterator<Item = Role>,
        signals: AllowList,
        partitions: Vec<PartitionName>,
    ) -> Self {
        let roles = roles.into_iter().collect();
        Self {
            name: name.into(),
            version: AccountVersion::default(),
            rights: Arc::new(Rights { roles, signals, partitions }),
        }
    }

    /// The same account, in this state.
    pub fn in_version(self, version: AccountVersion) -> Self {
        Self { version, ..self }
    }

    /// Whether the account has the role, or one that includes it.
    pub fn has(&self, role: Role) -> bool {
        role.is_in(&self.rights.roles)
    }

    /// The partitions in which the account may act; empty: any.
    pub fn partitions(&self) -> &[PartitionName] {
        &self.rights.partitions
    }

    /// Whether the account may send `signal`, whatever else that needs.
    pub fn admits(&self, signal: &str) -> Result<(), Lacking> {
        if ALWAYS.contains(&signal) || self.rights.signals.admits(signal) {
            return Ok(());
        }
        Err(Lacking::Admission { account: self.name.clone(), signal: signal.into() })
    }

    /// Whether the account may send a signal that takes `role`.
    pub fn may_as(&self, role: Role, signal: &str) -> Result<(), Lacking> {
        if self.has(role) || self.rights.signals.names(signal) {
            return Ok(());
        }
        Err(Lacking::Role { account: self.name.clone(), signal: signal.into(), role })
    }

    /// Whether the account may send a signal that has to be named.
    pub fn is_named_for(&self, signal: &str) -> Result<(), Lacking> {
        if self.rights.signals.names(signal) {
            return Ok(());
        }
        Err(Lacking::Naming { account: self.name.clone(), signal: signal.into() })
    }
}

impl AllowList {
    /// Whether every entry is of one of the two forms.
    pub fn check(&self) -> Result<(), BadSignal> {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        };
        let is_well_formed = |entry: &str| {
            let mut words: Vec<&str> = entry.split("::").collect();
            let last = words.pop().unwrap_or_default();
            !words.is_empty() && words.into_iter().all(is_word) && (last == "*" || is_word(last))
        };
        match self.0.iter().find(|entry| !is_well_formed(entry)) {
            None => Ok(()),
            Some(entry) => Err(BadSignal(entry.clone())),
        }
    }

    fn admits(&self, signal: &str) -> bool {
        let in_family = |entry: &str| {
            entry.strip_suffix('*').is_some_and(|family| family.ends_with("::") && signal.starts_with(family))
        };
        self.0.is_empty() || self.names(signal) || self.0.iter().any(|entry| in_family(entry))
    }

    fn names(&self, signal: &str) -> bool {
        self.0.iter().any(|entry| entry == signal)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_allow_list_roles_decide() {
        let ann = account(&[Role::Terminal], &[]);
        assert_eq!(ann.admits("room::close"), Ok(()));
        assert_eq!(ann.may_as(Role::Operator, "room::close").unwrap_err().rule(), "role:operator");
        assert!(account(&[Role::Operator], &[]).may_as(Role::Operator, "room::close").is_ok());
        assert!(account(&[Role::Admin], &[]).may_as(Role::Operator, "room::close").is_ok());
        assert!(account(&[Role::Operator], &[]).may_as(Role::Admin, "system::info").is_err());
        assert!(account(&[Role::Admin], &[]).has(Role::Terminal) && !ann.has(Role::Operator));
    }

    #[test]
    fn an_allow_list_shuts_out_what_it_does_not_have() {
        let ann = account(&[Role::Admin], &["room::*", "client::list"]);
        for signal in ["room::close", "room::client::list", "client::list", "client::heartbeat"] {
            assert_eq!(ann.admits(signal), Ok(()), "{signal}");
        }
        for signal in ["client::status", "roomy::close", "session::call"] {
            assert_eq!(ann.admits(signal).unwrap_err().rule(), "signals", "{signal}");
        }
    }

    #[test]
    fn nothing_but_whole_families_is_a_pattern() {
        let check = |entry: &str| AllowList(vec![entry.to_owned()]).check();
        for entry in ["room::*", "room::close", "room::client::list-id", "room::client::*"] {
            assert_eq!(check(entry), Ok(()), "{entry}");
        }
        for entry in ["room*", "room::c*", "*", "", "room", "room::", "::close", "Room::close", "room::*::x"]
        {
            assert_eq!(check(entry), Err(BadSignal(entry.to_owned())));
            let ann = account(&[Role::Terminal], &[entry]);
            assert!(ann.admits("room::create").is_err(), "{entry}");
            assert!(ann.may_as(Role::Operator, "room::close").is_err(), "{entry}");
        }
    }

    #[test]
    fn naming_a_signal_grants_it_and_naming_a_family_does_not() {
        let ann = account(&[Role::Terminal], &["room::close", "platform::*"]);
        assert_eq!(ann.may_as(Role::Operator, "room::close"), Ok(()));
        assert_eq!(ann.is_named_for("room::close"), Ok(()));
        assert_eq!(ann.is_named_for("platform::shutdown").unwrap_err().rule(), "named");
        let text = ann.is_named_for("platform::shutdown").unwrap_err().to_string();
        assert!(text.contains("account ann") && text.contains("platform::shutdown"), "{text}");
    }

    fn account(roles: &[Role], signals: &[&str]) -> Account {
        let signals = AllowList(signals.iter().map(|&signal| signal.to_owned()).collect());
        Account::new("ann", roles.iter().copied(), signals, Vec::new())
    }
}
