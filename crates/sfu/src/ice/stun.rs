//! STUN messages of connectivity checks, read in place and written into the caller's buffer (RFC 8489, RFC 8445).

use std::net::{IpAddr, SocketAddr};

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;

use super::checksum::crc32;

/// Bytes of the longest message that is written here.
pub const WRITTEN_BYTES_MAX: usize = 640;
/// Bytes of the longest answer that is written here.
pub const ANSWER_BYTES_MAX: usize = 128;

/// Tells one request from another.
pub type Transaction = [u8; 12];

/// A password, ready to sign and to verify (short-term credentials: RFC 8489, section 9.1).
#[derive(Clone)]
pub struct Key(Hmac<Sha1>);

impl Key {
    pub fn new(password: &str) -> Key {
        Key(Hmac::new_from_slice(password.as_bytes()).expect("HMAC takes keys of any length"))
    }
}

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Request,
    Indication,
    Success,
    Error,
}

/// A message of the method Binding whose frame is sound; nothing in it is verified.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    bytes: &'a [u8],
    pub class: Class,
    pub transaction: Transaction,
}

const HEADER: usize = 20;
const COOKIE: u32 = 0x2112_a442;
const BINDING: u16 = 0x0001;
const CLASS_BITS: u16 = 0x0110;

const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const ERROR_CODE: u16 = 0x0009;
const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const PRIORITY: u16 = 0x0024;
const USE_CANDIDATE: u16 = 0x0025;
const FINGERPRINT: u16 = 0x8028;
const ICE_CONTROLLED: u16 = 0x8029;
const ICE_CONTROLLING: u16 = 0x802a;

const INTEGRITY_BYTES: usize = 20;
const FINGERPRINT_XOR: u32 = 0x5354_554e;
/// Attributes from here on may be skipped by who does not know them.
const OPTIONAL_FROM: u16 = 0x8000;

/// Whether it can be STUN at all (RFC 7983).
pub fn is_stun(datagram: &[u8]) -> bool {
    datagram.len() >= HEADER && datagram[0] < 4 && datagram[4..8] == COOKIE.to_be_bytes()
}

impl<'a> Message<'a> {
    /// None if it is no STUN, cut short, of another method, or without its right FINGERPRINT.
    pub fn read(bytes: &'a [u8]) -> Option<Message<'a>> {
        if !is_stun(bytes) || usize::from(u16_at(bytes, 2)?) != bytes.len() - HEADER {
            return None;
        }
        let kind = u16_at(bytes, 0)?;
        if kind & !CLASS_BITS != BINDING {
            return None;
        }
        let class = match kind & CLASS_BITS {
            0x0000 => Class::Request,
            0x0010 => Class::Indication,
            0x0100 => Class::Success,
            _ => Class::Error,
        };
        let message = Message { bytes, class, transaction: bytes[8..HEADER].try_into().ok()? };
        let is_sound = message.attributes().is_whole() && message.has_right_fingerprint();
        is_sound.then_some(message)
    }

    /// Of a request: our user name fragment, a colon, the sender's.
    pub fn username(&self) -> Option<&'a str> {
        std::str::from_utf8(self.signed(USERNAME)?).ok()
    }

    pub fn priority(&self) -> Option<u32> {
        Some(u32::from_be_bytes(self.signed(PRIORITY)?.try_into().ok()?))
    }

    pub fn has_use_candidate(&self) -> bool {
        self.signed(USE_CANDIDATE).is_some()
    }

    /// The sender believes to be in the controlled role.
    pub fn is_of_controlled(&self) -> bool {
        self.signed(ICE_CONTROLLED).is_some()
    }

    /// The code of an error, such as 487.
    pub fn error_code(&self) -> Option<u16> {
        let value = self.signed(ERROR_CODE)?;
        Some(100 * u16::from(value.get(2)? & 7) + u16::from(*value.get(3)?))
    }

    /// Where the other end saw us.
    pub fn mapped_address(&self) -> Option<SocketAddr> {
        let value = self.signed(XOR_MAPPED_ADDRESS)?;
        let port = u16_at(value, 2)? ^ (COOKIE >> 16) as u16;
        let ip = match (value.get(1)?, value.len()) {
            (1, 8) => IpAddr::from(xored::<4>(&value[4..], &self.transaction)),
            (2, 20) => IpAddr::from(xored::<16>(&value[4..], &self.transaction)),
            _ => return None,
        };
        Some(SocketAddr::new(ip, port))
    }

    /// The first attribute that must be understood and is not.
    pub fn unknown_attribute(&self) -> Option<u16> {
        const KNOWN: [u16; 7] = [
            USERNAME,
            MESSAGE_INTEGRITY,
            ERROR_CODE,
            UNKNOWN_ATTRIBUTES,
            XOR_MAPPED_ADDRESS,
            PRIORITY,
            USE_CANDIDATE,
        ];
        let mut before = self.attributes().take_while(|attribute| attribute.kind != MESSAGE_INTEGRITY);
        before
            .find(|attribute| attribute.kind < OPTIONAL_FROM && !KNOWN.contains(&attribute.kind))
            .map(|a| a.kind)
    }

    /// Whether it says who has signed it at all.
    pub fn has_integrity(&self) -> bool {
        self.attributes().any(|attribute| attribute.kind == MESSAGE_INTEGRITY)
    }

    /// Whether it was signed with this key (RFC 8489, section 14.5).
    pub fn is_signed_with(&self, key: &Key) -> bool {
        let Some(signature) = self.attributes().find(|attribute| attribute.kind == MESSAGE_INTEGRITY) else {
            return false;
        };
        let expected = integrity(key, &self.bytes[..signature.at]);
        bool::from(expected.ct_eq(signature.value))
    }

    /// An attribute before the signature: what comes behind it is not to be trusted.
    fn signed(&self, kind: u16) -> Option<&'a [u8]> {
        let mut before = self.attributes().take_while(|attribute| attribute.kind != MESSAGE_INTEGRITY);
        before.find(|attribute| attribute.kind == kind).map(|attribute| attribute.value)
    }

    fn attributes(&self) -> Attributes<'a> {
        Attributes { bytes: self.bytes, at: HEADER }
    }

    /// It must be there (RFC 8445, section 7.1), as the last attribute.
    fn has_right_fingerprint(&self) -> bool {
        let Some(fingerprint) = self.attributes().find(|attribute| attribute.kind == FINGERPRINT) else {
            return false;
        };
        let expected = (crc32(&self.bytes[..fingerprint.at]) ^ FINGERPRINT_XOR).to_be_bytes();
        fingerprint.value == expected && fingerprint.at + 8 == self.bytes.len()
    }
}

#[derive(Debug, Clone, Copy)]
struct Attribute<'a> {
    kind: u16,
    value: &'a [u8],
    /// Where it begins in the message.
    at: usize,
}

#[derive(Debug, Clone, Copy)]
struct Attributes<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Attributes<'_> {
    /// Whether all bytes belong to attributes.
    fn is_whole(mut self) -> bool {
        while self.next().is_some() {}
        self.at == self.bytes.len()
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let at = self.at;
        let (kind, len) = (u16_at(self.bytes, at)?, usize::from(u16_at(self.bytes, at + 2)?));
        let value = self.bytes.get(at + 4..at + 4 + len)?;
        let next = at + 4 + len.next_multiple_of(4);
        if next > self.bytes.len() {
            return None;
        }
        self.at = next;
        Some(Attribute { kind, value, at })
    }
}

/// A check as a controlling agent sends it.
#[derive(Debug, Clone, Copy)]
pub struct Check<'a> {
    pub transaction: Transaction,
    /// The receiver's user name fragment, a colon, the sender's.
    pub username: &'a str,
    pub priority: u32,
    /// A random number of the agent (RFC 8445, section 16.1).
    pub tie_breaker: u64,
    pub is_nominating: bool,
}

/// Writes a request, signed with the receiver's password; returns its length.
/// `out` holds at least [`WRITTEN_BYTES_MAX`] bytes, and a user name has at most 512 (RFC 8489, section 14.3).
pub fn write_check(check: &Check<'_>, key: &Key, out: &mut [u8]) -> usize {
    let mut writer = Writer::new(out, BINDING, check.transaction);
    writer.attribute(USERNAME, check.username.as_bytes());
    writer.attribute(PRIORITY, &check.priority.to_be_bytes());
    writer.attribute(ICE_CONTROLLING, &check.tie_breaker.to_be_bytes());
    if check.is_nominating {
        writer.attribute(USE_CANDIDATE, &[]);
    }
    writer.finish(Some(key))
}

/// Writes the answer to a good request: where it came from. Returns its length.
pub fn write_success(transaction: Transaction, source: SocketAddr, key: &Key, out: &mut [u8]) -> usize {
    let mut writer = Writer::new(out, BINDING | 0x0100, transaction);
    let port = (source.port() ^ (COOKIE >> 16) as u16).to_be_bytes();
    match source.ip() {
        IpAddr::V4(ip) => {
            let mut value = [0, 1, port[0], port[1], 0, 0, 0, 0];
            value[4..].copy_from_slice(&xored::<4>(&ip.octets(), &transaction));
            writer.attribute(XOR_MAPPED_ADDRESS, &value);
        }
        IpAddr::V6(ip) => {
            let mut value = [0; 20];
            value[..4].copy_from_slice(&[0, 2, port[0], port[1]]);
            value[4..].copy_from_slice(&xored::<16>(&ip.octets(), &transaction));
            writer.attribute(XOR_MAPPED_ADDRESS, &value);
        }
    }
    writer.finish(Some(key))
}

/// Writes the answer to a bad request; returns its length. It is signed if the request's signature was good.
pub fn write_error(
    transaction: Transaction,
    code: u16,
    unknown: Option<u16>,
    key: Option<&Key>,
    out: &mut [u8],
) -> usize {
    let mut writer = Writer::new(out, BINDING | 0x0110, transaction);
    writer.attribute(ERROR_CODE, &[0, 0, (code / 100) as u8, (code % 100) as u8]);
    if let Some(kind) = unknown {
        writer.attribute(UNKNOWN_ATTRIBUTES, &kind.to_be_bytes());
    }
    writer.finish(key)
}

struct Writer<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl<'a> Writer<'a> {
    fn new(out: &'a mut [u8], kind: u16, transaction: Transaction) -> Writer<'a> {
        out[..2].copy_from_slice(&kind.to_be_bytes());
        out[4..8].copy_from_slice(&COOKIE.to_be_bytes());
        out[8..HEADER].copy_from_slice(&transaction);
        Writer { out, len: HEADER }
    }

    fn attribute(&mut self, kind: u16, value: &[u8]) {
        let (at, end) = (self.len, self.len + 4 + value.len());
        self.out[at..at + 2].copy_from_slice(&kind.to_be_bytes());
        self.out[at + 2..at + 4].copy_from_slice(&(value.len() as u16).to_be_bytes());
        self.out[at + 4..end].copy_from_slice(value);
        self.len = end.next_multiple_of(4);
        self.out[end..self.len].fill(0);
        self.out[2..4].copy_from_slice(&((self.len - HEADER) as u16).to_be_bytes());
    }

    fn finish(mut self, key: Option<&Key>) -> usize {
        if let Some(key) = key {
            let signature = integrity(key, &self.out[..self.len]);
            self.attribute(MESSAGE_INTEGRITY, &signature);
        }
        let length_with_it = (self.len + 8 - HEADER) as u16;
        self.out[2..4].copy_from_slice(&length_with_it.to_be_bytes());
        let checksum = crc32(&self.out[..self.len]) ^ FINGERPRINT_XOR;
        self.attribute(FINGERPRINT, &checksum.to_be_bytes());
        self.len
    }
}

/// The signature of what comes before it. The length that is signed counts the signature and nothing behind it.
fn integrity(key: &Key, before: &[u8]) -> [u8; INTEGRITY_BYTES] {
    let length = ((before.len() + 4 + INTEGRITY_BYTES - HEADER) as u16).to_be_bytes();
    let mut hmac = key.0.clone();
    hmac.update(&before[..2]);
    hmac.update(&length);
    hmac.update(&before[4..]);
    hmac.finalize().into_bytes().into()
}

/// An address under the cookie and the transaction (RFC 8489, section 14.2).
fn xored<const N: usize>(address: &[u8], transaction: &Transaction) -> [u8; N] {
    let mask = COOKIE.to_be_bytes().into_iter().chain(*transaction);
    let mut out = [0; N];
    for ((byte, address), mask) in out.iter_mut().zip(address).zip(mask) {
        *byte = address ^ mask;
    }
    out
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let (pair, _) = bytes.get(at..)?.split_first_chunk::<2>()?;
    Some(u16::from_be_bytes(*pair))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sample request of RFC 5769, section 2.1.
    const SAMPLE: &str = "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74\
                          002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020\
                          000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";

    fn sample() -> Vec<u8> {
        (0..SAMPLE.len()).step_by(2).map(|at| u8::from_str_radix(&SAMPLE[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn the_sample_request_of_rfc_5769_is_read_and_verified() {
        let bytes = sample();
        let message = Message::read(&bytes).unwrap();
        assert_eq!(message.class, Class::Request);
        assert_eq!(message.username(), Some("evtj:h6vY"));
        assert_eq!(message.priority(), Some(0x6e00_01ff));
        assert!(message.is_of_controlled());
        assert!(message.is_signed_with(&Key::new("VOkJxbRl1RmTxUk/WvJxBt")));
        assert!(!message.is_signed_with(&Key::new("VOkJxbRl1RmTxUk/WvJxBT")));
    }

    #[test]
    fn one_changed_bit_makes_it_unreadable_or_unsigned() {
        let key = Key::new("VOkJxbRl1RmTxUk/WvJxBt");
        for bit in 0..8 * sample().len() {
            let mut bytes = sample();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let accepted = Message::read(&bytes).is_some_and(|message| message.is_signed_with(&key));
            assert!(!accepted, "bit {bit}");
        }
    }

    #[test]
    fn cut_messages_are_unreadable() {
        for len in 0..sample().len() {
            assert!(Message::read(&sample()[..len]).is_none());
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let (key, mut out) = (Key::new("password"), [0xff; WRITTEN_BYTES_MAX]);
        for text in ["192.0.2.1:32853", "[2001:db8:1234:5678:11:2233:4455:6677]:32853"] {
            let len = write_success([7; 12], text.parse().unwrap(), &key, &mut out);
            let message = Message::read(&out[..len]).unwrap();
            assert_eq!((message.class, message.transaction), (Class::Success, [7; 12]));
            assert_eq!(message.mapped_address(), text.parse().ok());
            assert!(message.is_signed_with(&key));
        }
        let len = write_error([7; 12], 420, Some(0x7777), None, &mut out);
        let message = Message::read(&out[..len]).unwrap();
        assert_eq!((message.class, message.error_code()), (Class::Error, Some(420)));
        let check = Check {
            transaction: [1; 12],
            username: "abc:de",
            priority: 5,
            tie_breaker: 9,
            is_nominating: true,
        };
        let len = write_check(&check, &key, &mut out);
        let message = Message::read(&out[..len]).unwrap();
        assert!(message.has_use_candidate() && message.is_signed_with(&key) && !message.is_of_controlled());
        assert_eq!((message.username(), message.priority()), (Some("abc:de"), Some(5)));
    }

    #[test]
    fn what_stands_behind_the_signature_is_not_believed() {
        let (key, mut out) = (Key::new("password"), [0; WRITTEN_BYTES_MAX]);
        let mut writer = Writer::new(&mut out, BINDING, [1; 12]);
        let signature = integrity(&key, &writer.out[..writer.len]);
        writer.attribute(MESSAGE_INTEGRITY, &signature);
        writer.attribute(USE_CANDIDATE, &[]);
        let len = writer.finish(None);
        let message = Message::read(&out[..len]).unwrap();
        assert!(message.is_signed_with(&key));
        assert!(!message.has_use_candidate());
    }
}
