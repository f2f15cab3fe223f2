//! Fuzzes the reading of a transport's stack of protocols.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::dtls(data));
