//! Fuzzes a room of the media router, by one of its members.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::room(data));
