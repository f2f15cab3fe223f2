//! What every task of a node's links knows about its own node.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use taoyao_types::{NodeId, NodeName};
use taoyao_wire::link::hello::{CloseCode, ConnectionKind, Hello, PROTOCOL_MAX, PROTOCOL_MIN, Refusal};
use tokio::sync::mpsc::Sender;
use tokio::sync::watch;

use crate::{Ending, Life, LinkConfig, LinkEvent, LinkNo, explain};

/// This node, as its links present it.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) org: String,
    pub(crate) own: NodeName,
    pub(crate) events: Sender<LinkEvent>,
    /// Set once, when the node stops.
    stopping: watch::Receiver<Option<Refusal>>,
    life: Life,
    generation: u64,
    features: u64,
    children: BTreeSet<NodeName>,
    known: BTreeSet<NodeName>,
    links: AtomicU64,
}

impl Local {
    pub(crate) fn new(
        config: &LinkConfig,
        events: Sender<LinkEvent>,
        stopping: watch::Receiver<Option<Refusal>>,
    ) -> Self {
        Self {
            org: config.org.clone(),
            own: config.own.clone(),
            events,
            stopping,
            life: config.life.clone(),
            generation: config.generation,
            features: config.features,
            children: config.children.clone(),
            known: config.known.clone(),
            links: AtomicU64::new(0),
        }
    }

    pub(crate) fn hello(&self, dial: u64, kind: ConnectionKind) -> Hello {
        Hello {
            protocol_min: PROTOCOL_MIN,
            protocol_max: PROTOCOL_MAX,
            node: NodeId::of(&self.own),
            epoch: self.life.get(),
            generation: self.generation,
            dial,
            kind,
            features: self.features,
        }
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) fn next_link(&self) -> LinkNo {
        LinkNo(self.links.fetch_add(1, Relaxed) + 1)
    }

    /// Whether `name` may dial this node; the reason says what the topology has instead.
    pub(crate) fn check_dialler(&self, name: &NodeName) -> Result<(), Ending> {
        if self.children.contains(name) {
            return Ok(());
        }
        let (own, generation) = (&self.own, self.generation);
        if self.known.contains(name) {
            let reason = format!(
                "{name} is not a child of {own} in {own}'s topology (generation {generation}); only children dial"
            );
            return Err(explain::here(CloseCode::WrongRole, reason));
        }
        let reason = format!("{name} is not in {own}'s topology (generation {generation})");
        Err(explain::here(CloseCode::UnknownNode, reason))
    }

    /// Waits until the node stops, and tells why.
    pub(crate) async fn stopped(&self) -> Refusal {
        let mut stopping = self.stopping.clone();
        // Fails only if the sender is gone, and with it the node.
        let _gone = stopping.wait_for(Option::is_some).await.is_err();
        self.stop_reason().unwrap_or_else(|| Refusal::new(CloseCode::Shutdown, "the node stops"))
    }

    /// Why the node stops, if it does.
    pub(crate) fn stop_reason(&self) -> Option<Refusal> {
        self.stopping.borrow().clone()
    }
}
