//! RTP packets: read without copying, written from templates.
