//! The header extensions that the router understands, and a sender's numbers for them.

use taoyao_ortc::Extension;
use taoyao_ortc::capabilities::uri;

/// An extension whatever its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExtensionKind {
    Mid,
    Rid,
    RepairedRid,
    AbsSendTime,
    TransportCc,
    DependencyDescriptor,
    AudioLevel,
    VideoOrientation,
    AbsCaptureTime,
}

impl ExtensionKind {
    /// One bit for each kind, for sets of them.
    pub fn bit(self) -> u16 {
        1 << (self as u8)
    }

    /// What a consumer is sent as the producer sent it.
    pub fn is_passed_on(self) -> bool {
        matches!(
            self,
            Self::DependencyDescriptor | Self::AudioLevel | Self::VideoOrientation | Self::AbsCaptureTime
        )
    }

    fn of_uri(text: &str) -> Option<Self> {
        Some(match text {
            uri::MID => Self::Mid,
            uri::RID => Self::Rid,
            uri::REPAIRED_RID => Self::RepairedRid,
            uri::ABS_SEND_TIME => Self::AbsSendTime,
            uri::TRANSPORT_CC => Self::TransportCc,
            uri::DEPENDENCY_DESCRIPTOR => Self::DependencyDescriptor,
            uri::AUDIO_LEVEL => Self::AudioLevel,
            uri::VIDEO_ORIENTATION => Self::VideoOrientation,
            uri::ABS_CAPTURE_TIME => Self::AbsCaptureTime,
            _ => return None,
        })
    }
}

/// Which number means what in packets of one sender.
#[derive(Debug, Clone, Default)]
pub struct ExtensionMap {
    kinds: Vec<(u8, ExtensionKind)>,
}

impl ExtensionMap {
    pub fn new(extensions: &[Extension]) -> Self {
        let known = extensions.iter().filter(|extension| extension.id != 0);
        let kinds =
            known.filter_map(|extension| Some((extension.id, ExtensionKind::of_uri(&extension.uri)?)));
        Self { kinds: kinds.collect() }
    }

    pub fn kind(&self, id: u8) -> Option<ExtensionKind> {
        self.kinds.iter().find(|(known, _)| *known == id).map(|(_, kind)| *kind)
    }

    pub fn id(&self, kind: ExtensionKind) -> Option<u8> {
        self.kinds.iter().find(|(_, known)| *known == kind).map(|(id, _)| *id)
    }
}
