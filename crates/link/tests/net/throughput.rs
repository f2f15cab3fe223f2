//! How many signals a node passes on per second of its own CPU, and how long a frame takes there and back.
//! Not a test of anything: run it in release with `--ignored --nocapture` and read the figures.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use taoyao_link::{Lane, LaneClass, LinkEvent, LinkHandle};
use tokio::sync::oneshot;

use crate::nodes::{Ca, Node};

const SIGNAL_BYTES: usize = 300;
const FOR: Duration = Duration::from_secs(4);

/// Runs a node's work on a thread of its own, named so that its CPU time can be told from the others'.
fn on_thread<T: Send + 'static, F: Future<Output = T>>(
    name: &'static str,
    work: impl FnOnce() -> F + Send + 'static,
) -> thread::JoinHandle<T> {
    let run =
        move || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work());
    thread::Builder::new().name(name.to_owned()).spawn(run).unwrap()
}

/// CPU seconds of this process's threads of that name (100 ticks a second on Linux).
fn cpu_of(name: &str) -> f64 {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let stats = tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("stat")).ok());
    let ticks = stats.filter(|stat| stat.contains(&format!("({name})"))).map(|stat| {
        let fields: Vec<u64> =
            stat.rsplit(") ").next().unwrap().split(' ').map(|f| f.parse().unwrap_or(0)).collect();
        fields[11] + fields[12]
    });
    ticks.sum::<u64>() as f64 / 100.0
}

/// Keeps a link's queue filled for a while; signals are spread over the shards.
async fn pump(link: &LinkHandle, signal: &Bytes) {
    let end = Instant::now() + FOR;
    while Instant::now() < end {
        if link.queued_bytes(LaneClass::Signals) < 1024 * 1024 {
            (0..512_u16).for_each(|n| link.send(Lane::Shard((n / 64) as u8), signal.clone()).unwrap());
        }
        tokio::task::yield_now().await;
    }
}

#[test]
#[ignore = "a measurement, not a check"]
fn signals_through_a_middle_node() {
    let ca = Ca::new();
    let (root_config, mid_config, leaf) =
        (ca.config("cn"), ca.config("cn/east"), ca.credentials("cn/east/sh"));
    let leaf_config = taoyao_link::LinkConfig {
        own: "cn/east/sh".parse().unwrap(),
        credentials: leaf,
        ..ca.config("cn/north")
    };
    let (root_at, to_mid) = oneshot::channel();
    let (mid_at, to_leaf) = oneshot::channel();

    let sink = on_thread("sink", move || async move {
        let mut root = Node::start(root_config);
        root_at.send(root.address()).unwrap();
        let (mut count, mut begin, mut result) = (0_usize, None, None);
        while let Some(event) = root.events.recv().await {
            match event {
                LinkEvent::Frames { frames, .. } => {
                    let (first, cpu) = *begin.get_or_insert_with(|| (Instant::now(), cpu_of("middle")));
                    count += frames.len();
                    if result.is_none() && first.elapsed() >= FOR - Duration::from_millis(500) {
                        let (seconds, cpu) = (first.elapsed().as_secs_f64(), cpu_of("middle") - cpu);
                        result = Some((count as f64 / seconds, count as f64 / cpu));
                    }
                }
                LinkEvent::Down { .. } => break,
                _ => {}
            }
        }
        result.unwrap()
    });
    let middle = on_thread("middle", move || async move {
        let mut config = mid_config;
        let address = to_mid.await.unwrap();
        config.parents = ca.dialling("cn/east", "cn", address).parents;
        let mut node = Node::start(config);
        let up = node.up().await;
        mid_at.send(node.address()).unwrap();
        while let Some(event) = node.events.recv().await {
            match event {
                LinkEvent::Frames { lane, frames, .. } => {
                    frames.into_iter().for_each(|frame| up.send(lane, frame).unwrap());
                    while up.queued_bytes(LaneClass::Signals) > 4 * 1024 * 1024 {
                        tokio::task::yield_now().await;
                    }
                }
                LinkEvent::Down { .. } => return up.stats(),
                _ => {}
            }
        }
        unreachable!("a link goes down before its events end")
    });
    let source = on_thread("source", move || async move {
        let address = to_leaf.await.unwrap();
        let mut config = leaf_config;
        config.parents =
            vec![taoyao_link::ParentAddr { name: "cn/east".parse().unwrap(), address: address.to_string() }];
        let mut node = Node::start(config);
        let link = node.up().await;
        pump(&link, &Bytes::from(vec![7; SIGNAL_BYTES])).await;
    });
    let (rate, per_cpu) = sink.join().unwrap();
    let stats = middle.join().unwrap();
    source.join().unwrap();
    println!("{rate:.0} signals/s of {SIGNAL_BYTES} bytes, {per_cpu:.0} per CPU second of the middle node");
    println!("{stats:#?}");
}

#[test]
#[ignore = "a measurement, not a check"]
fn there_and_back_over_one_link() {
    let ca = Ca::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut times: Vec<Duration> = runtime.block_on(async {
        let (mut parent, down_link, mut child, up_link) = crate::nodes::linked_pair(&ca).await;
        let echo = tokio::spawn(async move {
            while let Some(event) = parent.events.recv().await {
                if let LinkEvent::Frames { lane, frames, .. } = event {
                    frames.into_iter().for_each(|frame| down_link.send(lane, frame).unwrap());
                }
            }
        });
        let signal = Bytes::from(vec![7; SIGNAL_BYTES]);
        let mut times = Vec::new();
        for _ in 0..20_000 {
            let sent = Instant::now();
            up_link.send(Lane::Shard(0), signal.clone()).unwrap();
            child.frames(Lane::Shard(0), 1).await;
            times.push(sent.elapsed());
        }
        echo.abort();
        times
    });
    times.sort();
    let at = |part: f64| times[(times.len() as f64 * part) as usize];
    println!("there and back: p50 {:?}, p99 {:?}, max {:?}", at(0.5), at(0.99), times[times.len() - 1]);
}

/// Resident memory of this process, KiB.
fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Both ends of each link and each child's own socket and tasks are in this process: an upper bound of what one more
/// child costs its parent.
#[test]
#[ignore = "a measurement, not a check"]
fn memory_of_idle_links() {
    const LINKS: usize = 100;
    let ca = Ca::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let names: Vec<String> = (0..LINKS).map(|n| format!("cn/site-{n}")).collect();
        let mut config = ca.config("cn");
        config.children = names.iter().map(|name| name.parse().unwrap()).collect();
        let mut parent = Node::start(config);
        let before = resident_kib();
        let mut children = Vec::new();
        for name in &names {
            let config = ca.dialling(name, "cn", parent.address());
            children.push(Node::start(config));
            parent.up().await;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        println!("{} KiB for each link with both its ends", (resident_kib() - before) / LINKS as u64);
    });
}
