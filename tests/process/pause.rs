//! A region stands still for longer than its neighbours believe in it, and goes on.

use std::time::Duration;

use tokio::time::sleep;

use crate::crowd::Crowd;
use crate::judge::{quiet, settled};
use crate::mesh::Mesh;
use crate::notes::End;
use crate::patience::settle;
use crate::shape::SEVEN;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_region_stood_still_for_eight_seconds_no_signal_goes_wrong() {
    let mut mesh = Mesh::start(SEVEN).await;
    let crowd = Crowd::gather(&mesh);
    settled(&mesh, &crowd).await;
    // Nobody answers the region's own terminals while it stands still, not even with a refusal.
    let talk = crowd.talk(Some("east"));
    sleep(Duration::from_secs(2)).await;

    mesh.node("east").signal("STOP").await;
    sleep(Duration::from_secs(8)).await;
    mesh.node("east").signal("CONT").await;

    settled(&mesh, &crowd).await;
    talk.stop().await;
    crowd.assert_all_reach_all().await;
    quiet(&mesh).await;
    settle(&crowd.faults());
    settle(&crowd.thrown_out());
    settle(&crowd.told_offline());
    assert!(crowd.count(|end| *end == End::Answered) > 200, "a conversation");
}
