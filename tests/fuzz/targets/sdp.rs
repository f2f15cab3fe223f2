//! Fuzzes the reading of offers and fragments.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::sdp(data));
