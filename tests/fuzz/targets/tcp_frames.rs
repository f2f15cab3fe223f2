//! Fuzzes the reading of frames of TCP sockets.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::tcp_frames(data));
