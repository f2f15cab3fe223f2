//! The accepting end of one connection: who is there, and may it be?

use std::net::SocketAddr;
use std::sync::Arc;

use quinn::{Connection, Incoming};
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
    let connection = match tokio::time::timeout(HELLO_MAX, shake_hands(incoming)).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(why)) => return Err(TurnedAway { name: None, remote, why }),
        Err(_) => return Err(TurnedAway { name: None, remote, why: too_late("handshake") }),
    };
    let mut name = None;
    let checks = checks(connection.clone(), &local, &mut name);
    let checked = tokio::time::timeout(HELLO_MAX, checks).await.unwrap_or_else(|_| Err(too_late("hello")));
    checked.map_err(|why| {
        greet::turn_away(&connection, &why);
        TurnedAway { name, remote, why }
    })
}

async fn shake_hands(incoming: Incoming) -> Result<Connection, Ending> {
    let connecting = incoming.accept().map_err(|e| explain::lost(&e))?;
    connecting.await.map_err(|e| explain::lost(&e))
}

/// `name` is set as soon as it is known, so that a refusal can tell it.
async fn checks(
    connection: Connection,
    local: &Local,
    name: &mut Option<NodeName>,
) -> Result<Candidate, Ending> {
    let identity = greet::peer_identity(&connection, local)?;
    let peer = name.insert(identity.node().clone()).clone();
    local.check_dialler(&peer)?;
    let (send, mut recv) = connection.accept_bi().await.map_err(|e| explain::lost(&e))?;
    let hello = greet::read_hello(&mut recv, &identity).await?;
    Ok(Candidate { name: peer, greeted: Greeted { connection, send, recv, hello } })
}

fn too_late(what: &str) -> Ending {
    explain::here(CloseCode::Hello, format!("no {what} within {} s", HELLO_MAX.as_secs()))
}
