//! Bodies of `media::*`.

use super::shapes::{
    CONSUMER_SCORE, DTLS_PARAMETERS, ICE_CANDIDATE, ICE_PARAMETERS, MEDIA_KINDS, PRODUCER_SCORE, ROOM,
    RTP_CAPABILITIES, RTP_PARAMETERS, SCTP_CAPABILITIES, SCTP_PARAMETERS, SCTP_STREAM, SRTP_PARAMETERS,
    STATISTICS, VOLUME,
};
use super::{Body, Field, Form, Kind, answer, may, must, push, request};
use crate::signals::Signal;

use Kind::{Flag, Free, List, Object, OneOf, Text, Whole};

const TRANSPORT: Field = must("transportId", Text, "the transport");
const PRODUCER: Field = must("producerId", Text, "the producer");
const CONSUMER: Field = must("consumerId", Text, "the consumer");
const STATUS: Field = must("status", List(&Object(&STATISTICS)), "statistics");
const KIND: Field = must("kind", OneOf(&MEDIA_KINDS), "sound or picture");
const APP_DATA: Field = must("appData", Free, "what who produces has written there");

const OF_CONSUMER: Form = Form::Fields(&[ROOM, CONSUMER]);
const OF_PRODUCER: Form = Form::Fields(&[ROOM, PRODUCER]);
const OF_TRANSPORT: Form = Form::Fields(&[ROOM, TRANSPORT]);
const CONSUMER_STATUS: Form = Form::Fields(&[ROOM, CONSUMER, STATUS]);
const PRODUCER_STATUS: Form = Form::Fields(&[ROOM, PRODUCER, STATUS]);

pub(super) const BODIES: [Body; 54] = [
    push(
        Signal::MediaAudioVolume,
        Form::Fields(&[ROOM, may("volumes", List(&Object(&VOLUME)), "the loudest; absent in silence")]),
        "",
    ),
    request(
        Signal::MediaConsume,
        Form::Open(&[ROOM, PRODUCER, may("consumerId", Text, "of the push that is sent back")]),
        "With `consumerId` it says that the terminal is ready to receive; without it is a wish for a consumer.",
    ),
    push(
        Signal::MediaConsume,
        Form::Fields(&[
            ROOM,
            must("clientId", Text, "who receives: the terminal itself"),
            must("sourceId", Text, "who sends"),
            must("streamId", Text, "`audio::source->receiver`"),
            PRODUCER,
            CONSUMER,
            KIND,
            must("type", OneOf(&["simple", "simulcast", "svc"]), "of the consumer"),
            APP_DATA,
            must("rtpParameters", Object(&RTP_PARAMETERS), "what will be received"),
            must("producerPaused", Flag, "whether nothing is sent for now"),
        ]),
        "Nothing is sent before the push is sent back.",
    ),
    request(Signal::MediaConsumerClose, OF_CONSUMER, ""),
    push(Signal::MediaConsumerClose, OF_CONSUMER, ""),
    push(
        Signal::MediaConsumerLayersChange,
        Form::Fields(&[
            ROOM,
            CONSUMER,
            may("spatialLayer", Whole, "from 0; absent: none is sent"),
            may("temporalLayer", Whole, "from 0"),
        ]),
        "",
    ),
    request(Signal::MediaConsumerPause, OF_CONSUMER, ""),
    push(Signal::MediaConsumerPause, OF_CONSUMER, ""),
    request(Signal::MediaConsumerRequestKeyFrame, OF_CONSUMER, ""),
    request(Signal::MediaConsumerResume, OF_CONSUMER, ""),
    push(Signal::MediaConsumerResume, OF_CONSUMER, ""),
    push(
        Signal::MediaConsumerScore,
        Form::Fields(&[ROOM, CONSUMER, must("score", Object(&CONSUMER_SCORE), "of the consumer")]),
        "",
    ),
    request(
        Signal::MediaConsumerSetPreferredLayers,
        Form::Fields(&[
            ROOM,
            CONSUMER,
            must("spatialLayer", Whole, "from 0"),
            may("temporalLayer", Whole, "from 0; the highest if absent"),
        ]),
        "",
    ),
    request(
        Signal::MediaConsumerSetPriority,
        Form::Fields(&[ROOM, CONSUMER, must("priority", Whole, "1 to 255; out of range is 1")]),
        "",
    ),
    request(Signal::MediaConsumerStatus, OF_CONSUMER, ""),
    answer(Signal::MediaConsumerStatus, CONSUMER_STATUS, ""),
    request(Signal::MediaDataConsume, OF_PRODUCER, ""),
    push(
        Signal::MediaDataConsume,
        Form::Fields(&[
            ROOM,
            must("clientId", Text, "who receives: the terminal itself"),
            must("sourceId", Text, "who sends"),
            must("streamId", Text, "`data::source->receiver`"),
            PRODUCER,
            CONSUMER,
            must("label", Text, "of the data channel"),
            APP_DATA,
            must("protocol", Text, "of the data channel"),
            must("sctpStreamParameters", Object(&SCTP_STREAM), "the data channel"),
        ]),
        "",
    ),
    request(Signal::MediaDataConsumerClose, OF_CONSUMER, ""),
    push(Signal::MediaDataConsumerClose, OF_CONSUMER, ""),
    request(Signal::MediaDataConsumerStatus, OF_CONSUMER, ""),
    answer(Signal::MediaDataConsumerStatus, CONSUMER_STATUS, ""),
    request(
        Signal::MediaDataProduce,
        Form::Fields(&[
            ROOM,
            TRANSPORT,
            may("label", Text, "of the data channel"),
            may("protocol", Text, "of the data channel"),
            may("appData", Free, "for who receives").loose(),
            may("sctpStreamParameters", Object(&SCTP_STREAM), "the data channel"),
        ]),
        "",
    ),
    answer(Signal::MediaDataProduce, Form::Fields(&[must("streamId", Text, "`data::sender`"), PRODUCER]), ""),
    request(Signal::MediaDataProducerClose, OF_PRODUCER, ""),
    push(Signal::MediaDataProducerClose, OF_PRODUCER, ""),
    request(Signal::MediaDataProducerStatus, OF_PRODUCER, ""),
    answer(Signal::MediaDataProducerStatus, PRODUCER_STATUS, ""),
    request(Signal::MediaIceRestart, OF_TRANSPORT, ""),
    answer(
        Signal::MediaIceRestart,
        Form::Fields(&[ROOM, TRANSPORT, must("iceParameters", Object(&ICE_PARAMETERS), "the new ones")]),
        "",
    ),
    request(
        Signal::MediaProduce,
        Form::Fields(&[
            ROOM,
            TRANSPORT,
            KIND,
            must("rtpParameters", Object(&RTP_PARAMETERS), "what is sent"),
            may("appData", Free, "for who receives").loose(),
        ]),
        "",
    ),
    answer(
        Signal::MediaProduce,
        Form::Fields(&[KIND, must("streamId", Text, "`audio::sender`"), PRODUCER]),
        "",
    ),
    request(Signal::MediaProducerClose, OF_PRODUCER, ""),
    push(Signal::MediaProducerClose, OF_PRODUCER, ""),
    request(Signal::MediaProducerPause, OF_PRODUCER, ""),
    push(Signal::MediaProducerPause, OF_PRODUCER, ""),
    request(Signal::MediaProducerResume, OF_PRODUCER, ""),
    push(Signal::MediaProducerResume, OF_PRODUCER, ""),
    push(
        Signal::MediaProducerScore,
        Form::Fields(&[ROOM, PRODUCER, must("score", List(&Object(&PRODUCER_SCORE)), "of each stream")]),
        "",
    ),
    request(Signal::MediaProducerStatus, OF_PRODUCER, ""),
    answer(Signal::MediaProducerStatus, PRODUCER_STATUS, ""),
    request(Signal::MediaRouterRtpCapabilities, Form::Fields(&[ROOM]), ""),
    answer(
        Signal::MediaRouterRtpCapabilities,
        Form::Fields(&[ROOM, must("rtpCapabilities", Object(&RTP_CAPABILITIES), "of the room's SFU")]),
        "What `Device.load` of mediasoup-client takes.",
    ),
    request(Signal::MediaTransportClose, OF_TRANSPORT, ""),
    push(Signal::MediaTransportClose, OF_TRANSPORT, ""),
    request(
        Signal::MediaTransportPlainCreate,
        Form::Fields(&[
            ROOM,
            may("rtcpMux", Flag, "RTCP on the port of RTP; true"),
            may("comedia", Flag, "the far end is where the first packet comes from; false"),
            may("enableSrtp", Flag, "encrypted; false"),
            may("srtpCryptoSuite", Text, "of the encryption; `AES_CM_128_HMAC_SHA1_80`"),
            may("srtpParameters", Object(&SRTP_PARAMETERS), "the terminal's own key; encrypted then"),
        ]),
        "",
    ),
    answer(
        Signal::MediaTransportPlainCreate,
        Form::Fields(&[
            ROOM,
            TRANSPORT,
            must("ip", Text, "where to send"),
            must("port", Whole, "RTP"),
            may("rtcpPort", Whole, "RTCP, if it has a port of its own"),
            may("srtpParameters", Object(&SRTP_PARAMETERS), "the node's key"),
        ]),
        "",
    ),
    request(Signal::MediaTransportStatus, OF_TRANSPORT, ""),
    answer(Signal::MediaTransportStatus, Form::Fields(&[ROOM, TRANSPORT, STATUS]), ""),
    request(
        Signal::MediaTransportWebrtcConnect,
        Form::Fields(&[ROOM, TRANSPORT, must("dtlsParameters", Object(&DTLS_PARAMETERS), "the terminal's")]),
        "",
    ),
    answer(Signal::MediaTransportWebrtcConnect, OF_TRANSPORT, ""),
    request(
        Signal::MediaTransportWebrtcCreate,
        Form::Fields(&[
            ROOM,
            may("forceTcp", Flag, "without UDP; false"),
            may("producing", Flag, "for sending"),
            may("consuming", Flag, "for receiving: what others send is offered on it at once"),
            may("sctpCapabilities", Object(&SCTP_CAPABILITIES), "with data channels"),
        ]),
        "",
    ),
    answer(
        Signal::MediaTransportWebrtcCreate,
        Form::Fields(&[
            ROOM,
            TRANSPORT,
            must("iceCandidates", List(&Object(&ICE_CANDIDATE)), "where the SFU is"),
            must("iceParameters", Object(&ICE_PARAMETERS), "its credentials"),
            must("dtlsParameters", Object(&DTLS_PARAMETERS), "its certificate"),
            may("sctpParameters", Object(&SCTP_PARAMETERS), "with data channels"),
        ]),
        "What `createSendTransport` and `createRecvTransport` of mediasoup-client take.",
    ),
    push(
        Signal::MediaVideoOrientationChange,
        Form::Fields(&[
            ROOM,
            PRODUCER,
            must("camera", Flag, "whether it is a camera"),
            must("flip", Flag, "whether the picture is mirrored"),
            must("rotation", Whole, "0, 90, 180 or 270 degrees clockwise"),
        ]),
        "",
    ),
];
