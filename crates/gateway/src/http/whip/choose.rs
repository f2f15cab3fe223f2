//! Which of the streams of a room a player gets: of members who have sent lately, the newest first, sound and picture of one.

use taoyao_ortc::MediaKind;
use taoyao_sdp::Wanted;

/// A member and what it could send to the player.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) streams: Vec<Stream>,
}

/// One stream of a member, as the node's forwarder sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stream {
    pub(super) kind: MediaKind,
    pub(super) flow: Flow,
}

/// When packets of a stream came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// Nothing yet.
    Unheard,
    /// The first packet came so many milliseconds ago, the last one so many.
    Heard { first_ms: u64, last_ms: u64 },
    /// The node does not say.
    Untold,
}

/// A member that has not sent for so long has gone: browsers send a picture that stands still once in a second, silence
/// more often.
const LATELY_MS: u64 = 2_000;

impl Candidate {
    /// Whether any of its streams has come lately: sound may be muted while the picture goes on.
    pub(super) fn is_alive(&self) -> bool {
        self.streams.iter().any(|stream| match stream.flow {
            Flow::Heard { last_ms, .. } => last_ms <= LATELY_MS,
            Flow::Untold => true,
            Flow::Unheard => false,
        })
    }

    /// Milliseconds since it began.
    fn age_ms(&self) -> u64 {
        let first = self.streams.iter().filter_map(|stream| match stream.flow {
            Flow::Heard { first_ms, .. } => Some(first_ms),
            Flow::Unheard | Flow::Untold => None,
        });
        first.max().unwrap_or(u64::MAX)
    }

    /// Its streams of a kind, those that came lately first.
    fn of_kind(&self, kind: MediaKind) -> Vec<usize> {
        let is_quiet = |at: &usize| match self.streams[*at].flow {
            Flow::Heard { last_ms, .. } => last_ms > LATELY_MS,
            Flow::Untold => false,
            Flow::Unheard => true,
        };
        let mut of_kind: Vec<_> =
            (0..self.streams.len()).filter(|at| self.streams[*at].kind == kind).collect();
        of_kind.sort_by_key(is_quiet);
        of_kind
    }
}

/// A section, and which stream of which candidate it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) wanted: Wanted,
    pub(super) candidate: usize,
    pub(super) stream: usize,
}

/// The first section of sound and the first one of pictures belong together, the second ones as well, and so on; each such
/// group gets what one member sends. Members that send all that a group wants come first, and of them the newest.
pub(super) fn choose(wanted: &[Wanted], candidates: &[Candidate]) -> Vec<Choice> {
    let sections = |kind| wanted.iter().copied().filter(move |wanted| wanted.kind == kind);
    let (mut sound, mut pictures) = (sections(MediaKind::Audio), sections(MediaKind::Video));
    let mut groups = std::iter::from_fn(|| match (sound.next(), pictures.next()) {
        (None, None) => None,
        group => Some(group),
    });
    let kinds =
        [MediaKind::Audio, MediaKind::Video].map(|kind| wanted.iter().any(|wanted| wanted.kind == kind));
    let mut alive: Vec<usize> = (0..candidates.len()).filter(|at| candidates[*at].is_alive()).collect();
    alive.sort_by_key(|at| {
        let candidate = &candidates[*at];
        let has = |kind| candidate.streams.iter().any(|stream| stream.kind == kind);
        let lacks = [MediaKind::Audio, MediaKind::Video].into_iter().zip(kinds);
        (lacks.filter(|(kind, is_wanted)| *is_wanted && !has(*kind)).count(), candidate.age_ms())
    });
    let mut choices = Vec::new();
    for candidate in alive {
        let of_kind = |kind| candidates[candidate].of_kind(kind);
        let (sound, pictures) = (of_kind(MediaKind::Audio), of_kind(MediaKind::Video));
        let takes = |kind| wanted.iter().any(|wanted| wanted.kind == kind);
        let rounds = sound.len() * usize::from(takes(MediaKind::Audio));
        for round in 0..rounds.max(pictures.len() * usize::from(takes(MediaKind::Video))) {
            let Some((audio, video)) = groups.next() else { return choices };
            for (section, stream) in [(audio, sound.get(round)), (video, pictures.get(round))] {
                if let (Some(wanted), Some(&stream)) = (section, stream) {
                    choices.push(Choice { wanted, candidate, stream });
                }
            }
        }
    }
    choices
}

#[cfg(test)]
mod tests {
    use super::*;
    use MediaKind::{Audio, Video};

    fn heard(kind: MediaKind, first_ms: u64, last_ms: u64) -> Stream {
        Stream { kind, flow: Flow::Heard { first_ms, last_ms } }
    }

    fn member(streams: &[Stream]) -> Candidate {
        Candidate { streams: streams.to_vec() }
    }

    /// (section, candidate, stream) for each.
    fn chosen(kinds: &[MediaKind], candidates: &[Candidate]) -> Vec<(usize, usize, usize)> {
        let wanted: Vec<_> =
            kinds.iter().enumerate().map(|(section, &kind)| Wanted { section, kind }).collect();
        let choices = choose(&wanted, candidates);
        choices.iter().map(|one| (one.wanted.section, one.candidate, one.stream)).collect()
    }

    #[test]
    fn who_is_silent_does_not_count() {
        let dead = member(&[heard(Audio, 60_000, 2_500), heard(Video, 60_000, 2_500)]);
        let back = member(&[heard(Audio, 900, 20), heard(Video, 900, 30)]);
        let silent = member(&[Stream { kind: Audio, flow: Flow::Unheard }]);
        assert_eq!(chosen(&[Audio, Video], &[dead.clone(), silent.clone(), back]), [(0, 2, 0), (1, 2, 1)]);
        assert_eq!(chosen(&[Audio, Video], &[dead, silent]), []);
    }

    #[test]
    fn the_newest_comes_first_and_who_sends_all_that_is_wanted_before_it() {
        let old = member(&[heard(Audio, 9_000, 20), heard(Video, 9_000, 20)]);
        let new = member(&[heard(Video, 500, 20), heard(Audio, 500, 20)]);
        let newest = member(&[heard(Audio, 100, 20)]);
        let all = [old, new, newest];
        assert_eq!(chosen(&[Audio, Video], &all), [(0, 1, 1), (1, 1, 0)]);
        assert_eq!(chosen(&[Audio], &all), [(0, 2, 0)]);
    }

    #[test]
    fn sound_and_picture_are_never_of_two_members() {
        let (voice, camera) = (member(&[heard(Audio, 500, 20)]), member(&[heard(Video, 900, 20)]));
        assert_eq!(chosen(&[Audio, Video], &[camera, voice]), [(0, 1, 0)]);
    }

    #[test]
    fn a_second_group_is_of_the_next_or_of_what_else_one_sends() {
        let one = member(&[heard(Audio, 100, 20), heard(Video, 100, 20), heard(Video, 100, 20)]);
        let two = member(&[heard(Audio, 900, 20), heard(Video, 900, 20)]);
        let kinds = [Audio, Video, Audio, Video, Audio, Video];
        let both = [(0, 0, 0), (1, 0, 1), (3, 0, 2), (4, 1, 0), (5, 1, 1)];
        assert_eq!(chosen(&kinds, &[one, two]), both);
    }

    #[test]
    fn a_muted_voice_comes_with_its_picture_and_the_camera_that_runs_before_the_one_that_does_not() {
        let muted = member(&[heard(Audio, 900, 60_000), heard(Video, 900, 9_000), heard(Video, 900, 20)]);
        assert_eq!(chosen(&[Audio, Video], &[muted]), [(0, 0, 0), (1, 0, 2)]);
    }
}
