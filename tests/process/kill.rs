//! A region is killed in the middle of a conversation and comes back.

use std::time::Duration;

use tokio::time::sleep;

use crate::crowd::Crowd;
use crate::judge::{quiet, settled};
use crate::mesh::Mesh;
use crate::notes::End;
use crate::patience::settle;
use crate::shape::SEVEN;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_region_was_killed_and_started_again_all_is_true_and_nothing_came_twice() {
    let mut mesh = Mesh::start(SEVEN).await;
    let crowd = Crowd::gather(&mesh);
    settled(&mesh, &crowd).await;
    let talk = crowd.talk(None);
    sleep(Duration::from_secs(2)).await;

    mesh.kill("east").await;
    // Long enough for requests to run into the hole.
    sleep(Duration::from_secs(3)).await;
    mesh.run("east");
    mesh.ready(&["east"]).await;

    settled(&mesh, &crowd).await;
    talk.stop().await;
    crowd.assert_all_reach_all().await;
    quiet(&mesh).await;
    settle(&crowd.faults());
    // Only the region's own terminals were ever gone: those of its sites kept theirs.
    let others: Vec<String> =
        crowd.told_offline().into_iter().filter(|told| !told.contains("-east")).collect();
    settle(&others);
    assert!(crowd.count(|end| matches!(end, End::Refused(_))) > 0, "some requests must meet the hole");
    assert!(crowd.count(|end| *end == End::Answered) > 200, "a conversation");
}
