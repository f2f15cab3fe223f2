//! `[limits]`: the bounds that an operator may set; all others are constants of `taoyao_types::limits`.

use std::time::Duration;

use taoyao_types::{AccountLimits, limits};

use crate::read::Table;

/// Bounds of every node of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Terminals registered at one node at a time; further registrations are refused as `busy`.
    pub terminals_max: usize,
    /// Connections at once from one address (one /64 in IPv6) at one node's listeners for terminals.
    pub connections_per_address: usize,
    /// Among them those on which nobody has registered, HTTP requests included.
    pub strangers_per_address: usize,
    /// Records that one child may register with its parent; further ones are refused and counted.
    pub records_per_child: usize,
    /// Entries of one `client::list` answer unless the request says less.
    pub list_entries_max: usize,
    /// How long a request may take from end to end.
    pub request_timeout: Duration,
    /// Requests that one node remembers on their way through; further ones are answered `busy`.
    pub pending_max: usize,
    /// How long a room stays without members if who makes it does not say.
    pub room_empty: Duration,
    /// The longest that may be asked for; never shorter than `room_empty`.
    pub room_empty_max: Duration,
    /// What one account may have of a node.
    pub account: AccountLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            terminals_max: limits::TERMINALS_MAX,
            connections_per_address: limits::TERMINAL_CONNECTIONS_PER_ADDRESS_MAX,
            strangers_per_address: limits::TERMINAL_STRANGERS_PER_ADDRESS_MAX,
            records_per_child: limits::CHILD_RECORDS_MAX,
            list_entries_max: limits::LIST_ENTRIES_MAX,
            request_timeout: limits::REQUEST_TIMEOUT,
            pending_max: limits::PENDING_MAX,
            room_empty: limits::ROOM_EMPTY_KEPT,
            room_empty_max: limits::ROOM_EMPTY_KEPT_MAX,
            account: AccountLimits::default(),
        }
    }
}

impl Limits {
    pub(crate) fn read(mut table: Table<'_>) -> Self {
        let mut limits = Self::default();
        let mut count = |key, example, max: u64, target: &mut usize| {
            let number = table.integer(key, example, 1..=max);
            *target = number.and_then(|number| usize::try_from(number).ok()).unwrap_or(*target);
        };
        count("terminals_max", "terminals_max = 10000", 10_000_000, &mut limits.terminals_max);
        let (per_address, strangers) =
            (&mut limits.connections_per_address, &mut limits.strangers_per_address);
        count("connections_per_address", "connections_per_address = 20000", 10_000_000, per_address);
        count("strangers_per_address", "strangers_per_address = 1024", 10_000_000, strangers);
        count("records_per_child", "records_per_child = 2000000", 100_000_000, &mut limits.records_per_child);
        count("list_entries_max", "list_entries_max = 1000", 100_000, &mut limits.list_entries_max);
        count("pending_max", "pending_max = 65536", 10_000_000, &mut limits.pending_max);
        if let Some(ms) = table.integer("request_timeout_ms", "request_timeout_ms = 4750", 100..=60_000) {
            limits.request_timeout = Duration::from_millis(ms);
        }
        let shortest = limits::ROOM_EMPTY_KEPT_MIN.as_secs();
        let mut kept = |key, example, target: &mut Duration| {
            let seconds = table.integer(key, example, shortest..=ROOM_EMPTY_SECONDS_MAX);
            *target = seconds.map_or(*target, Duration::from_secs);
        };
        kept("room_empty_seconds", "room_empty_seconds = 600", &mut limits.room_empty);
        kept("room_empty_seconds_max", "room_empty_seconds_max = 86400", &mut limits.room_empty_max);
        limits.room_empty_max = limits.room_empty_max.max(limits.room_empty);
        if let Some(account) = table.table("account", "account = { rooms = 1000 }") {
            limits.account = read_account(account);
        }
        table.finish();
        limits
    }
}

/// `[limits.account]`: the share of one account.
fn read_account(mut table: Table<'_>) -> AccountLimits {
    let mut account = AccountLimits::default();
    let fields = [
        ("terminals", "terminals = 1000", &mut account.terminals),
        ("rooms", "rooms = 1000", &mut account.rooms),
        ("transports", "transports = 1024", &mut account.transports),
        ("plain_ports", "plain_ports = 64", &mut account.plain_ports),
        ("recordings", "recordings = 16", &mut account.recordings),
        ("room_passwords", "room_passwords = 32", &mut account.room_passwords),
        ("alarms", "alarms = 256", &mut account.alarms),
        ("calls_unanswered", "calls_unanswered = 256", &mut account.calls_unanswered),
    ];
    for (key, example, target) in fields {
        let number = table.integer(key, example, 0..=SHARE_MAX);
        *target = number.and_then(|number| usize::try_from(number).ok()).unwrap_or(*target);
    }
    table.finish();
    account
}

/// A year.
const ROOM_EMPTY_SECONDS_MAX: u64 = 366 * 24 * 3600;
/// More than any node has of anything.
const SHARE_MAX: u64 = 10_000_000;
