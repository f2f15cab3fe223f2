//! Data channels against an end that sends garbage, or opens more than was agreed on: messages still arrive.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use bytes::Bytes;
use taoyao_media::peer::sctp::Sctp;
use taoyao_media::peer::{BINARY, MessageError, PeerEvent, STRING};
use taoyao_ortc::NumStreams;
use taoyao_types::Instant;

const NOW: Instant = Instant(1_000_000);

/// Both ends of an open association, and the last datagram that went to ours.
fn open() -> (Sctp, Sctp, Vec<u8>) {
    let streams = NumStreams { outgoing: 16, incoming: 16 };
    let (mut ours, mut theirs) = (Sctp::new(streams, false), Sctp::new(streams, true));
    ours.start(NOW);
    theirs.start(NOW);
    let last = exchange(&mut ours, &mut theirs);
    assert_eq!((ours.state(), theirs.state()), ("connected", "connected"));
    (ours, theirs, last)
}

/// Until nobody has anything to say. Returns the last datagram to ours.
fn exchange(ours: &mut Sctp, theirs: &mut Sctp) -> Vec<u8> {
    let mut last = Vec::new();
    loop {
        let mut is_quiet = true;
        while let Some(datagram) = theirs.poll_transmit(NOW) {
            last = datagram.to_vec();
            ours.handle(NOW, datagram);
            is_quiet = false;
        }
        while let Some(datagram) = ours.poll_transmit(NOW) {
            theirs.handle(NOW, datagram);
            is_quiet = false;
        }
        if is_quiet {
            return last;
        }
    }
}

fn is_heard(ours: &mut Sctp, theirs: &mut Sctp) -> bool {
    let hello = Bytes::from_static(b"still here");
    theirs.send(NOW, 3, STRING, &hello).unwrap();
    exchange(ours, theirs);
    std::iter::from_fn(|| ours.poll_event())
        .any(|event| matches!(event, PeerEvent::Message { stream: 3, ppid: STRING, bytes } if bytes == hello))
}

#[test]
fn garbage_and_broken_datagrams_leave_the_association_as_it_was() {
    let mut random = fastrand::Rng::with_seed(19);
    let (mut ours, mut theirs, last) = open();
    for _ in 0..20_000 {
        let mut datagram = last.clone();
        match random.u8(0..3) {
            0 => datagram.truncate(random.usize(0..datagram.len())),
            1 => {
                let at = random.usize(0..datagram.len());
                datagram[at] ^= 1 << random.u8(0..8);
            }
            _ => datagram = (0..random.usize(0..200)).map(|_| random.u8(..)).collect(),
        }
        ours.handle(NOW, Bytes::from(datagram));
    }
    assert!(is_heard(&mut ours, &mut theirs));
}

#[test]
fn who_uses_streams_beyond_what_was_agreed_on_is_cut_off() {
    let streams = |count| NumStreams { outgoing: count, incoming: count };
    let (mut ours, mut theirs) = (Sctp::new(streams(16), false), Sctp::new(streams(64), true));
    ours.start(NOW);
    theirs.start(NOW);
    exchange(&mut ours, &mut theirs);
    let hello = Bytes::from_static(b"hello");
    assert_eq!(ours.send(NOW, 16, BINARY, &hello), Err(MessageError::NoSuchStream));
    assert!(is_heard(&mut ours, &mut theirs));
    theirs.send(NOW, 40, BINARY, &hello).unwrap();
    exchange(&mut ours, &mut theirs);
    assert_eq!(ours.state(), "closed");
    assert_eq!(ours.poll_event(), None);
    assert_eq!(ours.send(NOW, 3, BINARY, &hello), Err(MessageError::NotOpen));
}

#[test]
fn after_a_channel_was_closed_at_both_ends_another_one_carries_messages() {
    let (mut ours, mut theirs, _) = open();
    let stream = |stream_id| taoyao_ortc::SctpStreamParameters { stream_id, ..Default::default() };
    for id in 0..4 {
        ours.open_stream(&stream(id)).unwrap();
        theirs.open_stream(&stream(id)).unwrap();
        let hello = Bytes::from(format!("hello {id}"));
        ours.send(NOW, id, STRING, &hello).unwrap();
        exchange(&mut theirs, &mut ours);
        let heard: Vec<PeerEvent> = std::iter::from_fn(|| theirs.poll_event()).collect();
        let is_it = |event: &PeerEvent| matches!(event, PeerEvent::Message { stream, bytes, .. } if *stream == id && *bytes == hello);
        assert!(heard.iter().any(is_it), "stream {id}: {heard:?}");
        ours.close_stream(NOW, id);
        theirs.close_stream(NOW, id);
        exchange(&mut theirs, &mut ours);
    }
}
