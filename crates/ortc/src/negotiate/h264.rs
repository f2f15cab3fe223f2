//! Profiles and levels of H264 (RFC 6184, sections 8.1 and 8.2.2).

use super::matching;
use crate::rtp::{ParameterValue, Parameters, integer};

const PROFILE_LEVEL_ID: &str = "profile-level-id";
const LEVEL_ASYMMETRY_ALLOWED: &str = "level-asymmetry-allowed";
/// What browsers mean where none is written: constrained baseline, level 3.1.
const DEFAULT: &str = "42e01f";

/// Whether both name the same profile, of whatever level; streams of one level are received by decoders of another.
pub(super) fn is_same_profile(one: &Parameters, other: &Parameters) -> bool {
    let profile = |parameters| ProfileLevel::of(parameters).map(|id| id.profile);
    profile(one).is_some_and(|known| profile(other) == Some(known))
}

/// Writes the level that a stream has: its sender's own if levels may differ between the directions, else the lower.
pub(super) fn settle_level(own: &mut Parameters, router: &Parameters) {
    if !own.contains_key(PROFILE_LEVEL_ID) {
        return;
    }
    let (Some(mine), Some(theirs)) = (ProfileLevel::of(own), ProfileLevel::of(router)) else { return };
    let may_differ = |parameters| integer(parameters, LEVEL_ASYMMETRY_ALLOWED) == Some(1);
    let level = match may_differ(own) && may_differ(router) {
        true => mine.level,
        false => mine.level.min(theirs.level),
    };
    let settled = ProfileLevel { level, ..mine };
    own.insert(PROFILE_LEVEL_ID.to_owned(), ParameterValue::Text(settled.to_string()));
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Profile {
    ConstrainedBaseline,
    Baseline,
    Main,
    ConstrainedHigh,
    High,
    PredictiveHigh444,
}

/// In the order of what they can: `1b` lies between 1.0 and 1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    UpTo1(u8),
    OneB,
    From11(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ProfileLevel {
    profile: Profile,
    level: Level,
}

/// `constraint_set3_flag`, which tells level 1b from 1.1 in the profiles that have it.
const CONSTRAINT_SET_3: u8 = 0x10;
const LEVEL_1: u8 = 10;
const LEVEL_1_1: u8 = 11;
/// How level 1b is written in the high profiles.
const LEVEL_1B_HIGH: u8 = 9;

/// RFC 6184, table 5: `profile_idc`, the bits of `profile-iop` that count, what they are.
const PROFILES: [(u8, u8, u8, Profile); 9] = [
    (0x42, 0b0100_1111, 0b0100_0000, Profile::ConstrainedBaseline),
    (0x4d, 0b1000_1111, 0b1000_0000, Profile::ConstrainedBaseline),
    (0x58, 0b1100_1111, 0b1100_0000, Profile::ConstrainedBaseline),
    (0x42, 0b0100_1111, 0b0000_0000, Profile::Baseline),
    (0x58, 0b1100_1111, 0b1000_0000, Profile::Baseline),
    (0x4d, 0b1010_1111, 0b0000_0000, Profile::Main),
    (0x64, 0b1111_1111, 0b0000_0000, Profile::High),
    (0x64, 0b1111_1111, 0b0000_1100, Profile::ConstrainedHigh),
    (0xf4, 0b1111_1111, 0b0000_0000, Profile::PredictiveHigh444),
];

impl ProfileLevel {
    fn of(parameters: &Parameters) -> Option<Self> {
        if !parameters.contains_key(PROFILE_LEVEL_ID) {
            return Self::read(DEFAULT);
        }
        Self::read(&matching::text(parameters, PROFILE_LEVEL_ID)?)
    }

    /// Six hexadecimal digits: `profile_idc`, `profile-iop`, `level_idc`.
    fn read(text: &str) -> Option<Self> {
        const DIGITS: usize = 6;
        if text.len() != DIGITS || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let [_, idc, iop, level] = u32::from_str_radix(text, 16).ok()?.to_be_bytes();
        let (.., profile) =
            PROFILES.into_iter().find(|(of, mask, bits, _)| *of == idc && iop & mask == *bits)?;
        let level = match level {
            LEVEL_1_1 if idc < 0x64 && iop & CONSTRAINT_SET_3 != 0 => Level::OneB,
            LEVEL_1B_HIGH => Level::OneB,
            0..=LEVEL_1 => Level::UpTo1(level),
            _ => Level::From11(level),
        };
        Some(Self { profile, level })
    }
}

impl std::fmt::Display for ProfileLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (idc, iop) = match self.profile {
            Profile::ConstrainedBaseline => (0x42, 0xe0),
            Profile::Baseline => (0x42, 0x00),
            Profile::Main => (0x4d, 0x00),
            Profile::ConstrainedHigh => (0x64, 0x0c),
            Profile::High => (0x64, 0x00),
            Profile::PredictiveHigh444 => (0xf4, 0x00),
        };
        let (mark, level) = match self.level {
            Level::UpTo1(level) | Level::From11(level) => (0, level),
            Level::OneB if idc < 0x64 => (CONSTRAINT_SET_3, LEVEL_1_1),
            Level::OneB => (0, LEVEL_1B_HIGH),
        };
        write!(f, "{idc:02x}{:02x}{level:02x}", iop | mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_told_by_the_bits_that_count() {
        let profile = |text| ProfileLevel::read(text).map(|id| id.profile);
        for text in ["42e01f", "42c02a", "4280ff", "4d80ff", "58f01f", "42f00b"] {
            let expected = match text {
                "4280ff" => Profile::Baseline,
                _ => Profile::ConstrainedBaseline,
            };
            assert_eq!(profile(text), Some(expected), "{text}");
        }
        assert_eq!(profile("42001f"), Some(Profile::Baseline));
        assert_eq!(profile("4d0032"), Some(Profile::Main));
        assert_eq!(profile("4d001f"), Some(Profile::Main));
        assert_eq!(profile("64001f"), Some(Profile::High));
        assert_eq!(profile("640c1f"), Some(Profile::ConstrainedHigh));
        assert_eq!(profile("f4001f"), Some(Profile::PredictiveHigh444));
    }

    #[test]
    fn what_is_no_profile_is_none() {
        for text in ["", "42e0", "42e01f00", "+2e01f", "錄錄", "zzzzzz", "000000", "640113"] {
            assert_eq!(ProfileLevel::read(text), None, "{text}");
        }
    }

    #[test]
    fn every_level_reads_back() {
        for text in ["42e01f", "42f00b", "42e00b", "42100b", "4d100b", "640009", "640c33", "42e00a"] {
            assert_eq!(ProfileLevel::read(text).map(|id| id.to_string()).as_deref(), Some(text));
        }
    }

    #[test]
    fn level_1b_lies_between_its_neighbours() {
        let level = |text| ProfileLevel::read(text).map(|id| id.level);
        assert!(level("42e00a") < level("42f00b"));
        assert!(level("42f00b") < level("42e00b"));
    }

    #[test]
    fn the_level_is_the_senders_own_only_if_levels_may_differ() {
        let parameters = |id: &str, asymmetry| {
            Parameters::from([
                (PROFILE_LEVEL_ID.to_owned(), ParameterValue::Text(id.to_owned())),
                (LEVEL_ASYMMETRY_ALLOWED.to_owned(), ParameterValue::Integer(asymmetry)),
            ])
        };
        let settled = |id, asymmetry| {
            let mut own = parameters(id, asymmetry);
            settle_level(&mut own, &parameters("42e01f", 1));
            matching::text(&own, PROFILE_LEVEL_ID)
        };
        assert_eq!(settled("42c034", 1).as_deref(), Some("42e034"));
        assert_eq!(settled("42e034", 0).as_deref(), Some("42e01f"));
        assert_eq!(settled("42e00d", 0).as_deref(), Some("42e00d"));
    }
}
