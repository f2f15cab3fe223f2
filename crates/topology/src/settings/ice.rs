//! `[ice]`: the STUN and TURN servers that terminals are told in `client::config` (reference section 3.5).

use crate::address::HostPort;
use crate::read::Table;
use crate::settings::Password;

/// The servers by which browsers find a way to each other; none is fine where they see each other directly.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ice {
    pub stun: Vec<HostPort>,
    pub turn: Vec<Turn>,
}

/// A relay and the account that terminals use there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    pub address: HostPort,
    pub username: String,
    /// Every registered terminal is told this password.
    pub password: Password,
}

impl Ice {
    pub(crate) fn read(mut table: Table<'_>) -> Self {
        let mut ice = Self::default();
        for text in table.texts("stun", STUN_EXAMPLE).map(|list| list.value).unwrap_or_default() {
            match text.value.parse() {
                Ok(address) => ice.stun.push(address),
                Err(why) => {
                    table.add(&text.span, format!("bad STUN server {:?}: {why}", text.value), STUN_EXAMPLE);
                }
            }
        }
        ice.turn = table.tables("turn", TURN_EXAMPLE).into_iter().filter_map(Turn::read).collect();
        table.finish();
        ice
    }
}

const STUN_EXAMPLE: &str = "stun = [\"stun.example.com:3478\"]";
const TURN_EXAMPLE: &str =
    "turn = [{ address = \"turn.example.com:3478\", username = \"…\", password = \"…\" }]";

impl Turn {
    fn read(mut table: Table<'_>) -> Option<Self> {
        table.keep_secret();
        let address = table.required("address", TURN_EXAMPLE, |text| {
            text.parse().map_err(|why: crate::address::BadHostPort| why.to_string())
        });
        let username = table.required_text("username", TURN_EXAMPLE);
        let password = table.required_text("password", TURN_EXAMPLE);
        table.finish();
        Some(Self {
            address: address?.value,
            username: username?.value,
            password: Password::new(password?.value),
        })
    }
}
