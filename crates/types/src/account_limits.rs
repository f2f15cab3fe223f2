//! The share of a node's scarce things that one account may have: defaults, and the fields that an operator may set.

/// Each is for one account at one node, counted over all its terminals. A shared account is one account, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLimits {
    /// Terminals registered at once, those that are away but may come back among them.
    pub terminals: usize,
    /// Rooms that the account owns at the node.
    pub rooms: usize,
    /// Transports of the node's SFU.
    pub transports: usize,
    /// Ports for plain RTP.
    pub plain_ports: usize,
    /// Recordings under way.
    pub recordings: usize,
    /// Passwords of rooms that wait to be hashed or checked.
    pub room_passwords: usize,
    /// Alarms that are kept at the node.
    pub alarms: usize,
    /// Calls of its own that nobody has answered yet.
    pub calls_unanswered: usize,
}

impl Default for AccountLimits {
    /// An eighth to a quarter of what the node has, so that a handful of accounts have to act together to use it up; all
    /// terminals, because most meshes give one account to all cameras of a site.
    fn default() -> Self {
        Self {
            terminals: usize::MAX,
            rooms: 1_000,
            transports: 1_024,
            plain_ports: 64,
            recordings: 16,
            room_passwords: 32,
            alarms: 256,
            calls_unanswered: 256,
        }
    }
}
