//! `control::*`: one terminal asks another to do something, which that one answers (reference sections 4.2 and 14.3).

use taoyao_types::Scope;

use super::{Need, Route, Row, Signal, asked};

pub(super) const ROWS: [Row; 11] = [
    control(Signal::ControlAi, "control::ai", "Recognise something in the picture: `enabled`, `type`."),
    control(Signal::ControlBeauty, "control::beauty", "Smooth faces: `enabled`, `level`."),
    control(Signal::ControlBell, "control::bell", "Ring, or stop ringing: `enabled`."),
    control(
        Signal::ControlClientRecord,
        "control::client::record",
        "Record at the terminal itself: `enabled`.",
    ),
    control(
        Signal::ControlConfigAudio,
        "control::config::audio",
        "Sound from now on: any of `format`, `bitrate`, `sampleSize`, `sampleRate`.",
    ),
    control(
        Signal::ControlConfigVideo,
        "control::config::video",
        "Picture from now on: any of `format`, `bitrate`, `frameRate`, `resolution`, `width`, `height`.",
    ),
    control(Signal::ControlPhotograph, "control::photograph", "Take a picture."),
    control(Signal::ControlPtz, "control::ptz", "Turn the camera: `type` PAN, TILT or ZOOM, `value`.").once(),
    control(
        Signal::ControlServerRecord,
        "control::server::record",
        "Record a member of a room at the room's node: `roomId`, `enabled`.",
    )
    .needs(Need::Owner)
    .routed(Route::Room)
    .scope(Scope::Record),
    control(Signal::ControlWakeup, "control::wakeup", "Wake up."),
    control(
        Signal::ControlWatermark,
        "control::watermark",
        "Write over the picture: `enabled`, `text`, `posx`, `posy`, `opacity`.",
    ),
];

const fn control(signal: Signal, name: &'static str, about: &'static str) -> Row {
    asked(signal, name, Route::Terminal, about).scope(Scope::Control).repeatable()
}
