//! The kinds of terminals (reference section 3.1).

use std::fmt;
use std::str::FromStr;

/// What a terminal says it is. Read in any case, written in upper case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientType {
    Web,
    Camera,
    Mobile,
    Media,
    Server,
    Other,
}

/// A text that is none of them; the text of its error on the wire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("未知终端类型：{0}")]
pub struct UnknownClientType(pub String);

impl ClientType {
    pub const ALL: [ClientType; 6] = [
        ClientType::Web,
        ClientType::Camera,
        ClientType::Mobile,
        ClientType::Media,
        ClientType::Server,
        ClientType::Other,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            ClientType::Web => "WEB",
            ClientType::Camera => "CAMERA",
            ClientType::Mobile => "MOBILE",
            ClientType::Media => "MEDIA",
            ClientType::Server => "SERVER",
            ClientType::Other => "OTHER",
        }
    }

    /// Whether it is a terminal that people or devices use, and so is told the media and WebRTC configuration.
    pub const fn is_client(self) -> bool {
        matches!(self, ClientType::Web | ClientType::Camera | ClientType::Mobile)
    }
}

impl fmt::Display for ClientType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ClientType {
    type Err = UnknownClientType;
    fn from_str(text: &str) -> Result<Self, UnknownClientType> {
        let found = ClientType::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(text));
        found.ok_or_else(|| UnknownClientType(text.chars().take(80).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_case_comes_in_and_upper_case_goes_out() {
        for text in ["web", "Web", "WEB"] {
            assert_eq!(text.parse::<ClientType>().unwrap().to_string(), "WEB");
        }
        assert_eq!("toaster".parse::<ClientType>().unwrap_err().to_string(), "未知终端类型：toaster");
    }
}
