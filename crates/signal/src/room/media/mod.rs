//! The media of rooms of this node: what members send and receive there, as the node's SFU carries it.

use taoyao_ortc::{Event, Recorded};
use taoyao_types::Now;

use crate::terminals::Terminals;

impl Terminals {
    pub(crate) fn media_said(&mut self, _now: Now, _event: Event) {}

    pub(crate) fn recorder_said(&mut self, _now: Now, _recorded: Recorded) {}
}
