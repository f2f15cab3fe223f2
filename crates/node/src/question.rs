//! What the rest of the node asks its driver.

use taoyao_admin::Sample;
use taoyao_core::{MemberView, RoomView};
use taoyao_gateway::GatewayStats;
use taoyao_types::TerminalName;
use taoyao_wire::link::{Failure, ListPage, ListQuery, Trace};
use tokio::sync::oneshot;

use crate::report::{AlarmsReport, StatusReport};

/// A question and where its answer goes; an answer that nobody waits for any more is dropped.
#[derive(Debug)]
pub(crate) enum Question {
    Status(oneshot::Sender<StatusReport>),
    Samples {
        gateway: GatewayStats,
        reply: oneshot::Sender<Vec<Sample>>,
    },
    /// The newest alarms, at most so many.
    Alarms {
        limit: usize,
        reply: oneshot::Sender<AlarmsReport>,
    },
    /// The node's rooms by their ids.
    Rooms(oneshot::Sender<Vec<RoomView>>),
    Room {
        id: String,
        reply: oneshot::Sender<Option<(RoomView, Vec<MemberView>)>>,
    },
    List {
        query: ListQuery,
        reply: oneshot::Sender<ListPage>,
    },
    Trace {
        from: TerminalName,
        to: TerminalName,
        reply: oneshot::Sender<Result<Trace, Failure>>,
    },
    /// End the session of a terminal; whether it was here.
    CloseTerminal {
        name: TerminalName,
        reply: oneshot::Sender<bool>,
    },
    /// Tell the terminals that the node goes, and take it from then on that gateway and links may end.
    Drain(oneshot::Sender<()>),
    Unsent(oneshot::Sender<Unsent>),
    /// End.
    Stop(oneshot::Sender<()>),
}

/// What a drain waits for before it ends the links.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Unsent {
    /// Given to links and not sent yet.
    pub(crate) bytes: u64,
    /// Of the slowest link.
    pub(crate) round_trip_us_max: u64,
}

/// How many questions may wait for the driver; those beyond wait with the asker.
pub(crate) const QUESTIONS_MAX: usize = 64;
