//! REST calls under way: each is a guest of the terminals' machine until its answer comes.

use std::collections::BTreeMap;
use std::sync::Arc;

use taoyao_auth::Account;
use taoyao_types::ConnId;
use taoyao_types::limits::{REST_CALLS_MAX, REST_CALLS_PER_ACCOUNT_MAX};
use tokio::sync::oneshot;

/// Connections of guests have this bit, those of the gateway never get so far.
const GUEST: u64 = 1 << 63;

/// Who waits for which answer.
#[derive(Debug, Default)]
pub(crate) struct Guests {
    count: u64,
    open: BTreeMap<ConnId, Call>,
}

#[derive(Debug)]
struct Call {
    account: Arc<str>,
    reply: oneshot::Sender<String>,
}

impl Guests {
    /// A connection for one call. `None` if there are too many, in all or of this account; `reply` is then dropped, which
    /// says so.
    pub(crate) fn open(&mut self, account: &Account, reply: oneshot::Sender<String>) -> Option<ConnId> {
        let of_account = self.open.values().filter(|call| call.account == account.name).count();
        if self.open.len() >= REST_CALLS_MAX || of_account >= REST_CALLS_PER_ACCOUNT_MAX {
            return None;
        }
        self.count += 1;
        let conn = ConnId(GUEST | self.count);
        self.open.insert(conn, Call { account: Arc::clone(&account.name), reply });
        Some(conn)
    }

    /// Hands over an answer. Returns whether `conn` was a guest's, which has then left.
    pub(crate) fn answer(&mut self, conn: ConnId, text: String) -> bool {
        let Some(call) = self.open.remove(&conn) else { return false };
        // Whoever called may have given up by now.
        let _gave_up = call.reply.send(text);
        true
    }

    /// Ends a call without an answer, which its caller is told.
    pub(crate) fn close(&mut self, conn: ConnId) -> bool {
        self.open.remove(&conn).is_some()
    }

    /// Calls whose callers have gone.
    pub(crate) fn given_up(&mut self) -> Vec<ConnId> {
        self.open.extract_if(.., |_, call| call.reply.is_closed()).map(|(conn, _)| conn).collect()
    }
}

#[cfg(test)]
mod tests {
    use taoyao_auth::AllowList;

    use super::*;

    #[tokio::test]
    async fn each_caller_gets_its_own_answer_once() {
        let mut guests = Guests::default();
        let (one, first) = oneshot::channel();
        let (two, second) = oneshot::channel();
        let one = guests.open(&account("ann"), one).unwrap();
        let two = guests.open(&account("ann"), two).unwrap();
        assert!(guests.answer(two, "b".into()) && !guests.answer(two, "c".into()));
        assert!(guests.close(one) && !guests.close(ConnId(1)));
        assert!(first.await.is_err());
        assert_eq!(second.await.as_deref(), Ok("b"));
    }

    #[test]
    fn an_account_has_so_many_calls_and_the_node_so_many_more() {
        let mut guests = Guests::default();
        let mut answers = Vec::new();
        for nth in 0..REST_CALLS_MAX {
            let (reply, answer) = oneshot::channel();
            let name = (nth / REST_CALLS_PER_ACCOUNT_MAX).to_string();
            assert!(guests.open(&account(&name), reply).is_some(), "{nth}");
            answers.push(answer);
            let is_last = (nth + 1).is_multiple_of(REST_CALLS_PER_ACCOUNT_MAX);
            assert_eq!(guests.open(&account(&name), oneshot::channel().0).is_none(), is_last, "{nth}");
            guests.given_up();
        }
        assert!(guests.open(&account("one more"), oneshot::channel().0).is_none());
        answers.clear();
        assert_eq!(guests.given_up().len(), REST_CALLS_MAX);
        assert!(guests.open(&account("one more"), oneshot::channel().0).is_some());
    }

    fn account(name: &str) -> Account {
        Account::new(name, [], AllowList::default(), Vec::new())
    }
}
