//! What a node tells its operators: the answers of the admin API, written by the node and read by the command line.
//!
//! Every field of a duration or size names its unit. A reader skips fields that it does not know, so fields may be added.

mod recordings;
mod rooms;

pub use recordings::{RecordingDetails, RecordingReport, RecordingsReport, TrackReport};
pub use rooms::{MediaReport, MemberReport, RoomDetails, RoomMedia, RoomReport, RoomsReport};

use serde::{Deserialize, Serialize};
use taoyao_types::{NodeName, PartitionName, TerminalName};

/// `GET /api/status`: how one node is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    pub node: NodeName,
    pub org: String,
    /// 1 for the root.
    pub tier: usize,
    /// The partitions that it owns, its home first.
    pub partitions: Vec<PartitionName>,
    /// The program's version.
    pub version: String,
    /// The topology file's generation.
    pub generation: u64,
    /// Numbers the node's lives; rises at each start.
    pub epoch: u32,
    pub uptime_seconds: u64,
    /// How many milliseconds its clock is ahead of its parent's, by which it goes then; 0 if they agree.
    #[serde(default)]
    pub clock_ahead_ms: i64,
    /// What it still waits for, in plain sentences; empty when it is ready.
    pub not_ready: Vec<String>,
    /// Terminals registered at this node.
    pub terminals: u64,
    /// Terminals that its directory knows, its own and those below it.
    pub directory_records: u64,
    /// Alarms of its partitions that it keeps.
    #[serde(default)]
    pub alarms: u64,
    pub links: Vec<LinkReport>,
    /// Those that it read at its start.
    #[serde(default)]
    pub certificates: Vec<CertificateReport>,
}

/// `GET /api/links`: the links of one node, to its parent first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinksReport {
    pub node: NodeName,
    pub links: Vec<LinkReport>,
}

/// One link as one of its ends sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkReport {
    pub peer: NodeName,
    /// Whether the peer is the parent; else it is a child.
    pub is_parent: bool,
    pub is_up: bool,
    /// Both ends agree that the child's directory is in the parent's.
    pub is_synced: bool,
    /// Why it is down; empty while it is up.
    pub reason: String,
    /// As measured by the transport; absent while it is down.
    pub round_trip_us: Option<u64>,
    pub sent_bytes: u64,
    pub received_bytes: u64,
    /// Given to the link and not sent yet.
    pub queued_bytes: u64,
}

/// `GET /api/terminals`: terminals that a node knows, by partition and client id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalsReport {
    pub terminals: Vec<TerminalReport>,
    /// Nodes whose terminals are missing because they did not answer in time.
    pub incomplete: Vec<NodeName>,
}

/// One certificate that a node uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateReport {
    /// `link`, `terminals`, or `authority`.
    pub kind: String,
    pub path: String,
    /// When it is over: Unix milliseconds.
    pub not_after_ms: u64,
}

/// One terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalReport {
    pub name: TerminalName,
    /// Where it is connected.
    pub node: NodeName,
    /// The name that it shows to people, if it gave one.
    pub display_name: Option<String>,
    /// What it says it is, in upper case (reference section 3.3).
    pub client_type: Option<String>,
    /// When it registered: Unix milliseconds. None for what never does, which is an SFU.
    pub registered_at_ms: Option<u64>,
}

/// `GET /api/alarms`: the alarms of a node's partitions, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmsReport {
    pub alarms: Vec<TerminalAlarm>,
    /// Alarms of terminals here that the owners of their partitions do not have yet.
    pub waiting: u64,
}

/// One `client::alarm`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalAlarm {
    pub terminal: TerminalName,
    /// Where it was connected.
    pub node: NodeName,
    /// When that node heard of it: Unix milliseconds.
    pub raised_at_ms: u64,
    /// The terminal's words.
    pub message: String,
    /// The terminal's own date, `yyyyMMddHHmmss`, as it wrote it.
    pub terminal_time: Option<String>,
}

/// `POST /api/trace` asks for this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceRequest {
    pub from: TerminalName,
    pub to: TerminalName,
}

/// `POST /api/trace` answers with this: the nodes there, and those back with their times, each in the order passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceReport {
    pub there: Vec<NodeName>,
    pub back: Vec<BackHop>,
}

/// One node that a trace's answer passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackHop {
    pub node: NodeName,
    /// From here to the far end and back again.
    pub round_trip_us: u64,
}
