//! Recordings: RTP into files that any player opens, their index, their store and their retention.
//!
//! A [`Recorder`] is started with the node. [`Recorder::start`] begins a recording and gives a [`Feed`], into which the SFU
//! puts the packets of one member's producers as they come; it never waits. A thread of the recording's own puts the packets
//! in order, takes frames out of them, aligns sound and picture by the senders' reports, and writes WebM, Matroska or
//! fragmented MP4 in chunks of about a second. Nothing is decoded or encoded but one key frame for the preview, and no other
//! program is run.

mod config;
mod disk;
mod file;
mod id;
mod index;
mod media;
mod mux;
mod order;
mod plan;
mod preview;
mod quota;
mod recorder;
mod session;
mod shelf;
mod store;

pub use config::{BucketConfig, RecorderConfig, WhenFull};
pub use disk::KeepFree;
pub use id::{BadRecordingId, RecordingId};
pub use index::{Entry, LeftOut, State, TrackEntry};
pub use plan::{RecordingPlan, TrackPlan};
pub use quota::NoRoom;
pub use recorder::{Feed, Part, ReadError, Recorder, RecorderEvent, StartError};
pub use shelf::{DeleteError, OpenError};
pub use store::{Content, StoreError};
