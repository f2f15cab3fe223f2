//! `taoyao user add | set | remove | list`: the accounts that terminals and scripts log in with.

use std::io::{self, IsTerminal, Read};

use clap::{Args, Subcommand};
use comfy_table::Cell;
use serde::Serialize;
use taoyao_auth::User;
use taoyao_types::{ClientId, PartitionName, Role, limits};

use super::exit::{Exit, Failed};
use super::input::{self, Format, TopologyArg};
use super::output;
use super::user_rights::Rights;
use super::user_table::UserTable;
use super::user_token::Token;

/// Add, change, remove or list the accounts that terminals and scripts log in with
#[derive(Debug, Args)]
pub(crate) struct UserCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Add(Add),
    Set(Set),
    Remove(Remove),
    List(List),
    Token(Token),
}

/// Add an account; the password is asked for, or read from standard input
///
/// Only its Argon2id hash is kept, in the user table that the topology names (`[login] users`, mode 0600). Nodes read
/// a changed table within a second. Without --partition and --anywhere the account is for the home partition of each node.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao user add ann
  taoyao user add cam-7 --partition sh.east.cn --client cam-7
  taoyao user add root --role admin
  pass show taoyao/ann | taoyao user add ann --password-stdin

The table is TOML and may be edited by hand:
  [user.ann]
  hash = \"$argon2id$v=19$m=19456,t=2,p=1$...\"
  partitions = [\"sh.east.cn\"]
  clients = [\"cam-7\"]
  roles = [\"terminal\"]
  signals = [\"room::*\", \"platform::script\"]")]
struct Add {
    /// The account's name
    name: String,
    /// Read the password from standard input, one line
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    rights: Rights,
    #[command(flatten)]
    topology: TopologyArg,
    #[command(flatten)]
    format: Format,
}

/// Change an account; what is not given stays as it is, and so do its tokens
///
/// Nodes take the change within a second: sessions and tickets of the account end, are told why, and log in anew.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao user set ann --role operator
  taoyao user set cam-7 --partition bj.north.cn
  taoyao user set ann --clear signals
  pass show taoyao/ann | taoyao user set ann --password-stdin")]
struct Set {
    /// The account's name
    name: String,
    /// Ask for a new password
    #[arg(long, conflicts_with = "password_stdin")]
    password: bool,
    /// Read a new password from standard input, one line
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    rights: Rights,
    /// Take a list away, so that its default holds again: partitions, clients or signals; may be repeated
    #[arg(long, value_name = "LIST", value_parser = ["partitions", "clients", "signals"])]
    clear: Vec<String>,
    #[command(flatten)]
    topology: TopologyArg,
    #[command(flatten)]
    format: Format,
}

/// Remove an account; its sessions end within a second
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao user remove ann")]
struct Remove {
    /// The account's name
    name: String,
    #[command(flatten)]
    topology: TopologyArg,
    #[command(flatten)]
    format: Format,
}

/// List the accounts and where each may be used
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao user list
  taoyao user list --json | jq -r '.[].name'")]
struct List {
    #[command(flatten)]
    topology: TopologyArg,
    #[command(flatten)]
    format: Format,
}

/// One account as `--json` prints it; empty lists mean "any", but `partitions` the home of each node unless `anywhere`.
#[derive(Debug, Serialize)]
struct Account<'a> {
    name: &'a str,
    partitions: &'a [PartitionName],
    anywhere: bool,
    clients: &'a [ClientId],
    roles: Vec<Role>,
    signals: &'a [String],
    /// The names of its bearer tokens.
    tokens: Vec<&'a str>,
}

impl UserCommand {
    pub(crate) fn run(self) -> Result<Exit, Failed> {
        match self.verb {
            Verb::Add(add) => add.run(),
            Verb::Set(set) => set.run(),
            Verb::Remove(remove) => remove.run(),
            Verb::List(list) => list.run(),
            Verb::Token(token) => token.run(),
        }
    }
}

impl Add {
    fn run(self) -> Result<Exit, Failed> {
        let topology = input::load(&self.topology.topology)?;
        self.rights.check(&topology, &self.topology.topology)?;
        let mut table = UserTable::read(&topology.login().users)?;
        let password =
            if self.password_stdin { password_from_stdin()? } else { password_from_person(&self.name)? };
        let user = table
            .users
            .add(&self.name, &password, fresh()?)
            .map_err(|bad| Failed::new(Exit::Usage, format!("account {:?}: {bad}", self.name)))?;
        self.rights.apply(user);
        table.write()?;
        confirm("added", &self.name, &table, self.format)
    }
}

impl Set {
    fn run(self) -> Result<Exit, Failed> {
        let changes_password = self.password || self.password_stdin;
        if !changes_password && self.rights.is_empty() && self.clear.is_empty() {
            let what = "nothing to change; `taoyao user set --help` lists what can be";
            return Err(Failed::new(Exit::Usage, what));
        }
        let topology = input::load(&self.topology.topology)?;
        self.rights.check(&topology, &self.topology.topology)?;
        let mut table = UserTable::read(&topology.login().users)?;
        let name = self.name;
        let bad = |bad| Failed::new(Exit::Usage, format!("account {name:?}: {bad}"));
        let user = table.users.get_mut(&name).map_err(bad)?;
        for list in &self.clear {
            match list.as_str() {
                "partitions" => (user.partitions, user.anywhere) = (Vec::new(), false),
                "clients" => user.clients.clear(),
                _ => user.signals.0.clear(),
            }
        }
        self.rights.apply(user);
        user.check().map_err(bad)?;
        if changes_password {
            let password =
                if self.password_stdin { password_from_stdin()? } else { password_from_person(&name)? };
            table.users.set_password(&name, &password, fresh()?).map_err(bad)?;
        }
        table.write()?;
        confirm("changed", &name, &table, self.format)
    }
}

impl Remove {
    fn run(self) -> Result<Exit, Failed> {
        let topology = input::load(&self.topology.topology)?;
        let mut table = UserTable::read(&topology.login().users)?;
        table
            .users
            .remove(&self.name)
            .map_err(|bad| Failed::new(Exit::Usage, format!("account {:?}: {bad}", self.name)))?;
        table.write()?;
        confirm("removed", &self.name, &table, self.format)
    }
}

impl List {
    fn run(self) -> Result<Exit, Failed> {
        let topology = input::load(&self.topology.topology)?;
        let table = UserTable::read(&topology.login().users)?;
        let accounts: Vec<Account<'_>> =
            table.users.list().map(|(name, user)| Account::of(name, user)).collect();
        if self.format.json {
            output::say_json(&accounts)?;
        } else if accounts.is_empty() {
            output::say(format!("{}: no accounts; `taoyao user add NAME` makes one", table.path.display()))?;
        } else {
            output::say(drawn(&accounts))?;
        }
        Ok(Exit::Fine)
    }
}

impl<'a> Account<'a> {
    fn of(name: &'a str, user: &'a User) -> Self {
        Self {
            name,
            partitions: &user.partitions,
            anywhere: user.anywhere,
            clients: &user.clients,
            roles: user.roles.iter().copied().collect(),
            signals: &user.signals.0,
            tokens: user.tokens().collect(),
        }
    }
}

fn drawn(accounts: &[Account<'_>]) -> String {
    let mut table = output::table(&["NAME", "PARTITIONS", "CLIENT IDS", "ROLES", "SIGNALS", "TOKENS"]);
    for account in accounts {
        table.add_row([
            Cell::new(account.name),
            Cell::new(match (account.anywhere, account.partitions) {
                (true, _) => "any".to_owned(),
                (false, []) => "home".to_owned(),
                (false, named) => joined(named),
            }),
            Cell::new(any_or(account.clients)),
            Cell::new(joined(&account.roles)),
            Cell::new(any_or(account.signals)),
            Cell::new(joined(&account.tokens)),
        ]);
    }
    output::drawn(table)
}

fn any_or<T: ToString>(names: &[T]) -> String {
    if names.is_empty() {
        return "any".to_owned();
    }
    joined(names)
}

fn joined<T: ToString>(names: &[T]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

pub(super) fn confirm(done: &str, name: &str, table: &UserTable, format: Format) -> Result<Exit, Failed> {
    if format.json {
        output::say_json(&serde_json::json!({ done: name, "users": table.path }))?;
    } else {
        output::say(format!("{done} {name:?} in {}", table.path.display()))?;
    }
    Ok(Exit::Fine)
}

fn password_from_person(name: &str) -> Result<String, Failed> {
    let no_terminal = |error: io::Error| {
        let hint = "there is no terminal to ask at; use --password-stdin";
        Failed::new(Exit::Usage, format!("the password cannot be asked for: {error}; {hint}"))
    };
    let password = rpassword::prompt_password(format!("Password of {name}: ")).map_err(no_terminal)?;
    let again = rpassword::prompt_password("Once more: ").map_err(no_terminal)?;
    if password != again {
        return Err(Failed::new(Exit::Usage, "the two passwords differ; nothing was changed"));
    }
    Ok(password)
}

fn password_from_stdin() -> Result<String, Failed> {
    if io::stdin().is_terminal() {
        return Err(Failed::new(
            Exit::Usage,
            "--password-stdin at a terminal would show the password; leave it out",
        ));
    }
    let mut bytes = Vec::new();
    // One more than is allowed tells a password that is too long from one that just fits.
    let most = limits::PASSWORD_BYTES_MAX as u64 + "\r\n".len() as u64 + 1;
    io::stdin()
        .lock()
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(|error| Failed::new(Exit::Io, format!("standard input cannot be read: {error}")))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failed::new(Exit::Usage, "the password on standard input is not UTF-8"))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.contains('\n') {
        return Err(Failed::new(Exit::Usage, "standard input has more than one line; a password is one"));
    }
    Ok(line.to_owned())
}

/// Random bytes from the system.
pub(super) fn fresh<const COUNT: usize>() -> Result<[u8; COUNT], Failed> {
    let mut bytes = [0; COUNT];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failed::new(Exit::Io, format!("the system gives no randomness: {error}")))?;
    Ok(bytes)
}
