//! What a child may say of terminals, and what is refused because the topology does not give it the right.

use taoyao_types::{NodeEpoch, SessionEpoch, Version};
use taoyao_wire::link::Record;
use taoyao_wire::link::sync::{Change, RefusedReason};

use crate::world::World;

#[test]
fn a_child_buries_only_what_it_could_have_registered() {
    let mut world = World::new();
    let own = world.record("east", "a", 1);
    world.change("east", Change::Add(own));
    let foreign = Record { version: NEWEST, ..world.record("north", "late", 1) };
    world.change("east", Change::Withdraw(foreign));
    assert_eq!(world.refused(), [RefusedReason::NotDelegated]);
    assert_eq!((world.root.stats().authority_violations, world.alarms), (1, 1));

    let late = world.record("north", "late", 1);
    world.change("north", Change::Add(late));
    assert!(world.root.directory().find(late.key).is_some(), "nothing keeps it from coming");

    world.change("east", Change::Withdraw(own));
    assert!(world.root.directory().find(own.key).is_none());
    assert_eq!(world.refused(), []);
}

#[test]
fn a_child_cannot_withdraw_a_node_that_is_not_below_it() {
    let mut world = World::new();
    let there = world.record("north", "b", 1);
    world.change("north", Change::Add(there));
    let borrowed = Record { key: world.record("east", "a", 1).key, ..there };
    for change in [
        Change::Withdraw(there),
        Change::Withdraw(borrowed),
        Change::Lose(there),
        Change::WithdrawOrigin { origin: there.origin, epoch: NodeEpoch(u32::MAX) },
    ] {
        world.change("east", change);
        assert!(world.root.directory().find(there.key).is_some(), "{change:?}");
    }
    assert_eq!(world.refused(), [RefusedReason::NotDelegated, RefusedReason::ForeignOrigin]);
}

#[test]
fn a_withdrawal_from_the_future_is_refused_and_the_terminal_can_come_back() {
    let mut world = World::new();
    let gone = world.record("east", "a", 1);
    world.change("east", Change::Withdraw(Record { version: NEWEST, ..gone }));
    assert_eq!(world.refused(), [RefusedReason::ClockAhead]);
    world.change("east", Change::Add(gone));
    assert!(world.root.directory().find(gone.key).is_some());
}

const NEWEST: Version =
    Version { session: SessionEpoch(u64::MAX), epoch: NodeEpoch(u32::MAX), seq: u64::MAX };
