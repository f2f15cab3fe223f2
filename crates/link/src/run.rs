//! One link from its two greeted connections to its end.

use bytes::Bytes;
use quinn::{RecvStream, SendStream};
use taoyao_types::NodeName;
use taoyao_wire::link::hello::{CloseCode, ConnectionKind, Hello};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use crate::greet::{self, Greeted};
use crate::handle::close_number;
use crate::local::Local;
use crate::transport::SIGNAL_SEND_WINDOW;
use crate::writer::Writer;
use crate::{Ending, Lane, LinkEvent, LinkHandle, Side, explain, heartbeat, reader};

/// A link that both ends have agreed on and that has not begun to move frames.
pub(crate) struct Link {
    pub(crate) handle: LinkHandle,
    hello: Hello,
    queues: Vec<UnboundedReceiver<Bytes>>,
    control: (SendStream, RecvStream),
    /// Kept open: closing a stream would be a message to the peer.
    bulk_control: (SendStream, RecvStream),
}

impl Link {
    pub(crate) fn new(local: &Local, name: NodeName, signal: Greeted, bulk: Greeted) -> Self {
        signal.connection.set_send_window(SIGNAL_SEND_WINDOW);
        let number = local.next_link();
        let (handle, queues) = LinkHandle::new(number, name, signal.connection, bulk.connection);
        Self {
            handle,
            hello: signal.hello,
            queues,
            control: (signal.send, signal.recv),
            bulk_control: (bulk.send, bulk.recv),
        }
    }

    /// The accepting end's hello on both connections.
    pub(crate) async fn answer(&mut self, local: &Local, dial: u64) -> Result<(), Ending> {
        greet::write_hello(&mut self.control.0, &local.hello(dial, ConnectionKind::Signal)).await?;
        greet::write_hello(&mut self.bulk_control.0, &local.hello(dial, ConnectionKind::Bulk)).await
    }

    /// Gives up a link that the peer left before it was up.
    pub(crate) async fn never_up(self, local: &Local, why: Ending) {
        close(&self.handle, &why);
        let (peer, remote) = (Some(self.handle.peer_name().clone()), self.handle.signal().remote_address());
        // Fails only if the node listens no more.
        let _gone = local.events.send(LinkEvent::Refused { peer, remote, why }).await;
    }

    /// Moves frames until the link ends, for whatever reason; both ends then know why.
    pub(crate) async fn run(mut self, local: &Local) -> Ending {
        self.announce(local).await;
        let handle = self.handle.clone();
        let mut tasks = self.spawn(local);
        let first = match tasks.join_next().await {
            Some(Ok(ending)) => ending,
            Some(Err(error)) => {
                explain::here(CloseCode::Ended, format!("a task of the link failed: {error}"))
            }
            None => explain::here(CloseCode::Ended, "the link had nothing to do"),
        };
        let why = settle(&handle, local, first);
        close(&handle, &why);
        tasks.shutdown().await;
        tracing::info!(peer = %handle.peer_name(), link = handle.number().0, %why, "link down");
        let down = LinkEvent::Down { peer: handle.peer(), link: handle.number(), why: why.clone() };
        // Fails only if the node listens no more.
        let _gone = local.events.send(down).await;
        why
    }

    async fn announce(&mut self, local: &Local) {
        let (peer, name) = (self.handle.peer(), self.handle.peer_name().clone());
        tracing::info!(peer = %name, link = self.handle.number().0, epoch = self.hello.epoch.0, "link up");
        if self.hello.generation != local.generation() {
            let (theirs, ours) = (self.hello.generation, local.generation());
            tracing::warn!(peer = %name, theirs, ours, "the neighbour runs another generation of the topology");
        }
        let up = LinkEvent::Up { peer, name, hello: self.hello, link: self.handle.clone() };
        // Fails only if the node listens no more; the readers end the link then.
        let _gone = local.events.send(up).await;
    }

    /// One task for each lane out, one for each connection's streams in, and the heartbeat's two.
    fn spawn(self, local: &Local) -> JoinSet<Ending> {
        let (link, events) = (&self.handle, &local.events);
        let (control_send, control_recv) = self.control;
        // Fails only if the connection is gone, which every task will tell.
        let _gone = control_send.set_priority(Lane::Control.priority());
        let mut control_send = Some(control_send);
        let mut tasks = JoinSet::new();
        for (lane, queue) in Lane::streams().zip(self.queues) {
            let Some(class) = lane.class() else { continue };
            let open = if lane == Lane::Control { control_send.take() } else { None };
            let writer = Writer { lane, class, queue, link: link.clone(), events: events.clone() };
            tasks.spawn(writer.run(open));
        }
        tasks.spawn(reader::read_lane(Lane::Control, control_recv, link.clone(), events.clone()));
        tasks.spawn(reader::read_streams(link.signal().clone(), link.clone(), events.clone()));
        let bulk_control = self.bulk_control;
        let bulk = reader::read_streams(link.bulk().clone(), link.clone(), events.clone());
        tasks.spawn(async move {
            let ending = bulk.await;
            drop(bulk_control);
            ending
        });
        tasks.spawn(heartbeat::send_beats(link.clone()));
        tasks.spawn(heartbeat::read_datagrams(link.clone(), events.clone()));
        tasks
    }
}

/// The reason that counts: what this end decided comes before what its tasks then saw.
fn settle(link: &LinkHandle, local: &Local, first: Ending) -> Ending {
    if first.by == Side::Peer || first.refusal.code != CloseCode::Ended {
        return first;
    }
    match link.closing().cloned().or_else(|| local.stop_reason()) {
        Some(refusal) => Ending { by: Side::Here, refusal },
        None => first,
    }
}

/// Closes what is still open. The peer hears our reason, or, if it closed one connection, that the other goes with it.
fn close(link: &LinkHandle, why: &Ending) {
    let (code, reason) = match (why.by, why.refusal.code) {
        (Side::Here, CloseCode::Lost) | (Side::Peer, _) => (CloseCode::Twin, twin_reason(why)),
        (Side::Here, code) => (code, why.refusal.reason.clone()),
    };
    link.signal().close(close_number(code), reason.as_bytes());
    link.bulk().close(close_number(code), reason.as_bytes());
}

fn twin_reason(why: &Ending) -> String {
    let mut reason = format!("the link's other connection is gone: {why}");
    reason.truncate(reason.floor_char_boundary(taoyao_types::limits::REASON_BYTES_MAX));
    reason
}
