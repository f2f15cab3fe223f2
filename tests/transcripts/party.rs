//! Who takes part in a transcript: terminals at two sites, and a caller of the REST interface.

use std::net::{IpAddr, Ipv4Addr};

use taoyao_types::{PartitionName, TerminalName};

/// One who speaks and listens. `A`, `X`, `Y` and the guest `R` are always at the first site; `B` and `C` are at the same node or
/// at a site of another region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Party {
    A,
    B,
    C,
    /// Whoever a transcript needs besides, at the first site.
    X,
    Y,
    /// A call of the REST interface.
    R,
}

/// Where a transcript is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// All at one node.
    OneNode,
    /// `B` and `C` at a site of another region, five nodes away.
    TwoRegions,
}

impl Party {
    pub(crate) const ALL: [Party; 6] = [Party::A, Party::B, Party::C, Party::X, Party::Y, Party::R];
    /// Those who are not always where `A` is.
    pub(crate) const AWAY: [Party; 2] = [Party::B, Party::C];

    pub(crate) fn of(letter: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|party| party.letter() == letter)
    }

    pub(crate) fn letter(self) -> &'static str {
        match self {
            Party::A => "A",
            Party::B => "B",
            Party::C => "C",
            Party::X => "X",
            Party::Y => "Y",
            Party::R => "R",
        }
    }

    /// Its own id. No other word of a transcript contains it, and lists show those who are away last.
    pub(crate) fn client_id(self) -> &'static str {
        match self {
            Party::A => "app-a",
            Party::B => "cam-b",
            Party::C => "cam-c",
            Party::X => "app-x",
            Party::Y => "app-y",
            Party::R => "guest-r",
        }
    }

    pub(crate) fn client_type(self) -> &'static str {
        match self {
            Party::A | Party::C | Party::R => "WEB",
            Party::B => "CAMERA",
            Party::X => "SERVER",
            Party::Y => "OTHER",
        }
    }

    pub(crate) fn ip(self) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 1, 0, self as u8 + 1))
    }

    pub(crate) fn is_away(self) -> bool {
        Self::AWAY.contains(&self)
    }
}

impl Stage {
    /// The short name of the party's node.
    pub(crate) fn node(self, party: Party) -> &'static str {
        match self {
            Stage::TwoRegions if party.is_away() => "bj",
            _ => "sh",
        }
    }

    /// The path of the party's node.
    pub(crate) fn node_path(self, party: Party) -> &'static str {
        match self.node(party) {
            "bj" => "cn/north/bj",
            _ => "cn/east/sh",
        }
    }

    /// The party's full name, in the partition of its node or in one that all have in common.
    pub(crate) fn name(self, party: Party, common: Option<&PartitionName>) -> TerminalName {
        let own = || match self.node(party) {
            "bj" => "bj.north.cn",
            _ => "sh.east.cn",
        };
        let partition = common.cloned().unwrap_or_else(|| own().parse().expect("the demo has it"));
        TerminalName { partition, client: party.client_id().parse().expect("it is a client id") }
    }
}
