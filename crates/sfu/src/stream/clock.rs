//! A sender's clocks: when, on its wall clock, a timestamp was taken (RFC 3550, section 6.4.1).

use crate::rtcp::NtpTime;

/// What a sender report says: this moment on the sender's wall clock is this moment in the stream's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderClock {
    pub ntp_us: i64,
    pub rtp: u32,
}

impl SenderClock {
    /// When `timestamp` was taken, in microseconds on the sender's wall clock.
    pub fn wall_us(&self, timestamp: u32, clock_rate: u32) -> i64 {
        let distance = i64::from(timestamp.wrapping_sub(self.rtp).cast_signed());
        self.ntp_us.wrapping_add(distance * 1_000_000 / i64::from(clock_rate.max(1)))
    }

    /// The stream's timestamp at a moment of the sender's wall clock.
    pub fn timestamp(&self, wall_us: i64, clock_rate: u32) -> u32 {
        self.rtp.wrapping_add(ticks(wall_us.wrapping_sub(self.ntp_us), clock_rate))
    }
}

/// A span in units of a stream's clock; spans below zero wrap.
pub fn ticks(span_us: i64, clock_rate: u32) -> u32 {
    let ticks = i128::from(span_us) * i128::from(clock_rate) / 1_000_000;
    // Timestamps live in a circle of 32 bits.
    ticks as u32
}

/// Microseconds since 1900.
pub fn ntp_us(ntp: NtpTime) -> i64 {
    let (seconds, fraction) = (ntp.0 >> 32, ntp.0 & 0xffff_ffff);
    // Seconds have 32 bits: far from the bound.
    (seconds * 1_000_000 + ((fraction * 1_000_000) >> 32)).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_agree_over_the_wrap() {
        let clock = SenderClock { ntp_us: 5_000_000, rtp: u32::MAX - 10 };
        let later = clock.timestamp(6_000_000, 90_000);
        assert_eq!(later, (u32::MAX - 10).wrapping_add(90_000));
        assert_eq!(clock.wall_us(later, 90_000), 6_000_000);
        assert_eq!(clock.timestamp(4_000_000, 90_000), (u32::MAX - 10).wrapping_sub(90_000));
    }

    #[test]
    fn fractions_of_ntp_are_parts_of_a_second() {
        assert_eq!(ntp_us(NtpTime((7 << 32) | (1 << 31))), 7_500_000);
    }
}
