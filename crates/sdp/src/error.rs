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
    #[error("section {mid} has no a=rtcp-mux: RTCP is received on the port of RTP only")]
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
    /// Of the last section that is not understood, if there is no other.
    #[error("section {mid} cannot be received: {why}")]
    NotUnderstood { mid: String, why: String },
}
