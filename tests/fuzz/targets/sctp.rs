//! Fuzzes the reading of data channels.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::sctp(data));
