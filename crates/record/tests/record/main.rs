//! The recorder, judged by ffmpeg's tools: what they encode is sent as RTP, and what was recorded is probed by them.
//!
//! Needs `ffmpeg` and `ffprobe` in the path (Debian's package `ffmpeg`).

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod bucket;
mod ends;
mod files;
mod interrupted;
mod keeping;
mod probe;
mod quotas;
mod senders;
mod source;
mod stage;
mod whole_room;
