//! SCTP of one transport's data channels, by `rtc-sctp`: one association inside of DTLS (RFC 8831, RFC 8832).

mod dcep;

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use rtc_sctp::{
    Association, ClientConfig, DatagramEvent, Endpoint, EndpointConfig, Event, Payload,
    PayloadProtocolIdentifier, ReliabilityType, ServerConfig, StreamEvent, TransportConfig,
};
use rtc_shared::TransportProtocol;
use taoyao_ortc::transport::{NumStreams, SctpStreamParameters};
use taoyao_types::Instant;
use taoyao_types::limits::{SCTP_MESSAGE_BYTES_MAX, SCTP_RECEIVE_BYTES_MAX, SCTP_SEND_BYTES_MAX};

use super::time::{from_std, to_std};
use super::{MessageError, PeerEvent};

/// One association, without DTLS around it: datagrams in, datagrams and [`PeerEvent`]s out.
pub struct Sctp {
    config: TransportConfig,
    endpoint: Endpoint,
    association: Option<Association>,
    is_client: bool,
    /// How each stream is to be sent, as far as it was said; applied when the stream is there.
    streams: BTreeMap<u16, Sending>,
    num_streams: NumStreams,
    /// The tag of the peer's INIT and our answer to it: repeated if it was lost, since the library takes a repeated INIT for
    /// another association.
    answer: Option<(u32, Bytes)>,
    outgoing: VecDeque<Bytes>,
    events: VecDeque<PeerEvent>,
    state: State,
    /// Bytes that wait to be sent or acknowledged.
    waiting_bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Connecting,
    Connected,
    Closed,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sending {
    is_unordered: bool,
    reliability: ReliabilityType,
    value: u32,
}

const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9);
const CHUNK_AT: usize = 12;
const INIT: u8 = 1;
const RECONFIG: u8 = 130;

impl Sctp {
    /// Waits for [`Self::start`]. The client sends the first datagram.
    pub fn new(num_streams: NumStreams, is_client: bool) -> Sctp {
        let config = TransportConfig::default()
            .with_max_message_size(SCTP_MESSAGE_BYTES_MAX as u32)
            .with_max_receive_buffer_size(SCTP_RECEIVE_BYTES_MAX as u32)
            .with_max_num_outbound_streams(num_streams.outgoing)
            .with_max_num_inbound_streams(num_streams.incoming);
        Sctp {
            endpoint: endpoint(&config),
            config,
            association: None,
            is_client,
            streams: BTreeMap::new(),
            num_streams,
            answer: None,
            outgoing: VecDeque::new(),
            events: VecDeque::new(),
            state: State::New,
            waiting_bytes: 0,
        }
    }

    /// The way for its datagrams is open.
    pub fn start(&mut self, now: Instant) {
        self.state = State::Connecting;
        if !self.is_client {
            return;
        }
        match self.endpoint.connect(to_std(now), ClientConfig::new(self.config.clone()), PEER) {
            Ok((_, association)) => self.association = Some(association),
            Err(_) => self.state = State::Closed,
        }
    }

    /// `new`, `connecting`, `connected` or `closed`.
    pub fn state(&self) -> &'static str {
        match self.state {
            State::New => "new",
            State::Connecting => "connecting",
            State::Connected => "connected",
            State::Closed => "closed",
        }
    }

    /// Takes a datagram; what is none of this association is dropped.
    pub fn handle(&mut self, now: Instant, datagram: Bytes) {
        if self.state == State::Closed || self.has_answered(&datagram) {
            return;
        }
        let has_reset = chunk_kinds(&datagram).any(|kind| kind == RECONFIG);
        let new_tag = initiate_tag(&datagram);
        if new_tag.is_some() {
            if self.state == State::Connected || self.is_client {
                return;
            }
            self.endpoint = endpoint(&self.config);
        }
        match self.endpoint.handle(to_std(now), PEER, None, datagram) {
            Some((_, DatagramEvent::NewAssociation(association))) => self.association = Some(association),
            Some((_, DatagramEvent::AssociationEvent(event))) => {
                if let Some(association) = &mut self.association {
                    association.handle_event(event);
                }
            }
            _ => return,
        }
        self.drive(now);
        if let Some(tag) = new_tag {
            self.answer = self.outgoing.back().map(|answer| (tag, answer.clone()));
        }
        if has_reset {
            self.notice_closed_streams();
        }
    }

    /// The next datagram for the other end.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Bytes> {
        self.collect(now);
        self.outgoing.pop_front()
    }

    /// Of the kinds that speak of channels only.
    pub fn poll_event(&mut self) -> Option<PeerEvent> {
        self.events.pop_front()
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.association.as_ref()?.poll_timeout().map(from_std)
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|at| at <= now) {
            if let Some(association) = &mut self.association {
                association.handle_timeout(to_std(now));
            }
            self.drive(now);
        }
    }

    /// Streams that may be sent on, numbered from 0.
    pub fn streams_max(&self) -> u16 {
        self.num_streams.outgoing
    }

    /// See [`Peer::open_stream`](super::Peer::open_stream).
    ///
    /// # Errors
    /// [`MessageError::NoSuchStream`].
    pub fn open_stream(&mut self, stream: &SctpStreamParameters) -> Result<(), MessageError> {
        if stream.stream_id >= self.num_streams.outgoing {
            return Err(MessageError::NoSuchStream);
        }
        self.streams.insert(stream.stream_id, Sending::of(stream));
        self.apply(stream.stream_id);
        Ok(())
    }

    /// See [`Peer::close_stream`](super::Peer::close_stream).
    pub fn close_stream(&mut self, now: Instant, stream: u16) {
        self.streams.remove(&stream);
        let Some(association) = &mut self.association else { return };
        if let Ok(mut stream) = association.stream(stream)
            && stream.close(to_std(now)).is_err()
        {
            tracing::debug!("a data channel was closed that cannot be reset");
        }
    }

    /// See [`Peer::send_message`](super::Peer::send_message).
    ///
    /// # Errors
    /// See [`MessageError`].
    pub fn send(&mut self, now: Instant, stream: u16, ppid: u32, bytes: &Bytes) -> Result<(), MessageError> {
        if self.state != State::Connected {
            return Err(MessageError::NotOpen);
        }
        if stream >= self.num_streams.outgoing {
            return Err(MessageError::NoSuchStream);
        }
        if bytes.len() > SCTP_MESSAGE_BYTES_MAX {
            return Err(MessageError::TooLong);
        }
        if self.waiting_bytes + bytes.len() > SCTP_SEND_BYTES_MAX {
            return Err(MessageError::Full);
        }
        let (kind, payload) = on_the_wire(ppid, bytes);
        self.write(now, stream, kind, &payload)
    }

    fn write(
        &mut self,
        now: Instant,
        stream: u16,
        kind: PayloadProtocolIdentifier,
        payload: &Bytes,
    ) -> Result<(), MessageError> {
        let association = self.association.as_mut().ok_or(MessageError::NotOpen)?;
        if association.stream(stream).is_err() {
            association.open_stream(stream, kind).map_err(|_| MessageError::NoSuchStream)?;
            self.apply(stream);
        }
        let association = self.association.as_mut().ok_or(MessageError::NotOpen)?;
        let mut stream = association.stream(stream).map_err(|_| MessageError::NoSuchStream)?;
        let sent = stream.write_chunk_with_ppi(to_std(now), payload, kind);
        self.waiting_bytes += sent.map_err(|_| MessageError::NotOpen)?;
        Ok(())
    }

    /// Tells an existing stream how to send.
    fn apply(&mut self, stream: u16) {
        let (Some(association), Some(sending)) = (&mut self.association, self.streams.get(&stream)) else {
            return;
        };
        if let Ok(mut stream) = association.stream(stream)
            && stream
                .set_reliability_params(sending.is_unordered, sending.reliability, sending.value)
                .is_err()
        {
            tracing::debug!("a data channel was closed before it was told how to send");
        }
    }

    /// Repeats the answer to an INIT that was answered before.
    fn has_answered(&mut self, datagram: &Bytes) -> bool {
        let tag = initiate_tag(datagram);
        match &self.answer {
            Some((answered, answer)) if tag == Some(*answered) => {
                if self.state == State::Connecting {
                    self.outgoing.push_back(answer.clone());
                }
                true
            }
            _ => false,
        }
    }

    fn drive(&mut self, now: Instant) {
        while let Some(event) = self.association.as_mut().and_then(Association::poll) {
            self.take(now, event);
        }
        self.collect(now);
    }

    fn take(&mut self, now: Instant, event: Event) {
        match event {
            Event::Connected => {
                self.state = State::Connected;
                self.answer = None;
                self.events.push_back(PeerEvent::ChannelsOpen);
            }
            Event::HandshakeFailed { .. } => self.state = State::Closed,
            // The library says this of each stream that is reset, too; then the association goes on.
            Event::AssociationLost { .. } if self.association.as_ref().is_none_or(Association::is_closed) => {
                self.state = State::Closed;
            }
            Event::Stream(StreamEvent::Opened { id }) => self.accept(id),
            Event::Stream(StreamEvent::Readable { id }) => self.read(now, id),
            Event::Stream(StreamEvent::BufferedAmountReleased { n_bytes, .. }) => {
                self.waiting_bytes = self.waiting_bytes.saturating_sub(n_bytes);
            }
            _ => {}
        }
    }

    /// The library opens whatever number comes; with those beyond what was agreed on a peer could fill memory.
    fn accept(&mut self, id: u16) {
        if id >= self.num_streams.incoming {
            return self.cut_off();
        }
        if let Some(association) = &mut self.association {
            while association.accept_stream().is_some() {}
        }
        self.streams.entry(id).or_default();
        self.apply(id);
    }

    /// Ends the association with a peer that does not keep to what was agreed on.
    fn cut_off(&mut self) {
        self.state = State::Closed;
        self.association = None;
        self.streams.clear();
    }

    fn read(&mut self, now: Instant, id: u16) {
        loop {
            let Some(Ok(mut stream)) = self.association.as_mut().map(|association| association.stream(id))
            else {
                return;
            };
            let Ok(Some(chunks)) = stream.read_sctp() else {
                return;
            };
            let kind = chunks.ppi;
            if let Ok(payload) = chunks.to_payload(SCTP_MESSAGE_BYTES_MAX) {
                self.message(now, id, kind, payload.freeze());
            }
        }
    }

    fn message(&mut self, now: Instant, stream: u16, kind: PayloadProtocolIdentifier, payload: Bytes) {
        let (ppid, bytes) = match kind {
            PayloadProtocolIdentifier::Dcep => return self.answer_dcep(now, stream, &payload),
            PayloadProtocolIdentifier::String => (STRING, payload),
            PayloadProtocolIdentifier::Binary => (BINARY, payload),
            PayloadProtocolIdentifier::StringEmpty => (STRING_EMPTY, Bytes::new()),
            PayloadProtocolIdentifier::BinaryEmpty => (BINARY_EMPTY, Bytes::new()),
            _ => return,
        };
        self.events.push_back(PeerEvent::Message { stream, ppid, bytes });
    }

    /// A peer that does not negotiate channels elsewhere opens them in the stream itself.
    fn answer_dcep(&mut self, now: Instant, stream: u16, payload: &[u8]) {
        let Some(open) = dcep::Open::read(payload) else {
            return;
        };
        self.streams.insert(stream, Sending::of(&open.parameters(stream)));
        self.apply(stream);
        let acknowledged =
            self.write(now, stream, PayloadProtocolIdentifier::Dcep, &Bytes::from_static(&dcep::ACK));
        if acknowledged.is_ok() {
            let event = PeerEvent::StreamOpened {
                stream: open.parameters(stream),
                label: open.label.to_owned(),
                protocol: open.protocol.to_owned(),
            };
            self.events.push_back(event);
        }
    }

    fn notice_closed_streams(&mut self) {
        let Some(association) = &mut self.association else { return };
        let gone: Vec<u16> =
            self.streams.keys().copied().filter(|id| association.stream(*id).is_err()).collect();
        for stream in gone {
            self.streams.remove(&stream);
            self.events.push_back(PeerEvent::StreamClosed { stream });
        }
    }

    fn collect(&mut self, now: Instant) {
        let Some(association) = &mut self.association else { return };
        while let Some(transmit) = association.poll_transmit(to_std(now)) {
            if let Payload::RawEncode(datagrams) = transmit.message {
                self.outgoing.extend(datagrams);
            }
        }
        // They tell an endpoint of many associations to forget one; this has one, and goes with it.
        while association.poll_endpoint_event().is_some() {}
    }
}

impl Sending {
    fn of(stream: &SctpStreamParameters) -> Sending {
        let (reliability, value) = match (stream.max_retransmits, stream.max_packet_life_time) {
            (Some(times), _) => (ReliabilityType::Rexmit, times.into()),
            (None, Some(milliseconds)) => (ReliabilityType::Timed, milliseconds.into()),
            (None, None) => (ReliabilityType::Reliable, 0),
        };
        Sending { is_unordered: stream.ordered == Some(false), reliability, value }
    }
}

/// Payload protocol identifiers (RFC 8831, section 8).
pub const STRING: u32 = 51;
pub const BINARY: u32 = 53;
pub const STRING_EMPTY: u32 = 56;
pub const BINARY_EMPTY: u32 = 57;

/// SCTP has no empty messages: one byte stands for nothing.
fn on_the_wire(ppid: u32, bytes: &Bytes) -> (PayloadProtocolIdentifier, Bytes) {
    let is_text = matches!(ppid, STRING | STRING_EMPTY);
    match (is_text, bytes.is_empty()) {
        (true, false) => (PayloadProtocolIdentifier::String, bytes.clone()),
        (true, true) => (PayloadProtocolIdentifier::StringEmpty, Bytes::from_static(&[0])),
        (false, false) => (PayloadProtocolIdentifier::Binary, bytes.clone()),
        (false, true) => (PayloadProtocolIdentifier::BinaryEmpty, Bytes::from_static(&[0])),
    }
}

fn endpoint(config: &TransportConfig) -> Endpoint {
    let server = ServerConfig::new(config.clone());
    Endpoint::new(PEER, TransportProtocol::UDP, Arc::new(EndpointConfig::default()), Some(Arc::new(server)))
}

/// The tag in an INIT; none if it is something else.
fn initiate_tag(datagram: &[u8]) -> Option<u32> {
    let tag = datagram.get(CHUNK_AT + 4..CHUNK_AT + 8)?;
    (datagram[CHUNK_AT] == INIT).then(|| u32::from_be_bytes([tag[0], tag[1], tag[2], tag[3]]))
}

/// The kinds of all chunks (RFC 9260, section 3.2).
fn chunk_kinds(datagram: &[u8]) -> impl Iterator<Item = u8> {
    let mut at = CHUNK_AT;
    std::iter::from_fn(move || {
        let header = datagram.get(at..at + 4)?;
        let len = usize::from(u16::from_be_bytes([header[2], header[3]]));
        at += len.max(4).next_multiple_of(4);
        Some(header[0])
    })
}
