//! What members are answered about a room's media.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use taoyao_ortc::{DtlsParameters, IceCandidate, IceParameters, SctpParameters, SrtpParameters, TransportId};

use crate::link::StreamKind;
use crate::terminal::Fields;
use crate::terminal::nulls::without_nulls;
use crate::terminal::outgoing::push_text;

/// The answer to `media::transport::webrtc::create`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebRtcCreated {
    pub room_id: String,
    pub transport_id: TransportId,
    pub ice_candidates: Vec<IceCandidate>,
    pub ice_parameters: IceParameters,
    pub dtls_parameters: DtlsParameters,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sctp_parameters: Option<SctpParameters>,
}

/// The answer to `media::transport::plain::create`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlainCreated {
    pub room_id: String,
    pub transport_id: TransportId,
    pub ip: String,
    pub port: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtcp_port: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub srtp_parameters: Option<SrtpParameters>,
}

impl WebRtcCreated {
    /// Puts other addresses in the place of the announced ones (reference section 9); host names stay.
    pub fn rewrite(&mut self, reached_at: impl Fn(IpAddr) -> IpAddr) {
        for candidate in &mut self.ice_candidates {
            rewrite(&mut candidate.ip, &reached_at);
        }
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers always encode as JSON")
    }
}

impl PlainCreated {
    /// Like [`WebRtcCreated::rewrite`].
    pub fn rewrite(&mut self, reached_at: impl Fn(IpAddr) -> IpAddr) {
        rewrite(&mut self.ip, &reached_at);
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers always encode as JSON")
    }
}

fn rewrite(ip: &mut String, reached_at: &impl Fn(IpAddr) -> IpAddr) {
    if let Ok(announced) = ip.parse() {
        *ip = reached_at(announced).to_string();
    }
}

/// The answer to `media::produce`, `kind, streamId, producerId`, or to `media::data::produce`, the same without `kind`;
/// `client_id` is who produces, as it calls itself.
pub fn produced(kind: StreamKind, producer: &str, client_id: &str) -> String {
    let mut json = String::from("{");
    if kind != StreamKind::Data {
        json.push_str(&format!(r#""kind":"{kind}","#));
    }
    json.push_str(r#""streamId":"#);
    push_text(&mut json, &format!("{kind}::{client_id}"));
    json.push_str(r#","producerId":"#);
    push_text(&mut json, producer);
    json.push('}');
    json
}

/// Parameters and the like as JSON text, without what is null in them.
pub fn json(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).expect("plain data always encodes as JSON");
    without_nulls(&json).into_owned()
}

/// The request's own body, an object, with one more member (`status`, `rtpCapabilities`, `iceParameters`).
pub fn with_json(body: &str, member: &str, value: &impl Serialize) -> String {
    let value = json(value);
    let mut answer = Fields::of_text(body).without(member);
    answer.pop();
    if answer.len() > 1 {
        answer.push(',');
    }
    push_text(&mut answer, member);
    answer.push(':');
    answer.push_str(&value);
    answer.push('}');
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_transport_is_told_in_the_order_of_the_reference_and_with_reachable_addresses() {
        let candidate = |ip: &str| IceCandidate {
            foundation: "udpcandidate".into(),
            priority: 1,
            ip: ip.into(),
            protocol: "udp".into(),
            port: 44_444,
            kind: "host".into(),
            tcp_type: None,
        };
        let mut created = WebRtcCreated {
            room_id: "r".into(),
            transport_id: TransportId::of_random(1),
            ice_candidates: vec![candidate("10.0.0.1"), candidate("sfu.example")],
            ice_parameters: IceParameters {
                username_fragment: "u".into(),
                password: "p".into(),
                ice_lite: true,
            },
            dtls_parameters: DtlsParameters { role: Default::default(), fingerprints: Vec::new() },
            sctp_parameters: None,
        };
        created.rewrite(|ip| if ip.to_string() == "10.0.0.1" { [192, 168, 1, 2].into() } else { ip });
        let expected = concat!(
            r#"{"roomId":"r","transportId":"00000000-0000-4000-8000-000000000001","iceCandidates":["#,
            r#"{"foundation":"udpcandidate","priority":1,"ip":"192.168.1.2","protocol":"udp","port":44444,"type":"host"},"#,
            r#"{"foundation":"udpcandidate","priority":1,"ip":"sfu.example","protocol":"udp","port":44444,"type":"host"}],"#,
            r#""iceParameters":{"usernameFragment":"u","password":"p","iceLite":true},"#,
            r#""dtlsParameters":{"role":"auto","fingerprints":[]}}"#
        );
        assert_eq!(created.to_json(), expected);
    }

    #[test]
    fn a_new_producer_is_told_its_stream() {
        let expected = r#"{"kind":"audio","streamId":"audio::web-2","producerId":"p"}"#;
        assert_eq!(produced(StreamKind::Audio, "p", "web-2"), expected);
        assert_eq!(produced(StreamKind::Data, "p", "a\""), r#"{"streamId":"data::a\"","producerId":"p"}"#);
    }

    #[test]
    fn an_answer_repeats_its_request() {
        assert_eq!(with_json(r#"{"roomId":"r","x":null}"#, "status", &[1]), r#"{"roomId":"r","status":[1]}"#);
        assert_eq!(with_json(r#"{"status":"old"}"#, "status", &"new"), r#"{"status":"new"}"#);
    }
}
