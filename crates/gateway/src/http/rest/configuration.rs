//! What `/config/…` shows: the node's settings without any secret.

use serde_json::Value;

/// The settings that administrators may read, one JSON object each. Whoever fills them in leaves keys, passwords and the
/// credentials of relays out: the original shows them, which must not be inherited.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Configuration {
    /// Bounds and qualities of sound and picture (reference section 3.5).
    pub media: Value,
    /// STUN servers, and relays without their accounts.
    pub webrtc: Value,
    /// The listeners for bare sockets, without their keys.
    pub socket: Value,
    /// The recorder.
    pub ffmpeg: Value,
    /// How addresses are rewritten for terminals of other networks (reference section 9).
    pub rewrite: Value,
}

/// One of the objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Media,
    Webrtc,
    Socket,
    Ffmpeg,
    Rewrite,
}

impl Configuration {
    pub(super) fn section(&self, section: Section) -> &Value {
        match section {
            Section::Media => &self.media,
            Section::Webrtc => &self.webrtc,
            Section::Socket => &self.socket,
            Section::Ffmpeg => &self.ffmpeg,
            Section::Rewrite => &self.rewrite,
        }
    }
}
