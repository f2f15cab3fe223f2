//! Who is heard: volumes, who has the floor, and who is forwarded where only the last speakers are.

mod floor;
mod volume;

use std::collections::BTreeMap;
use std::time::Duration;

use taoyao_ortc::{Happening, ProducerId};
use taoyao_types::Instant;

use floor::Floor;
use volume::Volume;

/// Volumes are told, and speakers compared, this often (reference section 6.4).
const INTERVAL: Duration = Duration::from_millis(500);
/// How many are told, the loudest first (reference section 6.4).
const TOLD_MAX: usize = 2;

/// All producers of sound of one room, by the router's numbers for them.
#[derive(Debug)]
pub struct Speakers {
    speakers: BTreeMap<usize, Volume>,
    floor: Floor,
    due: Instant,
    /// Whether the last news was that nobody speaks.
    is_silent: bool,
    forwarded_max: Option<usize>,
    /// Those who spoke last come first.
    recent: Vec<usize>,
    changed: Vec<usize>,
}

impl Speakers {
    pub fn new(now: Instant, forwarded_max: Option<usize>) -> Self {
        Self {
            speakers: BTreeMap::new(),
            floor: Floor::default(),
            due: now + INTERVAL,
            is_silent: true,
            forwarded_max,
            recent: Vec::new(),
            changed: Vec::new(),
        }
    }

    pub fn add(&mut self, now: Instant, speaker: usize) {
        self.speakers.insert(speaker, Volume::default());
        self.recent.push(speaker);
        self.changed.push(speaker);
        self.due = self.due.max(now);
    }

    pub fn remove(&mut self, speaker: usize) {
        if self.speakers.remove(&speaker).is_none() {
            return;
        }
        self.recent.retain(|other| *other != speaker);
        self.changed.extend(&self.recent);
        self.floor.remove(speaker);
    }

    /// The byte of the header extension (RFC 6464): whether it is speech, and how far below the loudest it is, in dB.
    pub fn handle_level(&mut self, speaker: usize, byte: u8) {
        if let Some(volume) = self.speakers.get_mut(&speaker) {
            volume.add(byte & 0x7f);
        }
    }

    pub fn poll_timeout(&self) -> Instant {
        self.due
    }

    /// What is to be told after an interval. `id_of` names producers.
    pub fn handle_timeout(
        &mut self,
        now: Instant,
        id_of: impl Fn(usize) -> Option<ProducerId>,
    ) -> Vec<Happening> {
        if now < self.due {
            return Vec::new();
        }
        self.due = now + INTERVAL;
        let mut levels: Vec<(usize, i8)> = self
            .speakers
            .iter_mut()
            .filter_map(|(speaker, volume)| Some((*speaker, volume.take()?)))
            .collect();
        levels.sort_by_key(|(speaker, level)| (-level, *speaker));
        self.remember(&levels);
        let volumes = self.volumes(&levels, &id_of);
        let holder = self.floor.handle_levels(&levels).and_then(&id_of);
        let holder = holder.map(|producer| Happening::DominantSpeaker { producer });
        volumes.into_iter().chain(holder).collect()
    }

    /// Whether the sound of this one is forwarded.
    pub fn is_heard(&self, speaker: usize) -> bool {
        self.forwarded_max.is_none_or(|max| self.recent.iter().take(max).any(|other| *other == speaker))
    }

    /// Those for whom [`Self::is_heard`] may have changed.
    pub fn poll_changes(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.changed)
    }

    fn volumes(
        &mut self,
        levels: &[(usize, i8)],
        id_of: &impl Fn(usize) -> Option<ProducerId>,
    ) -> Option<Happening> {
        let told = levels.iter().take(TOLD_MAX);
        let volumes: Vec<_> = told.filter_map(|(at, level)| Some((id_of(*at)?, *level))).collect();
        let was_silent = std::mem::replace(&mut self.is_silent, volumes.is_empty());
        // Silence is told once.
        (!volumes.is_empty() || !was_silent).then_some(Happening::Volumes { volumes })
    }

    /// Those who are loud enough to speak move to the front, the loudest to the very front.
    fn remember(&mut self, levels: &[(usize, i8)]) {
        let Some(max) = self.forwarded_max else {
            self.changed.clear();
            return;
        };
        // They stand in the order of their levels.
        let loud = levels.iter().take(max).take_while(|(_, level)| *level >= floor::SPEECH).count();
        for (speaker, _) in levels[..loud].iter().rev() {
            self.recent.retain(|other| other != speaker);
            self.recent.insert(0, *speaker);
        }
        self.changed.clear();
        self.changed.extend(&self.recent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(at: usize) -> Option<ProducerId> {
        Some(ProducerId::of_random(at as u128))
    }

    fn say(speakers: &mut Speakers, speaker: usize, level: u8) {
        (0..25).for_each(|_| speakers.handle_level(speaker, level));
    }

    fn turn(speakers: &mut Speakers) -> Vec<Happening> {
        let due = speakers.poll_timeout();
        speakers.handle_timeout(due, id)
    }

    #[test]
    fn the_two_loudest_are_told_and_silence_once() {
        let mut speakers = Speakers::new(Instant(0), None);
        (0..3).for_each(|speaker| speakers.add(Instant(0), speaker));
        assert!(turn(&mut speakers).is_empty());
        say(&mut speakers, 0, 60);
        say(&mut speakers, 1, 20);
        say(&mut speakers, 2, 40);
        let volumes = vec![(id(1).unwrap(), -20), (id(2).unwrap(), -40)];
        assert_eq!(turn(&mut speakers)[0], Happening::Volumes { volumes });
        assert!(turn(&mut speakers).contains(&Happening::Volumes { volumes: Vec::new() }));
        assert!(turn(&mut speakers).is_empty());
    }

    #[test]
    fn only_the_last_speakers_are_heard_where_that_is_wished() {
        let mut speakers = Speakers::new(Instant(0), Some(2));
        (0..4).for_each(|speaker| speakers.add(Instant(0), speaker));
        say(&mut speakers, 3, 20);
        turn(&mut speakers);
        say(&mut speakers, 2, 20);
        say(&mut speakers, 0, 100);
        turn(&mut speakers);
        let heard: Vec<_> = (0..4).filter(|speaker| speakers.is_heard(*speaker)).collect();
        assert_eq!(heard, [2, 3]);
        speakers.remove(3);
        assert!(speakers.poll_changes().contains(&0) && speakers.is_heard(0));
    }
}
