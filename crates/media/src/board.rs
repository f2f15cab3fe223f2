//! Where commands for an SFU become orders for its workers, and where what workers tell is noted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use taoyao_ortc::control::{Command, Happening, Refused, RoomName};
use taoyao_ortc::{Event, ProducerId};

use crate::placement::{Order, Placement};
use crate::tap::{TapId, TapPlan};
use crate::worker::{Ask, Door};

/// Shared by the handle and all workers. Orders are given while the placement is held: each worker gets them in the order
/// in which they were decided.
pub(crate) struct Board {
    placement: Mutex<Placement>,
    doors: Arc<[Door]>,
}

impl Board {
    pub(crate) fn new(placement: Placement, doors: Arc<[Door]>) -> Self {
        Self { placement: Mutex::new(placement), doors }
    }

    pub(crate) fn doors(&self) -> &[Door] {
        &self.doors
    }

    /// Gives a command to the workers that have to do with it, unless the one that answers it is too busy.
    pub(crate) fn carry_out(
        &self,
        command: Command,
        is_too_busy: impl Fn(&Door) -> bool,
    ) -> Result<(), Refused> {
        let mut placement = self.placement();
        let target = placement.target(&command)?;
        if self.doors.get(target).is_none_or(is_too_busy) {
            return Err(Refused::Full("the room's media worker has too much to do".to_owned()));
        }
        let orders = placement.place(target, command);
        self.give(orders);
        Ok(())
    }

    /// Whether the event is news.
    pub(crate) fn note(&self, event: &Event) -> bool {
        let concerns_placement = match event {
            Event::Done(done) => done.number != 0,
            Event::Happened { what, .. } => {
                matches!(what, Happening::TransportClosed { .. } | Happening::RoomLost)
            }
        };
        if !concerns_placement {
            return true;
        }
        let mut placement = self.placement();
        let noted = placement.note(event);
        self.give(noted.orders);
        noted.is_news
    }

    /// In a room that is not there the plan's channel is dropped.
    pub(crate) fn tap(&self, id: TapId, plan: TapPlan) {
        let mut placement = self.placement();
        let Some((home, orders)) = placement.tap(&plan.room, id, &plan.producers) else { return };
        self.give(orders);
        self.doors[home].ask(Ask::Tap(id, plan));
    }

    pub(crate) fn widen_tap(&self, room: &RoomName, id: TapId, producers: Vec<ProducerId>) {
        let mut placement = self.placement();
        let Some((home, orders)) = placement.tap(room, id, &producers) else { return };
        self.give(orders);
        self.doors[home].ask(Ask::WidenTap(room.clone(), id, producers));
    }

    pub(crate) fn untap(&self, room: &RoomName, id: TapId) {
        let mut placement = self.placement();
        let Some((home, orders)) = placement.untap(room, id) else { return };
        self.doors[home].ask(Ask::Untap(room.clone(), id));
        self.give(orders);
    }

    pub(crate) fn request_key_frame(&self, room: &RoomName, id: TapId, producer: ProducerId) {
        let placement = self.placement();
        if let Some(home) = placement.home(room) {
            self.doors[home].ask(Ask::TapKeyFrame(room.clone(), id, producer));
        }
    }

    fn give(&self, orders: Vec<(usize, Order)>) {
        for (worker, order) in orders {
            if let Some(door) = self.doors.get(worker) {
                door.ask(Ask::Order(order));
            }
        }
    }

    fn placement(&self) -> MutexGuard<'_, Placement> {
        self.placement.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
