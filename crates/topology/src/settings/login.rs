//! `[login]`: who may register.

use std::path::PathBuf;

use taoyao_types::Role;

use crate::mistake::At;
use crate::paths::Base;
use crate::read::Table;
use crate::settings::Password;

/// Who may register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The table of users with their password hashes; it need not exist yet.
    pub users: PathBuf,
    /// One account that every terminal may use, as the original has it; only for development.
    pub shared_account: Option<SharedAccount>,
}

/// The account that all terminals of a development mesh share (reference section 3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedAccount {
    pub username: String,
    pub password: Password,
    /// What the account may be used for: `terminal` unless the file says more.
    pub roles: Vec<Role>,
    /// Signals that it may send, as in the table of users; empty: all that its roles allow.
    pub signals: Vec<String>,
}

impl Login {
    /// What holds without a `[login]` section.
    pub(crate) fn default_in(base: &Base) -> Self {
        Self { users: base.resolve("users.toml"), shared_account: None }
    }

    pub(crate) fn read(mut table: Table<'_>, base: &Base) -> Self {
        let mut login = Self::default_in(base);
        if let Some(users) = table.text("users", "users = \"users.toml\"") {
            login.users = base.resolve(&users.value);
        }
        let development = table.flag("development", "development = true").is_some_and(|flag| flag.value);
        if let Some(account) = table.table("shared_account", SHARED_EXAMPLE) {
            if !development {
                account.report_undeclared();
            }
            login.shared_account = SharedAccount::read(account);
        }
        table.finish();
        login
    }
}

const SHARED_EXAMPLE: &str = "shared_account = { username = \"…\", password = \"…\" }";

impl SharedAccount {
    fn read(mut table: Table<'_>) -> Option<Self> {
        table.keep_secret();
        let username = table.required_text("username", SHARED_EXAMPLE);
        let password = table.required_text("password", SHARED_EXAMPLE);
        for (key, text) in [("username", &username), ("password", &password)] {
            if let Some(text) = text.as_ref().filter(|text| text.value.is_empty()) {
                table.add(&text.span, format!("the shared account's `{key}` is empty"), SHARED_EXAMPLE);
            }
        }
        let roles = table.texts("roles", "roles = [\"terminal\", \"operator\"]");
        let roles = roles.map_or(vec![Role::Terminal], |roles| read_roles(&table, roles.value));
        let signals = table.texts("signals", "signals = [\"platform::shutdown\"]");
        let signals =
            signals.map_or(Vec::new(), |signals| signals.value.into_iter().map(|at| at.value).collect());
        table.finish();
        Some(Self { username: username?.value, password: Password::new(password?.value), roles, signals })
    }
}

fn read_roles(table: &Table<'_>, texts: Vec<At<String>>) -> Vec<Role> {
    let role = |text: At<String>| {
        let found = Role::ALL.into_iter().find(|role| role.as_str() == text.value);
        if found.is_none() {
            let all = Role::ALL.map(Role::as_str).join(", ");
            table.add(&text.span, format!("unknown role {:?}", text.value), format!("one of: {all}"));
        }
        found
    };
    texts.into_iter().filter_map(role).collect()
}

impl Table<'_> {
    fn report_undeclared(&self) {
        self.add(
            &self.span,
            "a shared account without `development = true`: whoever knows one terminal's password knows all",
            "`development = true` beside it if this mesh is for development, else remove it and make users with `taoyao user add`",
        );
    }
}
