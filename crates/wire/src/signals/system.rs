//! `system::*`: the machine that the terminal's node runs on (reference section 4.5).

use super::{NODE, Need, Route, Row, Signal, asked};

pub(super) const ROWS: [Row; 3] = [
    asked(Signal::SystemInfo, "system::info", Route::Node, "Disks, memory and processors.")
        .needs(Need::Operator)
        .unasked(NODE)
        .repeatable(),
    asked(
        Signal::SystemReboot,
        "system::reboot",
        Route::Node,
        "All terminals of the node are told, then the operator's script of this name runs.",
    )
    .needs(Need::Named)
    .unasked(NODE),
    asked(
        Signal::SystemShutdown,
        "system::shutdown",
        Route::Node,
        "All terminals of the node are told, then the operator's script of this name runs.",
    )
    .needs(Need::Named)
    .unasked(NODE),
];
