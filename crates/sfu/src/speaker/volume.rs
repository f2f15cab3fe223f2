//! How loud one sound was during an interval.

/// The mean of the levels that packets told.
#[derive(Debug, Default)]
pub(super) struct Volume {
    sum: u32,
    count: u32,
}

/// Silence, in dB below the loudest (RFC 6464).
const SILENCE: u8 = 127;
/// Fewer packets than this in an interval tell nothing (with 20 ms each there are 25).
const PACKETS_MIN: u32 = 5;

impl Volume {
    /// `level` from 0, the loudest, to 127.
    pub(super) fn add(&mut self, level: u8) {
        if level < SILENCE {
            self.sum += u32::from(level);
            self.count += 1;
        }
    }

    /// In dBov, from -126 to 0; none if it was silent. The next interval begins.
    pub(super) fn take(&mut self) -> Option<i8> {
        let Self { sum, count } = std::mem::take(self);
        if count < PACKETS_MIN {
            return None;
        }
        let mean = (sum + count / 2) / count;
        i8::try_from(mean).ok().map(|mean| -mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_mean_of_what_was_heard() {
        let mut volume = Volume::default();
        [10, 20, 30, 20, 20, 127].into_iter().for_each(|level| volume.add(level));
        assert_eq!(volume.take(), Some(-20));
        assert_eq!(volume.take(), None);
        volume.add(10);
        assert_eq!(volume.take(), None, "one packet is not enough");
    }
}
