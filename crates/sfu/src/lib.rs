//! One room's media as a pure machine: RTP and RTCP in, patched packets and feedback out.
