//! Profiles, levels and packetization modes of H264 (RFC 6184, sections 8.1 and 8.2.2).

use super::matching::{self, Fit};
use crate::rtp::{ParameterValue, Parameters, integer};

const PROFILE_LEVEL_ID: &str = "profile-level-id";
const LEVEL_ASYMMETRY_ALLOWED: &str = "level-asymmetry-allowed";
const PACKETIZATION_MODE: &str = "packetization-mode";
/// What browsers mean where none is written: constrained baseline, level 3.1.
const DEFAULT: &str = "42e01f";
/// The modes that are forwarded. Packets of the third are interleaved, and nothing in them tells where a picture begins.
const MODES: std::ops::RangeInclusive<i64> = 0..=1;

/// Whether a stream with parameters of its own reaches a receiver that says what it takes, and how well. Levels do not
/// matter: what a receiver says of them is what it wants to be sent at most, and decoders take more.
pub(super) fn fit(receiver: &Parameters, stream: &Parameters) -> Option<Fit> {
    let (takes, sent) = (mode(receiver)?, mode(stream)?);
    // A receiver of several units in one packet takes packets of one unit, too (RFC 6184, section 6.3).
    if sent > takes {
        return None;
    }
    let profile = ProfileLevel::of(receiver)?.profile.fit(ProfileLevel::of(stream)?.profile)?;
    let mode = if sent == takes { Fit::Same } else { Fit::Within };
    Some(profile.max(mode))
}

/// Writes how a stream is received: in the receiver's profile and packetization mode, by which it told the codec, and at the
/// stream's own level wherever the receiver lets that differ, else at the lower one.
pub(super) fn describe_to(receiver: &Parameters, stream: &mut Parameters) {
    let (Some(theirs), Some(own)) = (ProfileLevel::of(receiver), ProfileLevel::of(stream)) else { return };
    let level = match integer(receiver, LEVEL_ASYMMETRY_ALLOWED) == Some(1) {
        true => own.level,
        false => own.level.min(theirs.level),
    };
    let told = ProfileLevel { profile: theirs.profile, level };
    if receiver.contains_key(PROFILE_LEVEL_ID) {
        stream.insert(PROFILE_LEVEL_ID.to_owned(), ParameterValue::Text(told.to_string()));
    } else {
        stream.remove(PROFILE_LEVEL_ID);
    }
    match receiver.get(PACKETIZATION_MODE) {
        Some(mode) => stream.insert(PACKETIZATION_MODE.to_owned(), mode.clone()),
        None => stream.remove(PACKETIZATION_MODE),
    };
}

/// Writes the profile and level as everybody writes them.
pub(super) fn normalize(own: &mut Parameters) {
    if let (true, Some(read)) = (own.contains_key(PROFILE_LEVEL_ID), ProfileLevel::of(own)) {
        own.insert(PROFILE_LEVEL_ID.to_owned(), ParameterValue::Text(read.to_string()));
    }
}

fn mode(parameters: &Parameters) -> Option<i64> {
    let mode = integer(parameters, PACKETIZATION_MODE).unwrap_or(0);
    MODES.contains(&mode).then_some(mode)
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

impl Profile {
    /// Whether a decoder of this profile decodes a stream of another (ITU-T H.264, annex A.2).
    fn fit(self, stream: Self) -> Option<Fit> {
        use Profile::{Baseline, ConstrainedBaseline, ConstrainedHigh, High, Main, PredictiveHigh444};
        if self == stream {
            return Some(Fit::Same);
        }
        let is_within = match stream {
            ConstrainedBaseline => true,
            Main | ConstrainedHigh => matches!(self, High | PredictiveHigh444),
            High => self == PredictiveHigh444,
            Baseline => {
                // No encoder of live video uses what baseline has beyond its constrained form, though many write 42.
                return Some(Fit::InPractice);
            }
            PredictiveHigh444 => false,
        };
        is_within.then_some(Fit::Within)
    }
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

/// RFC 6184, table 5: `profile_idc`, the bits of `profile-iop` that count, what they are; the first that holds. Bits that are
/// reserved, or that constrain a stream further, count for nothing: it is decoded by who decodes its profile.
const PROFILES: [(u8, u8, u8, Profile); 9] = [
    (0x42, 0b0100_0000, 0b0100_0000, Profile::ConstrainedBaseline),
    (0x4d, 0b1000_0000, 0b1000_0000, Profile::ConstrainedBaseline),
    (0x58, 0b1100_0000, 0b1100_0000, Profile::ConstrainedBaseline),
    (0x42, 0b0000_0000, 0b0000_0000, Profile::Baseline),
    (0x58, 0b1000_0000, 0b1000_0000, Profile::Baseline),
    (0x4d, 0b0000_0000, 0b0000_0000, Profile::Main),
    (0x64, 0b0000_1100, 0b0000_1100, Profile::ConstrainedHigh),
    (0x64, 0b0000_0000, 0b0000_0000, Profile::High),
    (0xf4, 0b0000_0000, 0b0000_0000, Profile::PredictiveHigh444),
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
        for text in ["42e01f", "42c02a", "4280ff", "4d80ff", "58f01f", "42f00b", "42c015"] {
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
        for text in
            ["", "42e0", "42e01f00", "+2e01f", "錄錄", "zzzzzz", "000000", "58001f", "6e001f", "7a001f"]
        {
            assert_eq!(ProfileLevel::read(text), None, "{text}");
        }
    }

    #[test]
    fn what_constrains_a_stream_further_leaves_its_profile() {
        let profile = |text| ProfileLevel::read(text).map(|id| id.profile);
        // As encoders write them: main and high that say more of themselves, reserved bits that are set.
        for (text, expected) in [
            ("4d401f", Profile::Main),
            ("4d601f", Profile::Main),
            ("42c11f", Profile::ConstrainedBaseline),
            ("64081f", Profile::High),
            ("64001f", Profile::High),
            ("640c28", Profile::ConstrainedHigh),
            ("f40020", Profile::PredictiveHigh444),
        ] {
            assert_eq!(profile(text), Some(expected), "{text}");
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
    fn a_stream_reaches_who_decodes_its_profile_and_takes_its_packets() {
        let fits = |receiver: (&str, i64), stream: (&str, i64)| {
            fit(&parameters(receiver.0, receiver.1, 1), &parameters(stream.0, stream.1, 1))
        };
        assert_eq!(fits(("42e01f", 1), ("42c034", 1)), Some(Fit::Same));
        assert_eq!(fits(("42e01f", 1), ("42e01f", 0)), Some(Fit::Within), "single units");
        assert_eq!(fits(("42e01f", 0), ("42e01f", 1)), None, "more than single units");
        assert_eq!(fits(("42e01f", 1), ("42e01f", 2)), None, "interleaved");
        assert_eq!(fits(("42e01f", 2), ("42e01f", 1)), None, "interleaved");
        for receiver in ["42001f", "4d001f", "640c1f", "64001f", "f4001f"] {
            assert_eq!(fits((receiver, 1), ("42e01f", 1)), Some(Fit::Within), "{receiver}");
        }
        assert_eq!(fits(("64001f", 1), ("4d0032", 1)), Some(Fit::Within));
        assert_eq!(fits(("64001f", 1), ("640c1f", 0)), Some(Fit::Within));
        assert_eq!(fits(("640c1f", 1), ("64001f", 1)), None, "fields and B frames");
        assert_eq!(fits(("4d001f", 1), ("64001f", 1)), None);
        assert_eq!(fits(("42e01f", 1), ("42001f", 0)), Some(Fit::InPractice));
        assert_eq!(fits(("64001f", 1), ("f4001f", 1)), None);
    }

    #[test]
    fn a_receiver_is_told_its_own_profile_and_the_streams_level() {
        let told = |receiver: &Parameters, stream: &Parameters| {
            let mut told = stream.clone();
            describe_to(receiver, &mut told);
            (matching::text(&told, PROFILE_LEVEL_ID), integer(&told, PACKETIZATION_MODE))
        };
        let text = |id: &str| Some(id.to_owned());
        let stream = parameters("42c034", 0, 1);
        assert_eq!(told(&parameters("42e01f", 1, 1), &stream), (text("42e034"), Some(1)));
        assert_eq!(told(&parameters("64001f", 0, 1), &stream), (text("640034"), Some(0)));
        assert_eq!(
            told(&parameters("42e01f", 1, 0), &stream),
            (text("42e01f"), Some(1)),
            "no higher than it wants"
        );
        assert_eq!(told(&parameters("42e034", 1, 0), &parameters("42e00d", 1, 0)), (text("42e00d"), Some(1)));
        assert_eq!(told(&Parameters::new(), &stream), (None, None), "as it told it");
    }

    fn parameters(id: &str, mode: i64, asymmetry: i64) -> Parameters {
        Parameters::from([
            (PROFILE_LEVEL_ID.to_owned(), ParameterValue::Text(id.to_owned())),
            (PACKETIZATION_MODE.to_owned(), ParameterValue::Integer(mode)),
            (LEVEL_ASYMMETRY_ALLOWED.to_owned(), ParameterValue::Integer(asymmetry)),
        ])
    }
}
