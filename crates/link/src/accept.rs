//! The accepting end of one connection: who is there, and may it be?

use std::net::SocketAddr;
use std::sync::Arc;

use quinn::Incoming;
use taoyao_types::{NodeName, limits::HELLO_MAX};
use taoyao_wire::link::hello::CloseCode;

use crate::greet::{self, Greeted};
use crate::local::Local;
use crate::{Ending, explain};

/// A child's connection that has passed every check which needs nothing but itself.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) name: NodeName,
    pub(crate) greeted: Greeted,
}

/// A connection that did not get that far.
#[derive(Debug)]
pub(crate) struct TurnedAway {
    pub(crate) name: Option<NodeName>,
    pub(crate) remote: SocketAddr,
    pub(crate) why: Ending,
}

/// Handshake, role and hello. Whoever is refused has been told why when this returns.
pub(crate) async fn greet(incoming: Incoming, local: Arc<Local>) -> Result<Candidate, TurnedAway> {
    let remote = incoming.remote_address();
    let mut name = None;
    match tokio::time::timeout(HELLO_MAX, checks(incoming, &local, &mut name)).await {
        Ok(Ok(candidate)) => Ok(candidate),
        Ok(Err(why)) => Err(TurnedAway { name, remote, why }),
        Err(_) => {
            let reason = format!("no hello within {} s", HELLO_MAX.as_secs());
            Err(TurnedAway { name, remote, why: explain::here(CloseCode::Hello, reason) })
        }
    }
}

async fn checks(incoming: Incoming, local: &Local, name: &mut Option<NodeName>) -> Result<Candidate, Ending> {
    let connecting = incoming.accept().map_err(|e| explain::lost(&e))?;
    let connection = connecting.await.map_err(|e| explain::lost(&e))?;
    let greeted = async {
        let identity = greet::peer_identity(&connection, local)?;
        *name = Some(identity.node().clone());
        local.check_dialler(identity.node())?;
        let (send, mut recv) = connection.accept_bi().await.map_err(|e| explain::lost(&e))?;
        let hello = greet::read_hello(&mut recv, &identity).await?;
        let name = identity.node().clone();
        Ok(Candidate { name, greeted: Greeted { connection: connection.clone(), send, recv, hello } })
    };
    let greeted = greeted.await;
    if let Err(why) = &greeted {
        greet::turn_away(&connection, why);
    }
    greeted
}
