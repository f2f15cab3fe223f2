//! The handle of a running node.

use std::time::Duration;

use taoyao_types::NodeName;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};

use crate::question::Question;
use crate::report::StatusReport;
use crate::supervisor::{Command, DrainReport, NodeFailure, Supervisor};

/// A node that runs. Dropping it ends the node at once; [`RunningNode::drain`] ends it properly.
#[derive(Debug)]
pub struct RunningNode {
    name: NodeName,
    /// The supervisor, alone; a set, so that dropping it ends the task.
    supervisor: JoinSet<Result<DrainReport, NodeFailure>>,
    commands: mpsc::Sender<Command>,
    questions: mpsc::Sender<Question>,
}

impl RunningNode {
    pub(crate) fn start(supervisor: Supervisor, commands: mpsc::Sender<Command>) -> Self {
        let (name, questions) = (supervisor.node.clone(), supervisor.questions.clone());
        let mut task = JoinSet::new();
        task.spawn(supervisor.run());
        Self { name, supervisor: task, commands, questions }
    }

    pub fn name(&self) -> &NodeName {
        &self.name
    }

    /// How it is now; `None` if it has ended or is about to.
    pub async fn status(&self) -> Option<StatusReport> {
        let (reply, answer) = oneshot::channel();
        self.questions.send(Question::Status(reply)).await.ok()?;
        answer.await.ok()
    }

    /// Waits until the node ends: with a report if somebody drained it, else with what failed. Cancel safe.
    pub async fn wait(&mut self) -> Result<DrainReport, NodeFailure> {
        let ended = self.supervisor.join_next().await;
        self.read(ended)
    }

    /// Tells the terminals, waits for them to close, at most this long, closes the links with a reason, and ends the
    /// node. A node that is ended already says how it ended.
    pub async fn drain(mut self, deadline: Duration) -> Result<DrainReport, NodeFailure> {
        // Fails only if the node has ended or is being drained, and then that end is the answer.
        let _ended_before = self.commands.send(Command::Drain { deadline }).await.is_err();
        self.wait().await
    }

    fn read(
        &self,
        ended: Option<Result<Result<DrainReport, NodeFailure>, JoinError>>,
    ) -> Result<DrainReport, NodeFailure> {
        match ended {
            Some(Ok(ended)) => ended,
            Some(Err(error)) => Err(NodeFailure::Supervisor { node: self.name.clone(), error }),
            // It was waited for before and its end has been told.
            None => {
                Ok(DrainReport { node: self.name.clone(), terminals: 0, cut_off: 0, took: Duration::ZERO })
            }
        }
    }
}
