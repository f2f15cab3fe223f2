//! The bodies of the signals that a session reads (reference sections 4.3 to 4.6).

use serde::Deserialize;
use serde_json::value::RawValue;
use taoyao_ortc::{IceParameters, MediaKind, RtpParameters};

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
    fn a_transport_is_unconnected_only_if_it_says_so() {
        let is_unconnected = |text: &str| serde_json::from_str::<Status>(text).unwrap().is_unconnected();
        assert!(is_unconnected(r#"{"status":[{"type":"webrtc-transport","dtlsState":"new"}]}"#));
        assert!(is_unconnected(r#"{"status":[{"dtlsState":"connecting"}]}"#));
        assert!(!is_unconnected(r#"{"status":[{"dtlsState":"connected"}]}"#));
        assert!(!is_unconnected(r#"{"status":[{}]}"#));
        assert!(!is_unconnected(r#"{"status":[]}"#));
    }
}
