//! The middle of three nodes as busy as it can be: its two neighbours are the benchmark itself, which hands prepared
//! signals to real links on both sides. Terminals would use up the processors before the middle is busy.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::Bytes;
use taoyao_link::{Lane, LinkHandle};
use taoyao_topology::Node;
use taoyao_types::{PartitionId, SessionEpoch, TerminalKey, Version};
use taoyao_wire::Class;
use taoyao_wire::link::{Change, Header, Kind, Record, Sync, Target, frame};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::Plan;
use super::error::{BenchError, io};
use super::figure::{self, Figure};
use super::latency::MESSAGE_BYTES;
use super::load;
use super::neighbour::{EPOCH, Neighbour};
use super::site::Site;
use crate::clock::wall_now;

/// Terminals at each end, so that all streams of a link are in use.
const TERMINALS: u64 = 64;
/// Signals of one direction that are under way at most.
const WINDOW: u64 = 4_096;

pub(super) fn measure(plan: &Plan) -> Result<Vec<Figure>, BenchError> {
    let site = Site::line(3, "", "")?;
    let runtime = Runtime::new().map_err(io("threads"))?;
    let (middle, mut above, mut below, up, down) = runtime.block_on(async {
        let mut above = Neighbour::start(&site, "n1")?;
        let middle = site.start(plan, "n2")?;
        let down = above.up().await?;
        let mut below = Neighbour::start(&site, "n3")?;
        let up = below.up().await?;
        register(&mut below, &up, site.node("n3")).await?;
        Ok::<_, BenchError>((middle, above, below, up, down))
    })?;
    let passed = Arc::new(AtomicU64::new(0));
    let (upwards, downwards) = (signals(&site, "n3", "n1"), signals(&site, "n1", "n3"));
    let mut pumps = JoinSet::new();
    // A pump sends on one side and is told by the other side's arrivals; it ends with the runtime.
    let (go_up, go_down) = (Pump::new(up, upwards), Pump::new(down, downwards));
    let (count_up, count_down) = (Arc::clone(&passed), Arc::clone(&passed));
    let handle = runtime.handle();
    pumps.spawn_on(async move { go_up.run(&mut above, &count_up).await }, handle);
    pumps.spawn_on(async move { go_down.run(&mut below, &count_down).await }, handle);
    let target = Some(figure::Target::AtLeast(800_000.0));
    let subject =
        load::Subject { name: "3 nodes, middle saturated", server: "middle", process: &middle, target };
    Ok(load::rates(plan, &subject, || passed.load(Relaxed))?.into())
}

/// Tells the middle which terminals are below it.
async fn register(below: &mut Neighbour, link: &LinkHandle, node: &Node) -> Result<(), BenchError> {
    below.sync(|message| matches!(message, Sync::Resume { .. }).then_some(())).await?;
    let session = SessionEpoch(wall_now().0 << 16);
    let add = |number| {
        let version = Version { session, epoch: EPOCH, seq: number };
        Change::Add(Record { key: key(node, number), origin: node.id, version })
    };
    let changes = (1..=TERMINALS).map(add).collect();
    for message in [Sync::Journal { applied: 0 }, Sync::Changes { first: 1, changes }] {
        let sent = link.send(Lane::Directory, frame::encode_sync(&message));
        sent.map_err(|error| BenchError::Answer(error.to_string()))?;
    }
    below.sync(|message| matches!(message, Sync::Applied { through: TERMINALS, .. }).then_some(())).await
}

/// Sends prepared signals over one link and counts those that arrive over the other.
struct Pump {
    link: LinkHandle,
    signals: Vec<(Lane, Bytes)>,
}

impl Pump {
    fn new(link: LinkHandle, signals: Vec<(Lane, Bytes)>) -> Self {
        Self { link, signals }
    }

    async fn run(self, arriving: &mut Neighbour, passed: &AtomicU64) -> Result<(), BenchError> {
        let mut signals = self.signals.iter().cycle();
        let mut send = |count: u64| {
            for (lane, frame) in signals.by_ref().take(usize::try_from(count).unwrap_or(0)) {
                let sent = self.link.send(*lane, frame.clone());
                sent.map_err(|error| BenchError::Answer(error.to_string()))?;
            }
            Ok::<_, BenchError>(())
        };
        send(WINDOW)?;
        loop {
            let count =
                arriving.frames().await?.iter().filter(|frame| frame.len() > MESSAGE_BYTES).count() as u64;
            passed.fetch_add(count, Relaxed);
            send(count)?;
        }
    }
}

/// One signal for each pair of terminals: an event with a body of [`MESSAGE_BYTES`].
fn signals(site: &Site, from: &str, to: &str) -> Vec<(Lane, Bytes)> {
    let (from, to) = (site.node(from), site.node(to));
    let body = vec![b'x'; MESSAGE_BYTES];
    let signal = |number| {
        let id = frame::signal_id(from.id.0, EPOCH.0, number);
        let target = Target::Terminal(key(to, number));
        let header = Header::new(Kind::Event, Class::Event, id, target, key(from, number));
        (Lane::Shard(header.shard()), frame::encode_signal(&header, &body))
    };
    (1..=TERMINALS).map(signal).collect()
}

fn key(node: &Node, number: u64) -> TerminalKey {
    TerminalKey::synthetic(PartitionId::of(node.home_partition()), number)
}
