//! Recordings for the REST interface: who may see them, and what is told. Whoever calls has the role for it already.

use std::io;

use futures_util::{StreamExt, stream};
use serde_json::Value;
use taoyao_auth::Account;
use taoyao_gateway::{ByteRange, RecordingAnswer, RecordingAsk, RecordingFault, RecordingFile};
use taoyao_record::{Content, DeleteError, Entry, Part, ReadError, Recorder, RecordingId};
use taoyao_topology::Topology;
use taoyao_types::PartitionId;

use super::{OUT_OF_ORDER, Recordings};

impl Recordings {
    /// An account that is bound to partitions knows of no recordings elsewhere.
    pub(crate) async fn answer(
        &self,
        topology: &Topology,
        account: &Account,
        ask: RecordingAsk,
    ) -> Result<RecordingAnswer, RecordingFault> {
        let Some(studio) = self.studio() else {
            let broken = || RecordingFault::Failed(OUT_OF_ORDER.to_owned());
            return Err(if self.0.is_some() { broken() } else { RecordingFault::SwitchedOff });
        };
        let recorder = &studio.recorder;
        let entry = |id: &str| visible(recorder, topology, account, id);
        match ask {
            RecordingAsk::List => {
                let entries = recorder.list().into_iter().filter(|entry| may_see(topology, account, entry));
                Ok(RecordingAnswer::Told(entries.map(|entry| shown(&entry)).collect()))
            }
            RecordingAsk::Status(id) => Ok(RecordingAnswer::Told(shown(&entry(&id)?))),
            RecordingAsk::Media { id, range } => media(recorder, entry(&id)?, range).await,
            RecordingAsk::Preview(id) => preview(recorder, entry(&id)?).await,
            RecordingAsk::Delete(id) => {
                let entry = entry(&id)?;
                tracing::info!(target: "audit", %account, recording = %entry.id, member = entry.member, "deleted");
                recorder.delete(&entry.id).await.map(|()| RecordingAnswer::Deleted).map_err(not_deleted)
            }
        }
    }
}

fn visible(
    recorder: &Recorder,
    topology: &Topology,
    account: &Account,
    id: &str,
) -> Result<Entry, RecordingFault> {
    let id: RecordingId = id.parse().map_err(|_| RecordingFault::Missing)?;
    let entry = recorder.get(&id).ok_or(RecordingFault::Missing)?;
    if may_see(topology, account, &entry) {
        tracing::info!(target: "audit", %account, recording = %id, member = entry.member, "asked for");
        return Ok(entry);
    }
    tracing::warn!(target: "audit", %account, recording = %id, rule = "partitions", "denied");
    Err(RecordingFault::Missing)
}

/// A room that is in no known partition is nobody's but of those who may act in all.
fn may_see(topology: &Topology, account: &Account, entry: &Entry) -> bool {
    let bound = account.partitions();
    // The id of a room begins with its partition's.
    let id = entry.room.get(..8).and_then(|start| u32::from_str_radix(start, 16).ok());
    let partition = id.and_then(|id| topology.partition(PartitionId(id)));
    bound.is_empty() || partition.is_some_and(|room| bound.iter().any(|own| room.name.is_within(own)))
}

fn shown(entry: &Entry) -> Value {
    serde_json::to_value(entry).expect("an entry is texts, numbers and lists of them")
}

async fn media(
    recorder: &Recorder,
    entry: Entry,
    range: Option<ByteRange>,
) -> Result<RecordingAnswer, RecordingFault> {
    let bytes = entry.bytes;
    let wanted = match range {
        Some(range) => range.of(bytes).ok_or(RecordingFault::Beyond(bytes))?,
        None => 0..bytes,
    };
    // A store refuses to give nothing.
    let content = match wanted.is_empty() {
        true => stream::empty().boxed(),
        false => readable(recorder.read(&entry.id, Part::Media, Some(wanted.clone())).await)?,
    };
    let content_type = match entry.file.rsplit_once('.') {
        Some((_, "webm")) => "video/webm",
        Some((_, "mp4")) => "video/mp4",
        _ => "video/x-matroska",
    };
    let (name, is_partial) = (entry.file, range.is_some());
    Ok(RecordingAnswer::File(RecordingFile {
        name,
        content_type,
        part: Some((wanted, bytes)),
        is_partial,
        content,
    }))
}

async fn preview(recorder: &Recorder, entry: Entry) -> Result<RecordingAnswer, RecordingFault> {
    let name = entry.preview.ok_or(RecordingFault::Missing)?;
    let content = readable(recorder.read(&entry.id, Part::Preview, None).await)?;
    let content_type = "image/jpeg";
    Ok(RecordingAnswer::File(RecordingFile { name, content_type, part: None, is_partial: false, content }))
}

type Sent = stream::BoxStream<'static, Result<bytes::Bytes, io::Error>>;

fn readable(read: Result<Content, ReadError>) -> Result<Sent, RecordingFault> {
    match read {
        Ok(content) => Ok(content.map(|piece| piece.map_err(io::Error::other)).boxed()),
        Err(ReadError::Unknown(_) | ReadError::NoPreview(_)) => Err(RecordingFault::Missing),
        Err(ReadError::Store(error)) => {
            // What stores say may have addresses and paths in it: that is for operators.
            tracing::warn!(%error, "a recording cannot be read");
            Err(RecordingFault::Failed(
                "the store of recordings does not give it; see the node's log".to_owned(),
            ))
        }
    }
}

fn not_deleted(error: DeleteError) -> RecordingFault {
    match error {
        DeleteError::Unknown(_) => RecordingFault::Missing,
        DeleteError::UnderWay(_) => RecordingFault::UnderWay,
        DeleteError::Store(_) | DeleteError::Index(_) => {
            tracing::warn!(%error, "a recording cannot be deleted");
            RecordingFault::Failed(
                "the store of recordings does not delete it; see the node's log".to_owned(),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use taoyao_auth::AllowList;
    use taoyao_types::{PartitionName, Role};

    use super::*;

    const MESH: &str =
        "org = \"acme\"\n[[node]]\nname = \"cn\"\npartitions = [\"cn\", \"east.cn\", \"mobile.cn\"]\n";

    #[test]
    fn an_operator_of_a_partition_sees_what_is_within_it_and_nothing_else() {
        let topology = Topology::parse("acme.toml", MESH).unwrap();
        let sees = |bound: &[&str], room: &str| {
            let bound = bound.iter().map(|name| name.parse().unwrap()).collect();
            let account = Account::new("ann", [Role::Operator], AllowList::default(), bound);
            may_see(&topology, &account, &entry(room))
        };
        let id = |name: &str| PartitionId::of(&name.parse::<PartitionName>().unwrap());
        let room = |name: &str| format!("{:08x}-1d6b-4a52-b5c3-6b1b8c1f8a55", id(name).0);
        assert!(sees(&[], &room("east.cn")) && sees(&["cn"], &room("east.cn")));
        assert!(sees(&["mobile.cn", "east.cn"], &room("east.cn")));
        assert!(!sees(&["mobile.cn"], &room("east.cn")) && !sees(&["east.cn"], &room("cn")));
        assert!(!sees(&["cn"], &room("elsewhere")) && !sees(&["cn"], "r") && sees(&[], "r"));
    }

    fn entry(room: &str) -> Entry {
        serde_json::from_value(serde_json::json!({
            "id": "a", "room": room, "member": "ann@cn", "state": "finished", "startedAt": 0, "durationMs": 0,
            "bytes": 0, "file": "a.webm", "tracks": [], "droppedPackets": 0,
        }))
        .unwrap()
    }
}
