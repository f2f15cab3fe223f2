//! Fuzzes the reading of RTP packets and payload descriptors.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::rtp(data));
