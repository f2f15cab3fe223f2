//! Strangers at a node's QUIC port, while a link of the same node goes on.

use std::net::UdpSocket;
use std::time::Duration;

use taoyao_link::{Ending, Life, LinkConfig, LinkEvent, Links, ParentAddr, Side, Transport};
use taoyao_pki::LinkCredentials;
use taoyao_types::NodeEpoch;
use taoyao_wire::link::hello::CloseCode;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::certificates::{good, now, of_another_ca};
use crate::mesh::Mesh;
use crate::patience::PATIENCE;
use crate::shape::{ORG, THREE};
use crate::witness::Witness;

/// A mesh of which `east` does not run: whoever likes may try to be it.
pub(crate) async fn mesh_without_east() -> Mesh {
    let mut mesh = Mesh::plan(THREE);
    mesh.run("cn");
    mesh.run("north");
    mesh.ready(&["cn", "north"]).await;
    mesh
}

/// A child of `cn` that is no program of ours but made from the link alone.
pub(crate) fn child(mesh: &Mesh, own: &str, credentials: LinkCredentials) -> LinkConfig {
    let root = mesh.place("cn");
    let parent = ParentAddr { name: root.name.clone(), address: format!("127.0.0.1:{}", root.links) };
    LinkConfig {
        org: ORG.to_owned(),
        own: own.parse().unwrap(),
        life: Life::new(NodeEpoch((now().0 / 1000) as u32)),
        generation: 1,
        features: 0,
        listen: None,
        parents: vec![parent],
        children: Default::default(),
        known: mesh.places().iter().map(|place| place.name.clone()).collect(),
        credentials,
        transport: Transport::default(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_on_the_quic_port_disturbs_no_link() {
    let mesh = mesh_without_east().await;
    let witness = Witness::between(&mesh, "cn", "north").await;
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut dice = fastrand::Rng::with_seed(1);
    for _ in 0..200 {
        for _ in 0..100 {
            let mut packet = vec![0; dice.usize(0..1500)];
            dice.fill(&mut packet);
            // What the node has no room for is lost, as on any line.
            let _lost = socket.send_to(&packet, ("127.0.0.1", mesh.place("cn").links)).is_err();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let up = mesh.admin("cn").metric("taoyao_link_up{peer=\"cn/north\"}").await;
    assert_eq!(up, 1);
    witness.assert_was_served().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_another_ca_opens_no_link() {
    let words = &["link refused", "of another CA"];
    assert_refused("cn/east", of_another_ca, CloseCode::Handshake, words).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_the_topology_does_not_know_gets_no_link() {
    let words = &["link refused", "cn/west", "is not in cn's topology"];
    assert_refused("cn/west", good, CloseCode::UnknownNode, words).await;
}

/// Dials the root as `own` with such a certificate; the root refuses, says so in its log, and goes on.
async fn assert_refused(
    own: &str,
    credentials: impl Fn(&Mesh, &str) -> LinkCredentials,
    code: CloseCode,
    words: &[&str],
) {
    let mut mesh = mesh_without_east().await;
    let witness = Witness::between(&mesh, "cn", "north").await;
    let (sender, mut events) = mpsc::channel(64);
    let links = Links::start(child(&mesh, own, credentials(&mesh, own)), sender).unwrap();
    // It dials again and again, and is refused each time.
    for _ in 0..3 {
        let Ending { by, refusal } = refused(&mut events).await;
        assert_eq!((by, refusal.code), (Side::Peer, code), "{refusal}");
    }
    assert!(mesh.node("cn").says(words).await, "{}", mesh.node("cn").log());
    let status = mesh.status("cn").await;
    let up: Vec<_> =
        status.links.iter().filter(|link| link.is_up).map(|link| link.peer.to_string()).collect();
    assert_eq!(up, ["cn/north"]);
    links.shutdown("the test is over").await;
    witness.assert_was_served().await;
}

async fn refused(events: &mut mpsc::Receiver<LinkEvent>) -> Ending {
    let search = async {
        loop {
            match events.recv().await.expect("links tell what happens") {
                LinkEvent::Refused { why, .. } => return why,
                LinkEvent::Up { .. } => panic!("a stranger has a link"),
                _ => {}
            }
        }
    };
    timeout(PATIENCE, search).await.expect("a refusal")
}
