//! `platform::*`: the signalling service itself, that is, the node that the terminal is connected to (reference
//! section 4.5).

use super::{ITSELF, NODE, Need, Route, Row, Signal, asked, pushed};

pub(super) const ROWS: [Row; 4] = [
    pushed(
        Signal::PlatformError,
        "platform::error",
        Route::Terminal,
        "A request failed; has the request's id.",
    )
    .unasked(ITSELF),
    asked(
        Signal::PlatformReboot,
        "platform::reboot",
        Route::Node,
        "All terminals of the node are told, then the operator's script of this name runs.",
    )
    .needs(Need::Named)
    .unasked(NODE),
    asked(
        Signal::PlatformScript,
        "platform::script",
        Route::Node,
        "Runs one of the scripts that the operator listed: `script` is its name and its arguments.",
    )
    .needs(Need::Named)
    .unasked(NODE),
    asked(
        Signal::PlatformShutdown,
        "platform::shutdown",
        Route::Node,
        "All terminals of the node are told, then the node drains and ends.",
    )
    .needs(Need::Named)
    .unasked(NODE),
];
