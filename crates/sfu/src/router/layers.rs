//! Which packets of a stream a consumer gets: layers go up where a decoder can follow, and down between pictures.

use crate::codec::{Facts, Indication, Structure};

/// A spatial and a temporal layer, from 0; the highest that is meant, or that is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct LayerPair {
    pub(super) spatial: u8,
    pub(super) temporal: u8,
}

impl LayerPair {
    pub(super) const ALL: Self = Self { spatial: u8::MAX, temporal: u8::MAX };
    pub(super) const LOWEST: Self = Self { spatial: 0, temporal: 0 };

    pub(super) fn min(self, other: Self) -> Self {
        Self { spatial: self.spatial.min(other.spatial), temporal: self.temporal.min(other.temporal) }
    }
}

/// What becomes of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Forward {
        /// It is the last of what this receiver gets of its picture.
        ends_picture: bool,
    },
    LeaveOut,
}

/// The layers of one stream on their way to one consumer.
#[derive(Debug, Clone, Copy)]
pub(super) struct LayerFilter {
    pub(super) wanted: LayerPair,
    pub(super) current: LayerPair,
    /// AV1: the decode target that is being sent.
    target: Option<u8>,
}

impl LayerFilter {
    pub(super) fn new(wanted: LayerPair) -> Self {
        Self { wanted, current: wanted, target: None }
    }

    /// Everything begins anew at a key frame.
    pub(super) fn restart(&mut self, wanted: LayerPair) {
        self.wanted = wanted;
        self.current = self.wanted;
        self.target = None;
    }

    pub(super) fn admit(&mut self, facts: &Facts, has_marker: bool, structure: &Structure) -> Verdict {
        match facts.targets {
            Some(targets) => self.admit_described(facts, targets, has_marker, structure),
            None => self.admit_layers(facts, has_marker),
        }
    }

    fn admit_layers(&mut self, facts: &Facts, has_marker: bool) -> Verdict {
        if facts.is_key {
            self.current = self.wanted;
        } else if facts.starts_picture {
            self.current = self.current.min(self.wanted);
        }
        let is_next = facts.temporal > self.current.temporal && facts.temporal <= self.wanted.temporal;
        if is_next && facts.is_switching_point && facts.starts_picture {
            self.current.temporal = facts.temporal;
        } else if facts.frees_upper && facts.temporal <= self.current.temporal {
            self.current.temporal = self.current.temporal.max(self.wanted.temporal);
        }
        if facts.spatial > self.current.spatial || facts.temporal > self.current.temporal {
            return Verdict::LeaveOut;
        }
        let ends_picture = has_marker || facts.ends_frame && facts.spatial == self.current.spatial;
        Verdict::Forward { ends_picture }
    }

    fn admit_described(
        &mut self,
        facts: &Facts,
        targets: u64,
        has_marker: bool,
        structure: &Structure,
    ) -> Verdict {
        self.retarget(facts, targets, structure);
        let indication = self.target.map(|target| Indication::of(targets, target));
        if indication == Some(Indication::Absent) {
            return Verdict::LeaveOut;
        }
        let ends_picture = has_marker || facts.ends_frame && facts.spatial == self.current.spatial;
        Verdict::Forward { ends_picture }
    }

    /// Goes over to the wanted decode target with a frame that can be decoded now and says that those after it can be.
    fn retarget(&mut self, facts: &Facts, targets: u64, structure: &Structure) {
        let wanted = structure.target_within(self.wanted.spatial, self.wanted.temporal);
        let Some(wanted) = wanted.filter(|wanted| self.target != Some(*wanted)) else { return };
        let can_follow = self.target.is_none_or(|target| {
            let is_decodable = Indication::of(targets, target) != Indication::Absent;
            facts.is_key || is_decodable && Indication::of(targets, wanted) == Indication::Switch
        });
        // Fewer pictures of the same size can be had at once, whatever else is waited for.
        let fewer =
            structure.target_within(self.current.spatial, self.wanted.temporal.min(self.current.temporal));
        let new = if can_follow { Some(wanted) } else { fewer.filter(|_| facts.starts_picture) };
        if let Some(new) = new.filter(|new| self.target != Some(*new)) {
            let (spatial, temporal) = structure.target_layers(new);
            self.target = Some(new);
            self.current = LayerPair { spatial, temporal };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(spatial: u8, temporal: u8) -> Facts {
        Facts { spatial, temporal, starts_picture: spatial == 0, ends_frame: true, ..Facts::default() }
    }

    fn is_sent(filter: &mut LayerFilter, facts: Facts) -> bool {
        filter.admit(&facts, false, &Structure::default()) != Verdict::LeaveOut
    }

    #[test]
    fn spatial_layers_go_down_between_pictures_and_up_at_a_key_frame() {
        let mut filter = LayerFilter::new(LayerPair { spatial: 2, temporal: 0 });
        assert!(is_sent(&mut filter, packet(0, 0)) && is_sent(&mut filter, packet(1, 0)));
        filter.wanted.spatial = 1;
        assert!(is_sent(&mut filter, packet(2, 0)), "the picture is sent to its end");
        assert!(is_sent(&mut filter, packet(0, 0)));
        assert!(!is_sent(&mut filter, packet(2, 0)));
        let end = filter.admit(&packet(1, 0), false, &Structure::default());
        assert_eq!(end, Verdict::Forward { ends_picture: true });
        filter.wanted.spatial = 2;
        assert!(is_sent(&mut filter, packet(0, 0)) && !is_sent(&mut filter, packet(2, 0)));
        assert!(is_sent(&mut filter, Facts { is_key: true, ..packet(0, 0) }));
        assert!(is_sent(&mut filter, packet(2, 0)));
    }

    #[test]
    fn nothing_begins_in_the_middle_of_a_picture() {
        let mut filter = LayerFilter::new(LayerPair { spatial: 0, temporal: 0 });
        let sync = Facts { is_switching_point: true, ..packet(0, 1) };
        assert!(!is_sent(&mut filter, sync));
        filter.wanted.temporal = 1;
        assert!(!is_sent(&mut filter, Facts { starts_picture: false, ..sync }));
        assert!(is_sent(&mut filter, sync));
    }

    #[test]
    fn a_picture_may_free_all_layers_above_its_own() {
        let mut filter = LayerFilter::new(LayerPair { spatial: 0, temporal: 0 });
        filter.wanted.temporal = 2;
        assert!(!is_sent(&mut filter, packet(0, 2)));
        assert!(is_sent(&mut filter, Facts { frees_upper: true, ..packet(0, 0) }));
        assert!(is_sent(&mut filter, packet(0, 2)));
    }

    #[test]
    fn temporal_layers_go_up_at_switching_points() {
        let mut filter = LayerFilter::new(LayerPair { spatial: 0, temporal: 0 });
        assert!(is_sent(&mut filter, packet(0, 0)) && !is_sent(&mut filter, packet(0, 2)));
        filter.wanted.temporal = 2;
        assert!(!is_sent(&mut filter, packet(0, 2)));
        assert!(is_sent(&mut filter, Facts { is_switching_point: true, ..packet(0, 1) }));
        assert!(!is_sent(&mut filter, packet(0, 2)) && is_sent(&mut filter, packet(0, 1)));
    }
}
