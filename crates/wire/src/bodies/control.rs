//! Bodies of `control::*`. The terminal that is asked gets the request without `to`, and answers for itself.

use super::shapes::{ENABLED, ROOM};
use super::{Body, Field, Form, Kind, answer, may, must, push, request};
use crate::signals::Signal;

use Kind::{Flag, Number, OneOf, Text, Whole};

const TO: Field = must("to", Text, "which terminal");
const PTZ: Field = must("type", OneOf(&["PAN", "TILT", "ZOOM"]), "what to do");
const HOW_FAR: Field = must("value", Number, "how far");
const FILE: Field = may("filepath", Text, "where it is at the terminal");
const OWN_WORDS: &str = "The terminal's own answer, whatever it says; usually the request's body.";

const FORMAT: Field = may("format", Text, "the codec");
const BITRATE: Field = may("bitrate", Whole, "kbit/s");
const SAMPLE_SIZE: Field = may("sampleSize", Whole, "bits");
const SAMPLE_RATE: Field = may("sampleRate", Whole, "Hz");
const FRAME_RATE: Field = may("frameRate", Whole, "pictures a second");
const RESOLUTION: Field = may("resolution", Text, "`width*height`");
const WIDTH: Field = may("width", Whole, "pixels");
const HEIGHT: Field = may("height", Whole, "pixels");
const WHAT: Field = may("type", Text, "what to recognise");
const LEVEL: Field = may("level", Number, "how much");
const WORDS: Field = may("text", Text, "what to write");
const X: Field = may("posx", Number, "from the left");
const Y: Field = may("posy", Number, "from the top");
const OPACITY: Field = may("opacity", Number, "from 0 to 1");
const ON: Field = may("enabled", Flag, "begin or end");

pub(super) const BODIES: [Body; 32] = [
    request(Signal::ControlAi, Form::Open(&[TO, ON, WHAT]), ""),
    answer(Signal::ControlAi, Form::Open(&[]), OWN_WORDS),
    push(Signal::ControlAi, Form::Open(&[ON, WHAT]), ""),
    request(Signal::ControlBeauty, Form::Open(&[TO, ON, LEVEL]), ""),
    answer(Signal::ControlBeauty, Form::Open(&[]), OWN_WORDS),
    push(Signal::ControlBeauty, Form::Open(&[ON, LEVEL]), ""),
    request(Signal::ControlBell, Form::Open(&[TO, ON]), ""),
    answer(Signal::ControlBell, Form::Open(&[]), OWN_WORDS),
    push(Signal::ControlBell, Form::Open(&[ON]), ""),
    request(Signal::ControlClientRecord, Form::Open(&[TO, ON]), ""),
    answer(Signal::ControlClientRecord, Form::Open(&[FILE]), OWN_WORDS),
    push(Signal::ControlClientRecord, Form::Open(&[ON]), ""),
    request(Signal::ControlConfigAudio, Form::Open(&[TO, FORMAT, BITRATE, SAMPLE_SIZE, SAMPLE_RATE]), ""),
    answer(Signal::ControlConfigAudio, Form::Open(&[]), OWN_WORDS),
    push(Signal::ControlConfigAudio, Form::Open(&[FORMAT, BITRATE, SAMPLE_SIZE, SAMPLE_RATE]), ""),
    request(
        Signal::ControlConfigVideo,
        Form::Open(&[TO, FORMAT, BITRATE, FRAME_RATE, RESOLUTION, WIDTH, HEIGHT]),
        "",
    ),
    answer(Signal::ControlConfigVideo, Form::Open(&[]), OWN_WORDS),
    push(
        Signal::ControlConfigVideo,
        Form::Open(&[FORMAT, BITRATE, FRAME_RATE, RESOLUTION, WIDTH, HEIGHT]),
        "",
    ),
    request(Signal::ControlPhotograph, Form::Open(&[TO]), ""),
    answer(Signal::ControlPhotograph, Form::Open(&[FILE]), OWN_WORDS),
    push(Signal::ControlPhotograph, Form::Open(&[]), ""),
    request(Signal::ControlPtz, Form::Open(&[TO, PTZ, HOW_FAR]), ""),
    answer(Signal::ControlPtz, Form::Open(&[]), OWN_WORDS),
    push(Signal::ControlPtz, Form::Open(&[PTZ, HOW_FAR]), ""),
    request(
        Signal::ControlServerRecord,
        Form::Open(&[
            must("to", Text, "the member to record"),
            ROOM,
            may("enabled", Flag, "begin or end; true"),
        ]),
        "",
    ),
    answer(
        Signal::ControlServerRecord,
        Form::Open(&[
            ROOM,
            may("enabled", Flag, "as asked"),
            may("filepath", Text, "where the recording is; absent if nothing was recorded"),
            must("clientId", Text, "who asked"),
        ]),
        "",
    ),
    request(Signal::ControlWakeup, Form::Open(&[TO]), "Nobody wakes itself."),
    answer(Signal::ControlWakeup, Form::Open(&[]), OWN_WORDS),
    push(Signal::ControlWakeup, Form::Open(&[]), ""),
    request(Signal::ControlWatermark, Form::Open(&[TO, ENABLED, WORDS, X, Y, OPACITY]), ""),
    answer(Signal::ControlWatermark, Form::Open(&[]), OWN_WORDS),
    push(Signal::ControlWatermark, Form::Open(&[ENABLED, WORDS, X, Y, OPACITY]), ""),
];
