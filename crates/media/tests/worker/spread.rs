//! A room on several workers: everything is as on one, and nothing stays behind.

use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use taoyao_media::{TapItem, TapPlan};
use taoyao_ortc::{
    Act, ConsumerId, Happening, MediaKind, Parameters, ProducerId, Refused, Reply, RtpParameters, StatValue,
    router_capabilities,
};

use crate::media::{hear, pass_a_message, show_a_picture, tap_a_producer};
use crate::packets::{LARGE, VIDEO_SSRC, audio, large_picture, picture, sound, ssrc_of, two_sizes, video};
use crate::side::{LONG, Side};
use crate::terminal::{Terminal, now};

/// Terminals of one room, each at a worker of its own.
fn apart<const N: usize>() -> (Side, [Terminal; N]) {
    let mut side = Side::over(N);
    let terminals = std::array::from_fn(|_| Terminal::join(&mut side));
    let told: Vec<_> = terminals.iter().map(|terminal| terminal.to).collect();
    assert_eq!(told, side.media.addresses());
    (side, terminals)
}

fn ssrc_of_consumer(rtp: &RtpParameters) -> u32 {
    rtp.encodings[0].ssrc.unwrap()
}

/// How often this terminal was asked for a key frame of a stream, since it last looked.
fn key_frames_asked(terminal: &mut Terminal, ssrc: u32) -> usize {
    terminal.turn();
    let is_asked = |packets: &Vec<u8>| {
        packets.windows(12).any(|one| one[..2] == [0x81, 206] && one[8..] == ssrc.to_be_bytes())
    };
    std::mem::take(&mut terminal.rtcp).iter().filter(|packets| is_asked(packets)).count()
}

fn until_key_frame_asked(terminal: &mut Terminal, ssrc: u32) {
    terminal.until("a key frame is asked for", |terminal| key_frames_asked(terminal, ssrc) > 0);
}

#[test]
fn sound_goes_all_ways_between_three_workers() {
    let (mut side, mut terminals) = apart::<3>();
    let ids: [ProducerId; 3] =
        std::array::from_fn(|at| side.produce(terminals[at].id, MediaKind::Audio, audio()));
    for (from, producer) in ids.into_iter().enumerate() {
        for to in (0..3).filter(|to| *to != from) {
            let (_, rtp) = side.consume(terminals[to].id, producer);
            let [speaker, listener] = terminals.get_disjoint_mut([from, to]).unwrap();
            let first = to as u16 * 100 + 1;
            hear(speaker, listener, ssrc_of_consumer(&rtp), first..first + 30);
        }
    }
    assert_eq!(side.mirrors(), [2, 2, 2]);
}

#[test]
fn a_picture_for_another_worker_begins_with_a_key_frame_and_lost_packets_are_sent_again() {
    show_a_picture(Side::over(2));
}

#[test]
fn messages_reach_those_who_consume_them_at_another_worker() {
    pass_a_message(Side::over(2));
}

#[test]
fn a_tap_at_the_rooms_home_copies_what_a_producer_at_a_branch_sends() {
    let mut side = Side::over(2);
    let _at_home = Terminal::join(&mut side);
    tap_a_producer(side);
}

#[test]
fn a_tapped_picture_is_mirrored_for_as_long_as_it_is_tapped() {
    let (mut side, [_alice, mut bob]) = apart::<2>();
    let producer = side.produce(bob.id, MediaKind::Video, video());
    let (sink, items) = sync_channel(100);
    assert_eq!(side.mirrors(), [0, 0]);
    let tap = side.media.tap(TapPlan { room: "room".into(), producers: vec![producer], sink });
    let TapItem::Stream { .. } = items.recv_timeout(LONG).unwrap() else { panic!("no stream") };
    until_key_frame_asked(&mut bob, VIDEO_SSRC);
    bob.send_rtp(&picture(1, true));
    let TapItem::Packet { packet, .. } = items.recv_timeout(LONG).unwrap() else { panic!("no packet") };
    assert_eq!(packet[packet.len() - 1], 1);
    side.media.untap(&"room".into(), tap);
    side.until_mirrors(&[0, 0]);
}

#[test]
fn a_consumer_at_another_worker_gets_the_size_that_it_prefers() {
    let (mut side, [mut alice, mut bob]) = apart::<2>();
    let producer = ProducerId::of_random(side.id());
    let (kind, rtp) = (MediaKind::Video, two_sizes());
    let produced = side.ask(Act::Produce { transport: alice.id, producer, kind, rtp, is_paused: false });
    assert_eq!(produced, Ok(Reply::Produced { consumer_type: "simulcast" }));
    let (consumer, rtp) = side.consume(bob.id, producer);
    let ssrc = ssrc_of_consumer(&rtp);
    let mut sequence = 0;
    let mut wants_key = [true; 2];
    for (spatial, is_large) in [(0, false), (1, true), (0, false)] {
        side.ask(Act::PreferLayers { consumer, spatial, temporal: None }).unwrap();
        bob.rtp.clear();
        bob.until("pictures of the other size arrive", |bob| {
            sequence += 1;
            alice.send_rtp(&picture(sequence, std::mem::take(&mut wants_key[0])));
            alice.send_rtp(&large_picture(sequence, std::mem::take(&mut wants_key[1])));
            alice.turn();
            let asked = std::mem::take(&mut alice.rtcp);
            for (size, wants) in (0..2).zip(&mut wants_key) {
                let of_size = (VIDEO_SSRC + size * 2).to_be_bytes();
                *wants |= asked.iter().any(|packets| {
                    packets.windows(12).any(|one| one[..2] == [0x81, 206] && one[8..] == of_size)
                });
            }
            let last = bob.rtp.iter().rfind(|one| ssrc_of(one) == ssrc);
            last.is_some_and(|one| (one[one.len() - 1] == LARGE && one.len() > 950) == is_large)
        });
    }
}

#[test]
fn a_receivers_request_for_a_key_frame_reaches_the_sender_at_another_worker() {
    let (mut side, [mut alice, mut bob]) = apart::<2>();
    let producer = side.produce(alice.id, MediaKind::Video, video());
    let (_, rtp) = side.consume(bob.id, producer);
    until_key_frame_asked(&mut alice, VIDEO_SSRC);
    alice.send_rtp(&picture(1, true));
    bob.until("the key frame arrives", |bob| !bob.rtp.is_empty());
    // Requests that crossed the key frame.
    std::thread::sleep(Duration::from_millis(50));
    key_frames_asked(&mut alice, VIDEO_SSRC);
    let mut pli = vec![0x81, 206, 0, 2, 0, 0, 0, 1];
    pli.extend_from_slice(&ssrc_of_consumer(&rtp).to_be_bytes());
    bob.send_rtcp(&pli);
    until_key_frame_asked(&mut alice, VIDEO_SSRC);
}

#[test]
fn a_gap_is_asked_for_by_the_senders_own_worker_alone() {
    let (mut side, [mut alice, mut bob]) = apart::<2>();
    let producer = side.produce(alice.id, MediaKind::Video, video());
    side.consume(bob.id, producer);
    until_key_frame_asked(&mut alice, VIDEO_SSRC);
    for sequence in [1, 2, 3, 5] {
        alice.send_rtp(&picture(sequence, sequence == 1));
    }
    let is_nack = |packets: &Vec<u8>| packets.windows(2).any(|two| two == [0x81, 205]);
    alice.until("packet 4 is asked for", |alice| alice.rtcp.iter().any(is_nack));
    let mut repair = picture(4, false);
    repair[1] = 0x80 | 97;
    repair[8..12].copy_from_slice(&(VIDEO_SSRC + 1).to_be_bytes());
    repair.splice(12..12, 4_u16.to_be_bytes());
    alice.send_rtp(&repair);
    bob.until("all five arrive", |bob| bob.rtp.iter().filter(|one| one.len() > 800).count() >= 5);
    let status = side.ask(Act::ProducerStatus { producer });
    let Ok(Reply::Status(stats)) = status else { panic!("{status:?}") };
    assert_eq!(stats[0].get("packetsRepaired"), Some(&StatValue::Count(1)));
}

#[test]
fn a_producer_that_is_paused_or_closed_is_so_for_consumers_at_another_worker() {
    let (mut side, [mut alice, mut bob]) = apart::<2>();
    let producer = side.produce(alice.id, MediaKind::Audio, audio());
    let (consumer, rtp) = side.consume(bob.id, producer);
    let ssrc = ssrc_of_consumer(&rtp);
    hear(&mut alice, &mut bob, ssrc, 1..10);
    side.ask(Act::PauseProducer { producer, is_paused: true }).unwrap();
    let second = ConsumerId::of_random(side.id());
    let capabilities = router_capabilities().into();
    let consumed = side.ask(Act::Consume { transport: bob.id, consumer: second, producer, capabilities });
    assert!(matches!(consumed, Ok(Reply::Consumed { is_producer_paused: true, .. })), "{consumed:?}");
    bob.rtp.clear();
    (10..20).for_each(|sequence| alice.send_rtp(&sound(sequence)));
    side.ask(Act::PauseProducer { producer, is_paused: false }).unwrap();
    hear_after_pause(&mut alice, &mut bob, ssrc);
    side.ask(Act::CloseProducer { producer }).unwrap();
    assert_eq!(side.ask(Act::ConsumerStatus { consumer }), Err(Refused::Unknown("consumer")));
    side.until_mirrors(&[0, 0]);
}

/// Sound goes on; some of what was sent before may come first.
fn hear_after_pause(alice: &mut Terminal, bob: &mut Terminal, ssrc: u32) {
    let mut sequence = 20;
    bob.until("sound goes on", |bob| {
        alice.send_rtp(&sound(sequence));
        sequence += 1;
        bob.rtp.iter().any(|one| ssrc_of(one) == ssrc && one[one.len() - 1] >= 20)
    });
}

#[test]
fn who_speaks_is_told_once_whoever_is_at_which_worker() {
    let (mut side, [_alice, mut bob]) = apart::<2>();
    let mut rtp = audio();
    rtp.header_extensions = vec![taoyao_ortc::Extension {
        uri: taoyao_ortc::capabilities::uri::AUDIO_LEVEL.to_owned(),
        id: 1,
        encrypt: false,
        parameters: Parameters::new(),
    }];
    let producer = side.produce(bob.id, MediaKind::Audio, rtp);
    let begun = Instant::now();
    let mut sequence = 0;
    let mut told = 0;
    while begun.elapsed() < Duration::from_millis(1_700) {
        sequence += 1;
        bob.send_rtp(&loud(sequence));
        bob.turn();
        let dominant = Happening::DominantSpeaker { producer };
        told += side.happened().iter().filter(|what| **what == dominant).count();
    }
    assert_eq!(told, 1);
}

/// Sound with an audio level (RFC 6464) of -10 dBov.
fn loud(sequence: u16) -> Vec<u8> {
    let mut packet = sound(sequence);
    packet[0] |= 0x10;
    packet.splice(12..12, [0xbe, 0xde, 0, 1, 0x10, 0x80 | 10, 0, 0]);
    packet
}

#[test]
fn a_mirror_ends_with_its_last_consumer_and_a_branch_with_its_last_transport() {
    let (mut side, [alice, bob]) = apart::<2>();
    let producer = side.produce(alice.id, MediaKind::Video, video());
    side.produce(alice.id, MediaKind::Audio, audio());
    let (first, _) = side.consume(bob.id, producer);
    let (second, _) = side.consume(bob.id, producer);
    side.until_mirrors(&[0, 2]);
    side.ask(Act::CloseConsumer { consumer: first }).unwrap();
    assert_eq!(side.mirrors(), [0, 2]);
    side.ask(Act::CloseConsumer { consumer: second }).unwrap();
    side.until_mirrors(&[0, 1]);
    side.consume(bob.id, producer);
    side.until_mirrors(&[0, 2]);
    side.ask(Act::CloseTransport { transport: bob.id }).unwrap();
    side.until_mirrors(&[0]);
    side.ask(Act::CloseRoom).unwrap();
    side.until_mirrors(&[]);
}

#[test]
fn a_terminal_that_leaves_by_itself_takes_its_mirrors_along() {
    let (mut side, [mut alice, bob, _carol]) = apart::<3>();
    let producer = side.produce(alice.id, MediaKind::Audio, audio());
    let (consumer, _) = side.consume(bob.id, producer);
    side.until_mirrors(&[0, 1, 1]);
    alice.client.close(now());
    alice.say();
    side.wait_for(&Happening::TransportClosed { transport: alice.id });
    side.until_mirrors(&[0, 0, 0]);
    assert_eq!(side.ask(Act::ConsumerStatus { consumer }), Err(Refused::Unknown("consumer")));
}

#[test]
fn closing_the_room_leaves_nothing_at_any_worker() {
    let (mut side, [alice, bob, carol]) = apart::<3>();
    let ids: Vec<_> =
        [&alice, &bob].map(|one| side.produce(one.id, MediaKind::Video, video())).into_iter().collect();
    ids.iter().for_each(|id| drop(side.consume(carol.id, *id)));
    side.until_mirrors(&[0, 0, 2]);
    side.ask(Act::CloseRoom).unwrap();
    side.until_mirrors(&[]);
    assert_eq!(side.ask(Act::OpenRoom), Ok(Reply::Done));
    let dave = Terminal::join(&mut side);
    assert_eq!(dave.to, side.address());
}

#[test]
fn a_producer_that_is_refused_leaves_no_mirror() {
    let (mut side, [alice, _bob]) = apart::<2>();
    let producer = ProducerId::of_random(side.id());
    let rtp = RtpParameters { codecs: Vec::new(), ..audio() };
    let kind = MediaKind::Audio;
    let refused = side.ask(Act::Produce { transport: alice.id, producer, kind, rtp, is_paused: false });
    assert!(refused.is_err());
    side.until_mirrors(&[0, 0]);
    assert!(side.ask(Act::ProducerStatus { producer }).is_err());
}
