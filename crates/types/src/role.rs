//! What kinds of things an account may be used for.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// One role of an account; an account may have several. `admin` includes `operator`, and that includes `terminal`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Registers terminals. What a new account has.
    Terminal,
    /// All that a terminal may, and acts on what belongs to others: closes rooms, expels members, takes over client ids, reads the system's state.
    Operator,
    /// All that an operator may, and reads the node's configuration.
    Admin,
}

impl Role {
    pub const ALL: [Role; 3] = [Role::Terminal, Role::Operator, Role::Admin];

    /// Whether one of these is the role or includes it.
    pub fn is_in(self, roles: &BTreeSet<Role>) -> bool {
        roles.range(self..).next().is_some()
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Terminal => "terminal",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
