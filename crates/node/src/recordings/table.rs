//! The recordings under way, and who waits for what of them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use taoyao_media::TapId;
use taoyao_ortc::control::RoomName;
use taoyao_ortc::{ProducerId, Recorded, Refused};
use taoyao_record::{Recorder, RecordingId};

/// Counts of the node's recorder.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordingStats {
    pub(crate) under_way: u64,
    pub(crate) kept: u64,
    pub(crate) kept_bytes: u64,
    pub(crate) started: u64,
    pub(crate) refused: u64,
    pub(crate) dropped_packets: u64,
}

#[derive(Default)]
pub(super) struct Table(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    recordings: BTreeMap<RecordingId, UnderWay>,
    started: u64,
    refused: u64,
    dropped_packets: u64,
}

/// One recording from the wish for it until its file is complete.
#[derive(Debug)]
pub(super) struct UnderWay {
    pub(super) room: RoomName,
    member: String,
    /// Of whoever waits for its beginning.
    start: Option<u64>,
    pub(super) tap: Option<TapId>,
    /// What is to be tapped, too, as soon as there is a tap.
    more: Vec<ProducerId>,
    /// Of whoever has asked for its end; 0 for somebody who does not wait.
    stop: Option<u64>,
}

impl Table {
    pub(super) fn begin(&self, id: RecordingId, room: RoomName, member: String, number: u64) {
        let under_way =
            UnderWay { room, member, start: Some(number), tap: None, more: Vec::new(), stop: None };
        self.inner().recordings.insert(id, under_way);
    }

    /// Returns what has been asked for since, which is not tapped.
    pub(super) fn tapped(&self, id: &RecordingId, tap: TapId) -> Vec<ProducerId> {
        let mut inner = self.inner();
        let Some(under_way) = inner.recordings.get_mut(id) else { return Vec::new() };
        under_way.tap = Some(tap);
        std::mem::take(&mut under_way.more)
    }

    /// The tap of the member's recording, which is to tap these, too; none if there is none yet, or if there is no such
    /// recording.
    pub(super) fn widen(&self, room: &RoomName, member: &str, producers: &[ProducerId]) -> Option<TapId> {
        let mut inner = self.inner();
        let mut recordings = inner.recordings.values_mut();
        let under_way = recordings.find(|one| one.is_of(room, member) && one.stop.is_none())?;
        if under_way.tap.is_none() {
            under_way.more.extend_from_slice(producers);
        }
        under_way.tap
    }

    /// It has begun: the answer to whoever waits, and whether its end has been asked for meanwhile.
    pub(super) fn started(&self, id: &RecordingId, path: String) -> (Option<Recorded>, bool) {
        let mut inner = self.inner();
        inner.started += 1;
        let Some(under_way) = inner.recordings.get_mut(id) else { return (None, true) };
        let number = under_way.start.take();
        (number.and_then(|number| under_way.answer(number, Ok(Some(path)))), under_way.stop.is_some())
    }

    /// The member's recording whose end nobody has asked for yet; somebody has now.
    pub(super) fn stop(&self, room: &RoomName, member: &str, number: u64) -> Option<RecordingId> {
        let mut inner = self.inner();
        let mut recordings = inner.recordings.iter_mut();
        let is_wanted = |one: &UnderWay| one.is_of(room, member) && one.stop.is_none();
        let (id, under_way) = recordings.find(|(_, one)| is_wanted(one))?;
        under_way.stop = Some(number);
        Some(id.clone())
    }

    pub(super) fn tap_of(&self, id: &RecordingId) -> Option<(RoomName, TapId)> {
        let inner = self.inner();
        let under_way = inner.recordings.get(id)?;
        Some((under_way.room.clone(), under_way.tap?))
    }

    pub(super) fn end(&self, id: &RecordingId) -> Option<UnderWay> {
        self.inner().recordings.remove(id)
    }

    pub(super) fn count_refused(&self) {
        self.inner().refused += 1;
    }

    pub(super) fn count_dropped(&self, packets: u64) {
        self.inner().dropped_packets += packets;
    }

    pub(super) fn stats(&self, recorder: &Recorder) -> RecordingStats {
        let (kept, kept_bytes) = recorder.kept();
        let inner = self.inner();
        RecordingStats {
            under_way: inner.recordings.len() as u64,
            kept,
            kept_bytes,
            started: inner.started,
            refused: inner.refused,
            dropped_packets: inner.dropped_packets,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nothing is left half done by a thread that died.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay {
    fn is_of(&self, room: &RoomName, member: &str) -> bool {
        self.room == *room && self.member == member
    }

    /// What is told at its end: the answer to whoever asked for it, or that it ended by itself.
    pub(super) fn told(&self, result: Result<Option<String>, Refused>) -> Option<Recorded> {
        match self.stop {
            Some(number) => self.answer(number, result),
            None => Some(self.recorded(0, result)),
        }
    }

    /// What is told if it does not even begin: to whoever wanted it, and to whoever wanted its end.
    pub(super) fn refused(&self, why: &Refused) -> Vec<Recorded> {
        let start = self.start.and_then(|number| self.answer(number, Err(why.clone())));
        let stop = self.stop.and_then(|number| self.answer(number, Ok(None)));
        start.into_iter().chain(stop).collect()
    }

    fn answer(&self, number: u64, result: Result<Option<String>, Refused>) -> Option<Recorded> {
        (number != 0).then(|| self.recorded(number, result))
    }

    fn recorded(&self, number: u64, result: Result<Option<String>, Refused>) -> Recorded {
        Recorded { room: self.room.clone(), member: self.member.clone(), number, result }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> RecordingId {
        text.parse().unwrap()
    }

    fn table() -> Table {
        let table = Table::default();
        table.begin(id("a"), "room".into(), "ann".to_owned(), 7);
        table
    }

    #[test]
    fn an_end_that_is_asked_for_before_the_beginning_is_not_forgotten() {
        let table = table();
        assert_eq!(table.stop(&"room".into(), "ann", 8), Some(id("a")));
        let (begun, is_over) = table.started(&id("a"), "/a".to_owned());
        assert!(begun.is_some_and(|begun| begun.number == 7) && is_over);
        let ended = table.end(&id("a")).unwrap().told(Ok(Some("/a".to_owned()))).unwrap();
        assert_eq!((ended.number, ended.result), (8, Ok(Some("/a".to_owned()))));
    }

    #[test]
    fn a_recording_that_is_ending_is_not_the_members_next_one() {
        let table = table();
        assert_eq!(table.stop(&"room".into(), "ann", 0), Some(id("a")));
        assert_eq!(table.stop(&"room".into(), "ann", 9), None);
        table.begin(id("b"), "room".into(), "ann".to_owned(), 10);
        assert_eq!(table.stop(&"room".into(), "ann", 11), Some(id("b")));
        assert_eq!(table.end(&id("a")).unwrap().told(Ok(None)), None, "nobody waits for the first one's end");
    }

    #[test]
    fn what_is_added_before_there_is_a_tap_is_tapped_with_it() {
        let (table, producer) = (table(), ProducerId::of_random(9));
        assert_eq!(table.widen(&"room".into(), "ann", &[producer]), None);
        assert_eq!(table.widen(&"room".into(), "bob", &[producer]), None);
        assert_eq!(table.inner().recordings[&id("a")].more, [producer]);
        assert_eq!(table.stop(&"room".into(), "ann", 0), Some(id("a")));
        assert_eq!(table.widen(&"room".into(), "ann", &[producer]), None, "its end was asked for");
        assert_eq!(table.inner().recordings[&id("a")].more, [producer]);
    }

    #[test]
    fn one_that_ends_by_itself_says_so_and_one_that_never_began_refuses() {
        let table = table();
        table.started(&id("a"), "/a".to_owned());
        let told = table.end(&id("a")).unwrap().told(Ok(None)).unwrap();
        assert_eq!((told.number, told.member.as_str()), (0, "ann"));
        table.begin(id("b"), "room".into(), "bob".to_owned(), 12);
        let refused = table.end(&id("b")).unwrap().refused(&Refused::Full("full".to_owned()));
        assert_eq!(refused.len(), 1);
        assert_eq!(refused[0].number, 12);
    }
}
