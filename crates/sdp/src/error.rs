//! What can be wrong with what a peer describes; each says what to do instead.

/// An offer or a fragment that cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSdp {
    #[error("the text is no SDP: {0}")]
    Syntax(String),
    #[error("the offer has {count} sections; at most {max} are read")]
    TooLong { count: usize, max: usize },
    #[error("the offer has no section m=audio or m=video that is not rejected")]
    NoMedia,
    #[error(
        "the sections are not in one a=group:BUNDLE: bundle all media onto one transport (bundlePolicy max-bundle)"
    )]
    Unbundled,
    #[error(
        "neither section {mid} nor another of its bundle has a=rtcp-mux: RTCP is received on the port of RTP only \
         (rtcpMuxPolicy require)"
    )]
    Unmuxed { mid: String },
    #[error("section {mid} is not for DTLS: {protocol}; offer UDP/TLS/RTP/SAVPF")]
    NotSecure { mid: String, protocol: String },
    #[error("the offer has no a=ice-ufrag and a=ice-pwd")]
    NoIce,
    #[error("the offer has no a=fingerprint that can be read: it shows which certificate DTLS has to bring")]
    NoFingerprint,
    #[error("a=setup:{0} opens no connection; offer actpass")]
    Setup(String),
    #[error("the offer sends nothing: a section with a=sendonly or a=sendrecv is needed")]
    SendsNothing,
    #[error("the offer receives nothing: a section with a=recvonly or a=sendrecv is needed")]
    ReceivesNothing,
    /// Some section that sends cannot be received. The whole offer is refused, so that nobody takes a part of a stream for
    /// all of it (RFC 9725, section 4.2).
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    NotUnderstood(Vec<BadSection>),
}

/// A section that cannot be received.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("section {mid} cannot be received: {why}")]
pub struct BadSection {
    pub mid: String,
    pub why: String,
}
