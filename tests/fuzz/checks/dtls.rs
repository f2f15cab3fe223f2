//! What holds of a transport's whole stack: strangers reach nothing, and once DTLS is up nobody without its keys ends it.

use std::time::Duration;

use taoyao_media::peer::{PeerEvent, PeerInput};

use super::parts::{Part, parts};

#[path = "../../../crates/media/tests/pair/mod.rs"]
mod pair;

use pair::{Pair, PairSetup, Side};

/// Datagrams from the client's address and from others, and datagrams of the client that were changed on their way, before,
/// during or after a handshake.
///
/// The first byte chooses roles and how far the handshake is; a part's choice says what its bytes are.
pub fn dtls(data: &[u8]) {
    let Some((&choice, data)) = data.split_first() else { return };
    let mut pair = Pair::new(PairSetup {
        sfu_is_dtls_client: choice & 1 == 1,
        has_channels: choice & 2 == 2,
        connects_later: choice & 4 == 4,
        ..PairSetup::default()
    });
    pair.run(Duration::from_millis(u64::from(choice / 8) * 4));
    for part in parts(data) {
        let was_connected = pair.sfu.is_connected();
        play(&mut pair, part);
        assert!(pair.sfu.is_connected() || !was_connected, "a connection was ended without its keys");
    }
    let is_connected = pair.sfu.is_connected();
    pair.run(Duration::from_secs(60));
    let is_told = pair.events(Side::Sfu).iter().any(|event| matches!(event, PeerEvent::Closed(_)));
    assert!(pair.sfu.is_connected() || is_told || choice & 4 == 4, "it neither connects nor ends");
    assert!(pair.sfu.is_connected() || !is_connected || is_told);
}

fn play(pair: &mut Pair, part: Part<'_>) {
    let (now, client) = (pair.now, pair.client_address);
    let mut bytes = part.bytes.to_vec();
    match part.choice % 4 {
        0 => assert_eq!(pair.sfu.handle_datagram(now, client, &mut bytes), PeerInput::Consumed),
        1 => {
            let mut stranger = client;
            stranger.addr.set_port(1);
            assert_eq!(pair.sfu.handle_datagram(now, stranger, &mut bytes), PeerInput::Consumed);
            assert_ne!(pair.sfu.selected(), Some(stranger));
        }
        2 => {
            let mut buffer = [0; 1_500];
            let Some(length) = pair.client.poll_transmit(now, &mut buffer) else { return };
            for place in bytes.chunks_exact(2) {
                buffer[usize::from(place[0]) % length] ^= place[1];
            }
            pair.sfu.handle_datagram(now, client, &mut buffer[..length]);
        }
        _ => pair.run(Duration::from_millis(u64::from(part.choice / 4))),
    }
}
