//! The gateway with real sockets and real TLS on the loopback interface.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod abuse;
mod child;
mod files;
mod memory;
mod rest;
mod shares;
mod support;
mod tcp;
mod unread;
mod websocket;
mod whip;
