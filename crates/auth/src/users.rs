//! The user table: account names, Argon2id hashes, and where an account may be used.
//!
//! ```toml
//! [user.ann]
//! hash = "$argon2id$v=19$m=19456,t=2,p=1$…"
//! partitions = ["sh.east.cn"]   # optional; empty or missing: the home partition of the node that it logs in at
//! anywhere = true               # optional; every partition that a node serves, in place of `partitions`
//! clients = ["cam-7", "cam-8"]  # optional; empty or missing: any that no other account is bound to
//! roles = ["terminal"]          # optional; any of terminal, operator, admin; missing: terminal
//! signals = ["room::*"]         # optional; the signals that it may send; empty or missing: all of its roles
//!
//! [user.ann.tokens]             # optional; SHA-256 of bearer tokens, by name
//! laptop = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use serde::{Deserialize, Serialize};
use taoyao_types::{ClientId, PartitionName, Role, Secret, limits};

use crate::account::{Account, AllowList, BadSignal};
use crate::credentials::Credentials;
use crate::hashing::{hash, is_hash_of};
use crate::login::{LoginVerdict, Refusal};
use crate::token::TokenHash;
use crate::version::AccountVersion;

/// What unknown users are verified against, so that the time taken does not tell who exists.
static NOBODY: LazyLock<String> =
    LazyLock::new(|| hash("nobody has this password", [0x5a; 16]).expect("a short password can be hashed"));

/// All accounts of a node. Reading and writing the file is the caller's, as is the salt's randomness.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Users {
    #[serde(default, rename = "user")]
    users: BTreeMap<String, User>,
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The password's hash in PHC string form, parameters and salt included.
    hash: String,
    /// Partitions in which the account may register terminals; empty: the home partition of the node.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<PartitionName>,
    /// The account may register terminals in every partition that a node serves. Not beside `partitions`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub anywhere: bool,
    /// Client ids that the account may register, and no other account where this one may register; empty: any that is nobody's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<ClientId>,
    /// What the account may be used for.
    #[serde(default = "terminal_only")]
    pub roles: BTreeSet<Role>,
    /// The signals that it may send, and those that it may send beyond its roles.
    #[serde(default, skip_serializing_if = "is_open")]
    pub signals: AllowList,
    /// Bearer tokens that log in as the account, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tokens: BTreeMap<String, TokenHash>,
}

fn terminal_only() -> BTreeSet<Role> {
    BTreeSet::from([Role::Terminal])
}

fn is_open(signals: &AllowList) -> bool {
    signals.0.is_empty()
}

/// What a terminal wants to register as, and where.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub client: &'a ClientId,
    pub partition: &'a PartitionName,
    /// The home partition of the node that it registers at.
    pub home: &'a PartitionName,
}

/// Why a text is not a user table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadUserTable {
    /// The message says where and what, but quotes no line: a line may hold a hash.
    #[error("line {line}: {message}; see `taoyao user add --help` for how accounts are written")]
    Syntax { line: usize, message: String },
    #[error("account {name:?}: {cause}")]
    Account { name: String, cause: BadUser },
}

/// Why an account cannot be added, removed or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadUser {
    #[error("the name must have 1 to {} bytes and no control characters", limits::USERNAME_BYTES_MAX)]
    Name,
    #[error("the password must have 1 to {} bytes", limits::PASSWORD_BYTES_MAX)]
    Password,
    #[error("it exists already; remove it first, or choose another name")]
    Exists,
    #[error("there is no such account; list the accounts to see which there are")]
    Unknown,
    #[error("its hash is not an Argon2id hash; set its password anew")]
    Hash,
    #[error("its `signals` are not an allow list: {0}")]
    Signals(#[from] BadSignal),
    #[error("it has both `partitions` and `anywhere`; leave one of them out")]
    Everywhere,
}

/// Why a token cannot be added or revoked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    #[error("there is no such account; list the accounts to see which there are")]
    UnknownUser,
    #[error("the token's name must have 1 to {} bytes and no control characters", limits::USERNAME_BYTES_MAX)]
    Name,
    #[error("it has a token of this name already; revoke that, or choose another name")]
    Exists,
    #[error("it has {} tokens, which is the most; revoke one that is not used", limits::USER_TOKENS_MAX)]
    TooMany,
    #[error("it has no token of this name; list the accounts to see which there are")]
    Unknown,
}

impl Users {
    /// Reads a table, and checks every name and hash in it.
    pub fn parse(text: &str) -> Result<Self, BadUserTable> {
        let table: Self = toml::from_str(text).map_err(|error| syntax(text, &error))?;
        for (name, user) in &table.users {
            check_name(name)
                .and_then(|()| check_hash(&user.hash))
                .and_then(|()| user.check())
                .map_err(|cause| BadUserTable::Account { name: name.clone(), cause })?;
        }
        Ok(table)
    }

    /// The table as [`Users::parse`] reads it.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a map of texts and lists of texts is always TOML")
    }

    /// Adds an account for the home partition of each node; `salt` must be random and fresh.
    pub fn add(&mut self, name: &str, password: &str, salt: [u8; 16]) -> Result<&mut User, BadUser> {
        check_name(name)?;
        if password.is_empty() || password.len() > limits::PASSWORD_BYTES_MAX {
            return Err(BadUser::Password);
        }
        if self.users.contains_key(name) {
            return Err(BadUser::Exists);
        }
        let hash = hash(password, salt).ok_or(BadUser::Password)?;
        let user = User {
            hash,
            partitions: Vec::new(),
            anywhere: false,
            clients: Vec::new(),
            roles: terminal_only(),
            signals: AllowList::default(),
            tokens: BTreeMap::new(),
        };
        Ok(self.users.entry(name.to_owned()).or_insert(user))
    }

    /// An account, to be changed. Its tokens stay.
    pub fn get_mut(&mut self, name: &str) -> Result<&mut User, BadUser> {
        self.users.get_mut(name).ok_or(BadUser::Unknown)
    }

    /// Gives an account another password; `salt` must be random and fresh.
    pub fn set_password(&mut self, name: &str, password: &str, salt: [u8; 16]) -> Result<(), BadUser> {
        let user = self.get_mut(name)?;
        if password.is_empty() || password.len() > limits::PASSWORD_BYTES_MAX {
            return Err(BadUser::Password);
        }
        user.hash = hash(password, salt).ok_or(BadUser::Password)?;
        Ok(())
    }

    /// Removes an account. Nodes end its sessions within a second.
    pub fn remove(&mut self, name: &str) -> Result<(), BadUser> {
        self.users.remove(name).map(|_| ()).ok_or(BadUser::Unknown)
    }

    /// All accounts by name.
    pub fn list(&self) -> impl ExactSizeIterator<Item = (&str, &User)> {
        self.users.iter().map(|(name, user)| (name.as_str(), user))
    }

    /// Whether `credentials` may register a terminal at this place.
    ///
    /// Takes about 20 ms and 19 MiB whether or not the user exists: call it where blocking is allowed.
    pub fn verify(&self, credentials: &Credentials, place: Place<'_>) -> LoginVerdict {
        match self.check(credentials) {
            Ok(_) => self.readmit(&credentials.username, place),
            Err(refusal) => LoginVerdict::Refused(refusal),
        }
    }

    /// Whether an account that has logged in before may register a terminal at this place, by what the table says now.
    pub fn readmit(&self, account: &str, place: Place<'_>) -> LoginVerdict {
        let user = self.users.get(account).ok_or(Refusal::UnknownUser);
        let admitted = user.and_then(|user| user.admits(place).map(|()| user));
        match admitted.and_then(|user| self.leaves_alone(account, place).map(|()| user)) {
            Ok(user) => LoginVerdict::Accepted(user.account(account)),
            Err(refusal) => LoginVerdict::Refused(refusal),
        }
    }

    /// Whether no account but this one is bound to the place's client id.
    pub fn leaves_alone(&self, account: &str, place: Place<'_>) -> Result<(), Refusal> {
        let is_bound = |(name, user): (&String, &User)| {
            name != account && user.clients.contains(place.client) && user.is_for(place)
        };
        let own = self.users.get(account).is_some_and(|user| user.clients.contains(place.client));
        if !own && self.users.iter().any(is_bound) { Err(Refusal::OthersClient) } else { Ok(()) }
    }

    /// Whose account `credentials` are, for use without a terminal. As slow as [`Users::verify`].
    pub fn authenticate(&self, credentials: &Credentials) -> LoginVerdict {
        match self.check(credentials) {
            Ok(user) => LoginVerdict::Accepted(user.account(&credentials.username)),
            Err(refusal) => LoginVerdict::Refused(refusal),
        }
    }

    /// The account as it is now; none if there is none.
    pub fn account(&self, name: &str) -> Option<Account> {
        self.users.get(name).map(|user| user.account(name))
    }

    /// The state of an account as it is now; none if there is no such account.
    pub fn version_of(&self, account: &str) -> Option<AccountVersion> {
        self.users.get(account).map(User::version)
    }

    /// Whose token it is. Fast, and takes the same time whether or not there is such a token.
    pub fn authenticate_token(&self, token: &Secret) -> LoginVerdict {
        let shown = TokenHash::of(token);
        let mut owner = None;
        for (name, user) in &self.users {
            if user.tokens.values().fold(false, |found, kept| found | kept.matches(&shown)) {
                owner = Some(user.account(name));
            }
        }
        owner.map_or(LoginVerdict::Refused(Refusal::UnknownToken), LoginVerdict::Accepted)
    }

    /// Lets a token log in as an account from now on.
    pub fn add_token(&mut self, user: &str, name: &str, hash: TokenHash) -> Result<(), BadToken> {
        let tokens = &mut self.users.get_mut(user).ok_or(BadToken::UnknownUser)?.tokens;
        check_name(name).map_err(|_| BadToken::Name)?;
        if tokens.contains_key(name) {
            return Err(BadToken::Exists);
        }
        if tokens.len() >= limits::USER_TOKENS_MAX {
            return Err(BadToken::TooMany);
        }
        tokens.insert(name.to_owned(), hash);
        Ok(())
    }

    /// Lets a token log in no more.
    pub fn revoke_token(&mut self, user: &str, name: &str) -> Result<(), BadToken> {
        let tokens = &mut self.users.get_mut(user).ok_or(BadToken::UnknownUser)?.tokens;
        tokens.remove(name).map(|_| ()).ok_or(BadToken::Unknown)
    }

    fn check(&self, credentials: &Credentials) -> Result<&User, Refusal> {
        if credentials.password.len() > limits::PASSWORD_BYTES_MAX {
            return Err(Refusal::TooLong);
        }
        let user = self.users.get(&credentials.username);
        let hash = user.map_or(NOBODY.as_str(), |user| user.hash.as_str());
        let matches = is_hash_of(&credentials.password, hash);
        match user {
            None => Err(Refusal::UnknownUser),
            Some(_) if !matches => Err(Refusal::WrongPassword),
            Some(user) => Ok(user),
        }
    }
}

impl User {
    /// The names of its tokens.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.tokens.keys().map(String::as_str)
    }

    /// Whether what it says of the account makes sense.
    pub fn check(&self) -> Result<(), BadUser> {
        self.signals.check()?;
        if self.anywhere && !self.partitions.is_empty() { Err(BadUser::Everywhere) } else { Ok(()) }
    }

    fn admits(&self, place: Place<'_>) -> Result<(), Refusal> {
        if !Role::Terminal.is_in(&self.roles) {
            return Err(Refusal::NoTerminals);
        }
        if !self.is_for(place) {
            return Err(Refusal::OtherPartition);
        }
        if !self.clients.is_empty() && !self.clients.contains(place.client) {
            return Err(Refusal::OtherClient);
        }
        Ok(())
    }

    fn is_for(&self, place: Place<'_>) -> bool {
        match self.partitions.as_slice() {
            [] => self.anywhere || place.partition == place.home,
            named => named.contains(place.partition),
        }
    }

    fn account(&self, name: &str) -> Account {
        let Self { roles, signals, partitions, .. } = self;
        Account::new(name, roles.iter().copied(), signals.clone(), partitions.clone())
            .in_version(self.version())
    }

    fn version(&self) -> AccountVersion {
        let state = User { tokens: BTreeMap::new(), ..self.clone() };
        AccountVersion::of(&toml::to_string(&state).expect("texts and lists of texts are always TOML"))
    }
}

fn check_name(name: &str) -> Result<(), BadUser> {
    let bounded = !name.is_empty() && name.len() <= limits::USERNAME_BYTES_MAX;
    if bounded && !name.chars().any(char::is_control) { Ok(()) } else { Err(BadUser::Name) }
}

fn check_hash(text: &str) -> Result<(), BadUser> {
    let hash = PasswordHash::new(text).map_err(|_| BadUser::Hash)?;
    let complete = hash.salt.is_some() && hash.hash.is_some();
    if hash.algorithm.as_str() == "argon2id" && complete { Ok(()) } else { Err(BadUser::Hash) }
}

fn syntax(text: &str, error: &toml::de::Error) -> BadUserTable {
    let start = error.span().map_or(0, |span| span.start);
    let line = 1 + text.bytes().take(start).filter(|byte| *byte == b'\n').count();
    BadUserTable::Syntax { line, message: error.message().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::token;

    #[test]
    fn an_account_works_with_its_password_only() {
        let users = with_ann();
        assert_eq!(verify(&users, "ann", "correct horse"), accepted(&users));
        assert_eq!(verify(&users, "ann", "wrong"), LoginVerdict::Refused(Refusal::WrongPassword));
        assert_eq!(verify(&users, "bob", "correct horse"), LoginVerdict::Refused(Refusal::UnknownUser));
        assert_eq!(verify(&users, "", ""), LoginVerdict::Refused(Refusal::UnknownUser));
        let long = "x".repeat(limits::PASSWORD_BYTES_MAX + 1);
        assert_eq!(verify(&users, "ann", &long), LoginVerdict::Refused(Refusal::TooLong));
    }

    #[test]
    fn an_account_is_bound_to_the_partitions_and_clients_it_names() {
        let mut users = Users::default();
        let user = users.add("ann", "correct horse", [7; 16]).unwrap();
        user.partitions = vec!["bj.north.cn".parse().unwrap()];
        assert_eq!(verify(&users, "ann", "correct horse"), LoginVerdict::Refused(Refusal::OtherPartition));
        users.get_mut("ann").unwrap().partitions = vec!["sh.east.cn".parse().unwrap()];
        assert!(matches!(verify(&users, "ann", "correct horse"), LoginVerdict::Accepted(_)));
        users.get_mut("ann").unwrap().clients = vec!["cam-8".parse().unwrap()];
        assert_eq!(verify(&users, "ann", "correct horse"), LoginVerdict::Refused(Refusal::OtherClient));
    }

    #[test]
    fn an_account_that_names_no_partition_is_for_the_home_of_each_node() {
        let mut users = with_ann();
        let at = |users: &Users, partition: &str, home: &str| {
            let (client, partition, home) =
                ("cam-7".parse().unwrap(), partition.parse().unwrap(), home.parse().unwrap());
            users.readmit("ann", Place { client: &client, partition: &partition, home: &home })
        };
        assert_eq!(at(&users, "sh.east.cn", "sh.east.cn"), accepted(&users));
        let refused = LoginVerdict::Refused(Refusal::OtherPartition);
        assert_eq!(at(&users, "mobile.cn", "sh.east.cn"), refused, "served there, but not its home");
        users.get_mut("ann").unwrap().anywhere = true;
        assert_eq!(at(&users, "mobile.cn", "sh.east.cn"), accepted(&users));
    }

    #[test]
    fn a_bound_client_id_is_its_accounts_alone_where_that_may_register() {
        let mut users = with_ann();
        users.add("bob", "battery staple", [8; 16]).unwrap();
        users.get_mut("bob").unwrap().clients = vec!["cam-7".parse().unwrap()];
        assert_eq!(readmit(&users, "ann", "cam-7"), LoginVerdict::Refused(Refusal::OthersClient));
        assert!(matches!(readmit(&users, "bob", "cam-7"), LoginVerdict::Accepted(_)));
        assert!(matches!(readmit(&users, "ann", "cam-8"), LoginVerdict::Accepted(_)));
        users.get_mut("bob").unwrap().partitions = vec!["bj.north.cn".parse().unwrap()];
        assert!(matches!(readmit(&users, "ann", "cam-7"), LoginVerdict::Accepted(_)), "it is another cam-7");
        users.get_mut("bob").unwrap().partitions = Vec::new();
        users.get_mut("ann").unwrap().clients = vec!["cam-7".parse().unwrap()];
        assert!(matches!(readmit(&users, "ann", "cam-7"), LoginVerdict::Accepted(_)), "both are bound to it");
    }

    #[test]
    fn an_account_that_is_known_is_bound_as_well() {
        let mut users = with_ann();
        assert_eq!(readmit(&users, "ann", "whip-1"), accepted(&users));
        assert_eq!(readmit(&users, "bob", "whip-1"), LoginVerdict::Refused(Refusal::UnknownUser));
        users.get_mut("ann").unwrap().clients = vec!["cam-7".parse().unwrap()];
        assert_eq!(readmit(&users, "ann", "whip-1"), LoginVerdict::Refused(Refusal::OtherClient));
        assert!(matches!(readmit(&users, "ann", "cam-7"), LoginVerdict::Accepted(_)));
    }

    #[test]
    fn every_change_of_an_account_but_of_its_tokens_is_another_version() {
        let mut users = with_ann();
        let mut versions = BTreeSet::from([users.version_of("ann")]);
        users.add_token("ann", "laptop", TokenHash::of(&token([1; 32]))).unwrap();
        assert!(versions.contains(&users.version_of("ann")));
        let changes: [fn(&mut User); 5] = [
            |ann| ann.clients = vec!["cam-7".parse().unwrap()],
            |ann| ann.partitions = vec!["cn".parse().unwrap()],
            |ann| ann.roles = BTreeSet::from([Role::Admin]),
            |ann| ann.signals = AllowList(vec!["room::*".into()]),
            |ann| (ann.partitions, ann.anywhere) = (Vec::new(), true),
        ];
        for change in changes {
            change(users.get_mut("ann").unwrap());
            assert!(versions.insert(users.version_of("ann")));
        }
        users.set_password("ann", "correct horse", [9; 16]).unwrap();
        assert!(versions.insert(users.version_of("ann")));
        assert!(users.list().next().unwrap().1.tokens().eq(["laptop"]), "tokens stay");
        users.remove("ann").unwrap();
        assert_eq!(users.version_of("ann"), None);
    }

    #[test]
    fn a_token_logs_in_as_its_account_until_it_is_revoked() {
        let mut users = with_ann();
        let (mine, other) = (token([1; 32]), token([2; 32]));
        users.add_token("ann", "laptop", TokenHash::of(&mine)).unwrap();
        let mut users = Users::parse(&users.to_toml()).unwrap();
        assert!(!users.to_toml().contains(&mine.0));
        assert_eq!(users.authenticate_token(&mine), accepted(&users));
        assert_eq!(users.authenticate_token(&other), LoginVerdict::Refused(Refusal::UnknownToken));
        assert_eq!(users.add_token("ann", "laptop", TokenHash::of(&other)), Err(BadToken::Exists));
        assert_eq!(users.add_token("bob", "laptop", TokenHash::of(&other)), Err(BadToken::UnknownUser));
        assert_eq!(users.list().next().unwrap().1.tokens().collect::<Vec<_>>(), ["laptop"]);
        users.revoke_token("ann", "laptop").unwrap();
        assert_eq!(users.revoke_token("ann", "laptop"), Err(BadToken::Unknown));
        assert_eq!(users.authenticate_token(&mine), LoginVerdict::Refused(Refusal::UnknownToken));
    }

    #[test]
    fn an_account_has_so_many_tokens_and_no_more() {
        let mut users = with_ann();
        for nth in 0..limits::USER_TOKENS_MAX {
            users.add_token("ann", &nth.to_string(), TokenHash::of(&token([9; 32]))).unwrap();
        }
        assert_eq!(users.add_token("ann", "x", TokenHash::of(&token([9; 32]))), Err(BadToken::TooMany));
    }

    #[test]
    fn roles_and_signals_are_the_accounts() {
        let text = with_ann().to_toml() + "signals = [\"room::*\"]\n";
        let text = text.replace("roles = [\"terminal\"]", "roles = [\"operator\"]");
        let users = Users::parse(&text).unwrap();
        assert!(
            matches!(verify(&users, "ann", "correct horse"), LoginVerdict::Accepted(_)),
            "it is included"
        );
        let credentials = Credentials { username: "ann".into(), password: "correct horse".into() };
        let LoginVerdict::Accepted(account) = users.authenticate(&credentials) else { panic!("refused") };
        assert!(account.has(Role::Operator) && account.has(Role::Terminal) && !account.has(Role::Admin));
        assert!(account.admits("room::list").is_ok() && account.admits("client::list").is_err());
    }

    #[test]
    fn the_table_survives_its_text_and_the_text_holds_no_password() {
        let mut users = with_ann();
        users.users.get_mut("ann").unwrap().clients = vec!["cam-7".parse().unwrap()];
        let text = users.to_toml();
        assert!(!text.contains("correct horse"), "{text}");
        assert!(text.contains("$argon2id$v=19$m=19456,t=2,p=1$"), "{text}");
        assert_eq!(Users::parse(&text), Ok(users));
        assert_eq!(Users::parse(""), Ok(Users::default()));
    }

    #[test]
    fn a_bad_table_says_where_and_what() {
        let unknown = Users::parse("[user.ann]\nhash = \"x\"\nadmin = true\n").unwrap_err();
        assert!(matches!(unknown, BadUserTable::Syntax { line: 3, .. }), "{unknown}");
        let hash = Users::parse("[user.ann]\nhash = \"plain text\"\n").unwrap_err();
        assert_eq!(hash, BadUserTable::Account { name: "ann".into(), cause: BadUser::Hash });
        let good = with_ann().to_toml();
        let signals = Users::parse(&(good.clone() + "signals = [\"room*\"]\n")).unwrap_err().to_string();
        assert!(
            signals.contains("ann") && signals.contains("room*") && signals.contains("room::*"),
            "{signals}"
        );
        let both = Users::parse(&(good + "anywhere = true\npartitions = [\"cn\"]\n")).unwrap_err();
        assert_eq!(both, BadUserTable::Account { name: "ann".into(), cause: BadUser::Everywhere });
        let partition = Users::parse("[user.ann]\nhash = \"x\"\npartitions = [\"No Such\"]\n").unwrap_err();
        assert!(matches!(partition, BadUserTable::Syntax { line: 3, .. }), "{partition}");
    }

    #[test]
    fn accounts_are_added_once_and_removed_once() {
        let mut users = with_ann();
        assert_eq!(users.add("ann", "other", [8; 16]).unwrap_err(), BadUser::Exists);
        assert_eq!(users.add("", "other", [8; 16]).unwrap_err(), BadUser::Name);
        assert_eq!(users.add("bob", "", [8; 16]).unwrap_err(), BadUser::Password);
        assert_eq!(users.list().map(|(name, _)| name).collect::<Vec<_>>(), ["ann"]);
        assert_eq!(users.remove("ann"), Ok(()));
        assert_eq!(users.remove("ann"), Err(BadUser::Unknown));
    }

    fn with_ann() -> Users {
        let mut users = Users::default();
        users.add("ann", "correct horse", [7; 16]).unwrap();
        users
    }

    fn accepted(users: &Users) -> LoginVerdict {
        let account = Account::new("ann", [Role::Terminal], AllowList::default(), Vec::new());
        LoginVerdict::Accepted(account.in_version(users.version_of("ann").unwrap()))
    }

    fn verify(users: &Users, username: &str, password: &str) -> LoginVerdict {
        let credentials = Credentials { username: username.into(), password: password.into() };
        at("cam-7", |place| users.verify(&credentials, place))
    }

    fn readmit(users: &Users, account: &str, client: &str) -> LoginVerdict {
        at(client, |place| users.readmit(account, place))
    }

    fn at(client: &str, ask: impl Fn(Place<'_>) -> LoginVerdict) -> LoginVerdict {
        let (client, home) = (client.parse().unwrap(), "sh.east.cn".parse().unwrap());
        ask(Place { client: &client, partition: &home, home: &home })
    }
}
