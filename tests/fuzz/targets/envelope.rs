//! Fuzzes the reading of the envelope of terminals' JSON.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::envelope(data));
