//! The bodies of the signals that a session reads (reference sections 4.3 to 4.6).

use serde::Deserialize;
use serde_json::value::RawValue;
use taoyao_ortc::{IceParameters, MediaKind, RtpParameters};

use super::choose::Flow;

/// The answer to `room::client::list`.
#[derive(Deserialize)]
pub(super) struct Members {
    pub(super) clients: Vec<Member>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Member {
    pub(super) client_id: String,
}

/// The answer to `room::client::list::id`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Streams {
    pub(super) audio_producers: Vec<String>,
    pub(super) video_producers: Vec<String>,
}

impl Streams {
    /// The producers of a kind.
    pub(super) fn of(&self, kind: MediaKind) -> &[String] {
        match kind {
            MediaKind::Audio => &self.audio_producers,
            MediaKind::Video => &self.video_producers,
        }
    }
}

/// The answer to `media::consumer::status`.
#[derive(Deserialize)]
pub(super) struct ConsumerStatus {
    status: Vec<ConsumerStat>,
}

/// Moments in milliseconds, all of one clock.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConsumerStat {
    timestamp: u64,
    first_packet_received_timestamp: Option<u64>,
    last_packet_received_timestamp: Option<u64>,
}

impl ConsumerStatus {
    pub(super) fn flow(&self) -> Flow {
        let heard = self.status.iter().find_map(|stat| {
            let since = |at: Option<u64>| Some(stat.timestamp.saturating_sub(at?));
            let first_ms = since(stat.first_packet_received_timestamp)?;
            Some(Flow::Heard { first_ms, last_ms: since(stat.last_packet_received_timestamp)? })
        });
        heard.unwrap_or(Flow::Unheard)
    }
}

/// The push `media::consume`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Consuming {
    pub(super) source_id: String,
    pub(super) producer_id: String,
    pub(super) consumer_id: String,
    pub(super) kind: MediaKind,
    pub(super) rtp_parameters: RtpParameters,
}

/// The push `media::consumer::close`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConsumerClosed {
    pub(super) consumer_id: String,
}

/// The push `media::transport::close`, and those of rooms.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Closed {
    pub(super) room_id: String,
}

/// The answer to `media::ice::restart`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Restarted {
    pub(super) ice_parameters: IceParameters,
}

/// The answer to `media::transport::status`.
#[derive(Deserialize)]
pub(super) struct Status {
    status: Vec<TransportStat>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TransportStat {
    dtls_state: Option<String>,
}

impl Status {
    /// Whether it says of a transport that DTLS has not come to an end.
    pub(super) fn is_unconnected(&self) -> bool {
        let states = || self.status.iter().filter_map(|stat| stat.dtls_state.as_deref());
        states().count() > 0 && states().all(|state| state != "connected")
    }
}

/// A body, read as one of these. `None` if it is another.
pub(super) fn read<'a, T: Deserialize<'a>>(body: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(body?.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_flows_as_its_statistics_say() {
        let flow = |text: &str| serde_json::from_str::<ConsumerStatus>(text).unwrap().flow();
        let heard = r#"{"status":[{"type":"outbound-rtp","timestamp":9},{"timestamp":5000,
            "firstPacketReceivedTimestamp":1000,"lastPacketReceivedTimestamp":4980}]}"#;
        assert_eq!(flow(heard), Flow::Heard { first_ms: 4_000, last_ms: 20 });
        assert_eq!(flow(r#"{"status":[{"type":"outbound-rtp","timestamp":9}]}"#), Flow::Unheard);
    }

    #[test]
    fn a_transport_is_unconnected_only_if_it_says_so() {
        let is_unconnected = |text: &str| serde_json::from_str::<Status>(text).unwrap().is_unconnected();
        assert!(is_unconnected(r#"{"status":[{"type":"webrtc-transport","dtlsState":"new"}]}"#));
        assert!(is_unconnected(r#"{"status":[{"dtlsState":"connecting"}]}"#));
        assert!(!is_unconnected(r#"{"status":[{"dtlsState":"connected"}]}"#));
        assert!(!is_unconnected(r#"{"status":[{}]}"#));
        assert!(!is_unconnected(r#"{"status":[]}"#));
    }
}
