//! Nodes that are told to end say goodbye to everybody, say how it went, and exit with 0.

use crate::crowd::Crowd;
use crate::judge::settled;
use crate::mesh::Mesh;
use crate::patience::until;
use crate::shape::THREE;
use crate::terminal::hear_close;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_told_to_end_drains() {
    let mut mesh = Mesh::start(THREE).await;
    let crowd = Crowd::gather(&mesh);
    settled(&mesh, &crowd).await;
    let (_terminal, mut ears) = mesh.dialler().register(mesh.place("east").terminals, "last").await.unwrap();

    mesh.node("east").signal("TERM").await;
    assert_eq!(hear_close(&mut ears).await, Some(1001));
    let ended = mesh.node("east").ended().await;
    assert_eq!(ended.code(), Some(0), "{}", mesh.node("east").log());
    // Its three terminals: two of the crowd, and the last.
    assert!(mesh.node("east").says(&["ended: 1 node drained", "3 terminals", "all closed properly"]).await);

    let gone = mesh.place("east").name.clone();
    until("gone from the root's list", async || {
        let report = mesh.terminals("cn").await;
        report
            .terminals
            .iter()
            .filter(|entry| entry.node == gone)
            .map(|entry| entry.name.to_string())
            .collect()
    })
    .await;
    let link = mesh.status("cn").await.links.into_iter().find(|link| link.peer == gone).unwrap();
    assert!(!link.is_up && link.reason.contains("going away"), "{link:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_nodes_told_to_end_at_once_drain() {
    let mut mesh = Mesh::start(THREE).await;
    for signal in ["TERM", "INT"].into_iter().cycle().zip(["cn", "east", "north"]) {
        mesh.node(signal.1).signal(signal.0).await;
    }
    for short in ["cn", "east", "north"] {
        let ended = mesh.node(short).ended().await;
        assert_eq!(ended.code(), Some(0), "{}", mesh.node(short).log());
        assert!(mesh.node(short).says(&["ended: 1 node drained"]).await);
    }
}
