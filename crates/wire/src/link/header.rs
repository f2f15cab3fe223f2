//! How a signal's header is written: one msgpack array of integers, which every hop reads and writes anew.
//!
//! `[kind, class, ttl, attempt, remaining_ms, [origin, epoch, count], target kind, key, key, path, extra]`, where a key is
//! an array of three integers, and the path nil or an array of `[node, round_trip_us]`. This is the most frequent work of a
//! transit node, hence by hand and without an allocation; every other message goes through serde.

use std::fmt::Display;
use std::io::{self, Write};

use bytes::Bytes;
use rmp::Marker;
use rmp::decode;
use rmp::encode::{self, ValueWriteError};
use taoyao_types::{NodeEpoch, NodeId, PartitionId, SignalId, TerminalKey};

use super::frame::{BadFrame, Header, Hop, Kind, Target};
use crate::Class;

const FIELDS: u32 = 11;
/// A header of a signal that is not traced has less than 100 bytes.
const NEAR_BYTES: usize = 128;

/// Writes a header and hands its bytes to `then`.
pub(super) fn write<T>(header: &Header, then: impl FnOnce(&[u8]) -> T) -> T {
    let mut out = Out { near: [0; NEAR_BYTES], used: 0, far: Vec::new() };
    write_fields(&mut out, header).expect("memory takes all");
    then(if out.far.is_empty() { &out.near[..out.used] } else { &out.far })
}

fn write_fields(out: &mut Out, header: &Header) -> Result<(), ValueWriteError> {
    encode::write_array_len(out, FIELDS)?;
    for small in [header.kind as u8, header.class as u8, header.ttl, header.attempt] {
        encode::write_uint(out, small.into())?;
    }
    encode::write_uint(out, header.remaining_ms.into())?;
    encode::write_array_len(out, 3)?;
    encode::write_uint(out, header.id.origin.0.into())?;
    encode::write_uint(out, header.id.epoch.0.into())?;
    encode::write_uint(out, header.id.count)?;
    let (kind, target) = match header.target {
        Target::Terminal(key) => (0, key),
        Target::Node(node) => (1, TerminalKey::first_in(PartitionId(node.0))),
        Target::Members(partition) => (2, TerminalKey::first_in(partition)),
        Target::Watchers(partition) => (3, TerminalKey::first_in(partition)),
    };
    encode::write_uint(out, kind)?;
    write_key(out, target)?;
    write_key(out, header.source)?;
    write_path(out, header.path.as_deref())?;
    encode::write_bin(out, &header.extra)
}

fn write_key(out: &mut Out, key: TerminalKey) -> Result<(), ValueWriteError> {
    let (partition, high, low) = key.parts();
    encode::write_array_len(out, 3)?;
    encode::write_uint(out, partition.into())?;
    encode::write_uint(out, high)?;
    encode::write_uint(out, low.into())?;
    Ok(())
}

fn write_path(out: &mut Out, path: Option<&[Hop]>) -> Result<(), ValueWriteError> {
    let Some(path) = path else { return encode::write_nil(out).map_err(ValueWriteError::InvalidMarkerWrite) };
    encode::write_array_len(out, u32::try_from(path.len()).unwrap_or(u32::MAX))?;
    for hop in path {
        encode::write_array_len(out, 2)?;
        encode::write_uint(out, hop.node.0.into())?;
        encode::write_uint(out, hop.round_trip_us)?;
    }
    Ok(())
}

/// Reads what [`write`] has written, integers of any width.
pub(super) fn read(mut bytes: &[u8]) -> Result<Header, BadFrame> {
    let input = &mut bytes;
    let fields = read_array(input)?;
    if fields != FIELDS {
        return Err(BadFrame::Header(format!("{fields} fields, {FIELDS} are known")));
    }
    let (kind, class) = (read_kind(input)?, read_class(input)?);
    let (ttl, attempt, remaining_ms) = (read_int(input)?, read_int(input)?, read_int(input)?);
    let id = read_id(input)?;
    let target = read_target(input)?;
    let source = read_key(input)?;
    let path = read_path(input)?;
    let extra = Bytes::copy_from_slice(read_bin(input)?);
    Ok(Header { kind, class, ttl, attempt, remaining_ms, id, target, source, path, extra })
}

fn read_kind(input: &mut &[u8]) -> Result<Kind, BadFrame> {
    match read_int(input)? {
        0_u8 => Ok(Kind::Request),
        1 => Ok(Kind::Answer),
        2 => Ok(Kind::Event),
        3 => Ok(Kind::Multicast),
        other => Err(BadFrame::Header(format!("kind {other} is unknown"))),
    }
}

fn read_class(input: &mut &[u8]) -> Result<Class, BadFrame> {
    let class = read_int(input)?;
    Class::from_u8(class).ok_or_else(|| BadFrame::Header(format!("class {class} is unknown")))
}

fn read_id(input: &mut &[u8]) -> Result<SignalId, BadFrame> {
    expect_array(input, 3)?;
    let (origin, epoch) = (NodeId(read_int(input)?), NodeEpoch(read_int(input)?));
    Ok(SignalId { origin, epoch, count: read_int(input)? })
}

fn read_target(input: &mut &[u8]) -> Result<Target, BadFrame> {
    let kind = read_int(input)?;
    let key = read_key(input)?;
    match kind {
        0_u8 => Ok(Target::Terminal(key)),
        1 => Ok(Target::Node(NodeId(key.partition().0))),
        2 => Ok(Target::Members(key.partition())),
        3 => Ok(Target::Watchers(key.partition())),
        other => Err(BadFrame::Header(format!("target kind {other} is unknown"))),
    }
}

fn read_key(input: &mut &[u8]) -> Result<TerminalKey, BadFrame> {
    expect_array(input, 3)?;
    let parts = (read_int(input)?, read_int(input)?, read_int(input)?);
    Ok(TerminalKey::from_parts(parts))
}

fn read_path(input: &mut &[u8]) -> Result<Option<Vec<Hop>>, BadFrame> {
    if input.first() == Some(&Marker::Null.to_u8()) {
        *input = &input[1..];
        return Ok(None);
    }
    let count = read_array(input)?;
    // Not trusted for an allocation: it grows with the hops that are there.
    let mut path = Vec::new();
    for _ in 0..count {
        expect_array(input, 2)?;
        path.push(Hop { node: NodeId(read_int(input)?), round_trip_us: read_int(input)? });
    }
    Ok(Some(path))
}

fn read_bin<'a>(input: &mut &'a [u8]) -> Result<&'a [u8], BadFrame> {
    let length = decode::read_bin_len(input).map_err(|error| bad_value(&error))? as usize;
    let (bin, rest) = input.split_at_checked(length).ok_or(BadFrame::Truncated)?;
    *input = rest;
    Ok(bin)
}

fn expect_array(input: &mut &[u8], length: u32) -> Result<(), BadFrame> {
    match read_array(input)? {
        found if found == length => Ok(()),
        found => Err(BadFrame::Header(format!("an array of {found}, expected {length}"))),
    }
}

fn read_array(input: &mut &[u8]) -> Result<u32, BadFrame> {
    decode::read_array_len(input).map_err(|error| bad_value(&error))
}

fn read_int<T: TryFrom<u64>>(input: &mut &[u8]) -> Result<T, BadFrame> {
    let value: u64 = decode::read_int(input).map_err(|error| bad_value(&error))?;
    T::try_from(value).map_err(|_| BadFrame::Header(format!("{value} is too large for its field")))
}

fn bad_value(error: &impl Display) -> BadFrame {
    BadFrame::Header(error.to_string())
}

/// Memory for a header whose length is not known before: of ordinary ones without an allocation.
struct Out {
    near: [u8; NEAR_BYTES],
    used: usize,
    /// All of it, once it does not fit `near`.
    far: Vec<u8>,
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let end = self.used + bytes.len();
        match self.near.get_mut(self.used..end) {
            Some(place) if self.far.is_empty() => {
                place.copy_from_slice(bytes);
                self.used = end;
            }
            _ => self.write_far(bytes),
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Out {
    #[cold]
    fn write_far(&mut self, bytes: &[u8]) {
        if self.far.is_empty() {
            self.far.extend_from_slice(&self.near[..self.used]);
        }
        self.far.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        let id = SignalId { origin: NodeId(0x89ab_cdef), epoch: NodeEpoch(2), count: 300_000 };
        let key = |bits| TerminalKey::synthetic(PartitionId(0x1234_5678), bits);
        Header::new(Kind::Event, Class::Event, id, Target::Terminal(key(77)), key(5))
    }

    fn bytes_of(header: &Header) -> Vec<u8> {
        write(header, <[u8]>::to_vec)
    }

    #[test]
    fn the_form_on_the_wire_is_pinned() {
        let id = SignalId { origin: NodeId(1), epoch: NodeEpoch(200), count: 70_000 };
        let source = TerminalKey::from_parts((7, u64::MAX, 300));
        let path = Some(vec![Hop { node: NodeId(9), round_trip_us: 128 }]);
        let header = Header::new(Kind::Answer, Class::Request, id, Target::Node(NodeId(3)), source);
        let bytes = bytes_of(&Header { path, extra: Bytes::from_static(b"xy"), ..header });
        let expected = [
            &[0x9b, 1, 1, 16, 0, 0xcd, 0x12, 0x8e][..],
            &[0x93, 1, 0xcc, 200, 0xce, 0, 1, 0x11, 0x70],
            &[1, 0x93, 3, 0, 0],
            &[0x93, 7, 0xcf, 255, 255, 255, 255, 255, 255, 255, 255, 0xcd, 1, 44],
            &[0x91, 0x92, 9, 0xcc, 128],
            &[0xc4, 2, b'x', b'y'],
        ];
        assert_eq!(bytes, expected.concat());
    }

    #[test]
    fn headers_near_and_far_come_back() {
        for hops in [None, Some(0), Some(1), Some(16), Some(40)] {
            let hop = |number| Hop { node: NodeId(number), round_trip_us: u64::from(number) << 33 };
            let path = hops.map(|count| (0..count).map(hop).collect());
            for extra in [0, 1, 100, 500] {
                let header = Header { path: path.clone(), extra: vec![7; extra].into(), ..header() };
                assert_eq!(read(&bytes_of(&header)), Ok(header));
            }
        }
    }

    #[test]
    fn no_cut_and_no_flipped_byte_makes_it_panic() {
        let path = Some(vec![Hop { node: NodeId(1), round_trip_us: 5 }]);
        let whole = bytes_of(&Header { path, extra: Bytes::from_static(b"abc"), ..header() });
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_err(), "prefix of {end} bytes");
            for byte in [0, 0x80, 0x9f, 0xc0, 0xcf, 0xdd, 0xff] {
                let mut flipped = whole.clone();
                flipped[end] = byte;
                let _any = read(&flipped).is_ok();
            }
        }
    }

    #[test]
    fn faults_are_named() {
        let fault = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
        let mut bytes = bytes_of(&header());
        bytes[1] = 9;
        assert!(fault(&bytes).ends_with("kind 9 is unknown"));
        (bytes[1], bytes[2]) = (0, 77);
        assert!(fault(&bytes).ends_with("class 77 is unknown"));
        assert!(fault(&[0x92, 1, 2]).ends_with("2 fields, 11 are known"));
        assert!(fault(b"\x9b\xcd\x01\x00").ends_with("256 is too large for its field"));
    }
}
