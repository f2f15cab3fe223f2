//! Every metric of a node in one place: its name, its kind, what it means, and where its number comes from.
//!
//! An instrument cannot be listed without a reading, so there are none that never move. Names end in their unit;
//! counters end in `_total`. `docs/OPERATIONS.md` shows the same table, and a test compares the two.

pub(crate) mod media;

use taoyao_admin::{Kind, Sample};
use taoyao_core::{RouterStats, Scarce, TerminalStats};
use taoyao_gateway::GatewayStats;
use taoyao_link::LinkStats;
use taoyao_ortc::RecordEnd;
use taoyao_wire::signals::{SIGNALS, Sender};

use crate::driver::DriverStats;
use crate::expiry::InUse;
use crate::logins::LoginStats;
use crate::recordings::RecordingStats;
use crate::status::queued_bytes;
use crate::telemetry::LogStats;

/// What instruments read from.
pub(crate) struct Readings<'a> {
    pub(crate) node: &'a NodeGauges,
    pub(crate) driver: &'a DriverStats,
    pub(crate) logins: &'a LoginStats,
    pub(crate) terminals: &'a TerminalStats,
    pub(crate) router: &'a RouterStats,
    pub(crate) gateway: &'a GatewayStats,
    pub(crate) recordings: &'a RecordingStats,
    pub(crate) log: &'a LogStats,
    pub(crate) links: &'a [Link],
    pub(crate) certificates: &'a [InUse],
}

/// Numbers of the node as a whole, as of now.
pub(crate) struct NodeGauges {
    pub(crate) epoch: u64,
    pub(crate) uptime_seconds: u64,
    pub(crate) clock_off_ms: u64,
    pub(crate) is_ready: bool,
    pub(crate) directory_records: u64,
    pub(crate) tombstones: u64,
    pub(crate) requests_pending: u64,
    pub(crate) requests_running: u64,
}

/// One neighbour of the node.
pub(crate) struct Link {
    pub(crate) peer: String,
    pub(crate) is_up: bool,
    pub(crate) is_synced: bool,
    /// `None` while it is down.
    pub(crate) stats: Option<LinkStats>,
}

/// A metric that reads its number from `T`.
struct Instrument<T: ?Sized> {
    name: &'static str,
    kind: Kind,
    help: &'static str,
    read: fn(&T) -> u64,
}

const fn counter<T: ?Sized>(name: &'static str, help: &'static str, read: fn(&T) -> u64) -> Instrument<T> {
    Instrument { name, kind: Kind::Counter, help, read }
}

const fn gauge<T: ?Sized>(name: &'static str, help: &'static str, read: fn(&T) -> u64) -> Instrument<T> {
    Instrument { name, kind: Kind::Gauge, help, read }
}

const NODE: &[Instrument<NodeGauges>] = &[
    gauge("taoyao_node_epoch", "the node's life; rises at each start", |n| n.epoch),
    gauge("taoyao_node_uptime_seconds", "since the start", |n| n.uptime_seconds),
    gauge("taoyao_node_clock_off_ms", "how far the clock is from the parent's, if a second or more", |n| {
        n.clock_off_ms
    }),
    gauge("taoyao_node_ready", "1 if the node says that it is ready", |n| u64::from(n.is_ready)),
    gauge("taoyao_directory_records", "terminals that the directory knows", |n| n.directory_records),
    gauge("taoyao_directory_tombstones", "withdrawn records that are remembered", |n| n.tombstones),
    gauge("taoyao_requests_pending", "requests on their way through or from this node", |n| {
        n.requests_pending
    }),
    gauge("taoyao_requests_running", "requests that this node's terminals are answering", |n| {
        n.requests_running
    }),
];

const DRIVER: &[Instrument<DriverStats>] = &[
    counter("taoyao_driver_turns_total", "turns of the node's loop", |d| d.turns),
    counter("taoyao_driver_gateway_events_total", "events of terminals' connections", |d| d.gateway_events),
    counter("taoyao_driver_link_frames_total", "frames that neighbours sent", |d| d.link_frames),
    counter("taoyao_driver_media_events_total", "answers and news of the media forwarder", |d| {
        d.media_events
    }),
    counter("taoyao_alarms_total", "facts that only an operator can mend; each is in the log", |d| d.alarms),
];

const LOGINS: &[Instrument<LoginStats>] = &[
    counter("taoyao_logins_accepted_total", "logins with the right password", |l| l.accepted),
    counter("taoyao_logins_refused_total", "logins with a wrong one", |l| l.refused),
    counter(
        "taoyao_logins_remembered_total",
        "logins whose password was right, or wrong, a moment ago",
        |l| l.remembered,
    ),
    counter("taoyao_logins_vouched_total", "logins by a ticket from before a restart", |l| l.vouched),
    gauge("taoyao_logins_waiting", "logins that wait until their password is checked", |l| l.waiting),
    counter(
        "taoyao_logins_put_off_total",
        "logins refused unread: too many failures or too many at once",
        |l| l.put_off,
    ),
];

const TERMINALS: &[Instrument<TerminalStats>] = &[
    gauge("taoyao_terminals_registered", "terminals registered here", |t| t.registered),
    gauge("taoyao_accounts", "accounts that have terminals here", |t| t.accounts),
    counter("taoyao_shares_exhausted_total", "requests refused: the account had its whole share", |t| {
        t.shares_exhausted
    }),
    counter(
        "taoyao_sessions_dismissed_total",
        "sessions ended for a changed account or by an operator",
        |t| t.dismissed,
    ),
    gauge("taoyao_rooms", "rooms of this node", |t| t.rooms),
    gauge("taoyao_room_transports", "transports that members have of the node's media forwarder", |t| {
        t.transports
    }),
    gauge("taoyao_room_plain_ports", "ports for plain RTP that members have", |t| t.plain_ports),
    gauge("taoyao_room_passwords_waiting", "passwords of rooms that are being hashed or checked", |t| {
        t.room_passwords
    }),
    gauge("taoyao_room_news_bytes", "news of rooms kept for nodes that miss them, in bytes", |t| {
        t.room_news_bytes
    }),
    gauge("taoyao_session_ends", "ends of peer-to-peer sessions here", |t| t.session_ends),
    gauge("taoyao_partitions_watched", "partitions whose presence this node wants", |t| t.partitions_watched),
    gauge("taoyao_announcements_waiting", "presence announcements that wait for their turn", |t| {
        t.announcements_waiting
    }),
    counter(
        "taoyao_sends_put_off_total",
        "messages refused because their senders' accounts had sent more than readers' lines take",
        |t| t.sends_put_off,
    ),
    gauge("taoyao_lists_waiting", "lists that wait until it is their turn to be collected", |t| {
        t.lists_waiting
    }),
    counter(
        "taoyao_lists_put_off_total",
        "lists refused because their accounts had asked for too many",
        |t| t.lists_put_off,
    ),
    counter("taoyao_denied_total", "signals that rights, a room's owner or policy refused", |t| t.denied),
    counter("taoyao_terminal_messages_received_total", "messages of terminals", |t| t.messages_in),
    counter("taoyao_terminal_messages_sent_total", "messages to terminals", |t| t.messages_out),
    counter("taoyao_terminal_received_bytes_total", "bytes of terminals' messages", |t| t.bytes_in),
    counter("taoyao_terminal_sent_bytes_total", "bytes of messages to terminals", |t| t.bytes_out),
    counter("taoyao_registrations_total", "registrations that succeeded", |t| t.registrations),
    counter(
        "taoyao_terminals_replaced_total",
        "terminals closed because a newer login took their place",
        |t| t.replaced,
    ),
    counter(
        "taoyao_terminals_renewed_total",
        "sessions numbered anew: they lay in the future of others",
        |t| t.renewed,
    ),
    counter(
        "taoyao_terminals_outbid_total",
        "logins that claimed to be newer than what displaced them",
        |t| t.outbids,
    ),
    gauge("taoyao_terminal_alarms", "alarms of this node's partitions that it keeps", |t| t.alarms_kept),
    gauge(
        "taoyao_terminal_alarms_waiting",
        "alarms that the owners of their partitions do not have yet",
        |t| t.alarms_waiting,
    ),
    counter("taoyao_terminal_alarms_raised_total", "alarms of terminals here", |t| t.alarms_raised),
    counter("taoyao_terminal_alarms_taken_total", "alarms of this node's partitions, raised anywhere", |t| {
        t.alarms_taken
    }),
    counter("taoyao_terminal_alarms_lost_total", "alarms that never reached their owner", |t| t.alarms_lost),
    counter("taoyao_terminal_alarms_displaced_total", "alarms that made way for newer ones", |t| {
        t.alarms_displaced
    }),
    gauge("taoyao_calls_unanswered", "calls from here that nobody has answered yet", |t| t.calls_unanswered),
    counter("taoyao_calls_expired_total", "calls from here that nobody answered in time", |t| {
        t.calls_expired
    }),
    counter("taoyao_calls_total", "peer-to-peer sessions begun here", |t| t.calls),
    counter("taoyao_mesh_refused_total", "what the mesh brought and policy or sense stopped here", |t| {
        t.mesh_refused
    }),
    counter("taoyao_members_dropped_total", "terminals elsewhere not announced: too many known", |t| {
        t.members_dropped
    }),
    counter("taoyao_terminal_errors_total", "errors that terminals were sent", |t| t.errors.values().sum()),
];

const ROUTER: &[Instrument<RouterStats>] = &[
    counter("taoyao_requests_made_total", "requests of this node's terminals", |r| r.requests_made),
    counter("taoyao_requests_relayed_total", "requests passed on", |r| r.requests_relayed),
    counter("taoyao_requests_executed_total", "requests carried out here", |r| r.requests_executed),
    counter("taoyao_requests_repeated_total", "repeated requests answered from memory", |r| {
        r.requests_repeated
    }),
    counter("taoyao_answers_relayed_total", "answers passed on", |r| r.answers_relayed),
    counter("taoyao_answers_rerouted_total", "answers sent by name, the way back being gone", |r| {
        r.answers_rerouted
    }),
    counter("taoyao_answers_late_total", "answers after their time", |r| r.answers_late),
    counter("taoyao_events_relayed_total", "unanswered signals passed on", |r| r.events_relayed),
    counter("taoyao_multicasts_relayed_total", "copies of signals for many", |r| r.multicasts_relayed),
    counter("taoyao_refused_no_such_terminal_total", "requests for unknown terminals", |r| {
        r.refused_no_such_terminal
    }),
    counter("taoyao_refused_unreachable_total", "requests whose way was down", |r| r.refused_unreachable),
    counter("taoyao_refused_busy_total", "requests refused for want of room", |r| r.refused_busy),
    counter("taoyao_refused_deadline_total", "requests whose time was over", |r| r.refused_deadline),
    counter("taoyao_ttl_expired_total", "signals that took too many hops; anything but 0 is a loop", |r| {
        r.ttl_expired
    }),
    counter("taoyao_overflow_dropped_total", "unanswered signals dropped for want of room", |r| {
        r.overflow_dropped
    }),
    counter("taoyao_oversize_refused_total", "signals that were longer than a frame of a link", |r| {
        r.oversize_refused
    }),
    gauge("taoyao_answers_kept_bytes", "answers kept for requests that are repeated, in bytes", |r| {
        r.answers_kept_bytes
    }),
    counter("taoyao_authority_violations_total", "what a neighbour may not say", |r| r.authority_violations),
    counter("taoyao_policy_refused_total", "ways between partitions that policy does not show", |r| {
        r.policy_refused
    }),
    counter("taoyao_records_added_total", "directory records added", |r| r.records_added),
    counter("taoyao_records_withdrawn_total", "directory records withdrawn", |r| r.records_withdrawn),
    counter("taoyao_records_outdated_total", "directory records older than what is known", |r| {
        r.records_outdated
    }),
    counter("taoyao_records_refused_total", "directory records refused", |r| r.records_refused),
    counter("taoyao_origins_withdrawn_total", "nodes whose terminals were withdrawn all at once", |r| {
        r.origins_withdrawn
    }),
    counter("taoyao_snapshots_received_total", "whole directories received", |r| r.snapshots_received),
    counter("taoyao_snapshots_sent_total", "whole directories sent", |r| r.snapshots_sent),
    counter("taoyao_journals_resumed_total", "outages bridged by the journal", |r| r.journals_resumed),
];

const GATEWAY: &[Instrument<GatewayStats>] = &[
    gauge("taoyao_gateway_connections", "connections of whatever kind", |g| g.connections),
    gauge("taoyao_gateway_websockets", "WebSockets", |g| g.terminals.saturating_sub(g.sockets)),
    counter("taoyao_gateway_websockets_total", "WebSockets opened", |g| {
        g.terminals_opened.saturating_sub(g.sockets_opened)
    }),
    gauge("taoyao_gateway_sockets", "terminals on bare TCP sockets", |g| g.sockets),
    counter("taoyao_gateway_sockets_total", "terminals that connected on bare TCP sockets", |g| {
        g.sockets_opened
    }),
    counter(
        "taoyao_gateway_replaced_total",
        "messages too long for a terminal's frames, which got an error in their place",
        |g| g.texts_replaced,
    ),
    counter("taoyao_gateway_refused_total", "connections refused: too many", |g| g.connections_refused),
    counter(
        "taoyao_gateway_strangers_refused_total",
        "of these, refused because too many of one address had not registered",
        |g| g.strangers_refused,
    ),
    counter(
        "taoyao_gateway_proxies_unread_total",
        "connections of trusted proxies whose PROXY header was missing or unreadable",
        |g| g.proxies_unread,
    ),
    counter(
        "taoyao_gateway_accepts_failed_total",
        "accepts that failed for want of descriptors or memory",
        |g| g.accepts_failed,
    ),
    counter("taoyao_gateway_handshakes_failed_total", "TLS handshakes that failed or took too long", |g| {
        g.handshakes_failed
    }),
    counter("taoyao_gateway_slow_readers_total", "terminals closed because they read too slowly", |g| {
        g.slow_readers
    }),
    counter("taoyao_gateway_idle_closed_total", "terminals closed because nothing moved", |g| g.idle_closed),
    counter("taoyao_gateway_faulty_closed_total", "terminals closed for a breach of the protocol", |g| {
        g.faulty_closed
    }),
];

const RECORDINGS: &[Instrument<RecordingStats>] = &[
    gauge("taoyao_recordings_running", "recordings under way", |r| r.under_way),
    gauge("taoyao_recorder_up", "1 while the node can record; 0 also where it has no recorder", |r| {
        u64::from(r.is_up)
    }),
    gauge("taoyao_recordings_kept", "recordings of this node, those under way with them", |r| r.kept),
    gauge("taoyao_recordings_kept_bytes", "bytes of them", |r| r.kept_bytes),
    counter("taoyao_recordings_started_total", "recordings that began", |r| r.started),
    counter("taoyao_recordings_refused_total", "recordings that did not begin; each is in the log", |r| {
        r.refused
    }),
    counter("taoyao_recordings_dropped_packets_total", "packets that disks were too slow for", |r| {
        r.dropped_packets
    }),
];

/// Of the process, which may be many nodes.
const LOG: &[Instrument<LogStats>] = &[
    counter(
        "taoyao_log_dropped_lines_total",
        "lines of this process's log that standard error did not take",
        |l| l.dropped,
    ),
    counter("taoyao_log_failed_writes_total", "writes of this process's log that failed", |l| {
        l.failed_writes
    }),
];

/// Of each neighbour, with the label `peer`.
const LINKS: &[Instrument<Link>] = &[
    gauge("taoyao_link_up", "1 while the link is up", |l| u64::from(l.is_up)),
    gauge("taoyao_link_synced", "1 while both ends agree on what is behind the link", |l| {
        u64::from(l.is_synced)
    }),
    gauge("taoyao_link_up_seconds", "how long the link has been up", |l| {
        l.stats.map_or(0, |stats| stats.up_for.as_secs())
    }),
    gauge("taoyao_link_round_trip_microseconds", "smoothed, as QUIC measures it", |l| {
        l.stats.map_or(0, |stats| u64::try_from(stats.rtt.as_micros()).unwrap_or(u64::MAX))
    }),
    gauge("taoyao_link_queued_bytes", "given to the link and not sent yet", |l| {
        l.stats.as_ref().map_or(0, queued_bytes)
    }),
    gauge("taoyao_link_sent_bytes", "UDP bytes since the link came up, both connections", |l| {
        l.stats.map_or(0, |stats| stats.signal.sent_bytes + stats.bulk.sent_bytes)
    }),
    gauge("taoyao_link_received_bytes", "UDP bytes since the link came up, both connections", |l| {
        l.stats.map_or(0, |stats| stats.signal.received_bytes + stats.bulk.received_bytes)
    }),
    gauge("taoyao_link_lost_packets", "since the link came up, both connections", |l| {
        l.stats.map_or(0, |stats| stats.signal.lost_packets + stats.bulk.lost_packets)
    }),
    gauge("taoyao_link_datagrams_dropped", "since the link came up", |l| {
        l.stats.map_or(0, |stats| stats.datagrams_dropped)
    }),
];

/// Of each certificate, with the label `certificate`.
const CERTIFICATES: &[Instrument<InUse>] = &[gauge(
    "taoyao_certificate_expires_seconds",
    "when a certificate of the node is over, as a Unix time",
    |c| c.not_after_ms / 1_000,
)];

/// The numbers of all instruments, metric by metric.
pub(crate) fn samples(readings: &Readings<'_>) -> Vec<Sample> {
    let mut samples = Vec::new();
    add(&mut samples, NODE, readings.node);
    add(&mut samples, DRIVER, readings.driver);
    add(&mut samples, LOGINS, readings.logins);
    add(&mut samples, TERMINALS, readings.terminals);
    add(&mut samples, ROUTER, readings.router);
    add(&mut samples, GATEWAY, readings.gateway);
    add(&mut samples, RECORDINGS, readings.recordings);
    samples.extend(recordings_ended(readings.recordings));
    add(&mut samples, LOG, readings.log);
    samples.extend(signals(readings.terminals));
    samples.extend(shares_refused(readings.terminals));
    for instrument in LINKS {
        for link in readings.links {
            let labels = vec![("peer", link.peer.clone())];
            samples.push(sample(instrument, link, labels));
        }
    }
    for instrument in CERTIFICATES {
        for certificate in readings.certificates {
            let labels = vec![("certificate", certificate.kind.to_owned())];
            samples.push(sample(instrument, certificate, labels));
        }
    }
    samples
}

/// One sample for each reason, so that a counter is there before its first end.
fn recordings_ended(recordings: &RecordingStats) -> impl Iterator<Item = Sample> {
    const ENDED: Instrument<u64> =
        counter("taoyao_recordings_ended_total", "recordings that are over, by reason", |count| *count);
    let ends = RecordEnd::ALL.iter().zip(&recordings.ended);
    ends.map(|(end, count)| sample(&ENDED, count, vec![("reason", end.name().to_owned())]))
}

/// One sample for each signal that anybody may send, so that a counter is there before its first signal.
fn signals(terminals: &TerminalStats) -> impl Iterator<Item = Sample> {
    let rows = SIGNALS.iter().filter(|row| row.sender != Sender::Node);
    rows.map(|row| Sample {
        name: "taoyao_signals_received_total",
        help: "signals of terminals and of the REST interface",
        kind: Kind::Counter,
        labels: vec![("signal", row.name.to_owned())],
        value: terminals.signals.get(&row.signal).copied().unwrap_or_default() as f64,
    })
}

/// One sample for each thing that accounts have a share of.
fn shares_refused(terminals: &TerminalStats) -> impl Iterator<Item = Sample> {
    Scarce::ALL.into_iter().map(|what| Sample {
        name: "taoyao_shares_refused_total",
        help: "refusals because an account has its share, or because nothing is left",
        kind: Kind::Counter,
        labels: vec![("what", what.key().to_owned())],
        value: terminals.shares_refused.get(&what).copied().unwrap_or_default() as f64,
    })
}

fn add<T>(samples: &mut Vec<Sample>, instruments: &[Instrument<T>], source: &T) {
    samples.extend(instruments.iter().map(|instrument| sample(instrument, source, Vec::new())));
}

fn sample<T: ?Sized>(instrument: &Instrument<T>, source: &T, labels: Vec<(&'static str, String)>) -> Sample {
    let Instrument { name, kind, help, read } = instrument;
    Sample { name, help, kind: *kind, labels, value: read(source) as f64 }
}
