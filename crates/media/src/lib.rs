//! The SFU's IO: sockets, ICE, DTLS, SRTP, SCTP and the worker threads that drive the routers.

pub mod peer;
