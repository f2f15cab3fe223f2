//! Who gets which layers of what: by what is wished, by what is there, and by what the way carries.

use std::time::Duration;

use taoyao_ortc::{Happening, MediaKind};
use taoyao_types::Instant;

use super::Router;
use super::consumer::{Consumer, Source};
use super::layers::LayerPair;
use super::producer::Producer;
use crate::congestion::{Demand, allocate, total};

/// Feedback comes twenty times a second; layers do not have to.
const PAUSE: Duration = Duration::from_millis(200);
/// Choices of one consumer: streams or spatial layers, each with its temporal layers.
const CHOICES_MAX: usize = 16;
/// What sound takes, with its headers, in bits per second: it is not shared out, it is set aside.
const AUDIO_BITRATE: u64 = 40_000;

/// Rooms for what is worked out again and again.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    consumers: Vec<Choices>,
    chosen: Vec<Option<usize>>,
}

/// What one consumer could be sent, rising.
#[derive(Debug, Clone, Copy)]
struct Choices {
    consumer: usize,
    count: usize,
    layers: [LayerPair; CHOICES_MAX],
    bitrates: [u64; CHOICES_MAX],
    current: Option<usize>,
    priority: u8,
}

impl Router {
    /// Shares out what the way of a transport carries among its consumers of video; at most every 200 ms unless it
    /// `is_urgent`.
    pub(super) fn reallocate(&mut self, now: Instant, index: usize, is_urgent: bool) {
        let transport = &mut self.transports[index];
        if !is_urgent && now < transport.next_allocation {
            return;
        }
        transport.next_allocation = now + PAUSE;
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.consumers.clear();
        let mut aside = 0;
        for &at in &self.transports[index].consumers {
            let consumer = &self.consumers[at];
            let producer = &self.producers[consumer.producer];
            if consumer.is_paused || producer.is_paused {
                continue;
            }
            aside += if consumer.kind == MediaKind::Audio { AUDIO_BITRATE } else { 0 };
            scratch.consumers.push(Choices::of(now, at, consumer, producer));
        }
        self.choose(now, index, aside, &mut scratch);
        for (choices, chosen) in scratch.consumers.iter().zip(&scratch.chosen) {
            let layers = chosen.map(|chosen| choices.layers[chosen]);
            self.apply(now, choices.consumer, layers);
        }
        self.scratch = scratch;
        self.plan(index);
    }

    fn choose(&mut self, now: Instant, index: usize, aside: u64, scratch: &mut Scratch) {
        let wanted = total(&scratch.consumers.iter().map(Choices::demand).collect::<Vec<_>>()) + aside;
        let consumers = &self.consumers;
        let line = &mut self.transports[index].line;
        if let Some(control) = &mut line.control {
            control.estimator.handle_demand(wanted);
        }
        let is_estimated = scratch.consumers.iter().any(|choices| consumers[choices.consumer].is_estimated());
        match line.available().filter(|_| is_estimated) {
            Some(available) => scratch.share_out(available.saturating_sub(aside)),
            None => scratch.take_best(),
        }
        let chosen = scratch.bitrate();
        if let Some(control) = &mut line.control {
            control.pacer.handle_chosen(now, chosen + aside);
        }
    }

    fn apply(&mut self, now: Instant, at: usize, layers: Option<LayerPair>) {
        let consumer = &mut self.consumers[at];
        let producer = &self.producers[consumer.producer];
        let needs_key_frame = consumer.set_layers(producer, layers);
        if needs_key_frame {
            self.want_key_frame(now, at);
        }
        if let Some(changed) = self.consumers[at].poll_layers() {
            self.events.push_back(changed);
        }
    }
}

impl Scratch {
    /// As much for everyone as there is.
    fn share_out(&mut self, available: u64) {
        let demands: Vec<Demand<'_>> = self.consumers.iter().map(Choices::demand).collect();
        self.chosen.clear();
        self.chosen.resize(demands.len(), None);
        allocate(available, &demands, &mut self.chosen);
        for (choices, chosen) in self.consumers.iter().zip(&mut self.chosen) {
            // A stream without layers is sent or not; not to send it helps nobody.
            if choices.count == 1 {
                *chosen = Some(0);
            }
        }
    }

    fn take_best(&mut self) {
        self.chosen.clear();
        self.chosen.extend(self.consumers.iter().map(|choices| choices.count.checked_sub(1)));
    }

    /// Of all that was chosen, in bit/s.
    fn bitrate(&self) -> u64 {
        let pairs = self.consumers.iter().zip(&self.chosen);
        pairs.filter_map(|(choices, chosen)| chosen.map(|at| choices.bitrates[at])).sum()
    }
}

impl Choices {
    fn of(now: Instant, at: usize, consumer: &Consumer, producer: &Producer) -> Self {
        let mut choices = Self {
            consumer: at,
            count: 0,
            layers: [LayerPair::ALL; CHOICES_MAX],
            bitrates: [0; CHOICES_MAX],
            current: None,
            priority: consumer.priority,
        };
        if consumer.kind == MediaKind::Audio {
            choices.push(LayerPair::LOWEST, 0);
        } else if producer.is_simulcast() {
            choices.add_streams(now, consumer, producer);
        } else if let Some(stream) = producer.streams.first() {
            let (spatial, temporal) = stream.shares.seen;
            let most = consumer.preferred.min(LayerPair { spatial, temporal });
            for spatial in 0..=most.spatial {
                // Upper layers of a picture are worth more than more pictures of lower ones.
                let lowest = if spatial == 0 { 0 } else { most.temporal };
                for temporal in lowest..=most.temporal {
                    let layers = LayerPair { spatial, temporal };
                    choices.push(layers, stream.shares.up_to(now, layers));
                }
            }
        }
        if choices.count == 0 {
            choices.push(LayerPair { spatial: 0, temporal: consumer.preferred.temporal }, 0);
        }
        choices.current = choices.index_of(consumer, producer);
        choices
    }

    fn add_streams(&mut self, now: Instant, consumer: &Consumer, producer: &Producer) {
        for (spatial, stream) in producer.streams.iter().enumerate() {
            // A producer has at most eight streams.
            let spatial = spatial as u8;
            if spatial > consumer.preferred.spatial && self.count > 0 {
                break;
            }
            let most = stream.shares.seen.1.min(consumer.preferred.temporal);
            // A larger picture is not worth a quarter of the pictures.
            let lowest = if self.count == 0 { 0 } else { most.min(stream.shares.seen.1.saturating_sub(1)) };
            let is_offered = stream.is_flowing && (self.count == 0 || stream.shares.is_known(now));
            for temporal in (lowest..=most).filter(|_| is_offered) {
                let bitrate = stream.shares.up_to(now, LayerPair { spatial: u8::MAX, temporal });
                if bitrate > 0 {
                    self.push(LayerPair { spatial, temporal }, bitrate);
                }
            }
        }
    }

    /// A better choice never counts as cheaper: a still picture may cost less in its larger size.
    fn push(&mut self, layers: LayerPair, bitrate: u64) {
        if self.count < CHOICES_MAX {
            let before = self.count.checked_sub(1).map_or(0, |last| self.bitrates[last]);
            self.layers[self.count] = layers;
            self.bitrates[self.count] = bitrate.max(before + 1);
            self.count += 1;
        }
    }

    fn index_of(&self, consumer: &Consumer, producer: &Producer) -> Option<usize> {
        let current = consumer.layers_sent(producer)?;
        (0..self.count).rev().find(|index| self.layers[*index] <= current)
    }

    fn demand(&self) -> Demand<'_> {
        Demand { priority: self.priority, choices: &self.bitrates[..self.count], current: self.current }
    }
}

impl Consumer {
    /// Whether the receiver tells by what the way can be estimated.
    fn is_estimated(&self) -> bool {
        let feedback =
            self.rtp.codecs.first().map(|codec| codec.rtcp_feedback.as_slice()).unwrap_or_default();
        self.media.has_transport_cc() || feedback.iter().any(|one| one.what == "goog-remb")
    }

    /// Says what is to be sent from now on; whether a key frame is needed for that.
    fn set_layers(&mut self, producer: &Producer, layers: Option<LayerPair>) -> bool {
        let Some(layers) = layers else {
            self.source = Source::default();
            return false;
        };
        let target = if producer.is_simulcast() { usize::from(layers.spatial) } else { 0 };
        let Some(stream) = producer.streams.get(target) else { return false };
        let wanted = if producer.is_simulcast() {
            LayerPair { spatial: u8::MAX, ..layers }
        } else if stream.shares.seen == (layers.spatial, layers.temporal) {
            // The highest that was seen: what may come above it is welcome, too.
            self.preferred
        } else {
            layers
        };
        let before = std::mem::replace(&mut self.source.target_layers, wanted);
        self.filter.wanted = match self.source.current {
            // Until the smaller one begins, as little as possible of the larger one.
            Some(current) if target < current => LayerPair { temporal: 0, ..LayerPair::ALL },
            Some(current) if target > current => LayerPair { spatial: u8::MAX, ..self.preferred },
            _ => wanted,
        };
        let is_new = self.source.target != Some(target);
        if is_new {
            self.source.target = Some(target);
            self.source.target_cursor = stream.store.head();
        }
        let most = stream.shares.seen.0;
        let (before, wanted) = (before.spatial.min(most), wanted.spatial.min(most));
        let waits = wanted > self.filter.current.spatial
            || self.is_keyed && wanted < self.filter.current.spatial.min(most);
        let needs_key_frame =
            !producer.is_simulcast() && self.source.current.is_some() && waits && wanted != before;
        is_new && self.source.current != Some(target) || needs_key_frame
    }

    /// The layers that are being sent, in the producer's terms.
    pub(super) fn layers_sent(&self, producer: &Producer) -> Option<LayerPair> {
        let current = self.source.current?;
        let temporal = self.filter.current.temporal;
        Some(if producer.is_simulcast() {
            LayerPair { spatial: current as u8, temporal }
        } else {
            LayerPair { spatial: self.filter.current.spatial, temporal }
        })
    }

    /// What is to be told of layers, if it has changed.
    pub(super) fn poll_layers(&mut self) -> Option<Happening> {
        if self.kind == MediaKind::Audio || !self.has_layers {
            return None;
        }
        let most = (self.offered.spatial.saturating_sub(1), self.offered.temporal.saturating_sub(1));
        let layers = self.source.current.map(|stream| {
            let spatial = if self.is_simulcast { stream as u8 } else { self.filter.current.spatial };
            (spatial.min(most.0), Some(self.filter.current.temporal.min(most.1)))
        });
        if self.told_layers == layers {
            return None;
        }
        self.told_layers = layers;
        Some(Happening::LayersChanged { consumer: self.id, layers })
    }
}
