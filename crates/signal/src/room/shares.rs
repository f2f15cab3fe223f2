//! What accounts use up at the rooms' node: counted by the node that vouches for the account, and its tag there.

use std::fmt;
use std::time::Duration;

use taoyao_ortc::Capacity;
use taoyao_types::{AccountLimits, AccountTag, Exhausted, NodeId, Shares, limits};
use taoyao_wire::link::{Failure, RoomRequest};

use crate::failure::Failed;

/// What all rooms of a node may take together, and how long one stays without members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomLimits {
    /// What the node's SFU carries; more than [`limits::ROOMS_MAX`] rooms there are never.
    pub sfu: Capacity,
    /// How long a room stays without members if who makes it does not say.
    pub empty_kept: Duration,
    /// The longest that may be asked for.
    pub empty_kept_max: Duration,
}

impl Default for RoomLimits {
    fn default() -> Self {
        Self {
            sfu: Capacity::default(),
            empty_kept: limits::ROOM_EMPTY_KEPT,
            empty_kept_max: limits::ROOM_EMPTY_KEPT_MAX,
        }
    }
}

/// An account as it is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Holder {
    node: NodeId,
    account: AccountTag,
}

impl Holder {
    pub(crate) fn of(origin: NodeId, request: &RoomRequest) -> Self {
        Self { node: origin, account: request.account }
    }

    /// Where the account was when it took something.
    pub(crate) fn node(&self) -> NodeId {
        self.node
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.node.hex(), self.account)
    }
}

/// Something that a node has so many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scarce {
    Rooms,
    Transports,
    PlainPorts,
    Recordings,
    RoomPasswords,
}

impl Scarce {
    pub const ALL: [Self; 5] =
        [Self::Rooms, Self::Transports, Self::PlainPorts, Self::Recordings, Self::RoomPasswords];

    /// Its key in `[limits.account]`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Rooms => "rooms",
            Self::Transports => "transports",
            Self::PlainPorts => "plain_ports",
            Self::Recordings => "recordings",
            Self::RoomPasswords => "room_passwords",
        }
    }

    fn named(self) -> &'static str {
        match self {
            Self::Rooms => "rooms",
            Self::Transports => "transports of the SFU",
            Self::PlainPorts => "ports for plain RTP",
            Self::Recordings => "recordings under way",
            Self::RoomPasswords => "passwords of rooms that are being looked at",
        }
    }

    /// The refusal, with what can be done about it.
    pub(crate) fn refused(self, why: Exhausted) -> Failure {
        let (named, key) = (self.named(), self.key());
        let advice = match why {
            Exhausted::Own { .. } => {
                format!("give one back, or ask the operator for more `{key}` in [limits.account]")
            }
            Exhausted::All { .. } => "try again later, or ask the operator for a larger node".to_owned(),
        };
        Failed::busy(format!("{why} {named}: {advice}")).into_failure()
    }
}

/// What accounts have of the node's SFU. A transport is taken before the SFU is asked for it, and given back as soon as its
/// room does not have it any more, however it ends.
#[derive(Debug)]
pub(crate) struct MediaShares {
    transports: Shares<Holder>,
    plain_ports: Shares<Holder>,
}

/// What one transport takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) holder: Holder,
    /// Ports of its own, beside those of the workers.
    pub(crate) plain_ports: usize,
}

impl MediaShares {
    pub(crate) fn new(account: &AccountLimits, sfu: &Capacity) -> Self {
        Self {
            transports: Shares::new(account.transports, sfu.transports),
            plain_ports: Shares::new(account.plain_ports, sfu.plain_ports),
        }
    }

    /// All of it or nothing.
    pub(crate) fn take(&mut self, wanted: &Taken) -> Result<(), (Scarce, Exhausted)> {
        let Taken { holder, plain_ports } = wanted;
        self.transports.take(holder).map_err(|why| (Scarce::Transports, why))?;
        for got in 0..*plain_ports {
            if let Err(why) = self.plain_ports.take(holder) {
                (0..got).for_each(|_| self.plain_ports.give_back(holder));
                self.transports.give_back(holder);
                return Err((Scarce::PlainPorts, why));
            }
        }
        Ok(())
    }

    pub(crate) fn give_back(&mut self, taken: &Taken) {
        self.transports.give_back(&taken.holder);
        (0..taken.plain_ports).for_each(|_| self.plain_ports.give_back(&taken.holder));
    }

    /// Transports and ports that all accounts have.
    pub(crate) fn total(&self) -> (usize, usize) {
        (self.transports.total(), self.plain_ports.total())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transport_that_finds_no_port_takes_nothing() {
        let account = AccountLimits { transports: 4, plain_ports: 3, ..AccountLimits::default() };
        let mut shares = MediaShares::new(&account, &Capacity::default());
        let holder = Holder { node: NodeId(1), account: AccountTag::of("ann") };
        let wanted = Taken { holder, plain_ports: 2 };
        assert_eq!(shares.take(&wanted), Ok(()));
        let why = Exhausted::Own { max: 3 };
        assert_eq!(shares.take(&wanted), Err((Scarce::PlainPorts, why)));
        assert_eq!(shares.total(), (1, 2));
        let elsewhere = Taken { holder: Holder { node: NodeId(2), ..holder }, plain_ports: 0 };
        assert_eq!(shares.take(&elsewhere), Ok(()), "the same name of another node is another account");
        shares.give_back(&wanted);
        shares.give_back(&elsewhere);
        assert_eq!(shares.total(), (0, 0));
    }

    #[test]
    fn a_refusal_says_which_bound_it_is_and_what_to_do() {
        let Failure::Refused { text, .. } = Scarce::PlainPorts.refused(Exhausted::Own { max: 64 }) else {
            panic!("refused in words");
        };
        let expected = "the account has its whole share of 64 ports for plain RTP: give one back, or ask the operator for \
             more `plain_ports` in [limits.account]";
        assert!(text.ends_with(expected), "{text}");
    }
}
