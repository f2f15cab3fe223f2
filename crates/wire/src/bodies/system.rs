//! Bodies of `platform::*` and `system::*`.

use super::shapes::DISK;
use super::{Body, Form, Kind, answer, may, must, push, request};
use crate::signals::Signal;

use Kind::{List, Object, Text, Whole};

const TO_ALL: &str = "To all other terminals of the node.";

pub(super) const BODIES: [Body; 17] = [
    push(
        Signal::PlatformError,
        Form::Fields(&[may("retryAfterMs", Whole, "of 3503: when to try again, in milliseconds")]),
        "Code and text say what is wrong; the id is that of the request.",
    ),
    request(Signal::PlatformReboot, Form::Empty, ""),
    answer(Signal::PlatformReboot, Form::Empty, ""),
    push(Signal::PlatformReboot, Form::Empty, TO_ALL),
    request(
        Signal::PlatformScript,
        Form::Fields(&[must(
            "script",
            Text,
            "the name of a script that the operator listed, and its arguments",
        )]),
        "",
    ),
    answer(
        Signal::PlatformScript,
        Form::Fields(&[may("result", Text, "what the script wrote, as far as it is kept")]),
        "",
    ),
    request(Signal::PlatformShutdown, Form::Empty, ""),
    answer(Signal::PlatformShutdown, Form::Empty, ""),
    push(Signal::PlatformShutdown, Form::Empty, TO_ALL),
    request(Signal::SystemInfo, Form::Empty, ""),
    answer(
        Signal::SystemInfo,
        Form::Fields(&[
            must("diskspace", List(&Object(&DISK)), "file systems"),
            must("maxMemory", Whole, "bytes"),
            must("freeMemory", Whole, "bytes"),
            must("totalMemory", Whole, "bytes"),
            must("maxMemoryGracefully", Text, "for people"),
            must("freeMemoryGracefully", Text, "for people"),
            must("totalMemoryGracefully", Text, "for people"),
            must("osArch", Text, "processor architecture"),
            must("osName", Text, "operating system"),
            must("osVersion", Text, "its version"),
            must("javaVmName", Text, "the program, in the place of the original's Java machine"),
            must("javaVersion", Text, "its version"),
            must("cpuProcessors", Whole, "processors"),
        ]),
        "",
    ),
    request(Signal::SystemReboot, Form::Empty, ""),
    answer(Signal::SystemReboot, Form::Empty, ""),
    push(Signal::SystemReboot, Form::Empty, TO_ALL),
    request(Signal::SystemShutdown, Form::Empty, ""),
    answer(Signal::SystemShutdown, Form::Empty, ""),
    push(Signal::SystemShutdown, Form::Empty, TO_ALL),
];
