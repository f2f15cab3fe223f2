//! Which producer of a room is mirrored where, and for whom.

use taoyao_ortc::ProducerId;

use super::room::Room;
use super::{MirrorId, MirrorPlan, Order, Orders};
use crate::tap::TapId;

/// A producer at another worker than its own.
pub(super) struct Mirror {
    id: MirrorId,
    /// Consumers and taps.
    users: usize,
}

impl Room {
    /// Also for more producers of a tap that is there.
    pub(super) fn tap(&mut self, tap: TapId, producers: &[ProducerId], orders: &mut Orders) {
        let mut known = self.taps.remove(&tap).unwrap_or_default();
        for &producer in producers {
            let is_away = self.producers.get(&producer).is_some_and(|one| one.worker != self.home);
            if is_away && !known.contains(&producer) {
                known.push(producer);
                self.mirror(producer, self.home, orders);
                self.count_user(producer, self.home);
            }
        }
        self.taps.insert(tap, known);
    }

    pub(super) fn untap(&mut self, tap: TapId, orders: &mut Orders) {
        for producer in self.taps.remove(&tap).unwrap_or_default() {
            self.release(producer, self.home, orders);
        }
    }

    pub(super) fn mirror_all_sound(&mut self, worker: usize, orders: &mut Orders) {
        let sounds = self.producers.iter().filter(|(_, one)| one.is_everywhere());
        for producer in sounds.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.mirror(producer, worker, orders);
        }
    }

    /// Makes a producer be at a worker, if it is not. The mirror is there before anything is passed on to it.
    pub(super) fn mirror(&mut self, id: ProducerId, to: usize, orders: &mut Orders) {
        let Some(producer) = self.producers.get_mut(&id) else { return };
        if producer.worker == to || producer.mirrors.contains_key(&to) {
            return;
        }
        let mirror = orders.new_mirror();
        producer.mirrors.insert(to, Mirror { id: mirror, users: 0 });
        let plan = MirrorPlan {
            room: self.name.clone(),
            mirror,
            from: producer.worker,
            transport: producer.transport,
            producer: id,
            what: producer.what.clone(),
        };
        orders.give(to, Order::OpenMirror(Box::new(plan)));
        orders.give(producer.worker, Order::Pass { room: self.name.clone(), producer: id, mirror, to });
    }

    pub(super) fn count_user(&mut self, producer: ProducerId, worker: usize) {
        let mirror = self.producers.get_mut(&producer).and_then(|one| one.mirrors.get_mut(&worker));
        if let Some(mirror) = mirror {
            mirror.users += 1;
        }
    }

    /// One user less; a mirror that nobody needs ends.
    pub(super) fn release(&mut self, id: ProducerId, worker: usize, orders: &mut Orders) {
        let Some(producer) = self.producers.get_mut(&id) else { return };
        let (is_kept, from) = (producer.is_everywhere(), producer.worker);
        let Some(mirror) = producer.mirrors.get_mut(&worker) else { return };
        mirror.users = mirror.users.saturating_sub(1);
        if mirror.users == 0
            && !is_kept
            && let Some(mirror) = producer.mirrors.remove(&worker)
        {
            self.end_mirror(id, &mirror, (from, worker), orders);
        }
    }

    pub(super) fn end_mirror(
        &self,
        producer: ProducerId,
        mirror: &Mirror,
        (from, to): (usize, usize),
        orders: &mut Orders,
    ) {
        orders.give(from, mirror.stop());
        orders.give(to, Order::CloseMirror { room: self.name.clone(), producer });
    }
}

impl Mirror {
    /// For the producer's worker.
    pub(super) fn stop(&self) -> Order {
        Order::StopPassing { mirror: self.id }
    }
}
