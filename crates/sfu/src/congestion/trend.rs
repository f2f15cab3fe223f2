//! Whether a queue grows: the slope of the one-way delay against a threshold that adapts (draft-ietf-rmcat-gcc-02
//! sections 5.3 and 5.4, with a least-squares line in place of the Kalman filter, as libwebrtc does).

use super::groups::Step;

/// Groups on which the line is laid.
const WINDOW: usize = 20;
/// Weight of the past in the smoothed delay.
const SMOOTHING: f64 = 0.9;
/// Makes a slope comparable to the threshold, together with the number of groups up to a maximum.
const GAIN: f64 = 4.0;
const GROUPS_MAX: u64 = 60;
/// The threshold in ms: where it begins, how fast it follows upwards and downwards, and its bounds.
const THRESHOLD: f64 = 12.5;
const FOLLOW_UP: f64 = 0.0087;
const FOLLOW_DOWN: f64 = 0.039;
const THRESHOLD_MIN: f64 = 6.0;
const THRESHOLD_MAX: f64 = 600.0;
/// A spike further than this above the threshold does not move it.
const SPIKE: f64 = 15.0;
/// How long the slope must be too high, in ms.
const OVERUSE_MS: f64 = 10.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Usage {
    #[default]
    Normal,
    /// The queue grows.
    Over,
    /// The queue drains.
    Under,
}

#[derive(Debug)]
pub(super) struct Trend {
    /// (arrival, smoothed delay) in ms since the first group; a ring.
    points: [(f64, f64); WINDOW],
    groups: u64,
    first_us: i64,
    last_us: i64,
    delay: f64,
    smoothed: f64,
    threshold: f64,
    slope: f64,
    over_ms: f64,
    overs: u32,
    usage: Usage,
}

impl Default for Trend {
    fn default() -> Self {
        Self {
            points: [(0.0, 0.0); WINDOW],
            groups: 0,
            first_us: 0,
            last_us: 0,
            delay: 0.0,
            smoothed: 0.0,
            threshold: THRESHOLD,
            slope: 0.0,
            over_ms: 0.0,
            overs: 0,
            usage: Usage::Normal,
        }
    }
}

impl Trend {
    pub(super) fn usage(&self) -> Usage {
        self.usage
    }

    pub(super) fn handle_step(&mut self, step: Step) {
        if self.groups == 0 {
            self.first_us = step.at_us;
            self.last_us = step.at_us;
        }
        self.delay += ms(step.arrival_us - step.sent_us);
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.delay;
        let at = self.groups as usize % WINDOW;
        self.points[at] = (ms(step.at_us - self.first_us), self.smoothed);
        self.groups += 1;
        let slope = if self.groups as usize >= WINDOW { self.fit().unwrap_or(self.slope) } else { 0.0 };
        self.detect(slope, step);
        self.slope = slope;
        self.last_us = step.at_us;
    }

    /// The delay of the latest group, from any origin.
    pub(super) fn delay_ms(&self) -> f64 {
        self.delay
    }

    /// The slope of the line through all points; none if they came at one moment.
    fn fit(&self) -> Option<f64> {
        let count = WINDOW as f64;
        let (x, y) = self.points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
        let (x, y) = (x / count, y / count);
        let (over, under) = self.points.iter().fold((0.0, 0.0), |(over, under), point| {
            let (dx, dy) = (point.0 - x, point.1 - y);
            (over + dx * dy, under + dx * dx)
        });
        (under > 0.0).then(|| over / under)
    }

    fn detect(&mut self, slope: f64, step: Step) {
        let rise = self.groups.min(GROUPS_MAX) as f64 * slope * GAIN;
        if rise > self.threshold {
            self.over_ms += ms(step.sent_us);
            self.overs += 1;
            if self.over_ms > OVERUSE_MS && self.overs > 1 && slope >= self.slope {
                self.usage = Usage::Over;
                (self.over_ms, self.overs) = (0.0, 0);
            }
        } else {
            (self.over_ms, self.overs) = (0.0, 0);
            self.usage = if rise < -self.threshold { Usage::Under } else { Usage::Normal };
        }
        self.adapt(rise, ms(step.at_us - self.last_us).clamp(0.0, 100.0));
    }

    /// Follows the rise, so that flows which fill queues do not starve this one.
    fn adapt(&mut self, rise: f64, elapsed_ms: f64) {
        let distance = rise.abs() - self.threshold;
        if distance > SPIKE {
            return;
        }
        let follow = if distance < 0.0 { FOLLOW_DOWN } else { FOLLOW_UP };
        self.threshold =
            (self.threshold + follow * distance * elapsed_ms).clamp(THRESHOLD_MIN, THRESHOLD_MAX);
    }
}

fn ms(us: i64) -> f64 {
    us as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(trend: &mut Trend, steps: u32, extra_us: i64) -> Usage {
        for _ in 0..steps {
            let at_us = trend.last_us + 20_000 + extra_us;
            trend.handle_step(Step { sent_us: 20_000, arrival_us: 20_000 + extra_us, at_us });
        }
        trend.usage()
    }

    #[test]
    fn a_growing_queue_is_overuse_and_a_draining_one_underuse() {
        let mut trend = Trend::default();
        assert_eq!(run(&mut trend, 50, 0), Usage::Normal);
        assert_eq!(run(&mut trend, 25, 2_000), Usage::Over);
        assert_eq!(run(&mut trend, 25, -2_000), Usage::Under);
        assert_eq!(run(&mut trend, 60, 0), Usage::Normal);
    }
}
