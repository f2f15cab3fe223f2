//! A neighbour without a node behind it: the benchmark itself at one end of a real link, with another node's identity.

use std::collections::BTreeSet;

use bytes::Bytes;
use taoyao_link::{Life, LinkConfig, LinkEvent, LinkHandle, Links, ParentAddr, Transport};
use taoyao_topology::Node;
use taoyao_types::{NodeEpoch, NodeName};
use taoyao_wire::link::{Frame, Sync};
use tokio::sync::mpsc;

use super::error::BenchError;
use super::site::Site;
use crate::credentials;

/// The life that every neighbour says it is in.
pub(super) const EPOCH: NodeEpoch = NodeEpoch(1);
const EVENTS_MAX: usize = 1_024;

/// One link of a node that the benchmark plays.
pub(super) struct Neighbour {
    /// Up for as long as this lives.
    _links: Links,
    pub(super) events: mpsc::Receiver<LinkEvent>,
}

impl Neighbour {
    /// Listens and dials as the node `name` would; must be called within a tokio runtime.
    pub(super) fn start(site: &Site, name: &str) -> Result<Self, BenchError> {
        let topology = &site.topology;
        let node = site.node(name);
        let (sender, events) = mpsc::channel(EVENTS_MAX);
        let parent = node.parent().and_then(|id| topology.node(id));
        let config = LinkConfig {
            org: topology.org().to_owned(),
            own: node.name.clone(),
            life: Life::new(EPOCH),
            generation: topology.generation(),
            features: 0,
            listen: node.links.as_ref().map(|links| links.listen),
            parents: parent.and_then(address_of).into_iter().collect(),
            children: node.children.iter().filter_map(|id| topology.node(*id)).map(name_of).collect(),
            known: topology.nodes().iter().map(name_of).collect::<BTreeSet<_>>(),
            credentials: credentials::for_links(topology.certs(), node)?,
            transport: Transport::default(),
        };
        Ok(Self { _links: Links::start(config, sender)?, events })
    }

    /// Waits until the link is up.
    pub(super) async fn up(&mut self) -> Result<LinkHandle, BenchError> {
        while let Some(event) = self.events.recv().await {
            match event {
                LinkEvent::Up { link, .. } => return Ok(link),
                LinkEvent::Refused { why, .. } => return Err(BenchError::Answer(why.to_string())),
                _ => {}
            }
        }
        Err(BenchError::Late("the links ended".to_owned()))
    }

    /// The next frames, as they came together.
    pub(super) async fn frames(&mut self) -> Result<Vec<Bytes>, BenchError> {
        while let Some(event) = self.events.recv().await {
            match event {
                LinkEvent::Frames { frames, .. } => return Ok(frames),
                LinkEvent::Down { why, .. } => return Err(BenchError::Answer(why.to_string())),
                _ => {}
            }
        }
        Err(BenchError::Late("the links ended".to_owned()))
    }

    /// Waits for a message of the directory's upkeep for which `wanted` has an answer.
    pub(super) async fn sync<T>(&mut self, wanted: impl Fn(Sync) -> Option<T>) -> Result<T, BenchError> {
        loop {
            for frame in self.frames().await? {
                let read = Frame::decode(frame).map_err(|error| BenchError::Answer(error.to_string()))?;
                if let Frame::Sync(message) = read
                    && let Some(found) = wanted(message)
                {
                    return Ok(found);
                }
            }
        }
    }
}

fn address_of(parent: &Node) -> Option<ParentAddr> {
    let links = parent.links.as_ref()?;
    Some(ParentAddr { name: parent.name.clone(), address: links.advertise.to_string() })
}

fn name_of(node: &Node) -> NodeName {
    node.name.clone()
}
