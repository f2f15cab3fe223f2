//! A site's link is cut for a moment in bad weather: nobody notices but whoever waits for an answer.

use std::time::Duration;

use tokio::time::sleep;

use crate::crowd::Crowd;
use crate::judge::{quiet, settled};
use crate::mesh::Mesh;
use crate::notes::End;
use crate::patience::settle;
use crate::shape::SEVEN;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_link_is_cut_for_three_seconds_nobody_is_told_offline() {
    let mut mesh = Mesh::plan(SEVEN);
    let relay = mesh.put_relay_above("sh").await;
    mesh.start_all().await;
    let crowd = Crowd::gather(&mesh);
    settled(&mesh, &crowd).await;
    relay.set(Duration::from_millis(20), 10);
    let talk = crowd.talk(None);
    sleep(Duration::from_secs(2)).await;

    relay.cut();
    sleep(Duration::from_secs(3)).await;
    relay.heal();

    sleep(Duration::from_secs(2)).await;
    talk.stop().await;
    settled(&mesh, &crowd).await;
    crowd.assert_all_reach_all().await;
    quiet(&mesh).await;
    settle(&crowd.faults());
    settle(&crowd.thrown_out());
    settle(&crowd.told_offline());
    assert!(crowd.count(|end| *end == End::Answered) > 200, "a conversation");
}
