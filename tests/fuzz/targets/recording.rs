//! Fuzzes the reading of packets into recordings.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::recording(data));
