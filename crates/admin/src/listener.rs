//! The listener's connections: accepted even when the process has no descriptor left, and ended in time.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use hyper_util::service::TowerToHyperService;
use taoyao_http::{Hosts, Reserve, Times};
use taoyao_types::limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::service::ANSWER_WITHIN;

/// A request's head is a few hundred bytes from the same machine, or from monitoring near by.
const TIMES: Times = Times {
    head: Duration::from_secs(5),
    // A little more than the node's time, so that it is the node's failure which is told.
    answer: ANSWER_WITHIN.saturating_add(Duration::from_secs(2)),
    stalled: Duration::from_secs(15),
};
/// For the peer to take the last answer and to end the connection.
const CLOSE_MAX: Duration = Duration::from_secs(2);
/// How long accepting rests when not even the kept descriptors are left.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Counts since the start.
#[derive(Debug, Default)]
pub struct AdminCounters {
    pub(crate) accepts_failed: AtomicU64,
    pub(crate) cut_off: AtomicU64,
}

/// The listener while it runs.
struct Serving<'a> {
    listener: TcpListener,
    reserve: Reserve,
    router: Router,
    hosts: Hosts,
    counters: &'a AdminCounters,
    open: JoinSet<TcpStream>,
    /// The oldest first.
    order: VecDeque<AbortHandle>,
    stopping: watch::Sender<bool>,
}

/// Serves `router` to whoever names one of `hosts`, until `shutdown` completes and the requests under way are answered.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    hosts: Hosts,
    counters: &AdminCounters,
    shutdown: impl Future<Output = ()>,
) {
    let reserve = Reserve::new(&listener, limits::ADMIN_DESCRIPTORS_KEPT);
    let (open, order, stopping) = (JoinSet::new(), VecDeque::new(), watch::Sender::new(false));
    let mut serving = Serving { listener, reserve, router, hosts, counters, open, order, stopping };
    tokio::select! {
        () = serving.accept() => {}
        () = shutdown => {}
    }
    serving.stop().await;
}

impl Serving<'_> {
    /// Has no end.
    async fn accept(&mut self) {
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((tcp, _)) => self.begin(tcp),
                    Err(error) => self.make_room(&error).await,
                },
                Some(ended) = self.open.join_next() => {
                    if let Ok(connection) = ended.map(|tcp| tcp.into_std()) {
                        connection.into_iter().for_each(|tcp| self.reserve.take_back(&self.listener, tcp));
                    }
                    self.reserve.fill(&self.listener);
                }
            }
        }
    }

    /// A connection that was reset before it was accepted is nothing. For want of a descriptor a kept one is used, and when all
    /// of these are in use, the oldest connection's.
    async fn make_room(&mut self, error: &io::Error) {
        if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted) {
            return;
        }
        self.counters.accepts_failed.fetch_add(1, Ordering::Relaxed);
        if self.reserve.release(error) {
            return;
        }
        if self.cut_off_oldest() {
            self.open.join_next().await;
        } else {
            tracing::warn!(%error, "operators' connections cannot be accepted at the moment");
            sleep(ACCEPT_REST).await;
        }
    }

    /// False if there is no connection.
    fn cut_off_oldest(&mut self) -> bool {
        self.order.retain(|connection| !connection.is_finished());
        let oldest = self.order.pop_front();
        let is_there = oldest.is_some();
        self.counters.cut_off.fetch_add(u64::from(is_there), Ordering::Relaxed);
        oldest.into_iter().for_each(|connection| connection.abort());
        is_there
    }

    fn begin(&mut self, tcp: TcpStream) {
        if self.open.len() >= limits::ADMIN_CONNECTIONS_MAX {
            self.cut_off_oldest();
        }
        let service = TowerToHyperService::new(self.router.clone());
        let (hosts, mut stopping) = (self.hosts.clone(), self.stopping.subscribe());
        let connection = self.open.spawn(async move {
            let stop = async { drop(stopping.wait_for(|is_stopping| *is_stopping).await) };
            let mut stream = taoyao_http::serve(tcp, TIMES, hosts, service, stop).await.stream;
            let _in_time = timeout(CLOSE_MAX, close(&mut stream)).await;
            stream
        });
        self.order.push_back(connection);
    }

    async fn stop(mut self) {
        drop(self.listener);
        self.stopping.send_replace(true);
        while self.open.join_next().await.is_some() {}
    }
}

/// A socket that is dropped with bytes unread is reset, and a reset may overtake the last answer.
async fn close(stream: &mut TcpStream) {
    let mut rest = [0; 1024];
    if stream.shutdown().await.is_ok() {
        while stream.read(&mut rest).await.is_ok_and(|count| count > 0) {}
    }
}
