//! Ids of transports, producers and consumers: UUIDs, chosen by whoever asks the SFU to make one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Not a UUID of 36 characters with dashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id: write a UUID, 8-4-4-4-12 hexadecimal digits")]
pub struct BadId;

macro_rules! uuid_id {
    ($(#[$about:meta])* $name:ident) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(u128);

        impl $name {
            /// A version 4 UUID (RFC 9562, section 5.4) of these random bits.
            pub const fn of_random(bits: u128) -> Self {
                Self(version_4(bits))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_uuid(self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_uuid(self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                read_uuid(text).map(Self)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }
    };
}

uuid_id!(
    /// A transport of one terminal to a room's router.
    TransportId
);
uuid_id!(
    /// What one terminal sends: a sound, a picture, or messages of a data channel.
    ProducerId
);
uuid_id!(
    /// One producer on its way to one terminal.
    ConsumerId
);

const VERSION_MASK: u128 = 0xf << 76;
const VARIANT_MASK: u128 = 0x3 << 62;

const fn version_4(bits: u128) -> u128 {
    (bits & !VERSION_MASK & !VARIANT_MASK) | (0x4 << 76) | (0x2 << 62)
}

fn write_uuid(bits: u128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let part = |shift: u32, digits: u32| (bits >> shift) & ((1 << (4 * digits)) - 1);
    let (time_low, time_mid, time_high) = (part(96, 8), part(80, 4), part(64, 4));
    write!(f, "{time_low:08x}-{time_mid:04x}-{time_high:04x}-{:04x}-{:012x}", part(48, 4), part(0, 12))
}

fn read_uuid(text: &str) -> Result<u128, BadId> {
    const DASHES: [usize; 4] = [8, 13, 18, 23];
    const TEXT_BYTES: usize = 36;
    if text.len() != TEXT_BYTES {
        return Err(BadId);
    }
    text.bytes().enumerate().try_fold(0, |bits: u128, (at, byte)| match (DASHES.contains(&at), byte) {
        (true, b'-') => Ok(bits),
        (true, _) => Err(BadId),
        (false, digit) => {
            let digit = char::from(digit).to_digit(16).ok_or(BadId)?;
            Ok((bits << 4) | u128::from(digit))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_version_4_uuid_and_reads_back() {
        let id = TransportId::of_random(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        assert_eq!(id.to_string(), "01234567-89ab-4def-8123-456789abcdef");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn other_text_is_no_id() {
        for text in [
            "",
            "01234567-89ab-4def-8123-456789abcde",
            "01234567x89ab-4def-8123-456789abcdef",
            "錄".repeat(12).as_str(),
        ] {
            assert_eq!(text.parse::<ProducerId>(), Err(BadId), "{text}");
        }
    }
}
