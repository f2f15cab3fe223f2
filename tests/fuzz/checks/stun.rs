//! What holds of connectivity checks: who has not our password changes nothing, and who has it is answered.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use taoyao_ortc::IceParameters;
use taoyao_sfu::ice::stun::{ANSWER_BYTES_MAX, Class, Key, Message};
use taoyao_sfu::ice::{Agent, IceState, RemoteAddress, ufrag_of};
use taoyao_types::Instant;
use taoyao_types::limits::ICE_ADDRESSES_MAX;

use super::parts::{Part, parts};

const UFRAG: &str = "ours";
const PASSWORD: &str = "a password of ours";

/// Datagrams for one agent, some of them signed with its password: only those move it, and each of those is answered with
/// the address that it came from.
///
/// A part's choice says how its bytes are completed (its lowest two bits), and where they come from.
pub fn stun(data: &[u8]) {
    let ice =
        IceParameters { username_fragment: UFRAG.to_owned(), password: PASSWORD.to_owned(), ice_lite: true };
    let mut agent = Agent::new(&ice);
    let mut now = Instant(1_000_000);
    for part in parts(data) {
        let source = source(part.choice >> 2);
        let signature = signature(part.choice);
        check(&mut agent, now, source, &completed(part, signature), signature);
        now = now + Duration::from_secs(1);
        if agent.handle_timeout(now) {
            assert_eq!(agent.state(), IceState::Disconnected);
        }
    }
}

/// By what a datagram is completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signature {
    /// It is as it is.
    Raw,
    /// Its length and its fingerprint are made right.
    Unsigned,
    Ours,
    Guessed,
}

fn signature(choice: u8) -> Signature {
    [Signature::Raw, Signature::Unsigned, Signature::Ours, Signature::Guessed][usize::from(choice & 3)]
}

fn source(choice: u8) -> RemoteAddress {
    let port = 5_000 + u16::from(choice);
    let ip = if choice & 1 == 0 { [192, 0, 2, 1].into() } else { [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into() };
    RemoteAddress { addr: std::net::SocketAddr::new(ip, port), is_tcp: choice & 2 != 0 }
}

fn check(agent: &mut Agent, now: Instant, source: RemoteAddress, datagram: &[u8], signature: Signature) {
    let before = (agent.selected(), agent.state());
    let mut known: Vec<_> = agent.addresses().collect();
    let mut out = [0xee; ANSWER_BYTES_MAX];
    let outcome = agent.handle(now, source, datagram, &mut out);
    known.retain(|address| Some(*address) != outcome.left);
    known.extend(outcome.reached);
    let addresses: Vec<_> = agent.addresses().collect();
    assert!(addresses.iter().all(|address| known.contains(address)) && addresses.len() == known.len());
    assert!(addresses.len() <= ICE_ADDRESSES_MAX);
    let message = Message::read(datagram);
    let Some(message) = message.filter(|message| message.class == Class::Request) else {
        assert_eq!((outcome.answer, outcome.reached, outcome.is_moved), (0, None, false));
        assert_eq!((agent.selected(), agent.state()), before);
        return;
    };
    let answer = Message::read(&out[..outcome.answer]).expect("a request is answered");
    assert_eq!(answer.transaction, message.transaction);
    if outcome.refusal.is_some() {
        assert_eq!(answer.class, Class::Error);
        assert_eq!((agent.selected(), agent.state()), before);
        assert_eq!((outcome.reached, outcome.left, outcome.is_moved), (None, None, false));
        return;
    }
    assert_eq!(signature, Signature::Ours, "only who has the password is believed");
    assert_eq!(ufrag_of(datagram), Some(UFRAG));
    assert!(answer.class == Class::Success && answer.is_signed_with(&Key::new(PASSWORD)));
    assert_eq!(answer.mapped_address(), Some(source.addr));
    assert!(agent.knows(source) && agent.selected().is_some_and(|selected| agent.knows(selected)));
    assert_ne!(agent.state(), IceState::New);
}

const HEADER: usize = 20;
const COOKIE: [u8; 4] = 0x2112_a442_u32.to_be_bytes();

/// The part's bytes as the attributes of a request, or as they are.
fn completed(part: Part<'_>, signature: Signature) -> Vec<u8> {
    if signature == Signature::Raw {
        return part.bytes.to_vec();
    }
    let mut datagram = vec![0, 1, 0, 0];
    datagram.extend(COOKIE);
    datagram.extend([part.choice; 12]);
    datagram.extend(part.bytes);
    datagram.resize(datagram.len().next_multiple_of(4), 0);
    let password = match signature {
        Signature::Ours => Some(PASSWORD),
        Signature::Guessed => Some("a guess"),
        Signature::Raw | Signature::Unsigned => None,
    };
    if let Some(password) = password {
        set_length(&mut datagram, 24);
        let mut mac =
            Hmac::<Sha1>::new_from_slice(password.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(&datagram);
        let tag = mac.finalize().into_bytes();
        datagram.extend([0, 8, 0, 20]);
        datagram.extend(tag);
    }
    set_length(&mut datagram, 8);
    let sum = crc32(&datagram) ^ 0x5354_554e;
    datagram.extend([0x80, 0x28, 0, 4]);
    datagram.extend(sum.to_be_bytes());
    datagram
}

/// As it will be with so many bytes more.
fn set_length(datagram: &mut [u8], more: usize) {
    let length = u16::try_from(datagram.len() - HEADER + more).expect("a part is short");
    datagram[2..4].copy_from_slice(&length.to_be_bytes());
}

/// Bit by bit: another way than the product's table.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}
