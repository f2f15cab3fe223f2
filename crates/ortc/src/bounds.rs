//! How much RTP parameters and capabilities may hold: part of their shape, and so with them and not among the node's
//! limits. What holds more is refused.

/// Codecs of a producer or of a terminal's capabilities: Chromium lists about forty, retransmissions included.
pub(crate) const CODECS_MAX: usize = 96;
/// Header extensions: there are fourteen numbers in the one-byte form (RFC 8285, section 4.2), for each kind of media.
pub(crate) const EXTENSIONS_MAX: usize = 64;
/// Streams of one producer: simulcast has three, seldom four.
pub(crate) const ENCODINGS_MAX: usize = 8;
/// Kinds of feedback of one codec, and parameters of one codec: a dozen are known of each.
pub(crate) const FEEDBACK_MAX: usize = 32;
/// See [`FEEDBACK_MAX`].
pub(crate) const PARAMETERS_MAX: usize = 32;
/// Bytes of a codec's name, a parameter, an extension's URI: the longest known parameters are H264's parameter sets.
pub(crate) const TEXT_BYTES_MAX: usize = 512;
/// Bytes of a `mid` or a `rid`: what a header extension carries, in the two-byte form (RFC 8285, section 4.3).
pub(crate) const STREAM_NAME_BYTES_MAX: usize = 255;
/// Bytes of a CNAME: what a source description carries (RFC 3550, section 6.5).
pub(crate) const CNAME_BYTES_MAX: usize = 255;
/// The largest payload type (RFC 3550, section 5.1: seven bits).
pub(crate) const PAYLOAD_TYPE_MAX: u8 = 127;
/// The largest number of an extension in the one-byte form, which is the form that consumers are sent.
pub(crate) const EXTENSION_ID_MAX: u8 = 14;
