//! Floods and garbage: a witness who listens meanwhile misses nothing.

use std::io::Write;
use std::net::{Ipv4Addr, TcpStream, UdpSocket};

use crate::conversation::Conversation;
use crate::side::Side;
use crate::terminal::Terminal;

/// Runs `attack` between the packets of a conversation.
fn with_witness(mut attack: impl FnMut(&Side, &mut Terminal, u16)) -> Side {
    const PACKETS: u16 = 60;
    let mut conversation = Conversation::new();
    for round in 1..=PACKETS {
        attack(&conversation.side, &mut conversation.mallory, round);
        conversation.say();
    }
    conversation.end()
}

#[test]
fn garbage_from_unknown_addresses_disturbs_nobody() {
    let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let side = with_witness(|side, _, _| {
        for _ in 0..30 {
            let garbage: Vec<u8> = (0..random.usize(0..1_400)).map(|_| random.u8(..)).collect();
            stranger.send_to(&garbage, side.address()).unwrap();
        }
    });
    assert_eq!(side.media.stats()[0].rooms[0].transports.len(), 3);
}

#[test]
fn a_flood_of_dtls_from_unknown_addresses_makes_no_state() {
    let sockets: Vec<UdpSocket> =
        (0..50).map(|_| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).collect();
    let mut hello =
        vec![22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 1, 0, 0, 48, 0, 0, 0, 0, 0, 0, 0, 48, 254, 253];
    hello.resize(73, 9);
    let side = with_witness(|side, _, _| {
        for socket in &sockets {
            socket.send_to(&hello, side.address()).unwrap();
        }
    });
    assert!(side.media.stats()[0].traffic.strangers > 0);
}

#[test]
fn a_member_that_sends_garbage_under_its_own_key_hurts_only_itself() {
    let mut random = fastrand::Rng::with_seed(11);
    with_witness(|_, mallory, _| {
        for _ in 0..10 {
            let mut packet: Vec<u8> = (0..random.usize(12..400)).map(|_| random.u8(..)).collect();
            packet[0] = 0x80 | (packet[0] & 0x3f);
            if random.bool() {
                packet[1] = 200 + random.u8(0..8);
                mallory.send_rtcp(&packet);
            } else {
                // Headers that are longer than their packet are refused by whoever seals.
                packet[0] &= 0x90;
                mallory.send_rtp_if_sealed(&packet);
            }
        }
        mallory.turn();
    });
}

#[test]
fn broken_datagrams_of_a_members_address_are_dropped() {
    let mut random = fastrand::Rng::with_seed(13);
    with_witness(|_, mallory, _| {
        for first in [0, 1, 20, 22, 23, 63, 64, 127, 128, 144, 191, 255] {
            let mut datagram: Vec<u8> = (0..random.usize(1..300)).map(|_| random.u8(..)).collect();
            datagram[0] = first;
            mallory.send_raw(&datagram);
        }
    });
}

#[test]
fn connections_that_say_nothing_or_garbage_disturb_nobody() {
    let mut connections = Vec::new();
    with_witness(|side, _, round| {
        let mut connection = TcpStream::connect(side.address()).unwrap();
        if round % 2 == 0 {
            // It may be closed by the other side at any moment.
            connection.write_all(&[round as u8; 200]).ok();
        }
        connections.push(connection);
    });
}
