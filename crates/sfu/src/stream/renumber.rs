//! Numbers without the gaps of what was left out.

/// Maps running numbers (extended by [`super::Unwrap`]) to others that have no gaps where something was left out on
/// purpose, keep those of what was lost, and go on where one stream follows another. Late numbers fit into their place
/// as long as they are at most `64 × WORDS` behind.
#[derive(Debug, Clone)]
pub struct Renumber<const WORDS: usize> {
    /// `input − output` at the highest input.
    offset: u64,
    /// What lies before it belonged to the stream before.
    first: u64,
    highest: u64,
    highest_output: u64,
    is_begun: bool,
    /// One bit for each of the last inputs: it was left out.
    left_out: [u64; WORDS],
}

impl<const WORDS: usize> Renumber<WORDS> {
    const WINDOW: u64 = 64 * WORDS as u64;

    /// The first output is `start`.
    pub fn new(start: u64) -> Self {
        Self {
            offset: 0,
            first: 0,
            highest: 0,
            highest_output: start.wrapping_sub(1),
            is_begun: false,
            left_out: [0; WORDS],
        }
    }

    /// What comes next begins anew, at whatever number; its output follows the last one.
    pub fn restart(&mut self) {
        self.is_begun = false;
    }

    /// Whether the input lies so far ahead that its sender has begun anew.
    pub fn is_far_ahead(&self, input: u64) -> bool {
        self.is_begun && input > self.highest.saturating_add(Self::WINDOW)
    }

    /// The highest output so far.
    pub fn highest_output(&self) -> u64 {
        self.highest_output
    }

    /// The output for what is sent; none if it was left out before, or is too late.
    pub fn forward(&mut self, input: u64) -> Option<u64> {
        self.begin(input);
        if input > self.highest {
            self.advance(input);
            self.highest_output = input.wrapping_sub(self.offset);
            return Some(self.highest_output);
        }
        if input < self.first || self.highest - input >= Self::WINDOW || self.is_left_out(input) {
            return None;
        }
        let later = (input + 1..=self.highest).filter(|later| self.is_left_out(*later)).count() as u64;
        let output = input.wrapping_sub(self.offset.wrapping_sub(later));
        self.highest_output = self.highest_output.max(output);
        Some(output)
    }

    /// What comes after it moves up. Has no effect on what is late: its number was given a place already.
    pub fn leave_out(&mut self, input: u64) {
        self.begin(input);
        if input > self.highest {
            self.advance(input);
            self.offset = self.offset.wrapping_add(1);
            self.mark(input);
        }
    }

    fn begin(&mut self, input: u64) {
        if !self.is_begun {
            self.is_begun = true;
            self.left_out = [0; WORDS];
            self.first = input;
            self.highest = input.wrapping_sub(1);
            self.offset = input.wrapping_sub(self.highest_output.wrapping_add(1));
        }
    }

    fn advance(&mut self, input: u64) {
        if input - self.highest >= Self::WINDOW {
            self.left_out = [0; WORDS];
        } else {
            for skipped in self.highest + 1..=input {
                let bit = skipped % Self::WINDOW;
                self.left_out[(bit / 64) as usize] &= !(1 << (bit % 64));
            }
        }
        self.highest = input;
    }

    fn mark(&mut self, input: u64) {
        let bit = input % Self::WINDOW;
        self.left_out[(bit / 64) as usize] |= 1 << (bit % 64);
    }

    fn is_left_out(&self, input: u64) -> bool {
        let bit = input % Self::WINDOW;
        self.left_out[(bit / 64) as usize] & (1 << (bit % 64)) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_leaves_no_gap_and_what_is_lost_does() {
        let mut numbers = Renumber::<2>::new(100);
        assert_eq!(numbers.forward(1_000), Some(100));
        numbers.leave_out(1_001);
        numbers.leave_out(1_002);
        assert_eq!(numbers.forward(1_003), Some(101));
        assert_eq!(numbers.forward(1_005), Some(103), "1,004 may still come");
        assert_eq!(numbers.forward(1_004), Some(102));
    }

    #[test]
    fn late_numbers_get_the_place_that_they_had() {
        let mut numbers = Renumber::<2>::new(0);
        assert_eq!(numbers.forward(10), Some(0));
        assert_eq!(numbers.forward(12), Some(2));
        numbers.leave_out(13);
        assert_eq!(numbers.forward(14), Some(3));
        assert_eq!(numbers.forward(11), Some(1), "before what was left out");
        assert_eq!(numbers.forward(13), None, "left out");
        assert_eq!(numbers.forward(9), None, "before the beginning");
        assert_eq!(numbers.forward(200), Some(189));
        assert_eq!(numbers.forward(14), None, "too late");
    }

    #[test]
    fn another_stream_goes_on_where_the_last_one_ended() {
        let mut numbers = Renumber::<2>::new(65_535);
        assert_eq!(numbers.forward(5), Some(65_535));
        numbers.restart();
        assert_eq!(numbers.forward(9_000), Some(65_536));
        numbers.restart();
        numbers.leave_out(3);
        assert_eq!(numbers.forward(4), Some(65_537));
    }
}
