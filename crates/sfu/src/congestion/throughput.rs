//! How fast packets arrive: bytes by the receiver's clock over the last half second.

const BUCKET_US: i64 = 50_000;
const BUCKETS: usize = 10;
/// Of the last moment: what came since a queue began to grow.
const LATEST_BUCKETS: i64 = 3;
/// Less than this says little.
const SPAN_MIN_US: i64 = 250_000;

#[derive(Debug, Default)]
pub(super) struct Throughput {
    bytes: [u64; BUCKETS],
    /// Which span of 50 ms the newest bucket is.
    newest: i64,
    first_us: i64,
    last_us: i64,
    has_started: bool,
}

impl Throughput {
    pub(super) fn handle_arrival(&mut self, arrival_us: i64, bytes: u32) {
        let bucket = arrival_us.div_euclid(BUCKET_US);
        let step = bucket - self.newest;
        // Silence, or another clock: what was before says nothing of now.
        if !self.has_started || step.unsigned_abs() >= 2 * BUCKETS as u64 {
            *self = Throughput { newest: bucket, first_us: arrival_us, has_started: true, ..Self::default() };
        }
        for new in self.newest + 1..=bucket {
            self.bytes[place(new)] = 0;
        }
        self.newest = self.newest.max(bucket);
        self.last_us = self.last_us.max(arrival_us);
        if self.newest - bucket < BUCKETS as i64 {
            self.bytes[place(bucket)] += u64::from(bytes);
        }
    }

    /// In bit/s; none until enough has arrived.
    pub(super) fn bitrate(&self) -> Option<f64> {
        let first = (self.newest + 1 - BUCKETS as i64) * BUCKET_US;
        (self.last_us - first.max(self.first_us) >= SPAN_MIN_US).then(|| self.over(BUCKETS as i64))
    }

    /// Of the last moment only, which is what the link carries while a queue is there, however little is sent on the whole.
    pub(super) fn latest(&self) -> Option<f64> {
        self.bitrate().map(|_| self.over(LATEST_BUCKETS))
    }

    /// Over this one and those before it, so many in all.
    fn over(&self, buckets: i64) -> f64 {
        let first = self.newest + 1 - buckets;
        let span_us = self.last_us - (first * BUCKET_US).max(self.first_us);
        let bytes: u64 = (first..=self.newest).map(|bucket| self.bytes[place(bucket)]).sum();
        (bytes * 8) as f64 * 1e6 / span_us.max(BUCKET_US) as f64
    }
}

fn place(bucket: i64) -> usize {
    bucket.rem_euclid(BUCKETS as i64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_stream_is_measured_and_a_pause_forgets_it() {
        let mut throughput = Throughput::default();
        for n in 0..200 {
            throughput.handle_arrival(7_000_000 + n * 10_000, 1_250);
        }
        let bitrate = throughput.bitrate().expect("enough arrived");
        assert!((bitrate - 1e6).abs() < 5e4, "{bitrate}");
        let latest = throughput.latest().expect("enough arrived");
        assert!((latest - 1e6).abs() < 1e5, "{latest}");
        (0..10).for_each(|n| throughput.handle_arrival(9_000_000 + n * 10_000, 12_500));
        assert!(throughput.latest().is_some_and(|latest| latest > 5e6));
        assert!(throughput.bitrate().is_some_and(|bitrate| bitrate < 4e6));
        throughput.handle_arrival(60_000_000, 100);
        assert_eq!(throughput.bitrate(), None);
    }
}
