//! What the machine counts; the shell gives it out.

use std::collections::BTreeMap;

use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::Code;

use crate::room::Scarce;

/// Plain numbers since the machine was made; those that go up and down say so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Now.
    pub connections: u64,
    /// Now.
    pub registered: u64,
    /// Now: accounts that have terminals here.
    pub accounts: u64,
    /// Now: calls from here that nobody has answered yet.
    pub calls_unanswered: u64,
    /// Now: ends of peer-to-peer sessions at this node; a session within the node has two.
    pub session_ends: u64,
    /// Now: terminals without a connection that may come back.
    pub away: u64,
    /// Now: rooms of this node.
    pub rooms: u64,
    /// Now: transports of the SFU that accounts have.
    pub transports: u64,
    /// Now: ports for plain RTP that accounts have.
    pub plain_ports: u64,
    /// Now: passwords of rooms that are being looked at.
    pub room_passwords: u64,
    /// Now: about how many bytes of news are kept for nodes of members that miss them.
    pub room_news_bytes: u64,
    /// Refusals because an account has its share, or because nothing is left.
    pub shares_refused: BTreeMap<Scarce, u64>,
    /// Now: alarms that this node keeps.
    pub alarms_kept: u64,
    /// Now: alarms of terminals here that the owners of their partitions do not have yet.
    pub alarms_waiting: u64,
    /// Now: lists that wait for their turn.
    pub lists_waiting: u64,
    /// Now: requests to the mesh that are not answered.
    pub asks_open: u64,
    /// Now: requests to terminals that are not answered.
    pub pending_open: u64,
    /// Now: announcements of presence that wait for their turn.
    pub announcements_waiting: u64,
    /// Now: partitions whose presence this node wants.
    pub partitions_watched: u64,
    /// Signals that terminals and guests sent, by signal; those of another table are errors.
    pub signals: BTreeMap<Signal, u64>,
    pub messages_in: u64,
    pub messages_out: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub registrations: u64,
    pub logins_refused: u64,
    /// Registrations that nobody looked at, and that were told when to come back.
    pub logins_put_off: u64,
    /// Sessions that this node ended, because of what became of their account or for an operator.
    pub dismissed: u64,
    /// Terminals that came back with a ticket.
    pub resumed: u64,
    /// Terminals that lost their connection to a newer login, here or elsewhere.
    pub replaced: u64,
    /// Logins that claimed to be newer than the one that displaced them.
    pub outbids: u64,
    /// Sessions numbered anew because they lay in the future of others.
    pub renewed: u64,
    /// Signals that the account's roles or its allow list, a room's owner or policy refused.
    pub denied: u64,
    /// Messages that were refused because their senders' accounts had sent more than readers' lines take.
    pub sends_put_off: u64,
    /// Lists refused because their accounts had asked for more than links shall carry.
    pub lists_put_off: u64,
    pub calls: u64,
    /// Calls that ended because nobody answered them in time.
    pub calls_expired: u64,
    /// Requests that were refused because the account had its whole share of something.
    pub shares_exhausted: u64,
    /// Alarms of terminals here.
    pub alarms_raised: u64,
    /// Alarms of the partitions of this node, raised anywhere.
    pub alarms_taken: u64,
    /// Alarms that made way for newer ones of this node's list.
    pub alarms_displaced: u64,
    /// Alarms that never reached the owner of their partition: too many waited, or it did not take them.
    pub alarms_lost: u64,
    /// Messages and requests from the mesh that policy stopped here, or that made no sense.
    pub mesh_refused: u64,
    /// Terminals elsewhere that were not announced because too many are known already.
    pub members_dropped: u64,
    /// Errors sent to terminals, by code.
    pub errors: BTreeMap<Code, u64>,
}
