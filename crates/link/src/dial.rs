//! The dialling end: keeps a link to one parent up for as long as the node lives.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::{ClientConfig, Connection, Endpoint};
use taoyao_pki::Identity;
use taoyao_types::{NodeId, limits::HELLO_MAX};
use taoyao_wire::link::hello::{CloseCode, ConnectionKind};
use tokio::task::JoinSet;

use crate::backoff::Backoff;
use crate::greet::{self, Greeted};
use crate::local::Local;
use crate::run::Link;
use crate::{Ending, LinkEvent, ParentAddr, explain};

/// A link that stayed up for this long was a success; one that did not counts as one more failure.
const SUCCESS_AFTER: Duration = Duration::from_secs(1);
/// Addresses of one name that are tried at once; further ones are not.
const ADDRESSES_MAX: usize = 8;

/// Dials one parent, again and again.
pub(crate) struct Dialler {
    pub(crate) local: Arc<Local>,
    pub(crate) endpoint: Endpoint,
    pub(crate) config: ClientConfig,
    pub(crate) parent: ParentAddr,
    /// The parent as its certificate must name it.
    pub(crate) identity: Identity,
}

/// Why a dial came to nothing.
enum Failure {
    /// Nobody there, or not the one we look for.
    Unreachable(String),
    Refused {
        remote: SocketAddr,
        why: Ending,
    },
}

impl Dialler {
    /// Returns when the node stops, and never before.
    pub(crate) async fn run(self, seed: u64) {
        let mut backoff = Backoff::new(seed);
        let mut last = String::new();
        for dial in 1.. {
            let attempt = tokio::select! {
                _ = self.local.stopped() => return,
                attempt = self.dial(dial) => attempt,
            };
            match attempt {
                Ok(link) => {
                    let since = tokio::time::Instant::now();
                    link.run(&self.local).await;
                    last.clear();
                    if since.elapsed() >= SUCCESS_AFTER {
                        backoff.reset();
                    }
                }
                Err(failure) => self.report(failure, &mut last).await,
            }
            tokio::select! {
                _ = self.local.stopped() => return,
                () = tokio::time::sleep(backoff.pause()) => {}
            }
        }
    }

    async fn dial(&self, dial: u64) -> Result<Link, Failure> {
        let late = || Failure::Unreachable(format!("no answer within {} s", HELLO_MAX.as_secs()));
        let signal = tokio::time::timeout(HELLO_MAX, self.connect_any()).await.map_err(|_| late())??;
        let remote = signal.remote_address();
        let greeting = self.greet_both(dial, signal.clone());
        let greeted = tokio::time::timeout(HELLO_MAX, greeting).await.unwrap_or_else(|_| {
            let reason = format!("no hello within {} s", HELLO_MAX.as_secs());
            Err(explain::here(CloseCode::Hello, reason))
        });
        match greeted {
            Ok((signal, bulk)) => Ok(Link::new(&self.local, self.parent.name.clone(), signal, bulk)),
            Err(why) => {
                greet::turn_away(&signal, &why);
                Err(Failure::Refused { remote, why })
            }
        }
    }

    /// A connection to whichever of the parent's addresses answers first.
    async fn connect_any(&self) -> Result<Connection, Failure> {
        let address = &self.parent.address;
        let found = tokio::net::lookup_host(address).await;
        let found = found.map_err(|e| Failure::Unreachable(format!("{address} cannot be resolved: {e}")))?;
        let mut attempts = JoinSet::new();
        for remote in found.take(ADDRESSES_MAX) {
            let connecting = self.connect(remote);
            attempts.spawn(async move { connecting.await.map_err(|failure| (remote, failure)) });
        }
        let mut failed = Failure::Unreachable(format!("{address} has no addresses"));
        while let Some(attempt) = attempts.join_next().await {
            match attempt {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err((remote, why))) if why.refusal.code == CloseCode::Lost => {
                    failed = Failure::Unreachable(format!("{remote}: {why}"));
                }
                Ok(Err((remote, why))) => failed = Failure::Refused { remote, why },
                Err(error) => failed = Failure::Unreachable(format!("the dial failed: {error}")),
            }
        }
        Err(failed)
    }

    fn connect(&self, remote: SocketAddr) -> impl Future<Output = Result<Connection, Ending>> + use<> {
        let connecting = self.endpoint.connect_with(self.config.clone(), remote, &self.identity.dns_name());
        async move {
            let connecting =
                connecting.map_err(|e| explain::here(CloseCode::Lost, format!("cannot dial: {e}")))?;
            connecting.await.map_err(|e| explain::lost(&e))
        }
    }

    async fn greet_both(&self, dial: u64, signal: Connection) -> Result<(Greeted, Greeted), Ending> {
        let remote = signal.remote_address();
        let bulk = self.connect(remote);
        let signal = self.say_hello(dial, ConnectionKind::Signal, signal).await?;
        let bulk = self.say_hello(dial, ConnectionKind::Bulk, bulk.await?).await?;
        Ok((self.hear_hello(signal).await?, self.hear_hello(bulk).await?))
    }

    async fn say_hello(
        &self,
        dial: u64,
        kind: ConnectionKind,
        connection: Connection,
    ) -> Result<Greeted, Ending> {
        let identity = greet::peer_identity(&connection, &self.local)?;
        if identity != self.identity {
            let reason = format!("{} answers as {identity}, not as {}", self.parent.address, self.identity);
            return Err(explain::here(CloseCode::Identity, reason));
        }
        let (mut send, recv) = connection.open_bi().await.map_err(|e| explain::lost(&e))?;
        let hello = self.local.hello(dial, kind);
        greet::write_hello(&mut send, &hello).await?;
        Ok(Greeted { connection, send, recv, hello })
    }

    /// Puts the parent's hello in the place of our own.
    async fn hear_hello(&self, mut greeted: Greeted) -> Result<Greeted, Ending> {
        let own = greeted.hello;
        let hello = greet::read_hello(&mut greeted.recv, &self.identity).await?;
        if (hello.kind, hello.dial) != (own.kind, own.dial) {
            return Err(greet::wrong_kind(own.kind));
        }
        greeted.hello = hello;
        Ok(greeted)
    }

    /// Tells the node, and the log once for each new reason.
    async fn report(&self, failure: Failure, last: &mut String) {
        let ParentAddr { name, address } = &self.parent;
        let (text, event) = match failure {
            Failure::Unreachable(reason) => {
                let event = LinkEvent::Unreachable {
                    peer: NodeId::of(name),
                    address: address.clone(),
                    reason: reason.clone(),
                };
                (reason, event)
            }
            Failure::Refused { remote, why } => {
                (why.to_string(), LinkEvent::Refused { peer: Some(name.clone()), remote, why })
            }
        };
        if *last != text {
            tracing::warn!(parent = %name, %address, reason = %text, "no link to the parent, dialling on");
            *last = text;
        }
        // Fails only if the node listens no more.
        let _gone = self.local.events.send(event).await;
    }
}
