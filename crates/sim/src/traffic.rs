//! What moves on the links of a world, and how links come and go.

use std::time::Duration;

use bytes::Bytes;
use taoyao_core::Input;
use taoyao_types::NodeId;
use taoyao_wire::link::Lane;

use crate::link::{Flight, Link};
use crate::world::{Event, World};

impl World {
    fn link_between(&mut self, a: NodeId, b: NodeId) -> Option<(NodeId, &mut Link)> {
        let key = if self.links.get(&a).is_some_and(|link| link.parent == b) { a } else { b };
        self.links.get_mut(&key).map(|link| (key, link))
    }

    pub(crate) fn send(&mut self, from: NodeId, to: NodeId, lane: Lane, frame: Bytes) {
        self.frames += 1;
        let Some((key, link)) = self.link_between(from, to) else { return };
        let Some(generation) = link.seen_by(from) else { return };
        // QUIC sends a lost packet again: a loss on a stream is a delay.
        let resent = self.rng.u32(0..100) < 3;
        if lane == Lane::Datagram && resent {
            return;
        }
        let delay = self.hop() + Duration::from_millis(if resent { 120 } else { 0 });
        self.fly(key, Flight { to, generation, lane, frame }, delay);
    }

    fn fly(&mut self, key: NodeId, flight: Flight, delay: Duration) {
        let wanted = self.now + delay;
        let (to, lane) = (flight.to, flight.lane);
        let Some(link) = self.links.get_mut(&key) else { return };
        let arrives = link.depart(flight, wanted);
        self.events.push(arrives, Event::Arrival { link: key, to, lane });
    }

    pub(crate) fn land(&mut self, key: NodeId, to: NodeId, lane: Lane) {
        let Some(link) = self.links.get_mut(&key) else { return };
        let Some(flight) = link.arrive(to, lane) else { return };
        if link.seen_by(to) != Some(flight.generation) {
            return;
        }
        let peer = link.other(to);
        if let Some(epoch) = self.life_of(to) {
            self.input(to, epoch, Input::LinkFrame { peer, frame: flight.frame });
        }
    }

    /// One end of a link has vanished; the other one finds out by silence.
    pub(crate) fn break_end(&mut self, key: NodeId, end: NodeId) {
        let silence = Duration::from_millis(self.rng.u64(100..=5_000));
        let Some(link) = self.links.get_mut(&key) else { return };
        link.set_seen(end, None);
        let other = link.other(end);
        if let Some(generation) = link.seen_by(other) {
            self.events.push(self.now + silence, Event::Dead { link: key, end: other, generation });
        }
    }

    /// An end gives up on a connection, unless the cut that made it doubt has healed or a newer one is there.
    pub(crate) fn give_up(&mut self, key: NodeId, end: NodeId, generation: u64) {
        let Some(link) = self.links.get_mut(&key) else { return };
        let other = link.other(end);
        let is_whole = !link.is_cut && link.seen_by(other) == Some(generation);
        if link.seen_by(end) != Some(generation) || is_whole {
            return;
        }
        link.set_seen(end, None);
        let peer_waits = link.seen_by(other) == Some(generation);
        if let Some(epoch) = self.life_of(end) {
            let reason = "no sign of life for 5 s".to_owned();
            self.input(end, epoch, Input::LinkDown { peer: other, reason });
        }
        if peer_waits {
            let later = self.now + Duration::from_millis(self.rng.u64(100..=1_500));
            self.events.push(later, Event::Dead { link: key, end: other, generation });
        }
        self.plan_dial(key);
    }

    pub(crate) fn plan_dial(&mut self, key: NodeId) {
        let wait = Duration::from_millis(self.rng.u64(20..=800));
        self.events.push(self.now + wait, Event::Dial { link: key });
    }

    /// The child dials, whether or not the parent has noticed that the last connection is dead.
    pub(crate) fn dial(&mut self, key: NodeId) {
        let Some(link) = self.links.get(&key) else { return };
        let (child, parent) = (link.child, link.parent);
        let is_idle = link.child_sees.is_none() && !link.is_cut && !link.is_dialling;
        if !is_idle || self.life_of(child).is_none() {
            return;
        }
        if self.life_of(parent).is_none() {
            return self.plan_dial(key);
        }
        let delay = self.hop();
        let Some(link) = self.links.get_mut(&key) else { return };
        link.generation += 1;
        let generation = link.generation;
        link.is_dialling = true;
        self.events.push(self.now + delay, Event::Accepted { link: key, generation });
    }

    pub(crate) fn accepted(&mut self, key: NodeId, generation: u64) {
        let Some(link) = self.links.get_mut(&key) else { return };
        link.is_dialling = false;
        let (child, parent, is_cut) = (link.child, link.parent, link.is_cut);
        let starts = self.life_of(child).zip(self.life_of(parent));
        let lives = self.greets_in(child).zip(self.greets_in(parent));
        let Some(((child_start, parent_start), (child_life, parent_life))) = starts.zip(lives) else {
            return self.plan_dial(key);
        };
        if is_cut {
            return;
        }
        if let Some(link) = self.links.get_mut(&key) {
            (link.child_sees, link.parent_sees) = (Some(generation), Some(generation));
        }
        self.input(parent, parent_start, Input::LinkUp { peer: child, epoch: child_life });
        self.input(child, child_start, Input::LinkUp { peer: parent, epoch: parent_life });
    }

    /// A node throws a neighbour out; the neighbour finds out by silence and dials again.
    pub(crate) fn close_link(&mut self, from: NodeId, peer: NodeId, reason: String) {
        let Some((key, _)) = self.link_between(from, peer) else { return };
        self.break_end(key, from);
        if let Some(epoch) = self.life_of(from) {
            let input = Input::LinkDown { peer, reason };
            self.events.push(self.now + Duration::from_millis(1), Event::Input { node: from, epoch, input });
        }
    }
}
