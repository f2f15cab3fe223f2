//! The node's media forwarder (SFU), if the topology gives it one: its threads, and the way to them and back.

use std::fmt;
use std::sync::Arc;

use taoyao_media::{Config, Media, StartError, WorkerStats};
use taoyao_ortc::{Capacity, Command, Done, Event, Refused};
use taoyao_topology::Node as Place;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Where the driver sends what signalling wants of the SFU. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Forwarder(Option<Arc<Media>>);

/// What the SFU says. Unbounded because its threads may not wait; it says little by itself, at a bounded rate for each
/// room, and answers no more than it was asked.
pub(crate) type MediaEvents = UnboundedReceiver<Event>;

impl fmt::Debug for Forwarder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Forwarder").field(&self.0.is_some()).finish()
    }
}

/// What the SFU of a node will carry; of a node without one what is never asked for.
pub(crate) fn capacity(place: &Place) -> Capacity {
    config(place).map(|config| config.capacity()).unwrap_or_default()
}

fn config(place: &Place) -> Option<Config> {
    let media = place.media.as_ref()?;
    let defaults = Config::default();
    Some(Config {
        listen: media.listen.ip(),
        port: media.listen.port(),
        workers: media.workers.map_or(0, usize::from),
        announced: vec![media.advertise.host.clone()],
        announced_port: Some(media.advertise.port),
        plain_ports: media.plain_ports.clone(),
        enable_tcp: media.tcp,
        max_incoming_bitrate: Some(media.bitrate_in_max),
        room_transports_per_worker: media
            .room_transports_per_worker
            .unwrap_or(defaults.room_transports_per_worker),
        ..defaults
    })
}

impl Forwarder {
    /// Starts the SFU of a node that has one; binds its sockets.
    pub(crate) fn start(place: &Place) -> Result<(Self, Option<MediaEvents>), StartError> {
        let Some(config) = config(place) else { return Ok((Self::default(), None)) };
        let (events, received) = unbounded_channel();
        // Nobody listens any more once the node has ended.
        let media = Media::start(config, move |event| drop(events.send(event)))?;
        Ok((Self(Some(Arc::new(media))), Some(received)))
    }

    /// Has a command carried out; what cannot be, as there is no SFU, comes back at once.
    pub(crate) fn send(&self, command: Command) -> Option<Event> {
        match &self.0 {
            Some(media) => media.send(command),
            None if command.number == 0 => {}
            None => {
                let Command { room, number, .. } = command;
                let result = Err(Refused::Full("this node has no SFU".to_owned()));
                return Some(Event::Done(Done { room, number, result }));
            }
        }
        None
    }

    /// The SFU itself, for the recorder.
    pub(crate) fn media(&self) -> Option<&Arc<Media>> {
        self.0.as_ref()
    }

    /// What its workers are doing; waits for them, so not in the driver's task.
    pub(crate) async fn stats(&self) -> Vec<WorkerStats> {
        let Some(media) = self.0.clone() else { return Vec::new() };
        tokio::task::spawn_blocking(move || media.stats()).await.unwrap_or_default()
    }
}
