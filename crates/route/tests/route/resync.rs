//! What becomes of records of which only one side has heard the end.

use taoyao_types::{NodeEpoch, NodeId, Now, SessionEpoch, Version, limits};
use taoyao_wire::link::sync::{Change, Displacement};
use taoyao_wire::link::{Record, Sync};

use crate::world::{LIFE, NOW, World};

/// The same terminal in a session begun `later` milliseconds later, at another node.
fn moved(record: Record, origin: NodeId, later: u64) -> Record {
    let session = SessionEpoch(record.version.session.0 + (later << 16));
    Record { origin, version: Version { session, ..record.version }, ..record }
}

#[test]
fn what_a_snapshot_names_stands_against_a_newer_record_that_it_does_not() {
    let mut world = World::new();
    let newer = world.record("sh", "roaming@mobile.cn", 9);
    world.change("east", Change::Add(newer));
    // That one has ended with everything that knew of it; the terminal is at a site of the child whose clock is behind.
    let session = SessionEpoch(newer.version.session.0 - 1);
    let version = Version { session, epoch: NodeEpoch(LIFE.0 + 1), seq: 1 };
    let older = Record { origin: world.node("hz"), version, ..newer };
    world.come_back_with("east", vec![older]);
    let entry = world.root.directory().find(older.key).map(|entry| (entry.origin, entry.version));
    assert_eq!(entry, Some((older.origin, older.version)));
}

#[test]
fn a_terminal_that_moved_while_its_node_was_away_is_displaced_when_that_comes_back() {
    let mut world = World::new();
    let old = world.record("sh", "roaming@mobile.cn", 1);
    world.change("east", Change::Add(old));
    let new = moved(old, world.node("north"), 5);
    world.change("north", Change::Add(new));
    // A node between confirms it in the place of the site, and forgets it with its life.
    world.change("east", Change::Withdraw(old));
    world.heard_by("east");
    world.come_back_with("east", vec![old]);
    let by = Displacement { key: old.key, origin: Some(new.origin), version: new.version };
    assert!(world.heard_by("east").contains(&Sync::Displaced(by)));

    world.change("north", Change::Withdraw(new));
    world.come_back_with("east", vec![old]);
    let heard = world.heard_by("east");
    let outbid = heard.iter().find_map(|message| match message {
        Sync::Displaced(Displacement { origin: None, version, .. }) => Some(*version),
        _ => None,
    });
    assert!(outbid.is_some_and(|version| version > old.version), "it outbids what has ended: {heard:?}");
}

#[test]
fn who_begins_to_watch_asks_for_the_members_although_news_of_them_passes_through_already() {
    let mut world = World::new();
    let partition = world.partition("east");
    let north = world.node("north");
    world.tell(north, &Sync::Interest { partitions: vec![partition], refresh: vec![partition] });
    let asked = |heard: Vec<Sync>| {
        let is_wish =
            |message: &Sync| matches!(message, Sync::Interest { refresh, .. } if *refresh == [partition]);
        heard.iter().any(is_wish)
    };
    assert!(asked(world.heard_by("east")));
    world.root.watch([partition].into());
    assert!(asked(world.heard_by("east")));
    world.root.watch([partition].into());
    assert!(world.heard_by("east").is_empty());
}

#[test]
fn a_child_that_comes_back_after_its_lease_is_asked_for_everything() {
    let mut world = World::new();
    let there = world.record("east", "a", 1);
    world.change("east", Change::Add(there));
    let east = world.node("east");
    world.root.handle_link_down(NOW, east, "a test");
    let later = Now { mono: NOW.mono + limits::LEASE, ..NOW };
    world.root.handle_timeout(later);
    assert!(world.root.directory().find(there.key).is_none());
    world.heard_by("east");
    world.root.handle_link_up(later, east, LIFE);
    let resume = Sync::Resume { epoch: LIFE, last_life: LIFE, applied: 0, snapshot: None, digest: None };
    assert!(world.heard_by("east").contains(&resume));
}
