//! What members ask of a room's media: read liberally, judged by the room's node.

use std::net::IpAddr;

use serde::de::DeserializeOwned;
use taoyao_ortc::{
    ConsumerId, DtlsParameters, MediaKind, NumStreams, ProducerId, RtpCapabilities, RtpParameters,
    SctpStreamParameters, SrtpParameters, SrtpSuite, TransportId,
};
use taoyao_types::limits;

use crate::bodies::{Unreadable, check_request};
use crate::link::{Receiving, Subscribe};
use crate::signals::Signal;
use crate::terminal::fields::Fields;

/// A `media::*` request, of whatever signal that terminals send.
#[derive(Debug, Clone, PartialEq)]
pub enum MediaRequest {
    Capabilities,
    CreateWebRtc(WebRtcWish),
    CreatePlain {
        rtcp_mux: bool,
        comedia: bool,
        /// Where its packets come from, if not from where it signals.
        from: Option<IpAddr>,
        srtp: Option<SrtpSuite>,
        /// The terminal's own key.
        remote_srtp: Option<SrtpParameters>,
    },
    ConnectWebRtc {
        transport: TransportId,
        dtls: DtlsParameters,
    },
    Transport {
        transport: TransportId,
        act: TransportAct,
    },
    /// `app_data` is JSON text, always an object (quirk Q5).
    Produce {
        transport: TransportId,
        kind: MediaKind,
        rtp: Box<RtpParameters>,
        app_data: String,
    },
    ProduceData {
        transport: TransportId,
        stream: SctpStreamParameters,
        label: String,
        protocol: String,
        app_data: String,
    },
    Producer {
        producer: ProducerId,
        is_data: bool,
        act: ProducerAct,
    },
    /// A wish to receive the producer; or, with the consumer, the push of `media::consume` sent back (quirk Q8).
    Consume {
        producer: ProducerId,
        consumer: Option<ConsumerId>,
    },
    ConsumeData {
        producer: ProducerId,
    },
    Consumer {
        consumer: ConsumerId,
        is_data: bool,
        act: ConsumerAct,
    },
}

/// `media::transport::webrtc::create`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebRtcWish {
    pub force_tcp: bool,
    pub producing: bool,
    pub consuming: bool,
    /// With data channels.
    pub sctp: Option<NumStreams>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportAct {
    Close,
    RestartIce,
    Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProducerAct {
    Close,
    /// Or resume.
    Pause(bool),
    Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsumerAct {
    Close,
    /// Or resume.
    Pause(bool),
    RequestKeyFrame,
    PreferLayers {
        spatial: u8,
        temporal: Option<u8>,
    },
    /// What is out of range unsets it (reference section 4.3): 1.
    Prioritise(u8),
    Status,
}

/// A request that cannot be carried out as it is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadMedia {
    /// It names something that there is not, or nothing.
    #[error("there is no such {0} in this room")]
    Unknown(&'static str),
    #[error("{field}: {why}")]
    Field { field: &'static str, why: String },
    /// Only nodes say that.
    #[error("that is no request")]
    NoRequest,
}

impl MediaRequest {
    pub fn of(signal: Signal, fields: &Fields<'_>) -> Result<Self, BadMedia> {
        check_request(signal, fields).map_err(|Unreadable { field, wanted }| BadMedia::Field {
            field,
            why: format!("is no {wanted}"),
        })?;
        let transport = |act| Ok(Self::Transport { transport: transport_id(fields)?, act });
        let producer =
            |is_data, act| Ok(Self::Producer { producer: producer_id(fields, is_data)?, is_data, act });
        let consumer =
            |is_data, act| Ok(Self::Consumer { consumer: consumer_id(fields, is_data)?, is_data, act });
        match signal {
            Signal::MediaRouterRtpCapabilities => Ok(Self::Capabilities),
            Signal::MediaTransportWebrtcCreate => Ok(Self::CreateWebRtc(WebRtcWish::of(fields))),
            Signal::MediaTransportPlainCreate => create_plain(fields),
            Signal::MediaTransportWebrtcConnect => Ok(Self::ConnectWebRtc {
                transport: transport_id(fields)?,
                dtls: required(fields, "dtlsParameters")?,
            }),
            Signal::MediaTransportClose => transport(TransportAct::Close),
            Signal::MediaTransportStatus => transport(TransportAct::Status),
            Signal::MediaIceRestart => transport(TransportAct::RestartIce),
            Signal::MediaProduce => produce(fields),
            Signal::MediaProducerClose => producer(false, ProducerAct::Close),
            Signal::MediaProducerPause => producer(false, ProducerAct::Pause(true)),
            Signal::MediaProducerResume => producer(false, ProducerAct::Pause(false)),
            Signal::MediaProducerStatus => producer(false, ProducerAct::Status),
            Signal::MediaConsume => Ok(Self::Consume {
                producer: producer_id(fields, false)?,
                consumer: fields.has("consumerId").then(|| consumer_id(fields, false)).transpose()?,
            }),
            Signal::MediaConsumerClose => consumer(false, ConsumerAct::Close),
            Signal::MediaConsumerPause => consumer(false, ConsumerAct::Pause(true)),
            Signal::MediaConsumerResume => consumer(false, ConsumerAct::Pause(false)),
            Signal::MediaConsumerRequestKeyFrame => consumer(false, ConsumerAct::RequestKeyFrame),
            Signal::MediaConsumerSetPreferredLayers => consumer(false, prefer_layers(fields)?),
            Signal::MediaConsumerSetPriority => consumer(false, prioritise(fields)),
            Signal::MediaConsumerStatus => consumer(false, ConsumerAct::Status),
            Signal::MediaDataProduce => produce_data(fields),
            Signal::MediaDataProducerClose => producer(true, ProducerAct::Close),
            Signal::MediaDataProducerStatus => producer(true, ProducerAct::Status),
            Signal::MediaDataConsume => Ok(Self::ConsumeData { producer: producer_id(fields, true)? }),
            Signal::MediaDataConsumerClose => consumer(true, ConsumerAct::Close),
            Signal::MediaDataConsumerStatus => consumer(true, ConsumerAct::Status),
            _ => Err(BadMedia::NoRequest),
        }
    }
}

/// What `room::enter` says of receiving.
///
/// # Errors
/// The capabilities are longer than any terminal's.
pub fn receiving(fields: &Fields<'_>) -> Result<Receiving, BadMedia> {
    let subscribe = fields.text("subscribeType").map(|text| Subscribe::of(&text)).unwrap_or_default();
    let capabilities = fields.object("rtpCapabilities").map(str::to_owned);
    if capabilities.as_ref().is_some_and(|json| json.len() > limits::RTP_CAPABILITIES_BYTES_MAX) {
        let why = format!("longer than {} bytes", limits::RTP_CAPABILITIES_BYTES_MAX);
        return Err(BadMedia::Field { field: "rtpCapabilities", why });
    }
    Ok(Receiving { subscribe, capabilities })
}

/// The capabilities of [`Receiving`]; none if they cannot be read.
pub fn capabilities(json: &str) -> Option<RtpCapabilities> {
    serde_json::from_str(&super::super::nulls::without_nulls(json)).ok()
}

impl WebRtcWish {
    fn of(fields: &Fields<'_>) -> Self {
        Self {
            force_tcp: fields.flag("forceTcp").unwrap_or(false),
            producing: fields.flag("producing").unwrap_or(false),
            consuming: fields.flag("consuming").unwrap_or(false),
            sctp: fields.object("sctpCapabilities").map(|_| num_streams(fields)),
        }
    }
}

/// As many as browsers take where a terminal does not say.
const STREAMS: u16 = 1024;

fn num_streams(fields: &Fields<'_>) -> NumStreams {
    let streams = fields.inner("sctpCapabilities").inner("numStreams");
    let number = |name| streams.whole(name).and_then(|n| u16::try_from(n).ok()).filter(|n| *n > 0);
    NumStreams { outgoing: number("OS").unwrap_or(STREAMS), incoming: number("MIS").unwrap_or(STREAMS) }
}

/// The original has no way to tell the terminal's key; `srtpParameters` is that, and wants SRTP of its suite. Nor has it one to
/// tell where a camera is that somebody else signals for; `remoteIp` is that.
fn create_plain(fields: &Fields<'_>) -> Result<MediaRequest, BadMedia> {
    let remote_srtp: Option<SrtpParameters> = read(fields, "srtpParameters")?;
    let suite = match &remote_srtp {
        Some(told) => Some(told.crypto_suite),
        None => read(fields, "srtpCryptoSuite")?,
    };
    let wants_srtp = remote_srtp.is_some() || fields.flag("enableSrtp").unwrap_or(false);
    Ok(MediaRequest::CreatePlain {
        rtcp_mux: fields.flag("rtcpMux").unwrap_or(true),
        comedia: fields.flag("comedia").unwrap_or(false),
        from: read(fields, "remoteIp")?,
        srtp: wants_srtp.then(|| suite.unwrap_or(SrtpSuite::AesCm128HmacSha1_80)),
        remote_srtp,
    })
}

fn produce(fields: &Fields<'_>) -> Result<MediaRequest, BadMedia> {
    Ok(MediaRequest::Produce {
        transport: transport_id(fields)?,
        kind: required(fields, "kind")?,
        rtp: Box::new(required(fields, "rtpParameters")?),
        app_data: app_data(fields)?,
    })
}

fn produce_data(fields: &Fields<'_>) -> Result<MediaRequest, BadMedia> {
    let stream = fields.inner("sctpStreamParameters");
    let number = |name| stream.whole(name).and_then(|number| u16::try_from(number).ok());
    Ok(MediaRequest::ProduceData {
        transport: transport_id(fields)?,
        stream: SctpStreamParameters {
            stream_id: number("streamId").unwrap_or_default(),
            ordered: stream.flag("ordered"),
            max_packet_life_time: number("maxPacketLifeTime"),
            max_retransmits: number("maxRetransmits"),
        },
        label: short_text(fields, "label")?,
        protocol: short_text(fields, "protocol")?,
        app_data: app_data(fields)?,
    })
}

fn short_text(fields: &Fields<'_>, field: &'static str) -> Result<String, BadMedia> {
    let text = fields.text(field).unwrap_or_default().into_owned();
    within(field, text, limits::DATA_LABEL_BYTES_MAX)
}

fn app_data(fields: &Fields<'_>) -> Result<String, BadMedia> {
    within("appData", fields.object("appData").unwrap_or("{}").to_owned(), limits::APP_DATA_BYTES_MAX)
}

fn within(field: &'static str, text: String, most: usize) -> Result<String, BadMedia> {
    if text.len() > most {
        return Err(BadMedia::Field { field, why: format!("longer than {most} bytes") });
    }
    Ok(text)
}

fn prefer_layers(fields: &Fields<'_>) -> Result<ConsumerAct, BadMedia> {
    let layer = |name| fields.whole(name).map(|layer| u8::try_from(layer.max(0)).unwrap_or(u8::MAX));
    let spatial = layer("spatialLayer")
        .ok_or_else(|| BadMedia::Field { field: "spatialLayer", why: "a number is wanted".to_owned() })?;
    Ok(ConsumerAct::PreferLayers { spatial, temporal: layer("temporalLayer") })
}

fn prioritise(fields: &Fields<'_>) -> ConsumerAct {
    let priority = fields.whole("priority").and_then(|priority| u8::try_from(priority).ok());
    ConsumerAct::Prioritise(priority.unwrap_or_default().max(1))
}

fn transport_id(fields: &Fields<'_>) -> Result<TransportId, BadMedia> {
    let id = fields.text("transportId").and_then(|text| text.parse().ok());
    id.ok_or(BadMedia::Unknown("transport"))
}

fn producer_id(fields: &Fields<'_>, is_data: bool) -> Result<ProducerId, BadMedia> {
    let id = fields.text("producerId").and_then(|text| text.parse().ok());
    id.ok_or(BadMedia::Unknown(if is_data { "data producer" } else { "producer" }))
}

fn consumer_id(fields: &Fields<'_>, is_data: bool) -> Result<ConsumerId, BadMedia> {
    let id = fields.text("consumerId").and_then(|text| text.parse().ok());
    id.ok_or(BadMedia::Unknown(if is_data { "data consumer" } else { "consumer" }))
}

fn required<T: DeserializeOwned>(fields: &Fields<'_>, field: &'static str) -> Result<T, BadMedia> {
    let missing = || BadMedia::Field { field, why: "is missing".to_owned() };
    read(fields, field)?.ok_or_else(missing)
}

/// Characters of a complaint about JSON, which may repeat what a terminal wrote.
const WHY_CHARS_MAX: usize = 200;

fn read<T: DeserializeOwned>(fields: &Fields<'_>, field: &'static str) -> Result<Option<T>, BadMedia> {
    fields.read(field).map_err(|error| {
        let why = error.to_string().chars().take(WHY_CHARS_MAX).collect();
        BadMedia::Field { field, why }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01234567-89ab-4def-8123-456789abcdef";

    fn read_of(signal: Signal, body: &str) -> Result<MediaRequest, BadMedia> {
        MediaRequest::of(signal, &Fields::of_text(&body.replace("{id}", ID)))
    }

    #[test]
    fn a_transport_is_wished_for_as_clients_write_it() {
        let wish = |body: &str| match read_of(Signal::MediaTransportWebrtcCreate, body) {
            Ok(MediaRequest::CreateWebRtc(wish)) => wish,
            other => panic!("{other:?}"),
        };
        let plain = WebRtcWish { force_tcp: false, producing: true, consuming: false, sctp: None };
        assert_eq!(wish(r#"{"forceTcp":false,"producing":true,"consuming":null}"#), plain);
        let streams = NumStreams { outgoing: 16, incoming: 1024 };
        let with_data = WebRtcWish { producing: false, consuming: true, sctp: Some(streams), ..plain };
        let body = r#"{"consuming":"true","sctpCapabilities":{"numStreams":{"OS":"16","MIS":null}}}"#;
        assert_eq!(wish(body), with_data);
    }

    #[test]
    fn a_key_of_the_terminals_own_wants_srtp_of_its_suite() {
        let wish = |body: &str| match read_of(Signal::MediaTransportPlainCreate, body) {
            Ok(MediaRequest::CreatePlain { srtp, remote_srtp, .. }) => (srtp, remote_srtp),
            other => panic!("{other:?}"),
        };
        assert_eq!(wish("{}"), (None, None));
        assert_eq!(wish(r#"{"enableSrtp":true}"#), (Some(SrtpSuite::AesCm128HmacSha1_80), None));
        let body = r#"{"srtpParameters":{"cryptoSuite":"AEAD_AES_128_GCM","keyBase64":"a2V5"}}"#;
        let key = SrtpParameters { crypto_suite: SrtpSuite::AeadAes128Gcm, key_base64: "a2V5".to_owned() };
        assert_eq!(wish(body), (Some(SrtpSuite::AeadAes128Gcm), Some(key)));
    }

    #[test]
    fn a_producer_without_app_data_has_an_empty_object() {
        let body =
            r#"{"transportId":"{id}","kind":"video","rtpParameters":{"codecs":[],"mid":null},"appData":APP}"#;
        for (written, kept) in [("null", "{}"), ("7", "{}"), (r#"{"a":[1]}"#, r#"{"a":[1]}"#)] {
            match read_of(Signal::MediaProduce, &body.replace("APP", written)) {
                Ok(MediaRequest::Produce { app_data, kind, .. }) => {
                    assert_eq!((app_data.as_str(), kind), (kept, MediaKind::Video));
                }
                other => panic!("{other:?}"),
            }
        }
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(limits::APP_DATA_BYTES_MAX));
        let read = read_of(Signal::MediaProduce, &body.replace("APP", &long));
        assert!(matches!(read, Err(BadMedia::Field { field: "appData", .. })), "{read:?}");
    }

    #[test]
    fn what_is_missing_or_senseless_is_named() {
        for (signal, body, what) in [
            (Signal::MediaProducerPause, "{}", "there is no such producer in this room"),
            (
                Signal::MediaDataConsume,
                r#"{"producerId":"p"}"#,
                "there is no such data producer in this room",
            ),
            (Signal::MediaTransportClose, "null", "there is no such transport in this room"),
            (Signal::MediaProduce, r#"{"transportId":"{id}","kind":"audio"}"#, "rtpParameters: is missing"),
            (
                Signal::MediaConsumerSetPreferredLayers,
                r#"{"consumerId":"{id}"}"#,
                "spatialLayer: a number is wanted",
            ),
            (Signal::MediaAudioVolume, "{}", "that is no request"),
        ] {
            assert_eq!(read_of(signal, body).unwrap_err().to_string(), what, "{}", signal.name());
        }
        let kind = read_of(Signal::MediaProduce, r#"{"transportId":"{id}","kind":"smell"}"#);
        assert!(matches!(kind, Err(BadMedia::Field { field: "kind", .. })), "{kind:?}");
    }

    #[test]
    fn layers_and_priorities_come_in_any_dress() {
        let act = |signal, body: &str| match read_of(signal, body) {
            Ok(MediaRequest::Consumer { act, .. }) => act,
            other => panic!("{other:?}"),
        };
        let layers = Signal::MediaConsumerSetPreferredLayers;
        let body = r#"{"consumerId":"{id}","spatialLayer":"2","temporalLayer":-1}"#;
        assert_eq!(act(layers, body), ConsumerAct::PreferLayers { spatial: 2, temporal: Some(0) });
        for (written, priority) in [("1", 1), ("255", 255), ("256", 1), ("-3", 1), ("null", 1), ("\"7\"", 7)]
        {
            let body = format!(r#"{{"consumerId":"{{id}}","priority":{written}}}"#);
            assert_eq!(act(Signal::MediaConsumerSetPriority, &body), ConsumerAct::Prioritise(priority));
        }
    }

    #[test]
    fn every_request_of_the_table_can_be_read_or_says_what_it_lacks() {
        let sent = crate::signals::SIGNALS
            .iter()
            .filter(|row| row.name.starts_with("media::") && row.sender != crate::signals::Sender::Node);
        for row in sent {
            assert_ne!(
                MediaRequest::of(row.signal, &Fields::of_text("{}")),
                Err(BadMedia::NoRequest),
                "{}",
                row.name
            );
        }
    }

    #[test]
    fn a_newcomer_says_what_it_receives() {
        let read = receiving(&Fields::of_text(
            r#"{"subscribeType":"all_audio","rtpCapabilities":{"codecs":[],"headerExtensions":null}}"#,
        ));
        let read = read.unwrap();
        assert_eq!(read.subscribe, Subscribe::Audio);
        assert_eq!(capabilities(&read.capabilities.unwrap()), Some(RtpCapabilities::default()));
        assert_eq!(receiving(&Fields::of_text("{}")), Ok(Receiving::default()));
        assert_eq!(capabilities("7"), None);
    }
}
