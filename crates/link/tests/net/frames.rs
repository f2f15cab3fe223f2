//! Frames on all lanes, both ways.

use bytes::Bytes;
use taoyao_link::{Lane, LaneClass, LinkEvent, SendError, Side};
use taoyao_types::limits::{FRAME_BYTES_MAX, SHARDS};
use taoyao_wire::link::hello::CloseCode;

use crate::nodes::{Ca, Node, PATIENCE, id, linked_pair};

fn stream_lanes() -> Vec<Lane> {
    let shards = (0..SHARDS).map(Lane::Shard);
    [Lane::Control, Lane::Urgent, Lane::Directory, Lane::Broadcast, Lane::Bulk]
        .into_iter()
        .chain(shards)
        .collect()
}

#[tokio::test]
async fn a_link_comes_up_at_both_ends_and_says_who_is_there() {
    let ca = Ca::new();
    let mut config = ca.config("cn");
    config.features = 6;
    let mut parent = Node::start(config);
    let mut child = Node::start(ca.dialling("cn/east", "cn", parent.address()));
    let from_child = parent.until("up", |event| match event {
        LinkEvent::Up { peer, hello, .. } => Some((*peer, hello.node, hello.epoch.0)),
        _ => None,
    });
    assert_eq!(from_child.await, (id("cn/east"), id("cn/east"), 1));
    let from_parent = child.until("up", |event| match event {
        LinkEvent::Up { name, hello, .. } => Some((name.to_string(), hello.features)),
        _ => None,
    });
    assert_eq!(from_parent.await, ("cn".to_owned(), 6));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_lane_keeps_its_order_both_ways() {
    const COUNT: u32 = 2_000;
    let ca = Ca::new();
    let (mut parent, down_link, mut child, up_link) = linked_pair(&ca).await;
    let body = |n: u32| Bytes::from(n.to_be_bytes().repeat(75));
    for n in 0..COUNT {
        for lane in stream_lanes() {
            down_link.send(lane, body(n)).unwrap();
            up_link.send(lane, body(n)).unwrap();
        }
    }
    // Both at once: an end that nobody listens to does not tell that its lanes have drained, and sends no more on them.
    tokio::join!(expect_all_in_order(&mut parent, COUNT, body), expect_all_in_order(&mut child, COUNT, body));
}

async fn expect_all_in_order(node: &mut Node, count: u32, body: impl Fn(u32) -> Bytes) {
    let mut next = vec![0_u32; stream_lanes().len()];
    while next.iter().any(|n| *n < count) {
        let (lane, frames) = node
            .until("frames", |event| match event {
                LinkEvent::Frames { lane, frames, .. } => Some((*lane, frames.clone())),
                _ => None,
            })
            .await;
        let expected = &mut next[stream_lanes().iter().position(|known| *known == lane).unwrap()];
        for frame in frames {
            assert_eq!(frame, body(*expected), "{lane:?}");
            *expected += 1;
        }
    }
}

#[tokio::test]
async fn the_largest_frame_passes_and_a_larger_one_is_the_callers_mistake() {
    let ca = Ca::new();
    let (mut parent, _, _child, up_link) = linked_pair(&ca).await;
    let largest: Bytes = (0..FRAME_BYTES_MAX).map(|n| (n % 251) as u8).collect();
    up_link.send(Lane::Shard(3), largest.clone()).unwrap();
    up_link.send(Lane::Bulk, largest.clone()).unwrap();
    assert!(parent.frames(Lane::Shard(3), 1).await == [largest.clone()]);
    up_link.send(Lane::Bulk, largest.clone()).unwrap();
    assert!(parent.frames(Lane::Bulk, 1).await == [largest]);
    let larger = Bytes::from(vec![0; FRAME_BYTES_MAX + 1]);
    assert_eq!(up_link.send(Lane::Urgent, larger), Err(SendError::Size { bytes: FRAME_BYTES_MAX + 1 }));
    assert_eq!(up_link.send(Lane::Urgent, Bytes::new()), Err(SendError::Size { bytes: 0 }));
    let nowhere = Lane::Shard(SHARDS);
    assert_eq!(up_link.send(nowhere, Bytes::from_static(b"x")), Err(SendError::NoLane { lane: nowhere }));
}

#[tokio::test]
async fn datagrams_arrive_whole_and_too_large_ones_are_counted() {
    let ca = Ca::new();
    let (mut parent, _, _child, up_link) = linked_pair(&ca).await;
    up_link.send(Lane::Datagram, Bytes::from(vec![7; 60_000])).unwrap();
    assert_eq!(up_link.stats().datagrams_dropped, 1);
    // A datagram may be lost even on loopback; one of many arrives.
    let sender = up_link.clone();
    let sending = tokio::spawn(async move {
        loop {
            sender.send(Lane::Datagram, Bytes::from_static(b"position")).unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    assert_eq!(parent.frames(Lane::Datagram, 1).await[0], "position");
    sending.abort();
}

#[tokio::test]
async fn waiting_bytes_are_counted_and_their_end_is_told() {
    let ca = Ca::new();
    let (mut parent, _, mut child, up_link) = linked_pair(&ca).await;
    for _ in 0..10 {
        up_link.send(Lane::Directory, Bytes::from(vec![1; 996])).unwrap();
    }
    assert_eq!(up_link.queued_bytes(LaneClass::Directory), 10 * 1000);
    assert_eq!(up_link.queued_bytes(LaneClass::Signals), 0);
    let drained = child.until("drained", |event| match event {
        LinkEvent::Drained { class, .. } => Some(*class),
        _ => None,
    });
    assert_eq!(drained.await, LaneClass::Directory);
    assert_eq!(up_link.queued_bytes(LaneClass::Directory), 0);
    assert_eq!(parent.frames(Lane::Directory, 10).await.len(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_takes_no_events_slows_its_peer_instead_of_filling_up() {
    let ca = Ca::new();
    let (mut parent, _, _child, up_link) = linked_pair(&ca).await;
    let (frame, count) = (Bytes::from(vec![5; 64 * 1024]), 1_600);
    (0..count).for_each(|_| up_link.send(Lane::Shard(0), frame.clone()).unwrap());
    // 100 MiB are on their way; windows, send buffer and the event queue hold less than half of it.
    let mut last = usize::MAX;
    let waiting = loop {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let waiting = up_link.queued_bytes(LaneClass::Signals);
        if waiting == last {
            break waiting;
        }
        last = waiting;
    };
    assert!(waiting > 50 * 1024 * 1024, "only {waiting} bytes wait");
    assert_eq!(parent.frames(Lane::Shard(0), count).await.len(), count);
}

#[tokio::test]
async fn a_shutdown_is_told_with_its_reason_and_ends_in_time() {
    let ca = Ca::new();
    let (mut parent, down_link, child, _) = linked_pair(&ca).await;
    let draining = tokio::spawn(async move {
        let Node { links, mut events } = child;
        links.shutdown("maintenance at nine").await;
        let mut reasons = Vec::new();
        while let Some(event) = events.recv().await {
            if let LinkEvent::Down { why, .. } = event {
                reasons.push(why);
            }
        }
        reasons
    });
    let (_, why) = parent.down().await;
    assert_eq!((why.by, why.refusal.code), (Side::Peer, CloseCode::Shutdown));
    assert_eq!(why.to_string(), "the peer says: maintenance at nine");
    assert_eq!(down_link.send(Lane::Urgent, Bytes::from_static(b"x")), Err(SendError::Down));
    let reasons = tokio::time::timeout(PATIENCE, draining).await.unwrap().unwrap();
    assert_eq!(reasons.len(), 1);
    assert_eq!((reasons[0].by, reasons[0].to_string()), (Side::Here, "maintenance at nine".to_owned()));
}

#[tokio::test]
async fn stats_tell_of_both_connections() {
    let ca = Ca::new();
    let (mut parent, _, _child, up_link) = linked_pair(&ca).await;
    up_link.send(Lane::Bulk, Bytes::from(vec![1; 100_000])).unwrap();
    parent.frames(Lane::Bulk, 1).await;
    let stats = up_link.stats();
    assert!(stats.bulk.sent_bytes > 100_000, "{stats:?}");
    assert!(
        stats.signal.sent_packets > 0 && stats.signal.mtu >= 1200 && !stats.signal.rtt.is_zero(),
        "{stats:?}"
    );
}
