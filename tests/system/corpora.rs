//! Every file of the fuzz corpora through what the fuzz targets check: what was once found stays mended.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "../fuzz/checks/lib.rs"]
#[expect(unreachable_pub, reason = "in the fuzz targets' package it is the library")]
mod checks;

/// Few and small: they are read by people, and the fuzzer mixes them better.
const FILES_MAX: usize = 40;
const FILES_MIN: usize = 20;
const BYTES_MAX: usize = 4 * 1024;

#[test]
fn frames_of_tcp_sockets() {
    replay("tcp_frames", checks::tcp_frames);
}

#[test]
fn the_envelope_of_terminals_json() {
    replay("envelope", checks::envelope);
}

#[test]
fn frames_of_links() {
    replay("link_frame", checks::link_frame);
}

#[test]
fn rtp_packets_and_payload_descriptors() {
    replay("rtp", checks::rtp);
}

#[test]
fn rtcp_compounds() {
    replay("rtcp", checks::rtcp);
}

#[test]
fn connectivity_checks() {
    replay("stun", checks::stun);
}

#[test]
fn srtp_packets() {
    replay("srtp", checks::srtp);
}

#[test]
fn a_room_with_a_hostile_member() {
    replay("room", checks::room);
}

#[test]
fn a_transports_stack_of_protocols() {
    replay("dtls", checks::dtls);
}

#[test]
fn data_channels() {
    replay("sctp", checks::sctp);
}

#[test]
fn offers_and_fragments() {
    replay("sdp", checks::sdp);
}

#[test]
fn packets_that_are_recorded() {
    replay("recording", checks::recording);
}

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!((FILES_MIN..=FILES_MAX).contains(&files.len()), "{target}: {} files", files.len());
    for file in files {
        let data = fs::read(&file).unwrap();
        assert!(data.len() <= BYTES_MAX, "{}: {} bytes; minimise it", file.display(), data.len());
        let checked = std::panic::catch_unwind(|| check(&data));
        assert!(checked.is_ok(), "{} breaks what holds of {target}", file.display());
    }
}
