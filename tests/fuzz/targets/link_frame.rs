//! Fuzzes the reading of frames of links.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::link_frame(data));
