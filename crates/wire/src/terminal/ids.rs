//! Ids of the messages that a node starts (reference section 2.3).

use taoyao_types::Wall;

use super::local_time::UtcOffset;

/// The largest server index: with it an id's low eight digits stay below every id that a terminal makes.
pub const SERVER_INDEX_MAX: u8 = 9;
const COUNTER_MAX: i64 = 999_999;

/// Makes ids of the form day, hour, minute, second, server index, counter.
///
/// They never meet a terminal's own ids: those have 10000000 to 99999999 in their low eight digits, these less.
#[derive(Debug, Clone)]
pub struct ServerIds {
    server: i64,
    offset: UtcOffset,
    counter: i64,
}

impl ServerIds {
    /// An index above [`SERVER_INDEX_MAX`] counts as its last digit.
    pub fn new(server_index: u8, offset: UtcOffset) -> Self {
        Self { server: i64::from(server_index % (SERVER_INDEX_MAX + 1)), offset, counter: 0 }
    }

    /// The next id; unique among a million in a row.
    pub fn next(&mut self, wall: Wall) -> i64 {
        self.counter = if self.counter >= COUNTER_MAX { 0 } else { self.counter + 1 };
        let local = self.offset.local(wall);
        let date = i64::from(local.day()) * 100 + i64::from(local.hour());
        let time = i64::from(local.minute()) * 100 + i64::from(local.second());
        (date * 10_000 + time) * 100_000_000 + self.server * 1_000_000 + self.counter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_as_day_time_server_and_count() {
        let mut ids = ServerIds::new(3, UtcOffset::from_seconds(8 * 3600));
        // 2023-06-01 20:34:56 in Shanghai.
        let wall = Wall(1_685_622_896_000);
        assert_eq!(ids.next(wall), 120_345_603_000_001);
        assert_eq!(ids.next(wall), 120_345_603_000_002);
    }

    #[test]
    fn the_counter_wraps_to_zero_and_ids_stay_safe_numbers() {
        let mut ids = ServerIds::new(9, UtcOffset::default());
        ids.counter = COUNTER_MAX - 1;
        // 2023-05-31 23:59:59
        let wall = Wall(1_685_577_599_000);
        assert_eq!(ids.next(wall), 3_123_595_909_999_999);
        assert_eq!(ids.next(wall), 3_123_595_909_000_000);
        assert!(ids.next(wall) < 1 << 53);
    }
}
