//! The statuses of a transport feedback on their way into chunks and deltas.

use super::transport_feedback::{REFERENCE_US, TICK_US, symbol};

/// Statuses of one transport feedback: in the worst case it still fits into 1,200 bytes.
pub const STATUSES_MAX: usize = 512;

/// Statuses with their deltas, before they are written.
pub(super) struct Told {
    symbols: [u8; STATUSES_MAX],
    deltas: [i16; STATUSES_MAX],
    pub(super) len: usize,
    /// In units of 64 ms.
    pub(super) reference: i64,
    pub(super) delta_bytes: usize,
}

impl Told {
    /// None if nothing can be told.
    pub(super) fn gather(arrivals: impl IntoIterator<Item = Option<i64>>, max: usize) -> Option<Told> {
        let mut told = Told {
            symbols: [symbol::LOST; STATUSES_MAX],
            deltas: [0; STATUSES_MAX],
            len: 0,
            reference: 0,
            delta_bytes: 0,
        };
        let mut last = None;
        for arrival in arrivals.into_iter().take(max) {
            if let Some(arrival) = arrival {
                let ticks = arrival.div_euclid(TICK_US);
                let before = last.unwrap_or_else(|| told.set_reference(arrival));
                let Ok(delta) = i16::try_from(ticks - before) else { break };
                told.push(delta);
                last = Some(ticks);
            }
            told.len += 1;
        }
        (told.len > 0).then_some(told)
    }

    /// The reference time in ticks: what the first delta counts from.
    fn set_reference(&mut self, arrival_us: i64) -> i64 {
        self.reference = arrival_us.div_euclid(REFERENCE_US);
        self.reference * (REFERENCE_US / TICK_US)
    }

    fn push(&mut self, delta: i16) {
        let is_small = u8::try_from(delta).is_ok();
        self.symbols[self.len] = if is_small { symbol::SMALL } else { symbol::LARGE };
        self.deltas[self.len] = delta;
        self.delta_bytes += usize::from(self.symbols[self.len]);
    }

    pub(super) fn symbols(&self) -> &[u8] {
        &self.symbols[..self.len]
    }

    /// What is left of `place` becomes zero padding.
    pub(super) fn put_deltas(&self, place: &mut [u8]) {
        let mut at = 0;
        for (symbol, delta) in self.symbols().iter().zip(&self.deltas) {
            let bytes = delta.to_be_bytes();
            let bytes = &bytes[2 - usize::from(*symbol)..];
            place[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        }
        place[at..].fill(0);
    }
}

/// Symbols in as few chunks as a look at what comes next can find.
pub(super) struct Chunks<'a>(pub(super) &'a [u8]);

impl Iterator for Chunks<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        let first = *self.0.first()?;
        let run = self.0.iter().take_while(|&&symbol| symbol == first).count();
        let small = self.0.iter().take(14).take_while(|&&symbol| symbol != symbol::LARGE).count();
        let (chunk, taken) = if run >= 14 || run >= self.0.len().min(7).max(small) {
            (u16::from(first) << 13 | run as u16, run)
        } else if small == 14 || small == self.0.len() {
            (0x8000 | pack(&self.0[..small], 1), small)
        } else {
            let taken = self.0.len().min(7);
            (0xc000 | pack(&self.0[..taken], 2), taken)
        };
        self.0 = &self.0[taken..];
        Some(chunk)
    }
}

/// The symbols in 14 bits, the first in the highest.
fn pack(symbols: &[u8], bits: u32) -> u16 {
    let packed = symbols.iter().fold(0, |packed, &symbol| packed << bits | u16::from(symbol));
    packed << (14 - bits * symbols.len() as u32)
}
