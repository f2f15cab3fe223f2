//! What the router counts.

/// Totals since the start of the node.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    pub requests_made: u64,
    pub requests_relayed: u64,
    pub requests_executed: u64,
    pub requests_repeated: u64,
    pub answers_relayed: u64,
    pub answers_rerouted: u64,
    pub answers_late: u64,
    pub events_relayed: u64,
    pub multicasts_relayed: u64,
    pub refused_no_such_terminal: u64,
    pub refused_unreachable: u64,
    pub refused_busy: u64,
    pub refused_deadline: u64,
    pub ttl_expired: u64,
    pub overflow_dropped: u64,
    /// Signals that no link takes: requests and answers are refused in words, all else is dropped.
    pub oversize_refused: u64,
    /// Now: bytes of answers that are remembered for requests that are repeated.
    pub answers_kept_bytes: u64,
    pub authority_violations: u64,
    pub policy_refused: u64,
    pub records_added: u64,
    pub records_withdrawn: u64,
    pub records_outdated: u64,
    pub records_refused: u64,
    pub origins_withdrawn: u64,
    pub snapshots_received: u64,
    pub snapshots_sent: u64,
    pub journals_resumed: u64,
}
