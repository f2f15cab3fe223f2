//! A soak: people do everything all the time while others do mischief without pause, and must hardly notice.
//!
//! Without settings it takes forty seconds. README.md of these tests tells how to let it run for long.

mod figures;
mod garbage;
mod line;
mod mischief;
mod people;
mod place;

use std::sync::Arc;
use std::time::{Duration, Instant};

use taoyao_node::report::AlarmsReport;
use taoyao_types::limits::ALARMS_KEPT;
use tokio::time::sleep;

use crate::mesh::Mesh;
use crate::patience::{settle, until};
use crate::places::processor_ms;
use crate::shape::SEVEN;
use figures::Figures;
use mischief::{Kind, Mischief};
use people::{People, report_fire};
use place::{FIRE, Plan};

/// A node says within this time that it is alive, whatever is done to it.
const HEALTH_MAX: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_served_as_before_while_others_do_mischief() {
    let plan = Plan::from_environment();
    println!("{plan:?}");
    let mut mesh = place::start(&plan).await;
    let figures = Arc::<Figures>::default();
    let mut people = People::gather(&mesh, &plan, &figures).await;
    let room = people.live(&plan).await;
    let mut unwell = watch(&mut mesh, &figures, plan.calm).await;

    let _fire = report_fire(&mesh).await;
    until("the fire at the root", async || without_fire(&mesh).await.into_iter().collect()).await;
    let storm = Instant::now();
    figures.enter_storm();
    let mischief = Mischief::plan(&mesh, &plan, &figures, (people.telephone(), room)).begin(&plan);
    unwell.extend(watch(&mut mesh, &figures, plan.storm).await);
    let messages = people.finish().await;
    drop(mischief);

    show(&figures);
    let mut wrong = figures.faults(plan.floor, storm, messages);
    wrong.extend(unwell);
    wrong.extend(without_fire(&mesh).await);
    let wanted = Kind::wanted(&plan);
    let displaced = mesh.admin("cn").metric("taoyao_terminal_alarms_displaced_total").await;
    if wanted.contains(&Kind::NewNames) && displaced == 0 {
        wrong.push("no alarm made way, so that the fire was in no danger".to_owned());
    }
    let done = figures.done();
    let never = wanted.into_iter().filter(|kind| !done.contains(&kind.counted()));
    wrong.extend(never.map(|kind| format!("{kind:?} was never done")));
    drop(people);
    wrong.extend(drained(&mut mesh).await);
    settle(&wrong);
}

#[expect(clippy::print_stdout, reason = "whoever lets it run for half an hour wants to see how it goes")]
fn show(figures: &Figures) {
    println!("{}", figures.table());
}

/// Notes what the nodes take for so long, and returns what was wrong with them.
async fn watch(mesh: &mut Mesh, figures: &Figures, how_long: Duration) -> Vec<String> {
    let (begin, mut told) = (Instant::now(), Instant::now());
    let mut wrong = Vec::new();
    while begin.elapsed() < how_long && wrong.len() < 10 {
        for (short, _) in SEVEN {
            let node = mesh.node(short);
            node.assert_runs();
            figures.sample(short, node.resident_kib(), processor_ms(node.process()));
            let asked = Instant::now();
            let health = mesh.admin(short).get("/healthz").await;
            let took = asked.elapsed();
            if !matches!(health, Ok((200, _))) || took > HEALTH_MAX {
                wrong.push(format!("{short} is asked for its health: {health:?} after {took:?}"));
            }
        }
        if told.elapsed() >= Duration::from_secs(60) {
            told = Instant::now();
            show(figures);
        }
        sleep(Duration::from_millis(500)).await;
    }
    wrong
}

/// Whether the root has lost the fire.
async fn without_fire(mesh: &Mesh) -> Option<String> {
    let report: AlarmsReport = mesh.admin("cn").report(&format!("/api/alarms?limit={ALARMS_KEPT}")).await;
    let fires = report.alarms.iter().filter(|alarm| alarm.message == FIRE).count();
    (fires != 1).then(|| format!("{fires} fires among {} alarms", report.alarms.len()))
}

/// Tells all nodes to end, and returns who did not do so in order.
async fn drained(mesh: &mut Mesh) -> Vec<String> {
    for (short, _) in SEVEN {
        mesh.node(short).signal("TERM").await;
    }
    let mut wrong = Vec::new();
    for (short, _) in SEVEN {
        let ended = mesh.node(short).ended().await;
        if ended.code() != Some(0) {
            wrong.push(format!("{short} ends by {ended}"));
        }
    }
    wrong
}
