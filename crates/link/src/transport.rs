//! quinn's settings for links, and the sockets.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use quinn::congestion::{BbrConfig, CubicConfig};
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::udp::UdpSocketState;
use quinn::{
    AckFrequencyConfig, ClientConfig, Endpoint, EndpointConfig, IdleTimeout, MtuDiscoveryConfig,
    ServerConfig, TokioRuntime, TransportConfig, VarInt,
};
use quinn_proto::HashedConnectionIdGenerator;
use ring::hmac;
use rustls::pki_types::PrivateKeyDer;
use taoyao_types::limits;

use crate::{Congestion, Transport};

/// One-way streams that a peer may open; eleven are used. Each permitted stream costs memory whether it is opened or not.
const UNI_STREAMS: u32 = 16;
/// Bytes that a peer may have in flight on one stream: 100 ms at 640 Mbit/s.
const STREAM_WINDOW: u32 = 8 * 1024 * 1024;
/// Bytes that a peer may have in flight on one connection.
const WINDOW: u32 = 16 * 1024 * 1024;
/// Bytes handed to QUIC and not yet acknowledged on the signal connection: more would hide how much waits.
pub(crate) const SIGNAL_SEND_WINDOW: u64 = 2 * 1024 * 1024;
/// The same on the bulk connection.
pub(crate) const BULK_SEND_WINDOW: u64 = WINDOW as u64;
/// Bytes of datagrams that wait in either direction; older ones are dropped first.
const DATAGRAM_BUFFER: usize = 256 * 1024;
/// Bytes asked of the kernel for each socket's queues; it may give less.
const SOCKET_BUFFER: usize = 4 * 1024 * 1024;
/// Packets that the peer may send before the next one is acknowledged at once. QUIC's usual 1 makes a packet of its own for
/// nearly every signal of a conversation. More than 3 would let a sender whose window has fallen to BBR's smallest, four
/// packets, wait for the acknowledgement's delay each time, take that for the path's rate, and never recover.
const UNACKNOWLEDGED_PACKETS: u32 = 3;
/// The smallest UDP payload that QUIC works with (RFC 9000 section 14).
const MTU_MIN: u16 = 1_200;
/// Strangers' handshakes that may be buffered: a handshake is a few packets.
const HANDSHAKE_BUFFER: u64 = 64 * 1024;

/// An endpoint for children to dial.
///
/// `key` is the node's private key. What is derived from it is the same in the node's next life, which can thereby
/// answer packets of links that it has never known with a reset (RFC 9000 section 10.3): children learn of a restart
/// with their next heartbeat instead of after [`limits::LINK_DEAD_AFTER`].
pub(crate) fn listen(
    address: SocketAddr,
    config: ServerConfig,
    transport: Transport,
    key: &PrivateKeyDer<'_>,
) -> io::Result<Endpoint> {
    let socket = UdpSocket::bind(address)?;
    widen(&socket);
    let lasting = hmac::Key::new(hmac::HMAC_SHA256, key.secret_der());
    let reset_key = hmac::sign(&lasting, b"taoyao link: stateless reset");
    let id_key = hmac::sign(&lasting, b"taoyao link: connection ids");
    let id_key = id_key.as_ref().first_chunk().copied().map_or(0, u64::from_be_bytes);
    let mut endpoint = endpoint_config(transport);
    endpoint
        .reset_key(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, reset_key.as_ref())))
        .cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(id_key)));
    Endpoint::new(endpoint, Some(config), socket, Arc::new(TokioRuntime))
}

/// An endpoint to dial from, on any port; of both IP versions where the machine has them.
pub(crate) fn dialler(transport: Transport) -> io::Result<Endpoint> {
    let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))
        .or_else(|_| UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)))?;
    widen(&socket);
    Endpoint::new(endpoint_config(transport), None, socket, Arc::new(TokioRuntime))
}

pub(crate) fn server_config(
    tls: rustls::ServerConfig,
    transport: Transport,
) -> Result<ServerConfig, quinn::crypto::rustls::NoInitialCipherSuite> {
    let mut config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
    config.transport_config(Arc::new(transport_config(transport)));
    config.max_incoming(limits::HANDSHAKES_MAX);
    config.incoming_buffer_size(HANDSHAKE_BUFFER);
    config.incoming_buffer_size_total(HANDSHAKE_BUFFER * 64);
    // Nodes do not move between networks; whoever comes from a new address dials again.
    config.migration(false);
    Ok(config)
}

pub(crate) fn client_config(
    tls: rustls::ClientConfig,
    transport: Transport,
) -> Result<ClientConfig, quinn::crypto::rustls::NoInitialCipherSuite> {
    let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
    config.transport_config(Arc::new(transport_config(transport)));
    Ok(config)
}

fn transport_config(transport: Transport) -> TransportConfig {
    let mut discovery = MtuDiscoveryConfig::default();
    discovery.upper_bound(mtu_of(transport));
    let mut acknowledging = AckFrequencyConfig::default();
    acknowledging.ack_eliciting_threshold(UNACKNOWLEDGED_PACKETS.into());
    let mut config = TransportConfig::default();
    config
        .ack_frequency_config(Some(acknowledging))
        .max_concurrent_uni_streams(UNI_STREAMS.into())
        .max_concurrent_bidi_streams(1_u8.into())
        .stream_receive_window(STREAM_WINDOW.into())
        .receive_window(WINDOW.into())
        .send_window(BULK_SEND_WINDOW)
        .datagram_receive_buffer_size(Some(DATAGRAM_BUFFER))
        .datagram_send_buffer_size(DATAGRAM_BUFFER)
        .mtu_discovery_config(Some(discovery))
        .initial_rtt(Duration::from_millis(100))
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(LINK_DEAD_AFTER_MS))))
        .keep_alive_interval(Some(2 * limits::HEARTBEAT));
    match transport.congestion {
        Congestion::Bbr => config.congestion_controller_factory(Arc::new(BbrConfig::default())),
        Congestion::Cubic => config.congestion_controller_factory(Arc::new(CubicConfig::default())),
    };
    config
}

const LINK_DEAD_AFTER_MS: u32 = limits::LINK_DEAD_AFTER.as_millis() as u32;

fn endpoint_config(transport: Transport) -> EndpointConfig {
    let mut config = EndpointConfig::default();
    config.max_udp_payload_size(mtu_of(transport)).expect("it is at least 1,200");
    config
}

fn mtu_of(transport: Transport) -> u16 {
    transport.mtu_max.clamp(MTU_MIN, Transport::MTU_LIMIT)
}

/// Deeper socket queues: a burst of a link is larger than the kernel's default. Works without, only with more loss.
fn widen(socket: &UdpSocket) {
    let widened = UdpSocketState::new(socket.into()).and_then(|state| {
        state.set_recv_buffer_size(socket.into(), SOCKET_BUFFER)?;
        state.set_send_buffer_size(socket.into(), SOCKET_BUFFER)
    });
    if let Err(error) = widened {
        tracing::debug!(%error, "the kernel keeps its default socket buffers");
    }
}
