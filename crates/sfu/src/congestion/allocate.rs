//! Which layers the consumers of one transport get of the bitrate that there is.

/// A layer that is not sent yet must fit with this much to spare, so that it is not given and taken in turns.
const UP_PERCENT: u64 = 110;
/// One that is sent stays until it no longer fits by this much.
const STAY_PERCENT: u64 = 95;

/// What one consumer could be sent.
#[derive(Debug, Clone, Copy)]
pub struct Demand<'a> {
    /// 1 to 255; the higher ones are satisfied first.
    pub priority: u8,
    /// The bitrate of each choice of layers, in bit/s, rising; a choice includes those below it.
    pub choices: &'a [u64],
    /// The choice that is sent now.
    pub current: Option<usize>,
}

/// Chooses for each demand, into `chosen`: the index of a choice, or nothing at all. Returns the bitrate that remains.
///
/// Everyone gets the lowest choice, the highest priorities first; then those of the highest priority rise in turns, a
/// choice each, as long as there is enough, then those of the next. Equals are served in their order.
pub fn allocate(available: u64, demands: &[Demand<'_>], chosen: &mut [Option<usize>]) -> u64 {
    debug_assert_eq!(demands.len(), chosen.len(), "a place for each demand");
    let mut left = available;
    chosen.fill(None);
    for priority in priorities(demands) {
        rise(&mut left, priority, demands, chosen);
    }
    for priority in priorities(demands) {
        while rise(&mut left, priority, demands, chosen) {}
    }
    left
}

/// What it takes for everyone to rise to the best choice.
pub fn total(demands: &[Demand<'_>]) -> u64 {
    let best = demands.iter().filter_map(|demand| demand.choices.last());
    best.map(|bitrate| with_spare(*bitrate, UP_PERCENT)).sum()
}

/// Those that occur, the highest first.
fn priorities(demands: &[Demand<'_>]) -> impl Iterator<Item = u8> {
    let below = |bound: Option<u8>| {
        let lower = demands.iter().map(|demand| demand.priority);
        lower.filter(move |priority| bound.is_none_or(|bound| *priority < bound)).max()
    };
    std::iter::successors(below(None), move |last| below(Some(*last)))
}

/// One choice more for each of this priority, where it fits. Whether anybody rose.
fn rise(left: &mut u64, priority: u8, demands: &[Demand<'_>], chosen: &mut [Option<usize>]) -> bool {
    let mut has_risen = false;
    for (demand, chosen) in demands.iter().zip(chosen).filter(|(demand, _)| demand.priority == priority) {
        let next = chosen.map_or(0, |chosen| chosen + 1);
        let Some(bitrate) = demand.choices.get(next) else { continue };
        let paid = chosen.and_then(|chosen| demand.choices.get(chosen)).copied().unwrap_or(0);
        let cost = bitrate.saturating_sub(paid);
        let is_sent = demand.current.is_some_and(|current| next <= current);
        let percent = if is_sent { STAY_PERCENT } else { UP_PERCENT };
        // What remains has to bear the spare of the whole choice, not only of the step.
        if with_spare(*bitrate, percent).saturating_sub(paid) <= *left {
            *left = left.saturating_sub(cost);
            *chosen = Some(next);
            has_risen = true;
        }
    }
    has_risen
}

fn with_spare(bitrate: u64, percent: u64) -> u64 {
    bitrate.saturating_mul(percent) / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIMULCAST: &[u64] = &[150_000, 500_000, 1_500_000];

    fn demand(priority: u8, current: Option<usize>) -> Demand<'static> {
        Demand { priority, choices: SIMULCAST, current }
    }

    fn choose(available: u64, demands: &[Demand<'_>]) -> Vec<Option<usize>> {
        let mut chosen = vec![None; demands.len()];
        let left = allocate(available, demands, &mut chosen);
        assert!(left <= available);
        chosen
    }

    #[test]
    fn equals_rise_together() {
        let demands = [demand(1, None); 3];
        assert_eq!(choose(400_000, &demands), [Some(0), Some(0), None]);
        assert_eq!(choose(1_700_000, &demands), [Some(1), Some(1), Some(1)]);
        assert_eq!(choose(2_800_000, &demands), [Some(2), Some(1), Some(1)]);
        assert_eq!(choose(5_000_000, &demands), [Some(2), Some(2), Some(2)]);
        assert_eq!(total(&demands), 4_950_000);
    }

    #[test]
    fn the_higher_priority_rises_first_but_nobody_starves() {
        let demands = [demand(1, None), demand(9, None), demand(1, None)];
        assert_eq!(choose(2_000_000, &demands), [Some(0), Some(2), Some(0)]);
        assert_eq!(choose(170_000, &demands), [None, Some(0), None]);
        assert_eq!(choose(0, &demands), [None, None, None]);
    }

    #[test]
    fn a_layer_is_not_given_and_taken_in_turns() {
        assert_eq!(choose(520_000, &[demand(1, Some(0))]), [Some(0)], "500,000 would fit, but barely");
        assert_eq!(choose(480_000, &[demand(1, Some(1))]), [Some(1)], "barely does not fit, but is sent");
        assert_eq!(choose(450_000, &[demand(1, Some(1))]), [Some(0)]);
        assert_eq!(choose(560_000, &[demand(1, Some(0))]), [Some(1)]);
    }

    #[test]
    fn consumers_without_choices_get_nothing() {
        assert_eq!(choose(1_000_000, &[Demand { priority: 1, choices: &[], current: None }]), [None]);
        assert_eq!(choose(1_000_000, &[]), []);
    }
}
