//! What takes a minute, all at a time: a site's link is cut for sixty seconds, and a terminal says nothing for as long.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::crowd::Crowd;
use crate::judge::{quiet, settled};
use crate::mesh::Mesh;
use crate::notes::End;
use crate::patience::settle;
use crate::shape::{ONE, SEVEN};
use crate::terminal::hear_close;

/// By when both ends of a cut link know: dead after 5 s of silence, and room for a loaded machine.
const KNOWN_BY: Duration = Duration::from_secs(15);
const CUT: Duration = Duration::from_secs(60);
/// A refusal that needs nobody else's answer.
const AT_ONCE: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_cut_for_a_minute_heals_and_a_terminal_silent_for_a_minute_is_closed() {
    tokio::join!(a_link_cut_for_a_minute_heals(), a_terminal_silent_for_a_minute_is_closed());
}

async fn a_link_cut_for_a_minute_heals() {
    let mut mesh = Mesh::plan(SEVEN);
    let relay = mesh.put_relay_above("sh").await;
    mesh.start_all().await;
    let crowd = Crowd::gather(&mesh);
    settled(&mesh, &crowd).await;
    let talk = crowd.talk(None);
    sleep(Duration::from_secs(2)).await;

    relay.cut();
    let cut = Instant::now();
    sleep(KNOWN_BY).await;
    assert_island(&crowd).await;
    sleep(CUT.saturating_sub(cut.elapsed())).await;
    relay.heal();

    // The lease of the lost link ends at about the same time: those behind it may have been told offline, and are then
    // told online again. Either way the end is the truth.
    settled(&mesh, &crowd).await;
    talk.stop().await;
    crowd.assert_all_reach_all().await;
    quiet(&mesh).await;
    settle(&crowd.faults());
    settle(&crowd.thrown_out());
    assert!(crowd.count(|end| *end == End::Answered) > 1_000, "a conversation");
}

/// On both sides of the cut, neighbours reach each other, and the others are refused at once by the cut link's name.
async fn assert_island(crowd: &Crowd) {
    let player =
        |client: &str| crowd.players.iter().find(|player| player.name.client.as_str() == client).unwrap();
    for (from, to) in [("one-sh", "two-sh"), ("one-hz", "one-bj"), ("two-cn", "one-east")] {
        assert_eq!(player(from).call(&player(to).name).await, Some(End::Answered), "{from} calls {to}");
    }
    for (from, to, at) in [
        ("one-sh", "one-hz", "cn/east/sh"),
        ("one-tj", "one-sh", "cn/east"),
        ("one-east", "two-sh", "cn/east"),
    ] {
        let begin = Instant::now();
        let end = player(from).call(&player(to).name).await;
        let Some(End::Refused(text)) = end else { panic!("{from} calls {to}: {end:?}") };
        assert!(text.contains(&format!("unreachable at {at}:")), "{from} calls {to}: {text}");
        assert!(begin.elapsed() < AT_ONCE, "{from} calls {to}: refused only after {:?}", begin.elapsed());
    }
}

/// Reference section 1.4, last row but one.
async fn a_terminal_silent_for_a_minute_is_closed() {
    let mesh = Mesh::start(ONE).await;
    let (_silent, mut ears) = mesh.dialler().register(mesh.place("cn").terminals, "silent").await.unwrap();
    let begin = Instant::now();
    sleep(Duration::from_secs(55)).await;
    assert_eq!(hear_close(&mut ears).await, Some(1001));
    assert!(begin.elapsed() >= Duration::from_secs(59), "closed after {:?}", begin.elapsed());
}
