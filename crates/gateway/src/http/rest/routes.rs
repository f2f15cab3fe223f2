//! All paths of the REST interface: the original's (reference section 8), and what signals of this version add.
//!
//! The router, the OpenAPI document and the tests are made from this table.

use taoyao_wire::signals::Signal;

use super::configuration::Section;
use super::recording::Deed;
use super::route::{Answer, Does, Field, Kind, Missing, Route, Variable, Verbs};

pub(super) const ROUTES: [Route; 37] = [
    Route::reads(
        "/client/list",
        Signal::ClientList,
        Answer::Clients,
        "The terminals that the account may see.",
    )
    .asks(&[
        Field::optional("clientType", Kind::OneOf(&TYPES), "Only terminals of this type."),
        Field::optional("partition", Kind::Text, "Only terminals of this partition."),
        Field::optional("after", Kind::Text, "The next page: only what comes after this terminal."),
        Field::optional("limit", Kind::Count, "At most so many."),
    ]),
    Route::reads(
        "/client/status/{clientId}",
        Signal::ClientStatus,
        Answer::Client,
        "The state of one terminal.",
    )
    .of(&[CLIENT])
    .if_missing(Missing::Nothing),
    Route::changes(
        "/client/reboot/{clientId}",
        Does::Signal(Signal::ClientReboot),
        Answer::Done,
        "Tells a terminal to start anew.",
    )
    .of(&[CLIENT])
    .if_missing(Missing::Nothing),
    Route::changes(
        "/client/shutdown/{clientId}",
        Does::Signal(Signal::ClientShutdown),
        Answer::Done,
        "Tells a terminal to switch itself off.",
    )
    .of(&[CLIENT])
    .if_missing(Missing::Nothing),
    Route::reads("/room/list", Signal::RoomList, Answer::Rooms, "The rooms that the account may see.").asks(
        &[
            Field::optional("after", Kind::Text, "The next page: only what comes after this room."),
            Field::optional("limit", Kind::Count, "At most so many."),
        ],
    ),
    Route::reads("/room/status/{roomId}", Signal::RoomStatus, Answer::Room, "The state of one room.")
        .of(&[ROOM])
        .if_missing(Missing::Nothing),
    Route::reads(
        "/room/list/client/{roomId}",
        Signal::RoomClientList,
        Answer::Members,
        "The terminals in a room.",
    )
    .of(&[ROOM])
    .asks(&[
        Field::optional("after", Kind::Text, "The next page: only what comes after this terminal."),
        Field::optional("limit", Kind::Count, "At most so many."),
    ])
    .if_missing(Missing::EmptyList),
    Route::changes("/room/log", Does::LogRooms, Answer::Done, "Writes the rooms to the node's log."),
    Route::changes("/room/{roomId}", Does::Signal(Signal::RoomClose), Answer::Done, "Closes a room.")
        .only_by(Verbs::Delete)
        .of(&[ROOM]),
    Route::controls("/control/bell/{clientId}", Signal::ControlBell, "Has a terminal ring, or stop ringing.")
        .asks(&[ENABLED]),
    Route::controls(
        "/control/photograph/{clientId}",
        Signal::ControlPhotograph,
        "Has a terminal take a picture.",
    ),
    Route::controls("/control/wakeup/{clientId}", Signal::ControlWakeup, "Wakes a terminal up."),
    Route::controls(
        "/control/config/audio/{clientId}",
        Signal::ControlConfigAudio,
        "Changes how a terminal captures sound.",
    )
    .takes(&[
        Field::optional("format", Kind::OneOf(&["G722", "PCMA", "PCMU", "OPUS"]), "The codec."),
        Field::optional("bitrate", Kind::Count, "In kbit/s."),
        Field::optional("sampleSize", Kind::Count, "In bits."),
        Field::optional("sampleRate", Kind::Count, "In Hz."),
    ]),
    Route::controls(
        "/control/config/video/{clientId}",
        Signal::ControlConfigVideo,
        "Changes how a terminal captures the picture; needs `resolution`, or `width` and `height`.",
    )
    .takes(&[
        Field::optional("format", Kind::OneOf(&["VP8", "VP9", "H264", "H265"]), "The codec."),
        Field::optional("bitrate", Kind::Count, "In kbit/s."),
        Field::optional("frameRate", Kind::Count, "In pictures a second."),
        Field::optional("resolution", Kind::Text, "`width*height`."),
        Field::optional("width", Kind::Count, "In pixels."),
        Field::optional("height", Kind::Count, "In pixels."),
    ])
    .either(&[&["resolution"], &["width", "height"]]),
    Route::controls(
        "/control/client/record/{clientId}",
        Signal::ControlClientRecord,
        "Has a terminal record, or stop recording, by itself.",
    )
    .asks(&[ENABLED]),
    Route::controls(
        "/control/server/record/{roomId}/{clientId}",
        Signal::ControlServerRecord,
        "Records a member of a room at the room's node, or stops that.",
    )
    .of(&[ROOM, RECORDED])
    .asks(&[ENABLED]),
    Route::controls("/control/ptz/{clientId}", Signal::ControlPtz, "Turns a terminal's camera.")
        .only_by(Verbs::Post)
        .takes(&[
            Field::required("type", Kind::OneOf(&["PAN", "TILT", "ZOOM"]), "What to do."),
            Field::required("value", Kind::Number, "How far."),
        ]),
    Route::controls("/control/ai/{clientId}", Signal::ControlAi, "Has a terminal recognise something.")
        .only_by(Verbs::Post)
        .takes(&[
            Field::required("enabled", Kind::Flag, "Begin or end."),
            Field::optional("type", Kind::Text, "What to recognise."),
        ]),
    Route::controls("/control/beauty/{clientId}", Signal::ControlBeauty, "Has a terminal smooth faces.")
        .only_by(Verbs::Post)
        .takes(&[
            Field::required("enabled", Kind::Flag, "Begin or end."),
            Field::optional("level", Kind::Number, "How much."),
        ]),
    Route::controls(
        "/control/watermark/{clientId}",
        Signal::ControlWatermark,
        "Has a terminal write over its picture.",
    )
    .only_by(Verbs::Post)
    .takes(&[
        Field::required("enabled", Kind::Flag, "Begin or end."),
        Field::optional("text", Kind::Text, "What to write."),
        Field::optional("posx", Kind::Number, "Where, from the left."),
        Field::optional("posy", Kind::Number, "Where, from the top."),
        Field::optional("opacity", Kind::Number, "How strong."),
    ]),
    config("/config/media", Section::Media, "Bounds and named qualities of sound and picture."),
    config("/config/webrtc", Section::Webrtc, "STUN servers and relays, without accounts."),
    config("/config/socket", Section::Socket, "The listeners for bare sockets, without keys."),
    config("/config/ffmpeg", Section::Ffmpeg, "The recorder."),
    config("/config/rewrite", Section::Rewrite, "How addresses are rewritten for other networks."),
    node(
        "/platform/reboot",
        Signal::PlatformReboot,
        "Tells the node's terminals, then runs the script `reboot`.",
    ),
    node("/platform/shutdown", Signal::PlatformShutdown, "Tells the node's terminals, then ends the node."),
    Route::changes(
        "/platform/script",
        Does::Signal(Signal::PlatformScript),
        Answer::Object,
        "Runs one of the scripts that the node's configuration lists.",
    )
    .only_by(Verbs::Post)
    .takes(&[Field::required("script", Kind::Text, "The script's name and its arguments.")]),
    Route::reads(
        "/system/info",
        Signal::SystemInfo,
        Answer::Object,
        "Disks, memory and processors of the node's machine.",
    ),
    node("/system/reboot", Signal::SystemReboot, "Tells the node's terminals, then reboots the machine."),
    node(
        "/system/shutdown",
        Signal::SystemShutdown,
        "Tells the node's terminals, then switches the machine off.",
    ),
    Route::shows(
        "/recordings/list",
        Does::Recording(Deed::List),
        Answer::Recordings,
        "The recordings of the node, the newest first.",
    ),
    recording(
        "/recordings/status/{recordingId}",
        Deed::Status,
        Answer::Recording,
        "What is known of a recording.",
    ),
    recording(
        "/recordings/media/{recordingId}",
        Deed::Media,
        Answer::File,
        "A recording's file, or a range of it; one under way as far as it is written.",
    ),
    recording(
        "/recordings/preview/{recordingId}",
        Deed::Preview,
        Answer::File,
        "A picture of a recording, as JPEG.",
    ),
    recording(
        "/recordings/{recordingId}",
        Deed::Delete,
        Answer::Done,
        "Deletes a recording that has ended, with its files.",
    )
    .only_by(Verbs::Delete),
    Route::shows("/protocol/list", Does::Protocol, Answer::Markdown, "All signals, as a table."),
];

const TYPES: [&str; 6] = ["WEB", "CAMERA", "MOBILE", "MEDIA", "SERVER", "OTHER"];
const CLIENT: Variable = Variable {
    name: "clientId",
    field: "clientId",
    about: "The terminal: its client id, or `clientId@partition`.",
};
const RECORDED: Variable = Variable { name: "clientId", field: "to", about: "The member to record." };
const ROOM: Variable = Variable { name: "roomId", field: "roomId", about: "The room." };
const RECORDING: Variable = Variable { name: "recordingId", field: "recordingId", about: "The recording." };
const ENABLED: Field = Field::required("enabled", Kind::Flag, "Begin (`true`) or end (`false`).");

const fn config(path: &'static str, section: Section, about: &'static str) -> Route {
    Route::shows(path, Does::Configuration(section), Answer::Object, about)
}

const fn recording(path: &'static str, deed: Deed, answer: Answer, about: &'static str) -> Route {
    Route::shows(path, Does::Recording(deed), answer, about).of(&[RECORDING])
}

const fn node(path: &'static str, signal: Signal, about: &'static str) -> Route {
    Route::changes(path, Does::Signal(signal), Answer::Done, about)
}
