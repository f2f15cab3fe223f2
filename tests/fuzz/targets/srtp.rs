//! Fuzzes the reading of SRTP packets.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::srtp(data));
