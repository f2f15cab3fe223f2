//! The body of `client::config` (reference section 3.5): what a terminal should capture, and how to find its peers.

use std::fmt;

use serde::{Serialize, Serializer};
use taoyao_types::Wall;

use super::client_type::ClientType;
use super::local_time::UtcOffset;

/// Bounds and named qualities of sound and picture. Bitrates in kbit/s, rates in Hz, sample sizes in bits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MediaConfig {
    pub min_width: u32,
    pub max_width: u32,
    pub min_height: u32,
    pub max_height: u32,
    pub min_frame_rate: u32,
    pub max_frame_rate: u32,
    pub min_video_bitrate: u32,
    pub max_video_bitrate: u32,
    pub min_sample_size: u32,
    pub max_sample_size: u32,
    pub min_sample_rate: u32,
    pub max_sample_rate: u32,
    pub min_audio_bitrate: u32,
    pub max_audio_bitrate: u32,
    pub audio: AudioQuality,
    pub video: VideoQuality,
    /// Terminals expect at least `fd-audio`.
    pub audios: Named<AudioQuality>,
    /// Terminals expect at least `fd-video`.
    pub videos: Named<VideoQuality>,
}

/// Qualities by their names, the best first: terminals offer them to people in the order in which they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<T>(pub Vec<(String, T)>);

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(name, quality)| (name, quality)))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioQuality {
    /// `G722`, `PCMA`, `PCMU` or `OPUS`.
    pub format: String,
    pub bitrate: u32,
    pub sample_size: u32,
    pub sample_rate: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoQuality {
    /// `VP8`, `VP9`, `H264` or `H265`.
    pub format: String,
    pub bitrate: u32,
    pub frame_rate: u32,
    /// `width*height`, which terminals also want one by one.
    pub resolution: String,
    pub width: u32,
    pub height: u32,
}

impl AudioQuality {
    pub fn opus(bitrate: u32, sample_rate: u32) -> Self {
        Self { format: "OPUS".into(), bitrate, sample_size: 16, sample_rate }
    }
}

impl VideoQuality {
    pub fn h264(bitrate: u32, frame_rate: u32, width: u32, height: u32) -> Self {
        let resolution = format!("{width}*{height}");
        Self { format: "H264".into(), bitrate, frame_rate, resolution, width, height }
    }
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self {
            min_width: 720,
            max_width: 4096,
            min_height: 480,
            max_height: 2160,
            min_frame_rate: 15,
            max_frame_rate: 45,
            min_video_bitrate: 800,
            max_video_bitrate: 1600,
            min_sample_size: 16,
            max_sample_size: 16,
            min_sample_rate: 8000,
            max_sample_rate: 48_000,
            min_audio_bitrate: 96,
            max_audio_bitrate: 256,
            audio: AudioQuality::opus(96, 48_000),
            video: VideoQuality::h264(1200, 24, 1920, 1080),
            audios: default_audios(),
            videos: default_videos(),
        }
    }
}

fn default_audios() -> Named<AudioQuality> {
    let named = [("fd-audio", 256, 48_000), ("hd-audio", 128, 32_000), ("sd-audio", 96, 16_000)];
    let quality = |(name, bitrate, rate): (&str, _, _)| (name.to_owned(), AudioQuality::opus(bitrate, rate));
    Named(named.into_iter().map(quality).collect())
}

fn default_videos() -> Named<VideoQuality> {
    let named = [
        ("ud-video", 2000, 45, 4096, 2160),
        ("qd-video", 1600, 30, 2560, 1440),
        ("fd-video", 1200, 24, 1920, 1080),
        ("hd-video", 800, 18, 1280, 720),
        ("sd-video", 400, 15, 720, 480),
    ];
    let quality = |(name, bitrate, rate, width, height): (&str, u32, u32, u32, u32)| {
        (name.to_owned(), VideoQuality::h264(bitrate, rate, width, height))
    };
    Named(named.into_iter().map(quality).collect())
}

/// The servers that help peers to find a way to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceConfig {
    pub stun: Vec<StunServer>,
    pub turn: Vec<TurnServer>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StunServer {
    pub host: String,
    pub port: u16,
}

/// A relay with the credentials that terminals use for it.
#[derive(Clone, PartialEq, Eq)]
pub struct TurnServer {
    pub host: String,
    pub port: u16,
    pub username: String,
    pub password: String,
}

impl fmt::Debug for TurnServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TurnServer({}:{} as {})", self.host, self.port, self.username)
    }
}

impl Default for IceConfig {
    /// The four public STUN servers of the original and no relay.
    fn default() -> Self {
        let server = |n| StunServer { host: format!("stun{n}.l.google.com"), port: 19_302 };
        Self { stun: (1..=4).map(server).collect(), turn: Vec::new() }
    }
}

/// The body of `client::config` for a terminal of this type: only [`ClientType::is_client`] is told more than the date.
pub fn body(kind: ClientType, media: &MediaConfig, ice: &IceConfig, wall: Wall, offset: UtcOffset) -> String {
    let for_clients = kind.is_client();
    let body = Body {
        datetime: offset.short_date(wall),
        media: for_clients.then_some(media),
        webrtc: for_clients.then(|| WebRtc::of(ice)),
    };
    serde_json::to_string(&body).expect("a configuration always encodes as JSON")
}

#[derive(Serialize)]
struct Body<'a> {
    datetime: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    media: Option<&'a MediaConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webrtc: Option<WebRtc<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WebRtc<'a> {
    /// No terminal acts on it.
    encrypt: bool,
    stun: Vec<Stun<'a>>,
    turn: Vec<Turn<'a>>,
    ice_servers: Vec<IceServer<'a>>,
}

#[derive(Serialize)]
struct Stun<'a> {
    host: &'a str,
    port: u16,
    address: String,
}

#[derive(Serialize)]
struct Turn<'a> {
    host: &'a str,
    port: u16,
    username: &'a str,
    password: &'a str,
    address: String,
}

#[derive(Serialize)]
struct IceServer<'a> {
    urls: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<&'a str>,
}

impl<'a> WebRtc<'a> {
    fn of(ice: &'a IceConfig) -> Self {
        let stun = ice.stun.iter().map(|StunServer { host, port }| {
            let address = format!("stun:{host}:{port}");
            (
                Stun { host, port: *port, address: address.clone() },
                IceServer { urls: address, username: None, credential: None },
            )
        });
        let (stun, mut ice_servers): (Vec<_>, Vec<_>) = stun.unzip();
        let turn = ice.turn.iter().map(|TurnServer { host, port, username, password }| {
            let address = format!("turn:{host}:{port}");
            let server =
                IceServer { urls: address.clone(), username: Some(username), credential: Some(password) };
            (Turn { host, port: *port, username, password, address }, server)
        });
        let (turn, relays): (Vec<_>, Vec<_>) = turn.unzip();
        ice_servers.extend(relays);
        Self { encrypt: false, stun, turn, ice_servers }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn config(kind: ClientType, ice: &IceConfig) -> Value {
        let text = body(kind, &MediaConfig::default(), ice, Wall(0), UtcOffset::default());
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn only_terminals_of_people_are_told_about_media() {
        for kind in [ClientType::Media, ClientType::Server, ClientType::Other] {
            assert_eq!(config(kind, &IceConfig::default()), json!({"datetime": "19700101000000"}));
        }
        for kind in [ClientType::Web, ClientType::Camera, ClientType::Mobile] {
            assert!(config(kind, &IceConfig::default())["media"]["audio"].is_object());
        }
    }

    #[test]
    fn qualities_stand_in_the_order_in_which_people_are_offered_them() {
        let text = serde_json::to_string(&MediaConfig::default()).unwrap();
        let place = |name: &str| text.find(&format!(r#""{name}":{{"#)).unwrap();
        let names =
            ["fd-audio", "hd-audio", "sd-audio", "ud-video", "qd-video", "fd-video", "hd-video", "sd-video"];
        assert!(names.map(place).is_sorted(), "{text}");
    }

    #[test]
    fn ice_servers_are_the_stun_servers_and_then_the_relays() {
        let turn = TurnServer { host: "t".into(), port: 3478, username: "u".into(), password: "p".into() };
        let ice = IceConfig { stun: vec![StunServer { host: "s".into(), port: 1 }], turn: vec![turn] };
        let expected = json!({
            "encrypt": false,
            "stun": [{"host": "s", "port": 1, "address": "stun:s:1"}],
            "turn": [{"host": "t", "port": 3478, "username": "u", "password": "p", "address": "turn:t:3478"}],
            "iceServers": [{"urls": "stun:s:1"}, {"urls": "turn:t:3478", "username": "u", "credential": "p"}],
        });
        assert_eq!(config(ClientType::Web, &ice)["webrtc"], expected);
        assert!(!format!("{ice:?}").contains("\"p\""));
    }
}
