//! The peers of WebRTC transports: what they have to say is sent, what they noticed is acted on, and how they end.

use taoyao_ortc::{Happening, TransportId};
use taoyao_sfu::TransportKey;
use taoyao_sfu::ice::RemoteAddress;
use taoyao_types::{Now, limits};

use super::Worker;
use super::timers::Owner;
use super::transport::Kind;
use crate::peer::{CloseReason, PeerEvent};

impl Worker {
    /// Polls all peers that something was done with.
    pub(super) fn serve_dirty(&mut self, now: Now) {
        while let Some(key) = self.dirty.pop() {
            self.serve_peer(now, key);
        }
    }

    pub(super) fn peer_timeout(&mut self, now: Now, key: u32) {
        let Some(transport) = self.transports.get_mut(key as usize) else { return };
        if !transport.armed.is_due(now.mono) {
            return;
        }
        match &mut transport.kind {
            Kind::WebRtc(webrtc) => {
                webrtc.peer.handle_timeout(now.mono);
                self.soil(key);
            }
            Kind::Plain(plain) if plain.is_given_up(now.mono) => {
                self.give_up(now, key, &CloseReason::NothingCame)
            }
            Kind::Plain(_) => self.settle_plain(now, key),
            Kind::Tap(_) | Kind::Mirror => {}
        }
    }

    /// Tells the room whether its packets go out to the peer of a plain transport, and comes back when that may change.
    pub(super) fn settle_plain(&mut self, now: Now, key: u32) {
        let Some(transport) = self.transports.get(key as usize) else { return };
        let Kind::Plain(plain) = &transport.kind else { return };
        let (room, is_open) = (transport.room, plain.is_open(now.mono));
        self.rooms[room].router.set_connected(now.mono, TransportKey(key), is_open);
        self.touch(room);
        self.arm_plain(now, key);
    }

    pub(super) fn arm_plain(&mut self, now: Now, key: u32) {
        let Some(transport) = self.transports.get_mut(key as usize) else { return };
        if let Kind::Plain(plain) = &transport.kind {
            let at = plain.poll_timeout(now.mono);
            self.timers.arm(Owner::Transport(key), &mut transport.armed, at);
        }
    }

    /// Closes a transport that came to its end by itself, and tells its terminal.
    pub(super) fn give_up(&mut self, now: Now, key: u32, reason: &CloseReason) {
        let Some(transport) = self.transports.get(key as usize) else { return };
        let (name, id) = (self.rooms[transport.room].name.clone(), transport.id);
        self.note_end(now, id, reason);
        self.remove_transport(key);
        self.tell(&name, Happening::TransportClosed { transport: id });
    }

    fn serve_peer(&mut self, now: Now, key: u32) {
        if let Some(transport) = self.transports.get_mut(key as usize) {
            transport.is_dirty = false;
        }
        self.send_of_peer(now, key);
        while let Some(event) = self.next_of_peer(key) {
            self.handle_peer_event(now, key, event);
        }
        let Some(transport) = self.transports.get_mut(key as usize) else { return };
        if let Kind::WebRtc(webrtc) = &transport.kind {
            let at = webrtc.peer.poll_timeout();
            self.timers.arm(Owner::Transport(key), &mut transport.armed, at);
        }
    }

    fn next_of_peer(&mut self, key: u32) -> Option<PeerEvent> {
        self.transports.get_mut(key as usize)?.webrtc()?.peer.poll_event()
    }

    /// Queues what the peer's own protocols have to say.
    fn send_of_peer(&mut self, now: Now, key: u32) {
        loop {
            if self.outbound.room() == 0 {
                self.outbound.flush(&mut self.traffic);
            }
            let Some(transport) = self.transports.get_mut(key as usize) else { return };
            let Kind::WebRtc(webrtc) = &mut transport.kind else { return };
            let Some(told) = webrtc.peer.poll_transmit(now.mono, self.outbound.next_slot()) else { return };
            transport.counts.bytes_out += told.len as u64;
            if told.to.is_tcp {
                let frame = &self.outbound.next_slot()[..told.len];
                let is_sent = self.tcp.as_mut().is_some_and(|tcp| tcp.send(told.to.addr, frame));
                self.traffic.dropped_out += u64::from(!is_sent);
            } else {
                let slot = self.outbound.take();
                self.outbound.address(slot, self.via, told.to.addr, told.len);
            }
        }
    }

    fn handle_peer_event(&mut self, now: Now, key: u32, event: PeerEvent) {
        let Some(transport) = self.transports.get(key as usize) else { return };
        let room = transport.room;
        match event {
            PeerEvent::Reached(address) => self.reach(key, address),
            PeerEvent::Left(address) => self.leave(key, address),
            PeerEvent::Connected { .. } => {
                self.rooms[room].router.set_connected(now.mono, TransportKey(key), true);
                self.touch(room);
            }
            PeerEvent::ChannelsOpen => self.open_streams(now, key),
            PeerEvent::Message { stream, ppid, bytes } => self.pass_on(now, key, stream, ppid, &bytes),
            // What a stream carried is closed by signalling; a new one may take its number.
            PeerEvent::StreamClosed { .. } | PeerEvent::StreamOpened { .. } => {}
            PeerEvent::Closed(reason) => self.give_up(now, key, &reason),
        }
    }

    /// Says why a transport came to nothing, so that whoever runs its other end can mend it; thinned, as a client may try again
    /// and again.
    fn note_end(&mut self, now: Now, transport: TransportId, reason: &CloseReason) {
        let (worker, what) = (self.index, "a transport's peer is gone");
        match reason.is_failure().then(|| self.failures.tell(now.mono)) {
            Some(Some(untold)) => {
                tracing::info!(worker, %transport, %reason, untold, "a transport did not connect")
            }
            Some(None) | None => tracing::debug!(worker, %transport, %reason, "{what}"),
        }
    }

    /// From now on datagrams of this address are of this transport.
    fn reach(&mut self, key: u32, address: RemoteAddress) {
        let Some(webrtc) = self.transports.get_mut(key as usize).and_then(|one| one.webrtc()) else { return };
        webrtc.reached.retain(|known| *known != address);
        webrtc.reached.push(address);
        let is_full = webrtc.reached.len() > limits::MEDIA_ADDRESSES_PER_TRANSPORT_MAX;
        let oldest = is_full.then(|| webrtc.reached.remove(0));
        self.by_address.insert(address, key);
        if let Some(oldest) = oldest {
            self.forget_address(key, oldest);
        }
        if let Some(tcp) = self.tcp.as_mut().filter(|_| address.is_tcp) {
            tcp.keep(address.addr);
        }
    }

    fn leave(&mut self, key: u32, address: RemoteAddress) {
        if let Some(webrtc) = self.transports.get_mut(key as usize).and_then(|one| one.webrtc()) {
            webrtc.reached.retain(|known| *known != address);
        }
        self.forget_address(key, address);
    }

    fn forget_address(&mut self, key: u32, address: RemoteAddress) {
        if self.by_address.get(&address) == Some(&key) {
            self.by_address.remove(&address);
        }
    }

    /// Says goodbye to the peer, then as [`Self::remove_transport`].
    pub(super) fn close_transport(&mut self, now: Now, key: u32) {
        if let Some(webrtc) = self.transports.get_mut(key as usize).and_then(|one| one.webrtc()) {
            webrtc.peer.close(now.mono);
            self.send_of_peer(now, key);
        }
        // The goodbye leaves before the way it takes is closed.
        self.outbound.flush(&mut self.traffic);
        self.remove_transport(key);
    }

    /// Takes a transport and all that is on it out of its room and out of the tables.
    pub(super) fn remove_transport(&mut self, key: u32) {
        let Some(transport) = self.transports.try_remove(key as usize) else { return };
        match transport.kind {
            Kind::WebRtc(webrtc) => {
                for ufrag in &webrtc.ufrags {
                    self.by_ufrag.remove(ufrag);
                }
                for address in webrtc.reached {
                    if self.by_address.get(&address) == Some(&key) {
                        self.by_address.remove(&address);
                    }
                    if let Some(tcp) = self.tcp.as_mut().filter(|_| address.is_tcp) {
                        tcp.close_address(address.addr);
                    }
                }
            }
            Kind::Plain(plain) => plain.close(&mut self.outbound),
            Kind::Tap(_) | Kind::Mirror => {}
        }
        self.spread.forget_transport(key, &transport.mirrors);
        self.dirty.retain(|dirty| *dirty != key);
        self.rooms[transport.room].remove_transport(key);
        self.touch(transport.room);
    }
}
