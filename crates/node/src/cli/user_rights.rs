//! What an account may do and where, as options of `taoyao user add` and `taoyao user set`.

use std::path::Path;

use clap::Args;
use taoyao_auth::{AllowList, User};
use taoyao_topology::{Topology, closest};
use taoyao_types::{ClientId, PartitionName, Role};
use taoyao_wire::signals::SIGNALS;

use super::exit::Failed;
use super::input;

/// Options that are not given leave what the account has.
#[derive(Debug, Args)]
pub(super) struct Rights {
    /// A partition in which the account may register terminals; may be repeated; without any, the home partition of
    /// each node
    #[arg(long, value_name = "PARTITION", conflicts_with = "anywhere")]
    partition: Vec<PartitionName>,
    /// The account may register terminals in every partition that a node serves
    #[arg(long)]
    anywhere: bool,
    /// A client id that the account may register, and no other account; may be repeated; without any, every id that is
    /// no other account's
    #[arg(long, value_name = "ID")]
    client: Vec<ClientId>,
    /// What the account may be used for: terminal, operator (includes terminal) or admin (includes both); may be
    /// repeated; default: terminal
    #[arg(long, value_name = "ROLE", value_parser = role)]
    role: Vec<Role>,
    /// A signal that it may send, `family::name` or `family::*`; may be repeated; default: all that its roles allow
    #[arg(long, value_name = "SIGNAL", value_parser = signal)]
    signal: Vec<String>,
}

impl Rights {
    pub(super) fn is_empty(&self) -> bool {
        let Self { partition, anywhere, client, role, signal } = self;
        partition.is_empty() && !anywhere && client.is_empty() && role.is_empty() && signal.is_empty()
    }

    /// Whether the topology has all partitions that are named.
    pub(super) fn check(&self, topology: &Topology, file: &Path) -> Result<(), Failed> {
        self.partition.iter().try_for_each(|name| input::check_partition(topology, name, file))
    }

    pub(super) fn apply(self, user: &mut User) {
        if self.anywhere || !self.partition.is_empty() {
            (user.partitions, user.anywhere) = (self.partition, self.anywhere);
        }
        if !self.client.is_empty() {
            user.clients = self.client;
        }
        if !self.role.is_empty() {
            user.roles = self.role.into_iter().collect();
        }
        if !self.signal.is_empty() {
            user.signals = AllowList(self.signal);
        }
    }
}

fn role(text: &str) -> Result<Role, String> {
    let all = Role::ALL.map(Role::as_str).join(", ");
    Role::ALL.into_iter().find(|role| role.as_str() == text).ok_or(format!("one of: {all}"))
}

/// A signal of the table, or a family of it.
fn signal(text: &str) -> Result<String, String> {
    let names = || SIGNALS.iter().map(|row| row.name);
    let is_family = text
        .strip_suffix('*')
        .is_some_and(|family| family.ends_with("::") && names().any(|n| n.starts_with(family)));
    if is_family || names().any(|name| name == text) {
        return Ok(text.to_owned());
    }
    let families = names().filter_map(|name| name.split_once("::")).map(|(family, _)| format!("{family}::*"));
    let all: Vec<String> = names().map(str::to_owned).chain(families).collect();
    Err(match closest(text, all.iter().map(String::as_str)) {
        Some(meant) => format!("there is no such signal; did you mean {meant}?"),
        None => "there is no such signal; docs/PROTOCOL.md lists all of them".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_signals_and_families_of_the_table_are_taken() {
        for good in ["room::close", "room::*", "room::client::*", "platform::script"] {
            assert_eq!(signal(good).as_deref(), Ok(good));
        }
        assert!(signal("room::clsoe").unwrap_err().contains("room::close"));
        assert!(signal("rooms::*").unwrap_err().contains("room::*"));
        for bad in ["room*", "*", "", "room::c*", "nothing::like::this"] {
            assert!(signal(bad).is_err(), "{bad}");
        }
    }
}
