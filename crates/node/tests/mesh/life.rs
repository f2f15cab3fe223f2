//! A node's start, restart and end.

use std::time::Duration;

use taoyao_node::{NodeFailure, StartError, StateError};

use crate::support::{PATIENCE, Site, until, up};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_tells_the_terminals_and_counts_them() {
    let (site, mesh) = up().await;
    let mut ann = site.terminal("sh", "ann").await;
    let mut bob = site.terminal("sh", "bob").await;
    let (ended, ann, bob) = tokio::join!(mesh.drain(PATIENCE), ann.closed(), bob.closed());
    for frame in [ann, bob] {
        assert_eq!(frame.map(|frame| u16::from(frame.code)), Some(1001));
    }
    for report in ended {
        let report = report.unwrap();
        assert!(report.is_clean(), "{report:?}");
        let expected = if report.node.as_str() == "cn/east/sh" { 2 } else { 0 };
        assert_eq!(report.terminals, expected, "{report:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_that_does_not_close_is_cut_off_and_counted() {
    let site = Site::three_tiers();
    let node = site.start("cn").unwrap();
    // Registered, and from then on it reads nothing, so it never answers the close.
    let _deaf = site.terminal("cn", "deaf").await;
    let report = node.drain(Duration::from_millis(100)).await.unwrap();
    assert_eq!((report.terminals, report.cut_off, report.is_clean()), (1, 1, false), "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_node_withdraws_its_terminals_before_it_goes() {
    let (site, mesh) = up().await;
    drop(mesh);
    let root = restart(&site, "cn").await;
    let east = restart(&site, "east").await;
    let ann = site.terminal("east", "ann").await;
    until("the root knows the terminal", || async { root.status().await.unwrap().directory_records == 1 })
        .await;
    let (report, ()) = tokio::join!(east.drain(PATIENCE), ann.close());
    assert!(report.unwrap().is_clean());
    // Without a withdrawal the root would keep the record for the lease of a minute.
    until("the root forgot it", || async { root.status().await.unwrap().directory_records == 0 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_node_comes_back_in_a_higher_life_and_its_terminals_are_found() {
    let (site, mesh) = up().await;
    let epochs = |reports: Vec<taoyao_node::report::StatusReport>| {
        reports.into_iter().map(|report| report.epoch).collect::<Vec<_>>()
    };
    let first = epochs(mesh.status().await);
    // Without a drain: as if it were killed.
    drop(mesh);
    let mut second = Vec::new();
    let mut nodes = Vec::new();
    for node in site.topology.nodes() {
        let node = restart(&site, node.name.as_str()).await;
        second.push(node.status().await.unwrap().epoch);
        nodes.push(node);
    }
    assert!(first.iter().zip(&second).all(|(first, second)| first < second), "{first:?} {second:?}");

    let _ann = site.terminal("sh", "ann").await;
    let root = &nodes[0];
    until("the root knows the terminal", || async { root.status().await.unwrap().directory_records == 1 })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_cannot_be_one_node() {
    let site = Site::three_tiers();
    let _first = site.start("cn").unwrap();
    let Err(StartError::State(StateError::Taken { path })) = site.start("cn") else {
        panic!("the state directory is locked")
    };
    assert!(path.starts_with(site.path()), "{path:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_taken_is_named() {
    let site = Site::three_tiers();
    let terminals = site.topology.root().terminals.as_ref().unwrap().listen;
    let _taken = std::net::TcpListener::bind(terminals).unwrap();
    let Err(StartError::Terminals { address, .. }) = site.start("cn") else { panic!("the port is taken") };
    assert_eq!(address, terminals);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_has_ended_says_so() {
    let site = Site::three_tiers();
    let mut node = site.start("cn").unwrap();
    let waited = tokio::time::timeout(Duration::from_millis(100), node.wait()).await;
    assert!(waited.is_err(), "a node does not end by itself");
    let ended: Result<_, NodeFailure> = node.drain(PATIENCE).await;
    assert!(ended.unwrap().is_clean());
}

/// Starts a node whose earlier life has just ended; its listeners and its lock may take a moment to be free.
async fn restart(site: &Site, node: &str) -> taoyao_node::RunningNode {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        match site.start(node) {
            Ok(node) => return node,
            Err(error) => assert!(tokio::time::Instant::now() < end, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
