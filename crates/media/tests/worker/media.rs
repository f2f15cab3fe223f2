//! What terminals send each other through the SFU.

use bytes::Bytes;
use std::sync::mpsc::sync_channel;

use taoyao_media::peer::{PeerEvent, STRING};
use taoyao_media::{TapItem, TapPlan};
use taoyao_ortc::{
    Act, ConsumerId, Happening, MediaKind, ProducerId, Reply, SctpStreamParameters, StatValue,
};

use crate::packets::{
    AUDIO_SSRC, audio, packet, payload_of, picture, sender_report, sequence_of, sound, ssrc_of, video,
};
use crate::side::{LONG, Side};
use crate::terminal::{Terminal, now};

/// Sends so much sound and waits until it has all arrived, in order and under the consumer's name.
pub(crate) fn hear(from: &mut Terminal, to: &mut Terminal, ssrc: u32, sequences: std::ops::Range<u16>) {
    let count = sequences.len();
    to.rtp.clear();
    for sequence in sequences.clone() {
        from.send_rtp(&sound(sequence));
    }
    to.until("all packets arrive", |to| to.rtp.iter().filter(|one| ssrc_of(one) == ssrc).count() >= count);
    let heard: Vec<u8> =
        to.rtp.iter().filter(|one| ssrc_of(one) == ssrc).map(|one| one[one.len() - 1]).collect();
    assert_eq!(heard, sequences.map(|sequence| sequence as u8).collect::<Vec<_>>());
}

#[test]
fn sound_of_one_terminal_reaches_two_others() {
    let mut side = Side::new();
    let mut alice = Terminal::join(&mut side);
    let (mut bob, mut carol) = (Terminal::join(&mut side), Terminal::join(&mut side));
    let producer = side.produce(alice.id, MediaKind::Audio, audio());
    for (to, first) in [(&mut bob, 1), (&mut carol, 100)] {
        let (_, rtp) = side.consume(to.id, producer);
        assert_ne!(rtp.encodings[0].ssrc, Some(AUDIO_SSRC), "a name of its own");
        hear(&mut alice, to, rtp.encodings[0].ssrc.unwrap(), first..first + 40);
    }
}

#[test]
fn a_picture_begins_with_a_key_frame_and_lost_packets_are_sent_again() {
    show_a_picture(Side::new());
}

/// In a room of which two terminals are at one worker or at two.
pub(crate) fn show_a_picture(mut side: Side) {
    let (mut alice, mut bob) = (Terminal::join(&mut side), Terminal::join(&mut side));
    let producer = side.produce(alice.id, MediaKind::Video, video());
    alice.send_rtp(&picture(1, false));
    let (_, rtp) = side.consume(bob.id, producer);
    let (ssrc, rtx) = (rtp.encodings[0].ssrc.unwrap(), rtp.encodings[0].rtx.unwrap().ssrc);
    alice.until("a key frame is asked for", |alice| {
        alice.rtcp.iter().any(|packets| packets.windows(2).any(|two| two == [0x81, 206]))
    });
    for sequence in 2..12 {
        alice.send_rtp(&picture(sequence, sequence == 2));
    }
    bob.until("the picture arrives", |bob| bob.rtp.iter().filter(|one| ssrc_of(one) == ssrc).count() >= 10);
    let lost = sequence_of(bob.rtp.iter().rfind(|one| ssrc_of(one) == ssrc).unwrap());
    // RR, then a NACK of one packet (RFC 4585, section 6.2.1).
    let mut nack = vec![0x80, 201, 0, 1, 0, 0, 0, 1, 0x81, 205, 0, 3, 0, 0, 0, 1];
    nack.extend_from_slice(&ssrc.to_be_bytes());
    nack.extend_from_slice(&lost.to_be_bytes());
    nack.extend_from_slice(&[0, 0]);
    bob.send_rtcp(&nack);
    bob.until("it is sent again", |bob| {
        bob.rtp.iter().any(|one| ssrc_of(one) == rtx && payload_of(one)[..2] == lost.to_be_bytes())
    });
}

#[test]
fn a_gap_of_a_producer_is_asked_for() {
    let mut side = Side::new();
    let mut alice = Terminal::join(&mut side);
    side.produce(alice.id, MediaKind::Video, video());
    for sequence in [1, 2, 3, 5, 6, 7] {
        alice.send_rtp(&picture(sequence, sequence == 1));
    }
    alice.until("packet 4 is asked for", |alice| {
        alice.rtcp.iter().any(|packets| packets.windows(2).any(|two| two == [0x81, 205]))
    });
}

#[test]
fn a_terminal_that_moves_keeps_hearing() {
    let mut side = Side::new();
    let (mut alice, mut bob) = (Terminal::join(&mut side), Terminal::join(&mut side));
    let producer = side.produce(alice.id, MediaKind::Audio, audio());
    let (_, rtp) = side.consume(bob.id, producer);
    let ssrc = rtp.encodings[0].ssrc.unwrap();
    hear(&mut alice, &mut bob, ssrc, 1..10);
    bob.move_away();
    bob.turn();
    hear(&mut alice, &mut bob, ssrc, 10..20);
    alice.move_away();
    alice.turn();
    hear(&mut alice, &mut bob, ssrc, 20..30);
}

#[test]
fn ice_restarts_without_a_gap() {
    let mut side = Side::new();
    let (mut alice, mut bob) = (Terminal::join(&mut side), Terminal::join(&mut side));
    let producer = side.produce(alice.id, MediaKind::Audio, audio());
    let (_, rtp) = side.consume(bob.id, producer);
    let ssrc = rtp.encodings[0].ssrc.unwrap();
    for round in 0..4 {
        let restarted = side.ask(Act::RestartIce { transport: bob.id });
        let Ok(Reply::Ice(ice)) = restarted else { panic!("{restarted:?}") };
        assert_ne!(ice.username_fragment, bob.ice.username_fragment);
        bob.ice = ice;
        hear(&mut alice, &mut bob, ssrc, round * 20 + 1..round * 20 + 10);
        bob.move_away();
        bob.turn();
        hear(&mut alice, &mut bob, ssrc, round * 20 + 10..round * 20 + 20);
    }
}

#[test]
fn a_terminal_behind_a_firewall_hears_by_tcp() {
    let mut side = Side::new();
    let (mut alice, mut bob) = (Terminal::join_by_tcp(&mut side), Terminal::join_by_tcp(&mut side));
    let producer = side.produce(alice.id, MediaKind::Audio, audio());
    let (_, rtp) = side.consume(bob.id, producer);
    hear(&mut alice, &mut bob, rtp.encodings[0].ssrc.unwrap(), 1..40);
    let status = side.ask(Act::TransportStatus { transport: bob.id });
    let Ok(Reply::Status(stats)) = status else { panic!("{status:?}") };
    let Some(StatValue::Nested(tuple)) = stats[0].get("iceSelectedTuple") else { panic!("{stats:?}") };
    assert_eq!(tuple.get("protocol"), Some(&StatValue::Text("tcp".to_owned())));
}

#[test]
fn messages_reach_those_who_consume_them() {
    pass_a_message(Side::new());
}

/// In a room of which two terminals are at one worker or at two.
pub(crate) fn pass_a_message(mut side: Side) {
    let (mut alice, mut bob) =
        (Terminal::join_with_channels(&mut side), Terminal::join_with_channels(&mut side));
    let producer = ProducerId::of_random(side.id());
    let stream =
        SctpStreamParameters { stream_id: 3, ordered: Some(true), ..SctpStreamParameters::default() };
    let (label, protocol) = ("chat".to_owned(), String::new());
    let act = Act::ProduceData { transport: alice.id, producer, stream, label, protocol };
    assert_eq!(side.ask(act), Ok(Reply::Done));
    let consumer = ConsumerId::of_random(side.id());
    let consumed = side.ask(Act::ConsumeData { transport: bob.id, consumer, producer });
    let Ok(Reply::DataConsumed { stream: consumed, label, .. }) = consumed else { panic!("{consumed:?}") };
    assert_eq!((label.as_str(), consumed.ordered), ("chat", Some(true)));
    for terminal in [&mut alice, &mut bob] {
        terminal.until("channels open", |terminal| terminal.events.contains(&PeerEvent::ChannelsOpen));
    }
    alice.client.open_stream(now(), &stream).unwrap();
    bob.client.open_stream(now(), &consumed).unwrap();
    alice.client.send_message(now(), 3, STRING, &Bytes::from_static(b"hello")).unwrap();
    let wanted =
        PeerEvent::Message { stream: consumed.stream_id, ppid: STRING, bytes: Bytes::from_static(b"hello") };
    bob.until("the message arrives", |bob| {
        alice.turn();
        bob.events.contains(&wanted)
    });
    let status = side.ask(Act::ConsumerStatus { consumer });
    let Ok(Reply::Status(stats)) = status else { panic!("{status:?}") };
    assert_eq!(stats[0].get("messagesSent"), Some(&StatValue::Count(1)));
}

#[test]
fn a_tap_copies_what_a_producer_sends_until_it_ends() {
    tap_a_producer(Side::new());
}

/// In a room whose only terminal is at its home or at a branch.
pub(crate) fn tap_a_producer(mut side: Side) {
    let mut alice = Terminal::join(&mut side);
    let producer = side.produce(alice.id, MediaKind::Audio, audio());
    let unknown = ProducerId::of_random(side.id());
    let (sink, items) = sync_channel(1_000);
    side.media.tap(TapPlan { room: "room".into(), producers: vec![producer, unknown], sink });
    let next = || items.recv_timeout(LONG).unwrap();
    let TapItem::Stream { producer: of, rtp } = next() else { panic!("no stream") };
    assert_eq!((of, rtp.codecs[0].payload_type), (producer, 100));
    assert_eq!(next(), TapItem::Ended { producer: unknown });
    alice.send_rtp(&sound(9));
    let TapItem::Packet { packet, .. } = next() else { panic!("no packet") };
    assert_eq!(packet[packet.len() - 80..], [9; 80]);
    // Nothing is said of its clock before it has said it itself.
    alice.send_rtcp(&sender_report(AUDIO_SSRC, 7 << 32, 10 * 960));
    alice.send_rtp(&sound(10));
    let TapItem::Report { producer: of, at, ntp, rtp } = next() else { panic!("no report") };
    let unix_ms = ((u128::from(ntp) * 1_000) >> 32) as u64 - 2_208_988_800_000;
    assert!(of == producer && unix_ms.abs_diff(at.wall.0) < 10_000, "{unix_ms}");
    assert!((10 * 960..1_510 * 960).contains(&rtp), "where it stands by now: {rtp}");
    assert!(matches!(next(), TapItem::Packet { .. }));
    let (late, later) = sync_channel(1_000);
    side.media.tap(TapPlan { room: "room".into(), producers: vec![producer], sink: late });
    alice.send_rtp(&sound(11));
    let next_later = || later.recv_timeout(LONG).unwrap();
    assert!(matches!(next_later(), TapItem::Stream { .. }));
    assert!(matches!(next_later(), TapItem::Report { .. }), "what is known is told before the first packet");
    assert!(matches!(next_later(), TapItem::Packet { .. }));
    side.ask(Act::CloseProducer { producer }).unwrap();
    while next() != (TapItem::Ended { producer }) {}
    side.ask(Act::CloseRoom).unwrap();
    while items.recv_timeout(LONG).is_ok() {}
}

#[test]
fn a_tap_takes_more_producers_and_none_of_them_twice() {
    let mut side = Side::new();
    let mut alice = Terminal::join(&mut side);
    let producer = side.produce(alice.id, MediaKind::Audio, audio());
    let (sink, items) = sync_channel(1_000);
    let tap = side.media.tap(TapPlan { room: "room".into(), producers: vec![producer], sink });
    let camera = side.produce(alice.id, MediaKind::Video, video());
    side.media.widen_tap(&"room".into(), tap, vec![producer, camera]);
    let next = || items.recv_timeout(LONG).unwrap();
    assert!(matches!(next(), TapItem::Stream { producer: of, .. } if of == producer));
    assert!(matches!(next(), TapItem::Stream { producer: of, .. } if of == camera));
    alice.send_rtp(&picture(1, true));
    assert!(matches!(next(), TapItem::Packet { producer: of, .. } if of == camera));
}

#[test]
fn a_terminal_that_says_goodbye_is_told_of_and_takes_its_producers_along() {
    let mut side = Side::new();
    let (mut alice, bob) = (Terminal::join(&mut side), Terminal::join(&mut side));
    let producer = side.produce(alice.id, MediaKind::Audio, audio());
    side.consume(bob.id, producer);
    alice.client.close(now());
    alice.say();
    side.wait_for(&Happening::TransportClosed { transport: alice.id });
    assert!(side.ask(Act::ProducerStatus { producer }).is_err());
    let room = &side.media.stats()[0].rooms[0];
    assert_eq!((room.transports.len(), room.producers.len(), room.consumers.len()), (1, 0, 0));
}

#[test]
fn packets_of_an_unknown_stream_reach_nobody() {
    let mut side = Side::new();
    let (mut alice, mut bob) = (Terminal::join(&mut side), Terminal::join(&mut side));
    let producer = side.produce(alice.id, MediaKind::Audio, audio());
    let (_, rtp) = side.consume(bob.id, producer);
    for sequence in 0..20 {
        alice.send_rtp(&packet(77, 0xdead_beef, sequence, 0, &[1; 50]));
    }
    hear(&mut alice, &mut bob, rtp.encodings[0].ssrc.unwrap(), 1..10);
}
