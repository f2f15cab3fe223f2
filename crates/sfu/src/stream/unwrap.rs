//! Running numbers of few bits, continued without end.

/// Continues numbers of `BITS` bits: what is nearest to the highest one so far is meant.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwrap<const BITS: u32> {
    highest: Option<u64>,
}

impl<const BITS: u32> Unwrap<BITS> {
    const CIRCLE: u64 = 1 << BITS;

    /// Numbers begin one circle up, so that what comes just before the first one is still above zero.
    pub fn extend(&mut self, number: u16) -> u64 {
        let number = u64::from(number) & (Self::CIRCLE - 1);
        let Some(highest) = self.highest else {
            self.highest = Some(Self::CIRCLE + number);
            return Self::CIRCLE + number;
        };
        let ahead = number.wrapping_sub(highest) & (Self::CIRCLE - 1);
        if ahead < Self::CIRCLE / 2 {
            self.highest = Some(highest + ahead);
            highest + ahead
        } else {
            (highest + ahead).saturating_sub(Self::CIRCLE)
        }
    }

    /// At a place where senders may begin anew with any number: what is not near to the highest does.
    pub fn extend_or_restart(&mut self, number: u16) -> u64 {
        const NEAR: u64 = 64;
        let ahead = self.highest.map_or(0, |highest| u64::from(number).wrapping_sub(highest)) % Self::CIRCLE;
        if ahead < NEAR || ahead > Self::CIRCLE - NEAR { self.extend(number) } else { self.restart(number) }
    }

    /// The numbers begin anew: the next one, whatever it is, lies well above all before.
    pub fn restart(&mut self, number: u16) -> u64 {
        let base = self.highest.map_or(Self::CIRCLE, |highest| (highest / Self::CIRCLE + 2) * Self::CIRCLE);
        let extended = base + (u64::from(number) & (Self::CIRCLE - 1));
        self.highest = Some(extended);
        extended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_over_the_wrap_and_late_ones_stay_behind() {
        let mut unwrap = Unwrap::<16>::default();
        let first = unwrap.extend(65_534);
        let steps: Vec<_> = [65_535, 1, 0, 65_533, 2].into_iter().map(|n| unwrap.extend(n)).collect();
        assert_eq!(steps, [first + 1, first + 3, first + 2, first - 1, first + 4]);
    }

    #[test]
    fn a_sender_may_begin_anew_with_any_number() {
        let mut unwrap = Unwrap::<15>::default();
        let first = unwrap.extend_or_restart(8_191);
        assert_eq!(unwrap.extend_or_restart(8_190), first - 1, "late");
        assert_eq!(unwrap.extend_or_restart(8_195), first + 4);
        let anew = unwrap.extend_or_restart(0);
        assert!(anew > first + (1 << 15));
        assert_eq!(unwrap.extend(1), anew + 1);
    }

    #[test]
    fn narrow_numbers_have_a_narrow_circle() {
        let mut unwrap = Unwrap::<7>::default();
        let first = unwrap.extend(127);
        assert_eq!(unwrap.extend(0), first + 1);
        assert!(unwrap.restart(5) > first + 128);
    }
}
