//! Two links of one node: the newer wins at once, the older never comes back.

use taoyao_link::{Life, LinkConfig, Side};
use taoyao_types::NodeEpoch;
use taoyao_wire::link::hello::CloseCode;

use crate::nodes::{Ca, Node, assert_talks, linked_pair};

#[tokio::test]
async fn a_newer_life_takes_over_and_both_are_named() {
    let ca = Ca::new();
    let (mut parent, old_link, mut old, _) = linked_pair(&ca).await;
    let config = ca.dialling("cn/east", "cn", parent.address());
    let mut new = Node::start(LinkConfig { life: Life::new(NodeEpoch(2)), ..config });

    let (number, why) = parent.down().await;
    assert_eq!((number, why.by, why.refusal.code), (old_link.number(), Side::Here, CloseCode::Replaced));
    let (down_link, up_link) = (parent.up().await, new.up().await);
    let (_, told) = old.down().await;
    assert_eq!((told.by, told.refusal.code), (Side::Peer, CloseCode::Replaced));
    for text in [why.to_string(), told.to_string()] {
        assert!(text.contains("of life 2 takes over from dial 1 of life 1"), "{text}");
    }

    // The older life dials on and is refused, for whatever it counts.
    for _ in 0..2 {
        let (_, refused) = old.refused().await;
        assert_eq!((refused.by, refused.refusal.code), (Side::Peer, CloseCode::Duplicate), "{refused}");
        assert!(refused.to_string().contains("of life 2"), "{refused}");
    }
    assert_eq!(parent.refused().await.1.refusal.code, CloseCode::Duplicate);
    assert_talks((&mut parent, &down_link), (&mut new, &up_link)).await;
}

#[tokio::test]
async fn an_equal_dial_is_refused_while_the_first_is_up() {
    let ca = Ca::new();
    let (parent, down_link, _first, _) = linked_pair(&ca).await;
    let mut second = Node::start(ca.dialling("cn/east", "cn", parent.address()));
    let (_, refused) = second.refused().await;
    assert_eq!((refused.by, refused.refusal.code), (Side::Peer, CloseCode::Duplicate));
    assert!(refused.to_string().contains("dial 1 of life 1 is not newer than dial 1 of life 1"), "{refused}");
    assert_eq!(down_link.peer_name().as_str(), "cn/east");
}
