//! Fuzzes the reading of connectivity checks.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::stun(data));
