//! The machine's lanes as the links call them.

use taoyao_wire::link::Lane;

/// The link's name of a lane.
pub(crate) fn of(lane: Lane) -> taoyao_link::Lane {
    match lane {
        Lane::Control => taoyao_link::Lane::Control,
        Lane::Urgent => taoyao_link::Lane::Urgent,
        Lane::Shard(shard) => taoyao_link::Lane::Shard(shard),
        Lane::Directory => taoyao_link::Lane::Directory,
        Lane::Bulk => taoyao_link::Lane::Bulk,
        Lane::Datagram => taoyao_link::Lane::Datagram,
    }
}
