//! Fuzzes the reading of RTCP compounds.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::rtcp(data));
