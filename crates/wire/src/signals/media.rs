//! `media::*`: what terminals in a room send and receive (reference sections 4.3 and 4.4).

use taoyao_types::Scope;

use super::{MEMBERS, Need, Route, Row, Signal, asked, pushed, told};

pub(super) const ROWS: [Row; 31] = [
    to_members(Signal::MediaAudioVolume, "media::audio::volume", "Who is how loud."),
    tell(
        Signal::MediaConsume,
        "media::consume",
        "Receive a producer; sent back as it was pushed, it says that the terminal is ready.",
    )
    .also_pushed()
    .repeatable(),
    own(Signal::MediaConsumerClose, "media::consumer::close", "Stop receiving for good."),
    to_members(
        Signal::MediaConsumerLayersChange,
        "media::consumer::layers::change",
        "Other layers are sent now.",
    ),
    own(Signal::MediaConsumerPause, "media::consumer::pause", "Stop receiving for now."),
    own_silently(
        Signal::MediaConsumerRequestKeyFrame,
        "media::consumer::request::key::frame",
        "Ask the producer for a key frame.",
    ),
    own(Signal::MediaConsumerResume, "media::consumer::resume", "Receive again."),
    to_members(Signal::MediaConsumerScore, "media::consumer::score", "How well a consumer receives."),
    own_silently(
        Signal::MediaConsumerSetPreferredLayers,
        "media::consumer::set::preferred::layers",
        "Which layers to receive: `spatialLayer`, `temporalLayer`.",
    ),
    own_silently(
        Signal::MediaConsumerSetPriority,
        "media::consumer::set::priority",
        "Which consumer comes first where there is not enough for all: `priority`.",
    ),
    stats(Signal::MediaConsumerStatus, "media::consumer::status", "A consumer's statistics."),
    tell(Signal::MediaDataConsume, "media::data::consume", "Receive a data producer.").also_pushed(),
    own(Signal::MediaDataConsumerClose, "media::data::consumer::close", "Stop receiving data."),
    stats(Signal::MediaDataConsumerStatus, "media::data::consumer::status", "A data consumer's statistics."),
    ask(Signal::MediaDataProduce, "media::data::produce", "Send data to the room."),
    own(Signal::MediaDataProducerClose, "media::data::producer::close", "Stop sending data."),
    stats(Signal::MediaDataProducerStatus, "media::data::producer::status", "A data producer's statistics."),
    ask(Signal::MediaIceRestart, "media::ice::restart", "New ICE parameters for a transport.")
        .needs(Need::Owner),
    ask(Signal::MediaProduce, "media::produce", "Send sound or picture to the room."),
    own(Signal::MediaProducerClose, "media::producer::close", "Stop sending for good."),
    own(Signal::MediaProducerPause, "media::producer::pause", "Stop sending for now."),
    own(Signal::MediaProducerResume, "media::producer::resume", "Send again."),
    to_members(Signal::MediaProducerScore, "media::producer::score", "How well a producer arrives."),
    stats(Signal::MediaProducerStatus, "media::producer::status", "A producer's statistics."),
    asked(
        Signal::MediaRouterRtpCapabilities,
        "media::router::rtp::capabilities",
        Route::Room,
        "What the room's router can do; asked before entering.",
    )
    .scope(Scope::Room)
    .repeatable(),
    own(Signal::MediaTransportClose, "media::transport::close", "Close a transport and all that is on it."),
    ask(Signal::MediaTransportPlainCreate, "media::transport::plain::create", "A transport for plain RTP."),
    stats(Signal::MediaTransportStatus, "media::transport::status", "A transport's statistics."),
    ask(
        Signal::MediaTransportWebrtcConnect,
        "media::transport::webrtc::connect",
        "The terminal's DTLS parameters; answered before anything connects.",
    )
    .needs(Need::Owner),
    ask(Signal::MediaTransportWebrtcCreate, "media::transport::webrtc::create", "A transport for WebRTC."),
    to_members(
        Signal::MediaVideoOrientationChange,
        "media::video::orientation::change",
        "A producer's camera was turned.",
    ),
];

const fn tell(signal: Signal, name: &'static str, about: &'static str) -> Row {
    told(signal, name, Route::Room, about).needs(Need::Member).scope(Scope::Room)
}

const fn ask(signal: Signal, name: &'static str, about: &'static str) -> Row {
    asked(signal, name, Route::Room, about).needs(Need::Member).scope(Scope::Room)
}

/// Concerns something that its sender made; done when the push of the same name comes back.
const fn own(signal: Signal, name: &'static str, about: &'static str) -> Row {
    own_silently(signal, name, about).also_pushed()
}

const fn own_silently(signal: Signal, name: &'static str, about: &'static str) -> Row {
    told(signal, name, Route::Room, about).needs(Need::Owner).scope(Scope::Room).repeatable()
}

const fn stats(signal: Signal, name: &'static str, about: &'static str) -> Row {
    asked(signal, name, Route::Room, about).needs(Need::Owner).scope(Scope::Room).repeatable()
}

const fn to_members(signal: Signal, name: &'static str, about: &'static str) -> Row {
    pushed(signal, name, Route::Room, about).unasked(MEMBERS).repeatable()
}
