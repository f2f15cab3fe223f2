//! Links that come back: after a restart of either end, a cut, and a half-open connection.

use std::time::{Duration, Instant};

use taoyao_link::{Life, LinkConfig, LinkEvent, Side};
use taoyao_types::NodeEpoch;
use taoyao_types::limits::LINK_DEAD_AFTER;
use taoyao_wire::link::hello::CloseCode;

use crate::nodes::{Ca, Node, assert_talks, linked_pair};
use crate::relay::Relay;

#[tokio::test]
async fn a_child_waits_for_its_parent_and_finds_it_again_after_a_restart() {
    let ca = Ca::new();
    let parent = Node::start(ca.config("cn"));
    let address = parent.address();
    let mut child = Node::start(ca.dialling("cn/east", "cn", address));
    child.up().await;
    let Node { links, events } = parent;
    links.shutdown("restart").await;
    drop(events);
    let (_, why) = child.down().await;
    assert_eq!((why.by, why.refusal.code), (Side::Peer, CloseCode::Shutdown));
    let config = LinkConfig { listen: Some(address), life: Life::new(NodeEpoch(2)), ..ca.config("cn") };
    let mut again = Node::start_when_free(config).await;
    let (down_link, up_link) = (again.up().await, child.up().await);
    assert_talks((&mut again, &down_link), (&mut child, &up_link)).await;
}

#[tokio::test]
async fn a_parent_that_is_not_there_is_reported_with_its_address() {
    let ca = Ca::new();
    let mut config = ca.dialling("cn/east", "cn", "127.0.0.1:9".parse().unwrap());
    config.parents[0].address = "no-such-host.invalid:7000".to_owned();
    let mut child = Node::start(config);
    let reason = child.until("unreachable", |event| match event {
        LinkEvent::Unreachable { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    assert!(reason.await.contains("no-such-host.invalid:7000"));
}

/// The old process dies without a word: its runtime is torn down, nothing is sent any more.
#[test]
fn a_child_that_died_without_a_word_gets_through_at_once_in_its_next_life() {
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (here, there) = (runtime(), runtime());
    let ca = Ca::new();
    let mut parent = here.block_on(async { Node::start(ca.config("cn")) });
    let relay = Relay::to(parent.address());
    let mut first = there.block_on(async { Node::start(ca.dialling("cn/east", "cn", relay.address)) });
    there.block_on(first.up());
    let old = here.block_on(parent.up());
    relay.cut(true, true);
    there.shutdown_background();

    here.block_on(async {
        let config = ca.dialling("cn/east", "cn", parent.address());
        let mut second = Node::start(LinkConfig { life: Life::new(NodeEpoch(2)), ..config });
        let (number, why) = parent.down().await;
        assert_eq!((number, why.refusal.code), (old.number(), CloseCode::Replaced), "not timed out: {why}");
        let (down_link, up_link) = (parent.up().await, second.up().await);
        assert_talks((&mut parent, &down_link), (&mut second, &up_link)).await;
    });
}

#[test]
fn a_parent_that_died_without_a_word_is_missed_as_soon_as_it_is_back() {
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (here, there) = (runtime(), runtime());
    let ca = Ca::new();
    let config = ca.config("cn");
    let mut parent = there.block_on(async { Node::start(config.clone()) });
    let address = parent.address();
    let relay = Relay::to(address);
    let mut child = here.block_on(async { Node::start(ca.dialling("cn/east", "cn", relay.address)) });
    there.block_on(parent.up());
    here.block_on(child.up());
    let cut = Instant::now();
    relay.cut(true, true);
    there.shutdown_background();
    drop(parent);

    here.block_on(async {
        let next = LinkConfig { listen: Some(address), life: Life::new(NodeEpoch(2)), ..config };
        let mut next = Node::start_when_free(next).await;
        let was_quick = cut.elapsed() < LINK_DEAD_AFTER / 2;
        relay.cut(false, false);
        let (_, why) = child.down().await;
        // On a machine that took seconds for the restart, the child may rightly have given up before.
        assert!(!was_quick || why.to_string().contains("restarted"), "{why}");
        let (down_link, up_link) = (next.up().await, child.up().await);
        assert_talks((&mut next, &down_link), (&mut child, &up_link)).await;
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_is_noticed_at_both_ends_and_healed_by_redialling() {
    let ca = Ca::new();
    let mut parent = Node::start(ca.config("cn"));
    let relay = Relay::to(parent.address());
    let mut child = Node::start(ca.dialling("cn/east", "cn", relay.address));
    parent.up().await;
    child.up().await;
    let cut = Instant::now();
    relay.cut(true, true);
    for node in [&mut child, &mut parent] {
        let (_, why) = node.down().await;
        assert_eq!((why.by, why.refusal.code), (Side::Here, CloseCode::Lost));
        assert!(why.to_string().contains("nothing was heard for 5 s"), "{why}");
    }
    assert!(cut.elapsed() >= LINK_DEAD_AFTER - Duration::from_secs(2), "{:?}", cut.elapsed());
    relay.cut(false, false);
    let (down_link, up_link) = (parent.up().await, child.up().await);
    assert_talks((&mut parent, &down_link), (&mut child, &up_link)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_dead_one_way_only_ends_at_both_ends() {
    let ca = Ca::new();
    let mut parent = Node::start(ca.config("cn"));
    let relay = Relay::to(parent.address());
    let mut child = Node::start(ca.dialling("cn/east", "cn", relay.address));
    parent.up().await;
    child.up().await;
    relay.cut(true, false);
    // The parent hears nothing; the child hears that it is not heard, or that the parent has given up.
    let (_, parents) = parent.down().await;
    assert_eq!(parents.by, Side::Here, "{parents}");
    let (_, childs) = child.down().await;
    assert!(
        matches!(childs.refusal.code, CloseCode::Unheard | CloseCode::Lost | CloseCode::Twin),
        "{childs}"
    );
}

#[tokio::test]
async fn the_caller_can_close_a_link_and_the_child_dials_again() {
    let ca = Ca::new();
    let (mut parent, down_link, mut child, _) = linked_pair(&ca).await;
    down_link.close(CloseCode::Ended, "too many records");
    assert_eq!(parent.down().await.1.to_string(), "too many records");
    assert_eq!(child.down().await.1.to_string(), "the peer says: too many records");
    let (down_link, up_link) = (parent.up().await, child.up().await);
    assert_talks((&mut parent, &down_link), (&mut child, &up_link)).await;
}
