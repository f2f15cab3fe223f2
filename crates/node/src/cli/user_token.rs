//! `taoyao user token`: tokens by which scripts log in to the REST interface.

use clap::Args;
use taoyao_auth::{BadToken, TokenHash, token};
use taoyao_types::Secret;

use super::exit::{Exit, Failed};
use super::input::{self, Format, TopologyArg};
use super::output;
use super::user::{confirm, fresh};
use super::user_table::UserTable;

/// Make a bearer token for an account, or revoke one
///
/// A token logs in to the REST interface as the account, with all of its rights and without its password. It is printed
/// once; the user table keeps its SHA-256 under a name. Nodes know a new or revoked token within a second.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao user token ann --name laptop
  TOKEN=$(taoyao user token ann --name backup)
  curl -H \"Authorization: Bearer $TOKEN\" https://localhost:8883/client/list
  taoyao user token ann --revoke laptop")]
pub(crate) struct Token {
    /// The account's name
    user: String,
    /// What the token is called in the table, so that it can be revoked
    #[arg(long, value_name = "NAME", default_value = "token")]
    name: String,
    /// Make no token; let the one of this name log in no more
    #[arg(long, value_name = "NAME", conflicts_with = "name")]
    revoke: Option<String>,
    #[command(flatten)]
    topology: TopologyArg,
    #[command(flatten)]
    format: Format,
}

impl Token {
    pub(crate) fn run(self) -> Result<Exit, Failed> {
        let topology = input::load(&self.topology.topology)?;
        let mut table = UserTable::read(&topology.login().users)?;
        let bad = |bad: BadToken| Failed::new(Exit::Usage, format!("account {:?}: {bad}", self.user));
        if let Some(name) = &self.revoke {
            table.users.revoke_token(&self.user, name).map_err(bad)?;
            table.write()?;
            return confirm("revoked", name, &table, self.format);
        }
        let token = token(fresh()?);
        table.users.add_token(&self.user, &self.name, TokenHash::of(&token)).map_err(bad)?;
        table.write()?;
        self.show(&token, &table)
    }

    fn show(&self, token: &Secret, table: &UserTable) -> Result<Exit, Failed> {
        let Self { user, name, .. } = self;
        if self.format.json {
            let shown =
                serde_json::json!({ "token": token.0, "name": name, "user": user, "users": table.path });
            output::say_json(&shown)?;
        } else {
            output::note(format!("token {name:?} of {user:?}; it is not shown again:"));
            output::say(&token.0)?;
        }
        Ok(Exit::Fine)
    }
}
