//! The node's links as the driver keeps them: who can be sent to, and how much waits there.

use std::collections::BTreeMap;

use bytes::Bytes;
use taoyao_core::{Input, Queued};
use taoyao_link::{LaneClass, LinkHandle, LinkNo, LinkStats, SendError};
use taoyao_types::NodeId;
use taoyao_wire::link::Lane;
use taoyao_wire::link::hello::CloseCode;

/// The machine counts what it gave to a link and is told the link's own count once it has given this much: far below
/// every bound that it decides by, and far above what one turn sends in quiet times.
const TELL_ABOVE_BYTES: usize = 128 * 1024;

/// All neighbours with a link, and why the others have none.
#[derive(Debug, Default)]
pub(crate) struct LinkTable {
    up: BTreeMap<NodeId, Up>,
    troubles: BTreeMap<NodeId, String>,
}

#[derive(Debug)]
struct Up {
    link: LinkHandle,
    /// What the machine believes to wait, at least.
    believed_bytes: usize,
    /// The driver's turn in which the belief was last corrected.
    corrected_in: u64,
}

impl LinkTable {
    /// A link is there; it takes the place of an older one.
    pub(crate) fn up(&mut self, peer: NodeId, link: LinkHandle) {
        self.troubles.remove(&peer);
        self.up.insert(peer, Up { link, believed_bytes: 0, corrected_in: 0 });
    }

    /// A link is gone. False if a newer one to the same peer is there.
    pub(crate) fn down(&mut self, peer: NodeId, number: LinkNo) -> bool {
        let is_known = self.up.get(&peer).is_some_and(|up| up.link.number() == number);
        if is_known {
            self.up.remove(&peer);
        }
        is_known
    }

    /// Remembers why there is no link, for people.
    pub(crate) fn note_trouble(&mut self, peer: NodeId, reason: String) {
        self.troubles.insert(peer, reason);
    }

    pub(crate) fn trouble(&self, peer: NodeId) -> Option<&str> {
        self.troubles.get(&peer).map(String::as_str)
    }

    pub(crate) fn stats(&self, peer: NodeId) -> Option<LinkStats> {
        self.up.get(&peer).map(|up| up.link.stats())
    }

    /// Puts a frame in line. A link that is down takes nothing: its `Down` is on the way to the machine.
    pub(crate) fn send(&mut self, peer: NodeId, lane: Lane, frame: Bytes) -> Result<(), SendError> {
        let Some(up) = self.up.get_mut(&peer) else { return Err(SendError::Down) };
        up.believed_bytes += frame.len();
        up.link.send(lane, frame)
    }

    /// Ends all links, which connect anew.
    pub(crate) fn renew(&self, reason: &str) {
        for up in self.up.values() {
            up.link.close(CloseCode::Ended, reason);
        }
    }

    /// Ends a link because of what its peer did.
    pub(crate) fn close(&self, peer: NodeId, reason: &str) {
        if let Some(up) = self.up.get(&peer) {
            up.link.close(CloseCode::Frame, reason);
        }
    }

    /// The count of one link of which the machine's belief may be far off, until there is none left.
    ///
    /// A link that really has that much waiting is told again at the next turn, not in this one.
    pub(crate) fn next_correction(&mut self, turn: u64) -> Option<Input> {
        let far_off = |up: &&mut Up| up.believed_bytes >= TELL_ABOVE_BYTES && up.corrected_in != turn;
        let up = self.up.values_mut().find(far_off)?;
        up.corrected_in = turn;
        Some(up.correction())
    }

    /// The link's own count, whatever the machine believes.
    pub(crate) fn correction(&mut self, peer: NodeId) -> Option<Input> {
        self.up.get_mut(&peer).map(Up::correction)
    }
}

impl Up {
    fn correction(&mut self) -> Input {
        let bytes = |class| self.link.queued_bytes(class);
        let queued = Queued {
            signals: bytes(LaneClass::Control) + bytes(LaneClass::Signals),
            directory: bytes(LaneClass::Directory),
            broadcasts: bytes(LaneClass::Broadcasts),
            bulk: bytes(LaneClass::Bulk),
        };
        self.believed_bytes = queued.signals + queued.directory + queued.broadcasts + queued.bulk;
        Input::LinkQueued { peer: self.link.peer(), queued }
    }
}
