//! Watches over the parts of a node: if one ends by itself the node ends, and a drain ends all of them in order.

use std::io;
use std::time::Duration;

use taoyao_admin::AdminRequest;
use taoyao_gateway::{Gateway, GatewayStats};
use taoyao_link::Links;
use taoyao_types::NodeName;
use taoyao_types::limits::BATCH_DELAY;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use crate::desk::{Asked, Desk};
use crate::driver::SourceGone;
use crate::question::{Question, Unsent};
use crate::recordings::Recordings;

/// How long a drain that an operator asks for by the API gives the terminals.
pub const DRAIN_DEADLINE: Duration = Duration::from_secs(10);
/// The longest that a drain waits for the last withdrawals to leave.
const FLUSH_MAX: Duration = Duration::from_millis(500);

/// The longest that a drain waits for answers to operators.
const ADMIN_STOP_MAX: Duration = Duration::from_millis(500);

/// Why a node ended by itself: a bug.
#[derive(Debug, thiserror::Error)]
pub enum NodeFailure {
    #[error("node {node}: {gone}")]
    Source { node: NodeName, gone: SourceGone },
    #[error("node {node}: its driver failed: {error}")]
    Driver { node: NodeName, error: JoinError },
    #[error("node {node}: the terminals' listener failed: {error}")]
    Gateway { node: NodeName, error: JoinError },
    #[error("node {node}: the admin listener ended")]
    Admin { node: NodeName },
    #[error("node {node}: its supervisor failed: {error}")]
    Supervisor { node: NodeName, error: JoinError },
}

/// How a drain ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrainReport {
    pub node: NodeName,
    /// Terminals that were here when it began.
    pub terminals: u64,
    /// Of those, the ones that did not close in time and were cut off.
    pub cut_off: u64,
    pub took: Duration,
}

impl DrainReport {
    /// Whether every terminal heard of it and closed.
    pub fn is_clean(&self) -> bool {
        self.cut_off == 0
    }
}

/// What the holder of a running node wants of it.
#[derive(Debug)]
pub(crate) enum Command {
    Drain { deadline: Duration },
}

/// All parts of a running node. Dropping it ends them at once.
pub(crate) struct Supervisor {
    pub(crate) node: NodeName,
    pub(crate) gateway: Option<Gateway>,
    pub(crate) links: Option<Links>,
    /// The driver, alone.
    pub(crate) driver: JoinSet<Result<(), SourceGone>>,
    /// The admin listener, if there is one.
    pub(crate) admin: JoinSet<io::Result<()>>,
    pub(crate) admin_requests: mpsc::Receiver<AdminRequest>,
    /// Dropped when the admin listener shall end.
    pub(crate) stop_admin: oneshot::Sender<()>,
    pub(crate) recordings: Recordings,
    /// Keeps the recordings within their bounds, and reminds of certificates.
    pub(crate) tidying: JoinSet<()>,
    pub(crate) questions: mpsc::Sender<Question>,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) desk: Desk,
}

impl Supervisor {
    /// Returns when the node has ended.
    pub(crate) async fn run(mut self) -> Result<DrainReport, NodeFailure> {
        loop {
            tokio::select! {
                Some(ended) = self.driver.join_next() => return Err(self.driver_ended(ended)),
                error = failed(&mut self.gateway) => {
                    return Err(NodeFailure::Gateway { node: self.node, error });
                }
                Some(_ended) = self.admin.join_next() => return Err(NodeFailure::Admin { node: self.node }),
                Some(request) = self.admin_requests.recv() => {
                    if self.desk.take(request, self.gateway_stats()) == Asked::Drain {
                        return self.drain(DRAIN_DEADLINE).await;
                    }
                }
                command = self.commands.recv() => {
                    let deadline = command.map_or(Duration::ZERO, |Command::Drain { deadline }| deadline);
                    return self.drain(deadline).await;
                }
            }
        }
    }

    fn driver_ended(&self, ended: Result<Result<(), SourceGone>, JoinError>) -> NodeFailure {
        let node = self.node.clone();
        match ended {
            Ok(Err(gone)) => NodeFailure::Source { node, gone },
            // It was not told to stop, so this is as unexpected as the rest.
            Ok(Ok(())) => NodeFailure::Source { node, gone: SourceGone::Supervisor },
            Err(error) => NodeFailure::Driver { node, error },
        }
    }

    fn gateway_stats(&self) -> GatewayStats {
        self.gateway.as_ref().map_or_else(GatewayStats::default, Gateway::stats)
    }

    /// Terminals first, while the links still carry their withdrawals; then the links; the driver last.
    async fn drain(mut self, deadline: Duration) -> Result<DrainReport, NodeFailure> {
        let began = Instant::now();
        let terminals = self.gateway_stats().terminals;
        tracing::info!(node = %self.node, terminals, "draining");
        self.ask(Question::Drain).await;
        let cut_off = match self.gateway.take() {
            Some(gateway) => gateway.shutdown(deadline).await as u64,
            None => 0,
        };
        self.flush(Instant::now() + FLUSH_MAX.min(deadline)).await;
        if let Some(links) = self.links.take() {
            links.shutdown(&format!("{} is going away", self.node)).await;
        }
        self.ask(Question::Stop).await;
        match self.driver.join_next().await {
            Some(Ok(Ok(()))) | None => {}
            Some(ended) => return Err(self.driver_ended(ended)),
        }
        // Most have ended with their rooms.
        self.recordings.close().await;
        self.tidying.shutdown().await;
        drop(self.stop_admin);
        // Whoever asked for the drain by the API gets the answer; a request that takes longer is cut off.
        let _cut_off = tokio::time::timeout(ADMIN_STOP_MAX, self.admin.join_next()).await;
        let report = DrainReport { node: self.node, terminals, cut_off, took: began.elapsed() };
        tracing::info!(node = %report.node, terminals, cut_off, took = ?report.took, "drained");
        Ok(report)
    }

    /// Waits until the links have sent what they have, and a round trip more, so that it has arrived.
    async fn flush(&self, until: Instant) {
        tokio::time::sleep_until(until.min(Instant::now() + 2 * BATCH_DELAY)).await;
        while let Some(unsent) = self.ask(Question::Unsent).await {
            let Unsent { bytes, round_trip_us_max } = unsent;
            let round_trip = Duration::from_micros(round_trip_us_max);
            tokio::time::sleep_until(until.min(Instant::now() + round_trip.max(Duration::from_millis(1))))
                .await;
            if bytes == 0 || Instant::now() >= until {
                return;
            }
        }
    }

    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Question) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.questions.send(question(reply)).await.ok()?;
        answer.await.ok()
    }
}

/// Resolves only if the gateway stops accepting by itself.
async fn failed(gateway: &mut Option<Gateway>) -> JoinError {
    match gateway {
        Some(gateway) => gateway.failed().await,
        None => std::future::pending().await,
    }
}
