//! A million proxy terminals at the root: how fast a child registers them, and what each takes.

use std::thread::sleep;
use std::time::{Duration, Instant};

use taoyao_link::{Lane, LaneClass, LinkHandle};
use taoyao_types::{NodeId, PartitionId, SessionEpoch, TerminalKey, Version};
use taoyao_wire::link::sync::SnapshotMark;
use taoyao_wire::link::{Record, Sync, frame};

use super::Plan;
use super::error::{BenchError, io};
use super::figure::{Figure, Target, Unit};
use super::neighbour::{EPOCH, Neighbour};
use super::site::Site;
use crate::clock::wall_now;

const RECORDS: usize = 1_000_000;
/// Records in one frame, as a node sends them.
const CHUNK: usize = 2_000;
/// The child stops encoding while so many bytes wait for its link, as a node does.
const QUEUE_BYTES: usize = 512 * 1024;
/// After a load: buffers of the way are given back.
const SETTLE: Duration = Duration::from_millis(500);

pub(super) fn measure(plan: &Plan) -> Result<Vec<Figure>, BenchError> {
    let site = Site::line(2, "", "")?;
    let mut root = site.start(plan, "n1")?;
    let count = plan.count(RECORDS);
    let runtime = tokio::runtime::Runtime::new().map_err(io("threads"))?;
    let (mut child, link) = runtime.block_on(async {
        let mut child = Neighbour::start(&site, "n2")?;
        let link = child.up().await?;
        Ok::<_, BenchError>((child, link))
    })?;
    let before = root.resident_bytes()?;
    let records = records(&site, count);
    let start = Instant::now();
    runtime.block_on(register(&mut child, &link, &records))?;
    let seconds = start.elapsed().as_secs_f64();
    sleep(SETTLE);
    root.check()?;
    let grown = root.resident_bytes()?.saturating_sub(before);
    let held = site.status("n1")?.directory_records;
    if held != count as u64 {
        return Err(BenchError::Answer(format!("the root holds {held} of {count} records")));
    }
    let name =
        if plan.is_quick { "200 k proxy records at the root" } else { "1 M proxy records at the root" };
    let bytes = vec![grown as f64 / count as f64];
    let rate = vec![count as f64 / seconds];
    Ok(vec![
        Figure::new(format!("{name}, resident each"), Unit::Bytes, Some(Target::AtMost(130.0)), bytes),
        Figure::new(format!("{name}, loaded"), Unit::PerSecond, Some(Target::AtLeast(500_000.0)), rate),
    ])
}

/// A directory of the child's partition, in the order of its keys.
fn records(site: &Site, count: usize) -> Vec<Record> {
    let child = site.node("n2");
    let partition = PartitionId::of(child.home_partition());
    let session = SessionEpoch(wall_now().0 << 16);
    let origin: NodeId = child.id;
    let record = |number: u64| {
        let version = Version { session, epoch: EPOCH, seq: number };
        Record { key: TerminalKey::synthetic(partition, number), origin, version }
    };
    let mut records: Vec<Record> = (1..=count as u64).map(record).collect();
    records.sort_by_key(|record| record.key);
    records
}

/// Tells the root all of it by a snapshot, and returns when the root has confirmed.
async fn register(child: &mut Neighbour, link: &LinkHandle, records: &[Record]) -> Result<(), BenchError> {
    let id = 1;
    let mark = SnapshotMark { id, at: 0, after: None };
    child.sync(|message| matches!(message, Sync::Resume { .. }).then_some(())).await?;
    send(link, Lane::Directory, &Sync::SnapshotBegin { mark })?;
    child.sync(|message| matches!(message, Sync::Applied { .. }).then_some(())).await?;
    let mut after = None;
    for chunk in records.chunks(CHUNK) {
        let until = chunk[chunk.len() - 1].key;
        send(link, Lane::Bulk, &Sync::SnapshotChunk { id, after, until, records: chunk.to_vec() })?;
        after = Some(until);
        while link.queued_bytes(LaneClass::Bulk) > QUEUE_BYTES {
            let _confirmed = child.frames().await?;
        }
    }
    send(link, Lane::Bulk, &Sync::SnapshotEnd { id, after })?;
    child.sync(|message| matches!(message, Sync::Applied { complete: true, .. }).then_some(())).await
}

fn send(link: &LinkHandle, lane: Lane, message: &Sync) -> Result<(), BenchError> {
    let sent = link.send(lane, frame::encode_sync(message));
    sent.map_err(|error| BenchError::Answer(error.to_string()))
}
