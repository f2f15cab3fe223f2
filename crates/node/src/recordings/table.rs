//! The recordings under way, and who waits for what of them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use taoyao_media::TapId;
use taoyao_ortc::control::RoomName;
use taoyao_ortc::{ProducerId, RecordCommand, RecordEnd, RecordSource, Recorded, Refused};
use taoyao_record::{Recorder, RecordingId};
use taoyao_types::limits::ROOM_RECORDING_PRODUCERS_MAX;

/// Counts of the node's recorder.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordingStats {
    pub(crate) under_way: u64,
    pub(crate) kept: u64,
    pub(crate) kept_bytes: u64,
    pub(crate) is_up: bool,
    pub(crate) started: u64,
    pub(crate) refused: u64,
    /// By reason, in the order of [`RecordEnd::ALL`].
    pub(crate) ended: [u64; RecordEnd::ALL.len()],
    pub(crate) dropped_packets: u64,
}

#[derive(Default)]
pub(super) struct Table(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    recordings: BTreeMap<RecordingId, UnderWay>,
    started: u64,
    refused: u64,
    ended: [u64; RecordEnd::ALL.len()],
    dropped_packets: u64,
}

/// One recording from the wish for it until its file is complete.
#[derive(Debug)]
pub(super) struct UnderWay {
    pub(super) room: RoomName,
    member: String,
    /// Of the command that began it.
    number: u64,
    /// Whether somebody waits for its beginning.
    is_awaited: bool,
    pub(super) tap: Option<TapId>,
    /// What its tracks are called.
    labels: BTreeMap<ProducerId, String>,
    /// What is to be tapped, too, as soon as there is a tap.
    more: Vec<ProducerId>,
    /// Of the command that asked for its end, 0 where nobody waits for that; and why.
    stop: Option<(u64, RecordEnd)>,
}

impl Table {
    pub(super) fn begin(&self, id: RecordingId, of: &RecordCommand, sources: &[RecordSource]) {
        let under_way = UnderWay {
            room: RoomName::clone(&of.room),
            member: of.member.clone(),
            number: of.number,
            is_awaited: true,
            tap: None,
            labels: sources.iter().map(|source| (source.producer, source.label.clone())).collect(),
            more: Vec::new(),
            stop: None,
        };
        self.inner().recordings.insert(id, under_way);
    }

    /// What a track is called.
    pub(super) fn label(&self, id: &RecordingId, producer: ProducerId) -> String {
        let inner = self.inner();
        let labels = inner.recordings.get(id).map(|under_way| &under_way.labels);
        labels.and_then(|labels| labels.get(&producer)).cloned().unwrap_or_default()
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
    pub(super) fn widen(&self, room: &RoomName, member: &str, sources: &[RecordSource]) -> Option<TapId> {
        let mut inner = self.inner();
        let mut recordings = inner.recordings.values_mut();
        let under_way = recordings.find(|one| one.is_of(room, member) && one.stop.is_none())?;
        for source in sources {
            if under_way.labels.len() < ROOM_RECORDING_PRODUCERS_MAX {
                under_way.labels.insert(source.producer, source.label.clone());
            }
            if under_way.tap.is_none() {
                under_way.more.push(source.producer);
            }
        }
        under_way.tap
    }

    /// It has begun: the answer to whoever waits, and why it is to end already, if somebody has asked for that meanwhile.
    pub(super) fn started(&self, id: &RecordingId, path: String) -> (Option<Recorded>, Option<RecordEnd>) {
        let mut inner = self.inner();
        inner.started += 1;
        let Some(under_way) = inner.recordings.get_mut(id) else { return (None, Some(RecordEnd::Stopped)) };
        let is_awaited = std::mem::take(&mut under_way.is_awaited);
        let number = under_way.number;
        let begun = is_awaited.then(|| under_way.answer(number, Ok(Some(path)), None)).flatten();
        (begun, under_way.stop.map(|(_, end)| end))
    }

    /// The member's recording whose end nobody has asked for yet; somebody has now.
    pub(super) fn stop(
        &self,
        room: &RoomName,
        member: &str,
        number: u64,
        end: RecordEnd,
    ) -> Option<RecordingId> {
        let mut inner = self.inner();
        let mut recordings = inner.recordings.iter_mut();
        let is_wanted = |one: &UnderWay| one.is_of(room, member) && one.stop.is_none();
        let (id, under_way) = recordings.find(|(_, one)| is_wanted(one))?;
        under_way.stop = Some((number, end));
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

    pub(super) fn count_ended(&self, end: RecordEnd) {
        let place = RecordEnd::ALL.iter().position(|known| *known == end);
        let mut inner = self.inner();
        if let Some(count) = place.and_then(|place| inner.ended.get_mut(place)) {
            *count += 1;
        }
    }

    pub(super) fn count_dropped(&self, packets: u64) {
        self.inner().dropped_packets += packets;
    }

    /// Without a recorder nothing is kept that is known of.
    pub(super) fn stats(&self, recorder: Option<&Recorder>) -> RecordingStats {
        let (kept, kept_bytes) = recorder.map(Recorder::kept).unwrap_or_default();
        let inner = self.inner();
        RecordingStats {
            under_way: inner.recordings.len() as u64,
            is_up: recorder.is_some(),
            kept,
            kept_bytes,
            started: inner.started,
            refused: inner.refused,
            ended: inner.ended,
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
    pub(super) fn told(&self, result: Result<Option<String>, Refused>, end: RecordEnd) -> Option<Recorded> {
        match self.stop {
            Some((number, _)) => self.answer(number, result, Some(end)),
            None => Some(self.recorded(0, result, Some(end))),
        }
    }

    /// What is told if it does not even begin: to whoever wanted it, and to whoever wanted its end.
    pub(super) fn refused(&self, why: &Refused) -> Vec<Recorded> {
        let start = self.is_awaited.then(|| self.answer(self.number, Err(why.clone()), None)).flatten();
        let stop = self.stop.and_then(|(number, _)| self.answer(number, Ok(None), None));
        start.into_iter().chain(stop).collect()
    }

    fn answer(
        &self,
        number: u64,
        result: Result<Option<String>, Refused>,
        end: Option<RecordEnd>,
    ) -> Option<Recorded> {
        (number != 0).then(|| self.recorded(number, result, end))
    }

    fn recorded(
        &self,
        number: u64,
        result: Result<Option<String>, Refused>,
        end: Option<RecordEnd>,
    ) -> Recorded {
        let (room, member) = (self.room.clone(), self.member.clone());
        Recorded { room, member, number, recording: self.number, result, end }
    }
}

#[cfg(test)]
mod tests {
    use taoyao_ortc::{MediaKind, RecordAct};

    use super::*;

    const STOPPED: RecordEnd = RecordEnd::Stopped;

    fn id(text: &str) -> RecordingId {
        text.parse().unwrap()
    }

    fn begin(table: &Table, name: &str, member: &str, number: u64) {
        let act = RecordAct::Stop { end: STOPPED };
        let command = RecordCommand { room: "room".into(), member: member.to_owned(), number, act };
        table.begin(id(name), &command, &[]);
    }

    fn table() -> Table {
        let table = Table::default();
        begin(&table, "a", "ann", 7);
        table
    }

    #[test]
    fn an_end_that_is_asked_for_before_the_beginning_is_not_forgotten() {
        let table = table();
        assert_eq!(table.stop(&"room".into(), "ann", 8, RecordEnd::Left), Some(id("a")));
        let (begun, end) = table.started(&id("a"), "/a".to_owned());
        assert!(begun.is_some_and(|begun| begun.number == 7) && end == Some(RecordEnd::Left));
        let ended = table.end(&id("a")).unwrap().told(Ok(Some("/a".to_owned())), RecordEnd::Left).unwrap();
        assert_eq!((ended.number, ended.recording, ended.end), (8, 7, Some(RecordEnd::Left)));
    }

    #[test]
    fn a_recording_that_is_ending_is_not_the_members_next_one() {
        let table = table();
        assert_eq!(table.stop(&"room".into(), "ann", 0, STOPPED), Some(id("a")));
        assert_eq!(table.stop(&"room".into(), "ann", 9, STOPPED), None);
        begin(&table, "b", "ann", 10);
        assert_eq!(table.stop(&"room".into(), "ann", 11, STOPPED), Some(id("b")));
        assert_eq!(table.end(&id("a")).unwrap().told(Ok(None), STOPPED), None, "nobody waits for the first");
    }

    #[test]
    fn what_is_added_before_there_is_a_tap_is_tapped_with_it_and_keeps_its_name() {
        let (table, producer) = (table(), ProducerId::of_random(9));
        let source = [RecordSource { producer, kind: MediaKind::Audio, label: "Ann audio".to_owned() }];
        assert_eq!(table.widen(&"room".into(), "ann", &source), None);
        assert_eq!(table.widen(&"room".into(), "bob", &source), None);
        assert_eq!(table.inner().recordings[&id("a")].more, [producer]);
        assert_eq!(table.label(&id("a"), producer), "Ann audio");
        assert_eq!(table.stop(&"room".into(), "ann", 0, STOPPED), Some(id("a")));
        assert_eq!(table.widen(&"room".into(), "ann", &source), None, "its end was asked for");
        assert_eq!(table.inner().recordings[&id("a")].more, [producer]);
    }

    #[test]
    fn one_that_ends_by_itself_says_why_and_one_that_never_began_refuses() {
        let table = table();
        table.started(&id("a"), "/a".to_owned());
        let told = table.end(&id("a")).unwrap().told(Ok(None), RecordEnd::DiskFull).unwrap();
        assert_eq!((told.number, told.recording, told.member.as_str()), (0, 7, "ann"));
        assert_eq!(told.end, Some(RecordEnd::DiskFull));
        begin(&table, "b", "bob", 12);
        let refused = table.end(&id("b")).unwrap().refused(&Refused::Full("full".to_owned()));
        assert_eq!((refused.len(), refused[0].number), (1, 12));
    }

    #[test]
    fn ends_are_counted_by_their_reasons() {
        let table = table();
        for end in RecordEnd::ALL {
            table.count_ended(end);
        }
        table.count_ended(RecordEnd::DiskFull);
        let ended = table.stats(None).ended;
        assert_eq!(ended.iter().sum::<u64>(), RecordEnd::ALL.len() as u64 + 1);
        assert_eq!(ended.iter().filter(|count| **count == 2).count(), 1);
    }
}
