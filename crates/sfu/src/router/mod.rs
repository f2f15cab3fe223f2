//! One room's media: packets of producers in, packets for consumers out, and the feedback between them.
//!
//! A packet is parsed and kept once (`ingress`); each consumer walks over what is kept and writes what it lets through
//! into the caller's buffer (`forward`, `transmit`). Feedback of all kinds goes through `feedback`, `reports` and `timers`,
//! and `shares` decides who gets which layers.

mod agenda;
mod consumer;
mod feedback;
mod flow;
mod forward;
mod identify;
mod ingress;
mod key_frames;
mod layer_rates;
mod layers;
mod line;
mod membership;
mod mirror;
mod outbox;
mod padding;
mod producer;
mod random;
mod reports;
mod scores;
mod shares;
mod statistics;
mod surface;
mod timers;
mod transmit;
mod transport;
mod wall;
mod wishes;

pub use surface::{
    Consumed, PacketOrigin, RouterConfig, Transmit, TransmitKind, TransportKey, TransportSetup,
};

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use slab::Slab;
use taoyao_ortc::{ConsumerId, Happening, ProducerId};
use taoyao_types::Instant;

use crate::speaker::Speakers;
use agenda::Agenda;
use consumer::Consumer;
use producer::Producer;
use random::Random;
use shares::Scratch;
use transport::Transport;
use wall::WallClock;

/// One room's router. Time, randomness (`seed`) and packets are arguments; it does no IO.
#[derive(Debug)]
pub struct Router {
    config: RouterConfig,
    random: Random,
    transports: Slab<Transport>,
    producers: Slab<Producer>,
    consumers: Slab<Consumer>,
    keys: BTreeMap<TransportKey, usize>,
    producer_ids: BTreeMap<ProducerId, usize>,
    consumer_ids: BTreeMap<ConsumerId, usize>,
    /// Producers with packets that their consumers do not know of yet.
    dirty: Vec<usize>,
    /// Transports with something to send.
    ready: VecDeque<usize>,
    events: VecDeque<Happening>,
    speakers: Speakers,
    clock: WallClock,
    scratch: Scratch,
    agenda: Agenda,
    /// The time of the last packet or turn.
    latest: Instant,
    /// When something is due at the latest.
    wake: Instant,
}

impl Router {
    pub fn new(seed: u64, now: Instant, config: RouterConfig) -> Self {
        Self {
            random: Random(seed),
            transports: Slab::new(),
            producers: Slab::new(),
            consumers: Slab::new(),
            keys: BTreeMap::new(),
            producer_ids: BTreeMap::new(),
            consumer_ids: BTreeMap::new(),
            dirty: Vec::new(),
            ready: VecDeque::new(),
            events: VecDeque::new(),
            speakers: Speakers::new(now, config.last_speakers),
            clock: WallClock::default(),
            scratch: Scratch::default(),
            agenda: Agenda::default(),
            latest: now,
            wake: now,
            config,
        }
    }

    /// When [`Router::handle_timeout`] is to be called at the latest; none in a room without transports.
    pub fn poll_timeout(&self) -> Option<Instant> {
        (!self.transports.is_empty()).then_some(self.wake)
    }

    pub fn poll_event(&mut self) -> Option<Happening> {
        self.events.pop_front()
    }

    /// Turns come no faster than every few milliseconds, whatever is due: what falls due together is done together.
    fn wake_by(&mut self, due: Option<Instant>) {
        const SOON: Duration = Duration::from_millis(4);
        let due = due.map(|due| due.max(self.latest + SOON));
        self.wake = due.map_or(self.wake, |due| self.wake.min(due));
    }
}
