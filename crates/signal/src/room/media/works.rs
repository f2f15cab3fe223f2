//! What the SFU and the recorder have been asked about a room, and what each of their answers is for.

use std::collections::{BTreeMap, VecDeque};

use taoyao_ortc::{ConsumerId, ProducerId, RoomName, TransportId};
use taoyao_types::{Instant, TerminalName, limits};

use crate::io::Token;

/// The commands of one room that are not answered, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Works {
    last: u64,
    open: BTreeMap<u64, Work>,
}

/// What goes on when the SFU or the recorder has answered.
#[derive(Debug)]
pub(super) enum Work {
    Open {
        token: Token,
        /// Whether an empty room is to give way if the SFU is full.
        may_displace: bool,
    },
    CreateTransport {
        token: Token,
        /// The member's number of its request.
        ask: u64,
        transport: TransportId,
    },
    Connect {
        token: Token,
        transport: TransportId,
    },
    /// The request's body, which the answer repeats.
    RestartIce {
        token: Token,
        body: String,
    },
    Produce {
        token: Token,
        producer: ProducerId,
    },
    /// With the request of a member that wants to receive it.
    Consume {
        token: Option<Token>,
        consumer: ConsumerId,
    },
    Status {
        token: Token,
        body: String,
    },
    StartRecording {
        token: Token,
        member: TerminalName,
    },
    StopRecording {
        token: Token,
    },
}

impl Works {
    pub(super) fn begin(&mut self, work: Work) -> u64 {
        self.last += 1;
        self.open.insert(self.last, work);
        self.last
    }

    pub(super) fn end(&mut self, number: u64) -> Option<Work> {
        self.open.remove(&number)
    }

    /// All of them, when nobody is left to answer.
    pub(super) fn end_all(&mut self) -> Vec<Work> {
        std::mem::take(&mut self.open).into_values().collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.open.len() >= limits::ROOM_MEDIA_WAITING_MAX
    }
}

impl Work {
    /// Who waits for it.
    pub(super) fn token(&self) -> Option<Token> {
        match self {
            Self::Open { token, .. }
            | Self::CreateTransport { token, .. }
            | Self::Connect { token, .. }
            | Self::RestartIce { token, .. }
            | Self::Produce { token, .. }
            | Self::Status { token, .. }
            | Self::StartRecording { token, .. }
            | Self::StopRecording { token } => Some(*token),
            Self::Consume { token, .. } => *token,
        }
    }
}

/// When commands of all rooms should have been answered, the oldest first: all have as much time.
#[derive(Debug, Default)]
pub(crate) struct MediaDeadlines(VecDeque<(Instant, RoomName, u64)>);

impl MediaDeadlines {
    pub(super) fn push(&mut self, at: Instant, room: &RoomName, number: u64) {
        self.0.push_back((at, RoomName::clone(room), number));
    }

    pub(super) fn first(&self) -> Option<Instant> {
        self.0.front().map(|(at, ..)| *at)
    }

    pub(super) fn due(&mut self, now: Instant) -> Option<(RoomName, u64)> {
        self.0.pop_front_if(|(at, ..)| *at <= now).map(|(_, room, number)| (room, number))
    }
}
