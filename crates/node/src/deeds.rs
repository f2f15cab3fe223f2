//! Does what accounts want done to the node's machine, beside the driver. How much at once is the terminals' machine's to
//! bound.

use taoyao_core::{Deed, Performed};
use taoyao_topology::Script;
use tokio::task::JoinSet;

use crate::{machine, scripts};

/// Deeds under way; dropping it ends their scripts.
#[derive(Debug, Default)]
pub(crate) struct Deeds {
    /// Those of this node.
    scripts: Vec<Script>,
    running: JoinSet<(u64, Performed)>,
}

impl Deeds {
    pub(crate) fn new(scripts: Vec<Script>) -> Self {
        Self { scripts, running: JoinSet::new() }
    }

    /// Begins a look or a script; to stop is not done here.
    pub(crate) fn begin(&mut self, number: u64, deed: Deed) {
        match deed {
            Deed::Look => drop(self.running.spawn(async move { (number, look().await) })),
            Deed::Run { script, arguments } => {
                let script = self.scripts.iter().find(|listed| listed.name == script).cloned();
                self.running.spawn(async move {
                    let done = match script {
                        Some(script) => scripts::run(&script, &arguments).await,
                        None => Performed::Failed("there is no such script".to_owned()),
                    };
                    (number, done)
                });
            }
            Deed::Stop => {}
        }
    }

    /// The next one that is done; `None` if there is nothing to do.
    pub(crate) async fn next(&mut self) -> Option<(u64, Performed)> {
        self.running.join_next().await?.ok()
    }
}

/// Reading goes to the file systems, so it may take a while.
async fn look() -> Performed {
    match tokio::task::spawn_blocking(machine::look).await {
        Ok(machine) => Performed::Looked(Box::new(machine)),
        Err(error) => Performed::Failed(format!("the machine cannot be looked at: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_deed_ends_under_its_own_number() {
        let mut deeds = Deeds::default();
        deeds.begin(1, Deed::Look);
        let Some((1, Performed::Looked(machine))) = deeds.next().await else { panic!("no look") };
        assert!(machine.processors > 0);
        deeds.begin(2, Deed::Run { script: "lights".to_owned(), arguments: Vec::new() });
        assert!(matches!(deeds.next().await, Some((2, Performed::Failed(_)))));
        assert_eq!(deeds.next().await, None);
    }
}
