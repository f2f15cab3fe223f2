//! Dates as terminals read them: local time, from the wall clock and an offset that the caller names.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use taoyao_types::Wall;

/// Seconds that local time is ahead of UTC; at most a day either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UtcOffset(Offset);

impl Default for UtcOffset {
    fn default() -> Self {
        Self(Offset::UTC)
    }
}

impl UtcOffset {
    /// An offset beyond a day is none that a place on earth has, and is taken as UTC.
    pub fn from_seconds(seconds: i32) -> Self {
        let day = -86_400..=86_400;
        Self(if day.contains(&seconds) {
            Offset::from_seconds(seconds).unwrap_or(Offset::UTC)
        } else {
            Offset::UTC
        })
    }

    /// The local date and time; a clock beyond the calendar's end reads as its first day.
    pub(super) fn local(self, wall: Wall) -> DateTime {
        let stamp = i64::try_from(wall.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        self.0.to_datetime(stamp.unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// `2023-06-01 12:00:00`, the form of `lastHeartbeat`.
    pub fn long_date(self, wall: Wall) -> String {
        self.local(wall).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// `20230601120000`, the form of `client::config.datetime`.
    pub fn short_date(self, wall: Wall) -> String {
        self.local(wall).strftime("%Y%m%d%H%M%S").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON_UTC: Wall = Wall(1_685_620_800_999);

    #[test]
    fn dates_are_local() {
        let shanghai = UtcOffset::from_seconds(8 * 3600);
        assert_eq!(shanghai.long_date(NOON_UTC), "2023-06-01 20:00:00");
        assert_eq!(shanghai.short_date(NOON_UTC), "20230601200000");
        assert_eq!(UtcOffset::default().long_date(NOON_UTC), "2023-06-01 12:00:00");
    }

    #[test]
    fn senseless_clocks_and_offsets_do_no_harm() {
        assert_eq!(UtcOffset::from_seconds(i32::MAX).long_date(NOON_UTC), "2023-06-01 12:00:00");
        assert_eq!(UtcOffset::default().long_date(Wall(u64::MAX)), "1970-01-01 00:00:00");
    }
}
