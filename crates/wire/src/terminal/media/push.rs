//! What members are told about a room's media.

use serde::Serialize;
use serde_json::value::RawValue;
use taoyao_ortc::control::StreamScore;

use crate::link::{Consumed, Consuming};

/// `roomId, consumerId`.
pub fn of_consumer(room: &str, consumer: &impl Serialize) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a, T> {
        room_id: &'a str,
        consumer_id: &'a T,
    }
    json(&Body { room_id: room, consumer_id: consumer })
}

/// `roomId, producerId`.
pub fn of_producer(room: &str, producer: &impl Serialize) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a, T> {
        room_id: &'a str,
        producer_id: &'a T,
    }
    json(&Body { room_id: room, producer_id: producer })
}

/// `roomId, transportId`.
pub fn of_transport(room: &str, transport: &impl Serialize) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a, T> {
        room_id: &'a str,
        transport_id: &'a T,
    }
    json(&Body { room_id: room, transport_id: transport })
}

/// `media::consumer::score`: `roomId, consumerId, score: {score, producerScore, producerScores}`.
pub fn score_of_consumer(
    room: &str,
    consumer: &impl Serialize,
    score: u8,
    producer_score: u8,
    producer_scores: &[u8],
) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Score<'a> {
        score: u8,
        producer_score: u8,
        producer_scores: &'a [u8],
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a, T> {
        room_id: &'a str,
        consumer_id: &'a T,
        score: Score<'a>,
    }
    let score = Score { score, producer_score, producer_scores };
    json(&Body { room_id: room, consumer_id: consumer, score })
}

/// `media::producer::score`: `roomId, producerId, score: [{encodingIdx, ssrc?, rid?, score}]`.
pub fn score_of_producer(room: &str, producer: &impl Serialize, scores: &[StreamScore]) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Score<'a> {
        encoding_idx: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        ssrc: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        rid: Option<&'a str>,
        score: u8,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a, T> {
        room_id: &'a str,
        producer_id: &'a T,
        score: Vec<Score<'a>>,
    }
    let score = |of: &'_ StreamScore| (of.encoding, of.ssrc, of.score);
    let scores = scores.iter().map(|of| {
        let (encoding_idx, ssrc, score) = score(of);
        Score { encoding_idx, ssrc, rid: of.rid.as_deref(), score }
    });
    json(&Body { room_id: room, producer_id: producer, score: scores.collect() })
}

/// `media::consumer::layers::change`: `roomId, consumerId, spatialLayer?, temporalLayer?`.
pub fn layers_changed(room: &str, consumer: &impl Serialize, layers: Option<(u8, Option<u8>)>) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a, T> {
        room_id: &'a str,
        consumer_id: &'a T,
        #[serde(skip_serializing_if = "Option::is_none")]
        spatial_layer: Option<u8>,
        #[serde(skip_serializing_if = "Option::is_none")]
        temporal_layer: Option<u8>,
    }
    let (spatial_layer, temporal_layer) =
        layers.map_or((None, None), |(spatial, temporal)| (Some(spatial), temporal));
    json(&Body { room_id: room, consumer_id: consumer, spatial_layer, temporal_layer })
}

/// `media::video::orientation::change`: `roomId, producerId, camera, flip, rotation`.
pub fn orientation_changed(
    room: &str,
    producer: &impl Serialize,
    camera: bool,
    flip: bool,
    rotation: u16,
) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a, T> {
        room_id: &'a str,
        producer_id: &'a T,
        camera: bool,
        flip: bool,
        rotation: u16,
    }
    json(&Body { room_id: room, producer_id: producer, camera, flip, rotation })
}

/// `media::audio::volume`: `roomId, volumes?`, each `volume, clientId`; without `volumes` it is silent.
pub fn volumes<'a>(room: &str, volumes: impl Iterator<Item = (&'a str, i8)>) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Volume<'a> {
        volume: i8,
        client_id: &'a str,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        room_id: &'a str,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        volumes: Vec<Volume<'a>>,
    }
    let volumes = volumes.map(|(client_id, volume)| Volume { volume, client_id });
    json(&Body { room_id: room, volumes: volumes.collect() })
}

/// `room::create` to members whose room has lost its media: `roomId, password?` (reference section 5.9).
pub fn rejoin(room: &str, pass: Option<&str>) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        room_id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        password: Option<&'a str>,
    }
    json(&Body { room_id: room, password: pass })
}

/// `media::consume` or `media::data::consume`, for a terminal that calls itself `client_id` and the producer's terminal
/// `source_id`. None if another node wrote no JSON into it.
pub fn consuming(room: &str, client_id: &str, source_id: &str, consuming: &Consuming) -> Option<String> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Head<'a> {
        room_id: &'a str,
        client_id: &'a str,
        source_id: &'a str,
        stream_id: String,
        producer_id: &'a str,
        consumer_id: &'a str,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Media<'a> {
        #[serde(flatten)]
        head: Head<'a>,
        kind: String,
        #[serde(rename = "type")]
        consumer_type: &'a str,
        app_data: &'a RawValue,
        rtp_parameters: &'a RawValue,
        producer_paused: bool,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Data<'a> {
        #[serde(flatten)]
        head: Head<'a>,
        label: &'a str,
        app_data: &'a RawValue,
        protocol: &'a str,
        sctp_stream_parameters: &'a RawValue,
    }
    let kind = consuming.kind;
    let head = Head {
        room_id: room,
        client_id,
        source_id,
        stream_id: format!("{kind}::{source_id}->{client_id}"),
        producer_id: &consuming.producer,
        consumer_id: &consuming.consumer,
    };
    let app_data = serde_json::from_str(&consuming.app_data).ok()?;
    Some(match &consuming.how {
        Consumed::Media { consumer_type, rtp, is_paused } => json(&Media {
            head,
            kind: kind.to_string(),
            consumer_type,
            app_data,
            rtp_parameters: serde_json::from_str(rtp).ok()?,
            producer_paused: *is_paused,
        }),
        Consumed::Data { label, protocol, stream } => json(&Data {
            head,
            label,
            app_data,
            protocol,
            sctp_stream_parameters: serde_json::from_str(stream).ok()?,
        }),
    })
}

fn json(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("plain data always encodes as JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::StreamKind;

    #[test]
    fn bodies_are_those_of_the_reference() {
        assert_eq!(of_consumer("r", &"c"), r#"{"roomId":"r","consumerId":"c"}"#);
        let expected = r#"{"roomId":"r","consumerId":"c","score":{"score":10,"producerScore":9,"producerScores":[9,0]}}"#;
        assert_eq!(score_of_consumer("r", &"c", 10, 9, &[9, 0]), expected);
        let score = StreamScore { encoding: 0, ssrc: Some(7), rid: None, score: 10 };
        let expected = r#"{"roomId":"r","producerId":"p","score":[{"encodingIdx":0,"ssrc":7,"score":10}]}"#;
        assert_eq!(score_of_producer("r", &"p", &[score]), expected);
        assert_eq!(layers_changed("r", &"c", None), r#"{"roomId":"r","consumerId":"c"}"#);
        let expected = r#"{"roomId":"r","consumerId":"c","spatialLayer":1,"temporalLayer":2}"#;
        assert_eq!(layers_changed("r", &"c", Some((1, Some(2)))), expected);
        assert_eq!(volumes("r", [].into_iter()), r#"{"roomId":"r"}"#);
        let expected = r#"{"roomId":"r","volumes":[{"volume":-40,"clientId":"a"}]}"#;
        assert_eq!(volumes("r", [("a", -40)].into_iter()), expected);
        assert_eq!(rejoin("r", None), r#"{"roomId":"r"}"#);
    }

    #[test]
    fn a_new_consumer_is_told_whom_it_hears() {
        let media = Consumed::Media { consumer_type: "simple".into(), rtp: "{}".into(), is_paused: false };
        let told = Consuming {
            source: "web-2@cn".parse().unwrap(),
            producer: "p".into(),
            consumer: "c".into(),
            kind: StreamKind::Audio,
            app_data: r#"{"videoSource":"camera"}"#.into(),
            how: media,
        };
        let expected = concat!(
            r#"{"roomId":"r","clientId":"web-1","sourceId":"web-2","streamId":"audio::web-2->web-1","#,
            r#""producerId":"p","consumerId":"c","kind":"audio","type":"simple","#,
            r#""appData":{"videoSource":"camera"},"rtpParameters":{},"producerPaused":false}"#
        );
        assert_eq!(consuming("r", "web-1", "web-2", &told).as_deref(), Some(expected));
        assert_eq!(consuming("r", "a", "b", &Consuming { app_data: "{".into(), ..told.clone() }), None);
        let how =
            Consumed::Data { label: "l".into(), protocol: "".into(), stream: r#"{"streamId":1}"#.into() };
        let expected = concat!(
            r#"{"roomId":"r","clientId":"a","sourceId":"b","streamId":"data::b->a","producerId":"p","#,
            r#""consumerId":"c","label":"l","appData":{"videoSource":"camera"},"protocol":"","#,
            r#""sctpStreamParameters":{"streamId":1}}"#
        );
        let told = Consuming { kind: StreamKind::Data, how, ..told };
        assert_eq!(consuming("r", "a", "b", &told).as_deref(), Some(expected));
    }
}
