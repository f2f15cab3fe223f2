//! Who has the floor: whoever is clearly louder for a while takes it, a cough does not.

/// In dBov; what is softer is no speech.
pub(super) const SPEECH: i8 = -60;
/// By how much, in dB, somebody has to be louder than the one who has the floor and speaks.
const LOUDER: i16 = 6;
/// Intervals in a row in which somebody has to be the one.
const INTERVALS: u8 = 2;

#[derive(Debug, Default)]
pub(super) struct Floor {
    holder: Option<usize>,
    claim: Option<(usize, u8)>,
}

impl Floor {
    /// `levels`: the loudest first. The new holder, if it changed.
    pub(super) fn handle_levels(&mut self, levels: &[(usize, i8)]) -> Option<usize> {
        let level_of = |speaker: usize| levels.iter().find(|(at, _)| *at == speaker).map(|(_, level)| *level);
        let held = self.holder.and_then(level_of).filter(|level| *level >= SPEECH);
        let loudest = levels.first().filter(|(_, level)| *level >= SPEECH);
        let claimant = loudest.filter(|(at, level)| {
            let is_louder = held.is_none_or(|held| i16::from(*level) >= i16::from(held) + LOUDER);
            self.holder != Some(*at) && is_louder
        });
        let Some(&(claimant, _)) = claimant else {
            self.claim = None;
            return None;
        };
        let before = self.claim.filter(|(at, _)| *at == claimant).map_or(0, |(_, count)| count);
        self.claim = Some((claimant, before + 1));
        // An empty floor is taken at once.
        if self.holder.is_some() && before + 1 < INTERVALS {
            return None;
        }
        self.claim = None;
        self.holder = Some(claimant);
        self.holder
    }

    pub(super) fn remove(&mut self, speaker: usize) {
        self.holder = self.holder.filter(|holder| *holder != speaker);
        self.claim = self.claim.filter(|(claimant, _)| *claimant != speaker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_taken_by_speaking_louder_for_a_while() {
        let mut floor = Floor::default();
        assert_eq!(floor.handle_levels(&[(1, -80)]), None, "nobody speaks");
        assert_eq!(floor.handle_levels(&[(1, -30)]), Some(1));
        assert_eq!(floor.handle_levels(&[(2, -10), (1, -30)]), None, "a cough");
        assert_eq!(floor.handle_levels(&[(1, -30)]), None);
        assert_eq!(floor.handle_levels(&[(2, -28), (1, -30)]), None, "hardly louder");
        assert_eq!(floor.handle_levels(&[(2, -28), (1, -30)]), None);
        assert_eq!(floor.handle_levels(&[(2, -30)]), None);
        assert_eq!(floor.handle_levels(&[(2, -30)]), Some(2));
        floor.remove(2);
        assert_eq!(floor.handle_levels(&[(1, -30)]), Some(1));
    }
}
