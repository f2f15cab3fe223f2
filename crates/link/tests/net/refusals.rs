//! Everybody who may not have a link, and what both ends hear of it.

use taoyao_link::{Life, LinkConfig, Side};
use taoyao_types::NodeEpoch;
use taoyao_wire::link::hello::CloseCode;

use crate::hostile::Raw;
use crate::nodes::{Ca, Node, assert_talks, linked_pair};

/// Starts `dialler` against a parent that works, and checks both ends' words; the parent then still takes its child.
async fn assert_refused(
    ca: &Ca,
    parent: &str,
    dialler: impl FnOnce(LinkConfig) -> LinkConfig,
    code: CloseCode,
    words: &[&str],
) {
    let mut refusing = Node::start(ca.config(parent));
    let base = ca.dialling("cn/east", parent, refusing.address());
    let mut refused = Node::start(dialler(base));
    let (_, here) = refusing.refused().await;
    let (_, there) = refused.refused().await;
    assert_eq!((here.by, here.refusal.code), (Side::Here, code), "{here}");
    assert_eq!((there.by, there.refusal.code), (Side::Peer, code), "{there}");
    for word in words {
        assert!(here.to_string().contains(word), "{word:?} is not in {here}");
        assert!(there.to_string().contains(word), "{word:?} is not in {there}");
    }
}

#[tokio::test]
async fn a_certificate_of_another_ca_is_refused_by_both() {
    let (ca, other) = (Ca::new(), Ca::new());
    let mut parent = Node::start(ca.config("cn"));
    let mut child = Node::start(other.dialling("cn/east", "cn", parent.address()));
    let (_, there) = child.refused().await;
    assert_eq!((there.by, there.refusal.code), (Side::Here, CloseCode::Handshake));
    assert!(there.to_string().contains("another CA") && there.to_string().contains("ca.crt"), "{there}");
    let (_, here) = parent.refused().await;
    assert_eq!((here.by, here.refusal.code), (Side::Peer, CloseCode::Handshake));
    assert!(here.to_string().contains("another CA"), "{here}");
}

#[tokio::test]
async fn a_dialler_of_another_ca_that_trusts_everybody_is_refused_too() {
    let (ca, other) = (Ca::new(), Ca::new());
    let mut parent = Node::start(ca.config("cn"));
    let mut config = other.dialling("cn/east", "cn", parent.address());
    config.credentials.roots = ca.credentials("cn/east").roots;
    let mut child = Node::start(config);
    let (_, here) = parent.refused().await;
    assert_eq!((here.by, here.refusal.code), (Side::Here, CloseCode::Handshake));
    assert!(here.to_string().contains("of another CA"), "{here}");
    let (_, there) = child.refused().await;
    assert_eq!((there.by, there.refusal.code), (Side::Peer, CloseCode::Handshake));
    assert!(there.to_string().contains("this node's certificate is of another CA"), "{there}");
}

#[tokio::test]
async fn a_node_that_the_topology_does_not_know_is_refused() {
    let ca = Ca::new();
    let stranger = ca.credentials("cn/west");
    let dialler = |base| LinkConfig { own: "cn/west".parse().unwrap(), credentials: stranger, ..base };
    let words = ["cn/west", "is not in cn's topology"];
    assert_refused(&ca, "cn", dialler, CloseCode::UnknownNode, &words).await;
}

#[tokio::test]
async fn a_node_of_another_organisation_is_refused() {
    let ca = Ca::new();
    let mut parent = Node::start(ca.config("cn"));
    let raw = Raw::connect(ca.credentials_of("other", "cn/east"), "cn", parent.address()).await;
    assert_eq!(raw.closed().await.0, CloseCode::UnknownNode);
    let (_, here) = parent.refused().await;
    assert!(here.to_string().contains("another organisation"), "{here}");
}

#[tokio::test]
async fn a_grandchild_a_sibling_and_a_parent_in_the_wrong_role_are_refused() {
    let ca = Ca::new();
    for (dialler, dialled) in [("cn/east/sh", "cn"), ("cn/north", "cn/east"), ("cn", "cn/east")] {
        let credentials = ca.credentials(dialler);
        let own = dialler.parse().unwrap();
        let dial = |base| LinkConfig { own, credentials, ..base };
        let words = [dialler, "is not a child of", dialled];
        assert_refused(&ca, dialled, dial, CloseCode::WrongRole, &words).await;
    }
}

#[tokio::test]
async fn a_node_that_claims_anothers_id_is_refused() {
    let ca = Ca::new();
    // The certificate says cn/east, the hello says cn/north.
    let dialler = |base| LinkConfig { own: "cn/north".parse().unwrap(), ..base };
    let words = ["the hello is from another node", "cn/east"];
    assert_refused(&ca, "cn", dialler, CloseCode::Identity, &words).await;
}

#[tokio::test]
async fn an_address_where_another_node_answers_is_refused_by_the_dialler() {
    let ca = Ca::new();
    let mut east = Node::start(ca.config("cn/east"));
    let mut child = Node::start(ca.dialling("cn/north", "cn", east.address()));
    let (_, there) = child.refused().await;
    assert_eq!((there.by, there.refusal.code), (Side::Here, CloseCode::Handshake));
    assert!(there.to_string().contains("for another node"), "{there}");
    let (_, here) = east.refused().await;
    assert_eq!(here.by, Side::Peer);
}

#[tokio::test]
async fn protocols_without_overlap_are_refused() {
    let ca = Ca::new();
    let mut parent = Node::start(ca.config("cn"));
    let raw = Raw::connect(ca.credentials("cn/east"), "cn", parent.address()).await;
    let mut hello = Raw::hello("cn/east");
    (hello.protocol_min, hello.protocol_max) = (900, 901);
    let _stream = raw.say(&hello.encode()).await;
    let (code, reason) = raw.closed().await;
    assert_eq!(code, CloseCode::Version);
    assert!(reason.contains("900 to 901"), "{reason}");
    let (peer, here) = parent.refused().await;
    assert_eq!(peer.unwrap().as_str(), "cn/east");
    assert_eq!(here.refusal.code, CloseCode::Version);
}

#[tokio::test]
async fn another_generation_is_no_reason_to_refuse() {
    let ca = Ca::new();
    let mut parent = Node::start(ca.config("cn"));
    let config = LinkConfig { generation: 7, ..ca.dialling("cn/east", "cn", parent.address()) };
    let mut child = Node::start(config);
    let (down_link, up_link) = (parent.up().await, child.up().await);
    assert_talks((&mut parent, &down_link), (&mut child, &up_link)).await;
}

#[tokio::test]
async fn refusing_strangers_disturbs_no_link() {
    let ca = Ca::new();
    let (mut parent, down_link, mut child, up_link) = linked_pair(&ca).await;
    let stranger = LinkConfig {
        own: "cn/west".parse().unwrap(),
        credentials: ca.credentials("cn/west"),
        life: Life::new(NodeEpoch(9)),
        ..ca.dialling("cn/east", "cn", parent.address())
    };
    let mut stranger = Node::start(stranger);
    for _ in 0..3 {
        stranger.refused().await;
    }
    assert_talks((&mut parent, &down_link), (&mut child, &up_link)).await;
}
