//! The node's wall clock as reports tell it: it never jumps.

use taoyao_types::{Instant, Now};

use crate::rtcp::NtpTime;

/// Set once by the wall clock, and running on by the monotonic one.
#[derive(Debug, Default)]
pub(super) struct WallClock {
    base: Option<(Instant, u64)>,
}

impl WallClock {
    pub(super) fn ntp(&mut self, now: Now) -> NtpTime {
        let (mono, unix_us) = *self.base.get_or_insert((now.mono, now.wall.0.saturating_mul(1_000)));
        // It may be asked about a moment before its base.
        let elapsed = now.mono.0.wrapping_sub(mono.0).cast_signed();
        NtpTime::from_unix_us(unix_us.saturating_add_signed(elapsed))
    }
}
