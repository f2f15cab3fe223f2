//! What travels between the node of a room and the nodes of its members.
//!
//! A member's node sends [`RoomRequest`]s. What the members see comes back as a feed of [`RoomNews`], one for each pair of
//! a room and a member's node, numbered, so that everybody in a room sees the same order and a gap is noticed. Every few
//! seconds a member's node compares by [`RoomCheck`].

use serde::{Deserialize, Serialize};
use taoyao_types::{AccountTag, Secret, SessionEpoch, TerminalName};

use super::media::{MediaAnswer, MediaIds, MediaNews, Receiving};
use super::payload::{ListEntry, Message};

/// What a terminal wants of a room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomRequest {
    pub from: TerminalName,
    pub session: SessionEpoch,
    /// The account behind the terminal: owns what it makes, and is charged for what it uses.
    pub account: AccountTag,
    /// Empty when the room is to be created.
    pub room: String,
    /// The account may act on what belongs to others; counts in rooms of the sender's partition and of those within it.
    pub is_operator: bool,
    pub act: RoomAct,
}

/// See reference section 4.6; the answers are [`RoomReply`]s.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum RoomAct {
    /// Answer: [`RoomReply::State`].
    Create {
        name: Option<String>,
        password: Option<Secret>,
        media: Option<String>,
        /// How long the room stays without members; what the topology says if none.
        #[serde(default)]
        empty_seconds: Option<u32>,
    },
    /// Answer: [`RoomReply::Done`], and [`RoomEvent::Entered`] with the same `entry` in the node's feed.
    Enter { entry: u64, password: Option<Secret>, state: String, receiving: Receiving },
    /// Answer: [`RoomReply::Done`].
    Leave,
    /// Answer: [`RoomReply::Done`].
    Close,
    /// To all other members. Answer: [`RoomReply::Done`].
    Broadcast { message: Message },
    /// The inviter's node hands the message on. Answer: [`RoomReply::Invitation`].
    Invite { client: TerminalName, message: Message },
    /// Answer: [`RoomReply::Done`].
    Expel { client: TerminalName, message: Message },
    /// Answer: [`RoomReply::Members`].
    Members,
    /// Of a member. Answer: [`RoomReply::Ids`].
    Ids { client: TerminalName },
    /// Answer: [`RoomReply::Status`].
    Status,
    /// `media::*`, its body as JSON text. Answer: [`RoomReply::Media`]; [`RoomReply::Done`] where the signal has no answer.
    /// Where something is pushed that may only follow the answer, that comes under the number `ask` among the news, too.
    Media { ask: u64, signal: String, body: String },
    /// `control::server::record`. Answer: [`RoomReply::Recorded`].
    Record { client: TerminalName, enabled: bool },
}

/// How a [`RoomRequest`] ended, if it did not fail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum RoomReply {
    Done,
    State(RoomState),
    Status(RoomState, RoomRights),
    Members(Vec<ListEntry>),
    /// The message with a pass for the invited terminal, if the room has a password.
    Invitation(Message),
    Ids(MediaIds),
    Media(MediaAnswer),
    /// Where the recording is; none if nothing was being recorded.
    Recorded {
        filepath: Option<String>,
    },
}

/// What is shown of a room (reference section 4.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomState {
    pub room: String,
    pub name: Option<String>,
    pub size: u32,
    pub media: String,
    /// Whether a member of it is being recorded.
    pub is_recorded: bool,
}

/// What the asker may do in a room, so that terminals offer nothing that would be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomRights {
    /// Close it, and expel members.
    pub may_manage: bool,
    /// Record other members: there is a recorder, too.
    pub may_record: bool,
}

/// One entry of a feed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomNews {
    pub room: String,
    /// The feed began anew with this number: all members of the node had left, or the room's node had forgotten them.
    pub feed: u64,
    /// Counts from 1 in each feed. News of the moment that nobody needs later have 0: they are told or lost.
    pub seq: u64,
    pub event: RoomEvent,
}

/// What the members at one node are told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum RoomEvent {
    /// Told to all members. At the newcomer's own node there is more: which of its requests this answers, and who is there.
    Entered { newcomer: Box<ListEntry>, welcome: Option<Welcome> },
    /// Told to the members that remain.
    Left { who: TerminalName },
    /// The room is no more.
    Closed,
    /// The room has ended because nobody was in it; told to whoever made it, if that is still at the node it was at then.
    Lapsed { owner: TerminalName, account: AccountTag },
    /// Nothing has been heard of the members at the node for a while: it is to compare at once. `last` is the number of the
    /// feed's last news, so that a node without members can say which of them it has none of.
    Missed { last: u64 },
    /// To these, or to all but its sender.
    Told { from: TerminalName, to: Option<TerminalName>, message: Message },
    /// To this member, or to all.
    Media { to: Option<TerminalName>, news: Box<MediaNews> },
}

/// What a newcomer is told besides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Welcome {
    pub entry: u64,
    /// The newcomer among them.
    pub members: Vec<ListEntry>,
}

/// What a node knows of the rooms that one other node has. Answer: [`RoomChecked`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomCheck {
    pub seats: Vec<SeatCheck>,
}

/// One room's members at the asking node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeatCheck {
    pub room: String,
    pub feed: u64,
    /// The number of the feed that is to come next; the room's node sends again what is missing.
    pub next: u64,
    pub members: Vec<TerminalName>,
}

impl RoomEvent {
    /// About how many bytes it takes to keep it.
    pub fn weight(&self) -> usize {
        const ITSELF: usize = 256;
        let entry = |entry: &ListEntry| ITSELF + entry.state.len();
        ITSELF
            + match self {
                Self::Entered { newcomer, welcome } => {
                    entry(newcomer)
                        + welcome.iter().flat_map(|welcome| &welcome.members).map(entry).sum::<usize>()
                }
                Self::Told { message, .. } => {
                    let Message { signal, v, code, text, body } = message;
                    let texts = [signal, v, code, text].map(String::len).iter().sum::<usize>();
                    texts + body.as_ref().map_or(0, String::len)
                }
                Self::Media { news, .. } => news.weight(),
                Self::Left { .. } | Self::Closed | Self::Lapsed { .. } | Self::Missed { .. } => 0,
            }
    }
}

/// What the room's node knows better.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RoomChecked {
    /// Rooms that are no more.
    pub closed: Vec<String>,
    /// Members that the room does not have, or that have missed too much: they have to enter anew.
    pub out: Vec<(String, Vec<TerminalName>)>,
}
