//! Which worker has what: where each room is, what of it is where, and what has to be mirrored.
//!
//! Nothing in here does anything: it is told of commands and events in their order, and answers with orders for workers. A
//! room is at its home until it has too many transports; then further ones go to branches at other workers. A producer that
//! is consumed at another worker than its own has a mirror there.

mod mirrors;
mod order;
mod room;

use std::collections::HashMap;

use taoyao_ortc::control::{Act, Command, Done, Happening, Refused, RoomName};
use taoyao_ortc::{Event, ProducerId};

pub(crate) use order::{MirrorId, MirrorPlan, Order, Produced};
use room::Room;

use crate::config::Config;
use crate::tap::TapId;

/// All rooms of an SFU.
pub(crate) struct Placement {
    rules: Rules,
    rooms: HashMap<RoomName, Room>,
    loads: Vec<Load>,
    orders: Orders,
}

/// How much goes where.
struct Rules {
    rooms_per_worker: usize,
    transports_per_room: usize,
    room_transports_per_worker: usize,
}

/// What a worker has been given.
#[derive(Debug, Default, Clone, Copy)]
struct Load {
    /// Homes and branches.
    rooms: usize,
    transports: usize,
}

/// Orders by worker, in the order in which they are to be given.
#[derive(Default)]
struct Orders {
    list: Vec<(usize, Order)>,
    mirrors_made: u64,
}

/// What an event means.
pub(crate) struct Noted {
    pub(crate) orders: Vec<(usize, Order)>,
    /// False: it was told before.
    pub(crate) is_news: bool,
}

impl Placement {
    pub(crate) fn new(config: &Config) -> Self {
        let rules = Rules {
            rooms_per_worker: config.rooms_per_worker,
            transports_per_room: config.transports_per_room,
            room_transports_per_worker: config.room_transports_per_worker.max(1),
        };
        let loads = vec![Load::default(); config.worker_count()];
        Self { rules, rooms: HashMap::new(), loads, orders: Orders::default() }
    }

    /// The worker that carries a command out.
    ///
    /// # Errors
    /// There is no such room, or no room for more in it.
    pub(crate) fn target(&self, command: &Command) -> Result<usize, Refused> {
        let room = self.rooms.get(&command.room);
        match (&command.act, room) {
            (Act::OpenRoom, None) => Ok(self.least(|load| load.rooms, |_| true).unwrap_or_default()),
            (_, None) => Err(Refused::Unknown("room")),
            (Act::CreateTransport { transport, .. }, Some(room)) => match room.transport(*transport) {
                Some(worker) => Ok(worker),
                None => self.choose(room),
            },
            (act, Some(room)) => Ok(room.worker_of(act).unwrap_or(room.home)),
        }
    }

    /// Everything that has to be done at workers so that this command is carried out at `target`.
    pub(crate) fn place(&mut self, target: usize, command: Command) -> Vec<(usize, Order)> {
        match &command.act {
            Act::OpenRoom => self.open(target, &command),
            Act::CloseRoom => {
                if let Some(room) = self.rooms.remove(&command.room) {
                    room.close(&mut self.loads, &mut self.orders);
                }
            }
            _ => {
                let is_alone = self.loads.len() == 1;
                if let Some(room) = self.rooms.get_mut(&command.room).filter(|_| !is_alone) {
                    return room.place(target, command, &mut self.loads, &mut self.orders);
                }
            }
        }
        self.orders.give(target, Order::Command(command));
        self.orders.take()
    }

    /// An event on its way to signalling: what it says of a room's parts is noted.
    pub(crate) fn note(&mut self, event: &Event) -> Noted {
        let mut is_news = true;
        match event {
            Event::Done(Done { room, number, result }) => {
                if self.settle(room, *number, result.is_err()) {
                    self.rooms.remove(room);
                }
            }
            Event::Happened { room, what } => {
                let of_name = self.rooms.get_mut(room);
                match (what, of_name) {
                    (Happening::TransportClosed { transport }, Some(room)) => {
                        room.forget_transport(*transport, &mut self.loads, &mut self.orders);
                    }
                    (Happening::RoomLost, Some(room)) => {
                        is_news = room.lose(&mut self.loads, &mut self.orders);
                    }
                    _ => {}
                }
            }
        }
        Noted { orders: self.orders.take(), is_news }
    }

    /// Where a tap of these producers is opened, and what has to be mirrored there first: at the room's home, which stays.
    pub(crate) fn tap(
        &mut self,
        name: &RoomName,
        tap: TapId,
        producers: &[ProducerId],
    ) -> Option<(usize, Vec<(usize, Order)>)> {
        let room = self.rooms.get_mut(name)?;
        room.tap(tap, producers, &mut self.orders);
        Some((room.home, self.orders.take()))
    }

    /// Where the tap is, and what need not be mirrored any more.
    pub(crate) fn untap(&mut self, name: &RoomName, tap: TapId) -> Option<(usize, Vec<(usize, Order)>)> {
        let room = self.rooms.get_mut(name)?;
        room.untap(tap, &mut self.orders);
        Some((room.home, self.orders.take()))
    }

    pub(crate) fn home(&self, name: &RoomName) -> Option<usize> {
        self.rooms.get(name).map(|room| room.home)
    }

    fn open(&mut self, target: usize, command: &Command) {
        match self.rooms.get_mut(&command.room) {
            Some(room) => room.open_again(&mut self.loads, &mut self.orders),
            None => {
                self.loads[target].rooms += 1;
                let room = Room::new(command.room.clone(), target, command.number);
                self.rooms.insert(command.room.clone(), room);
            }
        }
    }

    /// Whether it was the opening of the room that was refused.
    fn settle(&mut self, name: &RoomName, number: u64, is_refused: bool) -> bool {
        let Some(room) = self.rooms.get_mut(name).filter(|_| number != 0) else { return false };
        let is_opening = room.settle(number, is_refused, &mut self.loads, &mut self.orders);
        if is_opening && is_refused {
            self.loads[room.home].rooms -= 1;
        }
        is_opening && is_refused
    }

    /// At home while there is room, then at the least loaded branch with room, then at a new one. A room that has filled
    /// all workers grows evenly.
    fn choose(&self, room: &Room) -> Result<usize, Refused> {
        if self.loads.len() == 1 || room.is_lost() {
            return Ok(room.home);
        }
        let counts = room.transports_by_worker(self.loads.len());
        if counts.iter().sum::<usize>() >= self.rules.transports_per_room {
            return Err(Refused::Full("the room has as many transports as it may".to_owned()));
        }
        let has_room = |worker: usize| counts[worker] < self.rules.room_transports_per_worker;
        if has_room(room.home) {
            return Ok(room.home);
        }
        let branch = self.least(|load| load.transports, |at| room.is_at(at) && has_room(at));
        let is_free = |at: usize| !room.is_at(at) && self.loads[at].rooms < self.rules.rooms_per_worker;
        let new = || self.least(|load| load.transports, is_free);
        let emptiest = || (0..counts.len()).filter(|at| room.is_at(*at)).min_by_key(|at| counts[*at]);
        Ok(branch.or_else(new).or_else(emptiest).unwrap_or(room.home))
    }

    fn least(&self, weight: impl Fn(&Load) -> usize, is_meant: impl Fn(usize) -> bool) -> Option<usize> {
        let workers = self.loads.iter().enumerate().filter(|(at, _)| is_meant(*at));
        workers.min_by_key(|(_, load)| weight(load)).map(|(at, _)| at)
    }
}

impl Orders {
    fn give(&mut self, worker: usize, order: Order) {
        self.list.push((worker, order));
    }

    fn take(&mut self) -> Vec<(usize, Order)> {
        std::mem::take(&mut self.list)
    }

    fn new_mirror(&mut self) -> MirrorId {
        self.mirrors_made += 1;
        MirrorId(self.mirrors_made)
    }
}

#[cfg(test)]
mod tests;
