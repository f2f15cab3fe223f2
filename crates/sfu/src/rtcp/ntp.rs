//! NTP time as RTCP carries it, and the round trips that follow from it.

use std::time::Duration;

/// Seconds since 1900 in 32.32 bits (RFC 3550 section 4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// From microseconds of Unix time.
    pub fn from_unix_us(us: u64) -> NtpTime {
        /// Seconds from 1900 to 1970.
        const UNIX: u64 = 2_208_988_800;
        NtpTime::from_us(us.wrapping_add(UNIX * 1_000_000))
    }

    /// From microseconds since 1900.
    pub fn from_us(us: u64) -> NtpTime {
        let fraction = ((us % 1_000_000) << 32) / 1_000_000;
        NtpTime(((us / 1_000_000) << 32) | fraction)
    }

    /// The middle 32 bits, in 1/65,536 s: what report blocks refer to.
    pub fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

/// A span in 1/65,536 s, as the delay of a report block; at most 18 hours.
pub fn to_short(span: Duration) -> u32 {
    u32::try_from((span.as_micros() << 16) / 1_000_000).unwrap_or(u32::MAX)
}

/// From what was sent at `last`, held for `delay` and came back at `arrived`, all in 1/65,536 s. None if nothing was
/// heard there; a clock that disagrees makes it one tick.
pub(super) fn round_trip(arrived: u32, last: u32, delay: u32) -> Option<Duration> {
    if last == 0 {
        return None;
    }
    let ticks = arrived.wrapping_sub(delay).wrapping_sub(last);
    let ticks = if ticks > u32::MAX / 2 { 1 } else { ticks.max(1) };
    Some(Duration::from_micros((u64::from(ticks) * 1_000_000) >> 16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_trip_is_what_was_not_held() {
        // RFC 3550 figure 2: 6.125 s from 0xb710:8000 to 0xb705:2000 with 5.250 s held.
        let trip = round_trip(0xb710_8000, 0xb705_2000, 0x0005_4000);
        assert_eq!(trip, Some(Duration::from_millis(6_125)));
        assert_eq!(round_trip(5, 0, 0), None);
        assert!(round_trip(10, 20, 0).is_some_and(|trip| trip < Duration::from_millis(1)));
    }

    #[test]
    fn unix_time_becomes_ntp_time() {
        assert_eq!(NtpTime::from_unix_us(500_000), NtpTime((2_208_988_800 << 32) | (1 << 31)));
        assert_eq!(to_short(Duration::from_millis(5_250)), 0x0005_4000);
    }
}
