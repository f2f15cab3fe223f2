//! The sessions of one gateway, by their ids.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use taoyao_types::limits::{WHIP_SESSIONS_MAX, WHIP_SESSIONS_PER_ACCOUNT_MAX};
use taoyao_wire::terminal::Code;
use tokio::sync::mpsc;

use super::super::rest::Fault;
use super::Way;
use super::session::Order;
use crate::inbound::Inbound;
use crate::registry::Registry;

/// Orders that wait for a session: more than one client has any use for.
const ORDERS_MAX: usize = 4;

/// The ways to the node, shared with the terminals behind sockets.
#[derive(Clone)]
pub(crate) struct Entrance {
    pub(crate) inbound: Arc<Inbound>,
    pub(crate) registry: Arc<Registry>,
}

/// All sessions. They end when this is dropped.
pub(super) struct Sessions {
    pub(super) entrance: Entrance,
    open: Mutex<HashMap<String, Entry>>,
}

/// A session and whose it is.
#[derive(Clone)]
struct Entry {
    way: Way,
    room: String,
    account: Arc<str>,
    orders: mpsc::Sender<Order>,
}

impl Sessions {
    pub(super) fn new(entrance: Entrance) -> Self {
        Self { entrance, open: Mutex::default() }
    }

    /// Takes a place for a session. Returns where its orders come from.
    pub(super) fn begin(
        &self,
        id: &str,
        way: Way,
        room: &str,
        account: &Arc<str>,
    ) -> Result<mpsc::Receiver<Order>, Fault> {
        let mut open = self.open();
        let of_account = open.values().filter(|entry| entry.account == *account).count();
        if open.len() >= WHIP_SESSIONS_MAX || of_account >= WHIP_SESSIONS_PER_ACCOUNT_MAX {
            return Err(Fault::with(
                Code::Overloaded,
                "there are too many sessions, in all or of this account",
            ));
        }
        let (orders, received) = mpsc::channel(ORDERS_MAX);
        let entry = Entry { way, room: room.to_owned(), account: Arc::clone(account), orders };
        open.insert(id.to_owned(), entry);
        Ok(received)
    }

    /// The way to a session of this account. To others there is none.
    pub(super) fn find(
        &self,
        id: &str,
        way: Way,
        room: &str,
        account: &Arc<str>,
    ) -> Option<mpsc::Sender<Order>> {
        let open = self.open();
        let entry = open.get(id)?;
        let is_meant = entry.way == way && entry.room == room && entry.account == *account;
        is_meant.then(|| entry.orders.clone())
    }

    pub(super) fn end(&self, id: &str) {
        self.open().remove(id);
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_found_by_its_account_under_its_own_path_only() {
        let sessions = sessions();
        let (ann, bob) = (Arc::from("ann"), Arc::from("bob"));
        let _orders = sessions.begin("1", Way::Publish, "r", &ann).unwrap();
        assert!(sessions.find("1", Way::Publish, "r", &ann).is_some());
        assert!(sessions.find("1", Way::Publish, "r", &bob).is_none());
        assert!(sessions.find("1", Way::Play, "r", &ann).is_none());
        assert!(sessions.find("1", Way::Publish, "s", &ann).is_none());
        sessions.end("1");
        assert!(sessions.find("1", Way::Publish, "r", &ann).is_none());
    }

    #[test]
    fn an_account_has_so_many_sessions_and_the_node_so_many_more() {
        let sessions = sessions();
        for nth in 0..WHIP_SESSIONS_MAX {
            let account = Arc::from((nth / WHIP_SESSIONS_PER_ACCOUNT_MAX).to_string());
            assert!(sessions.begin(&nth.to_string(), Way::Play, "r", &account).is_ok(), "{nth}");
            let is_full = sessions.begin("one more", Way::Play, "r", &account).is_err();
            assert_eq!(is_full, (nth + 1).is_multiple_of(WHIP_SESSIONS_PER_ACCOUNT_MAX), "{nth}");
            sessions.end("one more");
        }
        assert!(sessions.begin("one more", Way::Play, "r", &Arc::from("new")).is_err());
    }

    fn sessions() -> Sessions {
        let (events, _) = mpsc::channel(1);
        Sessions::new(Entrance { inbound: Arc::new(Inbound::new(events)), registry: Arc::default() })
    }
}
