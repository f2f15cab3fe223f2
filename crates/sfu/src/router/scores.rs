//! How well streams get through, from 0 to 10, as clients of mediasoup know it.

use std::time::Duration;

use taoyao_ortc::Happening;
use taoyao_ortc::control::StreamScore;
use taoyao_types::Instant;

use super::Router;
use super::consumer::Consumer;
use super::producer::{Producer, Stream};

const SCORE_MAX: u8 = 10;
/// A stream from which nothing came for this long has the score 0.
const SILENT: Duration = Duration::from_secs(3);

impl Router {
    /// Of the producers and consumers of one transport; tells what has changed.
    pub(super) fn score(&mut self, now: Instant, index: usize) {
        let transport = &self.transports[index];
        for &at in &transport.producers {
            let producer = &mut self.producers[at];
            if producer.rescore(now) {
                self.events.extend((!transport.setup.is_mirror).then(|| producer.scored()));
                let producer = &self.producers[at];
                let consumers = producer.consumers.iter().map(|&at| &self.consumers[at]);
                self.events.extend(consumers.map(|consumer| consumer.scored(producer)));
            }
        }
        for &at in &self.transports[index].consumers {
            let consumer = &mut self.consumers[at];
            let score = score_of_loss(consumer.counts.fraction_lost);
            if std::mem::replace(&mut consumer.score, score) != score {
                let producer = &self.producers[consumer.producer];
                self.events.push_back(consumer.scored(producer));
            }
        }
    }
}

impl Consumer {
    /// What a receiver lost counts until it says otherwise.
    pub(super) fn handle_loss(&mut self, fraction_lost: u8) {
        self.counts.fraction_lost = fraction_lost;
    }

    fn scored(&self, producer: &Producer) -> Happening {
        let current = self.source.current.or(self.source.target);
        let producer_score = current.and_then(|at| producer.scores.get(at).copied());
        Happening::ConsumerScore {
            consumer: self.id,
            score: self.score,
            producer_score: producer_score.unwrap_or_default(),
            producer_scores: producer.scores.clone(),
        }
    }
}

impl Producer {
    /// Whether anything has changed.
    fn rescore(&mut self, now: Instant) -> bool {
        let mut has_changed = false;
        for (score, stream) in self.scores.iter_mut().zip(&self.streams) {
            let new = stream.score(now);
            has_changed |= std::mem::replace(score, new) != new;
        }
        has_changed
    }

    fn scored(&self) -> Happening {
        let streams = self.streams.iter().zip(&self.scores).enumerate();
        let score = |(encoding, (stream, score)): (usize, (&Stream, &u8))| StreamScore {
            encoding,
            ssrc: stream.ssrc,
            rid: stream.rid.clone(),
            score: *score,
        };
        // What has not begun has no score yet.
        let begun = streams.filter(|(_, (stream, _))| stream.receive.last_arrival.is_some());
        Happening::ProducerScore { producer: self.id, scores: begun.map(score).collect() }
    }
}

impl Stream {
    fn score(&self, now: Instant) -> u8 {
        match self.receive.last_arrival {
            Some(last) if self.is_flowing && now.since(last) < SILENT => {
                score_of_loss(self.receive.fraction_lost)
            }
            _ => 0,
        }
    }
}

/// None lost is 10, a third and more is 1.
fn score_of_loss(fraction_lost: u8) -> u8 {
    let worse = (f64::from(fraction_lost) / 256.0 * 27.0).round();
    // At most 27.
    SCORE_MAX.saturating_sub(worse as u8).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_loss_is_a_lower_score() {
        let scores: Vec<_> = [0, 5, 26, 51, 85, 255].map(score_of_loss).into();
        assert_eq!(scores, [10, 9, 7, 5, 1, 1]);
    }
}
