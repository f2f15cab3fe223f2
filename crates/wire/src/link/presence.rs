//! Who came and went, as one node tells it to those who watch a partition.

use serde::{Deserialize, Serialize};
use taoyao_types::{ClientId, NodeEpoch, NodeId, PartitionName, SessionEpoch};

/// What a node tells the watchers of one partition about its own terminals in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PresenceNews {
    pub partition: PartitionName,
    pub origin: NodeId,
    /// Who else is gone, besides those that the changes name as gone; nobody if absent.
    pub complete: Option<Complete>,
    pub changes: Vec<PresenceChange>,
}

/// One terminal that came or went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PresenceChange {
    pub client: ClientId,
    pub session: SessionEpoch,
    /// The state object as JSON text of one that is here; absent of one that is gone.
    pub state: Option<String>,
}

/// That the changes name every terminal of the origin within a range of client ids: who is in the range and not named
/// is gone.
///
/// A list too long for one message is told as several ranges, each behind the one before it. Each is true by itself,
/// whatever becomes of the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complete {
    /// The range begins behind this id; with the first one if absent.
    pub after: Option<ClientId>,
    /// The last id of the range; it has no end if absent.
    pub until: Option<ClientId>,
    /// The life of the origin in which this was so.
    pub life: NodeEpoch,
    /// The newest session that the origin had begun in that life. Nothing is said of later ones.
    pub newest: SessionEpoch,
}

impl Complete {
    /// That nobody is left of a node that nothing was heard of for too long, whatever it began.
    pub fn lost() -> Self {
        Self { after: None, until: None, life: NodeEpoch(u32::MAX), newest: SessionEpoch(u64::MAX) }
    }

    /// Whether the range holds this id.
    pub fn spans(&self, client: &ClientId) -> bool {
        self.after.as_ref().is_none_or(|after| after < client)
            && self.until.as_ref().is_none_or(|until| client <= until)
    }

    /// Whether a session was begun early enough for its absence to mean something.
    pub fn judges(&self, life: NodeEpoch, session: SessionEpoch) -> bool {
        (life, session) <= (self.life, self.newest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_meet_without_a_gap_and_without_a_double() {
        let id = |text: &str| Some(text.parse::<ClientId>().unwrap());
        let first = Complete { until: id("m"), ..Complete::lost() };
        let second = Complete { after: id("m"), ..Complete::lost() };
        for client in ["a", "m", "ma", "z"] {
            let client = client.parse().unwrap();
            assert!(first.spans(&client) != second.spans(&client), "{client}");
        }
        assert!(first.spans(&"m".parse().unwrap()));
    }

    #[test]
    fn an_earlier_life_is_judged_and_a_later_session_is_not() {
        let complete = Complete { life: NodeEpoch(2), newest: SessionEpoch(50), ..Complete::lost() };
        assert!(complete.judges(NodeEpoch(1), SessionEpoch(90)));
        assert!(complete.judges(NodeEpoch(2), SessionEpoch(50)));
        assert!(!complete.judges(NodeEpoch(2), SessionEpoch(51)));
    }
}
