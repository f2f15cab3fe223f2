//! Ids of rooms: texts that look like UUIDs of version 4 and begin with the room's partition.

use taoyao_types::PartitionId;

use crate::session_ids::SessionIds;

/// Makes ids. They need to be unique, not secret: a room is guarded by policy, its password and its passes.
#[derive(Debug)]
pub(crate) struct RoomIds(SessionIds);

impl RoomIds {
    pub(crate) fn new(random: SessionIds) -> Self {
        Self(random)
    }

    /// A new id of a room in `partition`, 36 characters.
    pub(crate) fn next(&mut self, partition: PartitionId) -> String {
        let random = self.0.next();
        format!("{:08x}{}", partition.0, random.get(8..).unwrap_or_default())
    }
}

/// The partition that a room of this id would be in; none if no room can have it.
pub(crate) fn partition_of(room: &str) -> Option<PartitionId> {
    let shaped = room.len() == ID_CHARS && room.is_ascii() && room.as_bytes().get(8) == Some(&b'-');
    if !shaped {
        return None;
    }
    u32::from_str_radix(room.get(..8)?, 16).ok().map(PartitionId)
}

const ID_CHARS: usize = 36;

#[cfg(test)]
mod tests {
    use taoyao_types::NodeId;

    use super::*;

    #[test]
    fn an_id_tells_its_partition() {
        let mut ids = RoomIds::new(SessionIds::new(1, NodeId(1)));
        let (a, b) = (ids.next(PartitionId(0xabc)), ids.next(PartitionId(0xabc)));
        assert_ne!(a, b);
        assert_eq!((a.len(), a.as_bytes()[14]), (36, b'4'));
        assert_eq!(partition_of(&a), Some(PartitionId(0xabc)));
        for wrong in
            ["", "null", "00000abc", &a[1..], &a.replace('-', "x"), "+0000abc-xxxx-xxxx-xxxx-xxxxxxxxxxxx "]
        {
            assert_eq!(partition_of(wrong), None, "{wrong}");
        }
    }
}
