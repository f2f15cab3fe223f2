//! What happened, as the machine is told it.

use taoyao_core::Input;
use taoyao_gateway::GatewayEvent;
use taoyao_link::LinkEvent;
use taoyao_ortc::{Event, Recorded};
use taoyao_types::NodeId;

use super::{Driver, Terminal};

impl Driver {
    pub(super) fn hear_terminals(&mut self, events: &mut Vec<GatewayEvent>) {
        let now = self.begin_turn();
        self.stats.gateway_events += events.len() as u64;
        for event in events.drain(..) {
            let input = match event {
                GatewayEvent::Opened { conn, ip, terminal, account } => {
                    tracing::debug!(conn = conn.0, %ip, "terminal connected");
                    let message_max = terminal.message_max();
                    self.terminals.insert(conn, Terminal { handle: terminal, ip, account });
                    Input::TerminalOpened { conn, ip, message_max }
                }
                GatewayEvent::Text { conn, text } => {
                    tracing::trace!(conn = conn.0, bytes = text.len(), "from terminal");
                    Input::TerminalText { conn, text: String::from(&*text) }
                }
                GatewayEvent::Closed { conn, reason } => {
                    tracing::debug!(conn = conn.0, %reason, "terminal disconnected");
                    self.terminals.remove(&conn);
                    Input::TerminalClosed { conn }
                }
            };
            self.feed(now, input);
        }
    }

    pub(super) fn hear_links(&mut self, events: &mut Vec<LinkEvent>) {
        let now = self.begin_turn();
        for event in events.drain(..) {
            match event {
                LinkEvent::Frames { peer, frames, .. } => {
                    self.stats.link_frames += frames.len() as u64;
                    for frame in frames {
                        tracing::trace!(peer = peer.hex(), bytes = frame.len(), "from link");
                        self.feed(now, Input::LinkFrame { peer, frame });
                    }
                }
                LinkEvent::Up { peer, hello, link, .. } => {
                    self.links.up(peer, link);
                    self.feed(now, Input::LinkUp { peer, epoch: hello.epoch });
                }
                LinkEvent::Down { peer, link, why } => {
                    if self.links.down(peer, link) {
                        let reason = why.to_string();
                        self.links.note_trouble(peer, reason.clone());
                        self.feed(now, Input::LinkDown { peer, reason });
                    }
                }
                LinkEvent::Drained { peer, .. } => {
                    if let Some(correction) = self.links.correction(peer) {
                        self.feed(now, correction);
                    }
                }
                LinkEvent::Refused { peer: Some(name), why, .. } => {
                    self.note_trouble(NodeId::of(&name), why.to_string());
                }
                LinkEvent::Refused { peer: None, .. } => {}
                LinkEvent::Unreachable { peer, reason, .. } => self.note_trouble(peer, reason),
            }
        }
    }

    pub(super) fn hear_media(&mut self, events: &mut Vec<Event>) {
        let now = self.begin_turn();
        self.stats.media_events += events.len() as u64;
        for event in events.drain(..) {
            tracing::trace!(?event, "from the SFU");
            self.feed(now, Input::Media(event));
        }
    }

    pub(super) fn hear_recorder(&mut self, events: &mut Vec<Recorded>) {
        let now = self.begin_turn();
        for recorded in events.drain(..) {
            tracing::trace!(?recorded, "from the recorder");
            self.feed(now, Input::Recorded(recorded));
        }
    }

    /// Strangers are refused as well; only neighbours are remembered.
    fn note_trouble(&mut self, peer: NodeId, reason: String) {
        let own = self.place.own;
        let is_neighbour = self.place.topology.hops(own, peer) == Some(1);
        if is_neighbour {
            self.links.note_trouble(peer, reason);
        }
    }
}
