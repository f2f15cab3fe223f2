//! What a node tells of its rooms: who is there, and what its media forwarder carries.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use taoyao_types::{NodeName, TerminalName};

/// `GET /api/rooms`: the rooms of one node by their ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomsReport {
    pub node: NodeName,
    /// Whether the node has a media forwarder at all.
    pub carries_media: bool,
    pub rooms: Vec<RoomReport>,
}

/// One room in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomReport {
    pub room: String,
    /// What its maker called it.
    pub name: Option<String>,
    pub owner: TerminalName,
    pub members: u64,
    /// Whether a password is asked for.
    pub is_locked: bool,
    pub media: RoomMedia,
}

/// What the media forwarder carries for one room; all 0 where it carries nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomMedia {
    pub transports: u64,
    pub producers: u64,
    pub consumers: u64,
    /// From all members, bits per second of now.
    pub received_bps: u64,
    pub sent_bps: u64,
}

/// `GET /api/rooms/{id}`: one room with all that is in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomDetails {
    pub node: NodeName,
    #[serde(flatten)]
    pub room: RoomReport,
    pub people: Vec<MemberReport>,
}

/// One member with what it sends and receives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberReport {
    pub terminal: TerminalName,
    /// Where it is connected.
    pub node: NodeName,
    pub transports: Vec<MediaReport>,
    pub producers: Vec<MediaReport>,
    pub consumers: Vec<MediaReport>,
}

/// One transport, producer or consumer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MediaReport {
    pub id: String,
    /// Objects in the shape of mediasoup's statistics (reference section 6.5).
    pub stats: Vec<Value>,
}
