//! `taoyao rooms`: the rooms of the nodes, and what their media forwarders carry.

use clap::Args;
use comfy_table::Cell;
use serde::Serialize;
use taoyao_node::report::{RoomReport, RoomsReport};
use taoyao_types::NodeName;

use super::{Answer, Whom, tell_silent};
use crate::cli::exit::{Exit, Failed};
use crate::cli::output::{self, bitrate, counted, number, printable};

/// List the rooms: members, streams, bit rates
///
/// A room is at the node that owns its partition; that node's media forwarder carries it. Ends with 1 if a node does not
/// answer.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao rooms
  taoyao rooms --node sh
  taoyao rooms --limit 20 --after 0a1b2c3d-0000-4000-8000-0123456789ab
  taoyao rooms --json | jq '.rooms[] | select(.members == 0) | .room'")]
pub(crate) struct Rooms {
    #[command(flatten)]
    whom: Whom,
    /// Show so many rooms at most; how many there are besides is told
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    limit: usize,
    /// Continue behind the room with this id
    #[arg(long, value_name = "ROOM")]
    after: Option<String>,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct List {
    rooms: Vec<Listed>,
    /// Rooms beyond the limit.
    left_out: usize,
    /// Nodes that did not answer.
    silent: Vec<NodeName>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Listed {
    node: NodeName,
    #[serde(flatten)]
    room: RoomReport,
}

impl Rooms {
    pub(crate) fn run(self) -> Result<Exit, Failed> {
        let asked = self.whom.load()?;
        let answers: Vec<Answer<RoomsReport>> = self.whom.ask(&asked, "/api/rooms")?;
        let list = joined(&answers).page(self.after.as_deref(), self.limit);
        let is_complete = list.silent.is_empty();
        if self.whom.format.json {
            output::say_json(&list)?;
        } else {
            output::say(drawn(&list))?;
            tell_silent(&answers);
        }
        Ok(if is_complete { Exit::Fine } else { Exit::NotWell })
    }
}

fn joined(answers: &[Answer<RoomsReport>]) -> List {
    let mut list = List { rooms: Vec::new(), left_out: 0, silent: Vec::new() };
    for answer in answers {
        match &answer.result {
            Ok(report) => {
                let listed = |room: &RoomReport| Listed { node: report.node.clone(), room: room.clone() };
                list.rooms.extend(report.rooms.iter().map(listed));
            }
            Err(_) => list.silent.push(answer.node.clone()),
        }
    }
    list.rooms.sort_by(|a, b| a.room.room.cmp(&b.room.room));
    list
}

impl List {
    /// The rooms behind `after` by their ids, `limit` at most.
    fn page(mut self, after: Option<&str>, limit: usize) -> Self {
        self.rooms.retain(|listed| after.is_none_or(|after| listed.room.room.as_str() > after));
        self.left_out = self.rooms.len().saturating_sub(limit);
        self.rooms.truncate(limit);
        self
    }
}

fn drawn(List { rooms, left_out, .. }: &List) -> String {
    if rooms.is_empty() {
        return "no rooms".to_owned();
    }
    let mut table =
        output::table(&["ROOM", "NAME", "NODE", "MEMBERS", "SENDING", "RECEIVING", "IN", "OUT", ""]);
    for Listed { node, room } in rooms {
        table.add_row([
            Cell::new(&room.room),
            Cell::new(room.name.as_deref().map_or("-".to_owned(), printable)),
            Cell::new(node),
            number(room.members),
            number(room.media.producers),
            number(room.media.consumers),
            number(bitrate(room.media.received_bps)),
            number(bitrate(room.media.sent_bps)),
            Cell::new(if room.is_locked { "password" } else { "" }),
        ]);
    }
    let told = format!("{}\n{}", output::drawn(table), counted(rooms.len(), "room"));
    match rooms.last().filter(|_| *left_out > 0) {
        Some(Listed { room, .. }) => format!("{told}, and {left_out} more: --after {}", room.room),
        None => told,
    }
}

#[cfg(test)]
mod tests {
    use taoyao_node::report::RoomMedia;

    use super::*;
    use crate::cli::ask::client::AskError;

    #[test]
    fn rooms_of_all_nodes_are_listed_with_what_is_carried() {
        let media =
            RoomMedia { transports: 4, producers: 3, consumers: 6, received_bps: 1_500_000, sent_bps: 0 };
        let room = RoomReport {
            room: "0a0b".to_owned(),
            name: Some("stand\u{1b}-up".to_owned()),
            owner: "ann@sh.east.cn".parse().unwrap(),
            members: 2,
            is_locked: true,
            media,
        };
        let report =
            RoomsReport { node: "cn/east/sh".parse().unwrap(), carries_media: true, rooms: vec![room] };
        let answers = [
            Answer { node: "cn/east/sh".parse().unwrap(), tier: 3, result: Ok(report) },
            Answer { node: "cn".parse().unwrap(), tier: 1, result: Err(AskError::NoListener) },
        ];
        let list = joined(&answers);
        assert_eq!(list.silent, ["cn".parse::<NodeName>().unwrap()]);
        let text = drawn(&list);
        assert!(
            text.contains("stand\u{fffd}-up") && text.contains("1.5 Mb/s") && text.contains("password"),
            "{text}"
        );
        let next = list.page(Some("0a0b"), 1_000);
        assert_eq!(drawn(&next), "no rooms");
        let room = |id: &str| {
            let media = RoomMedia { transports: 0, producers: 0, consumers: 0, received_bps: 0, sent_bps: 0 };
            let owner = "ann@cn".parse().unwrap();
            let room =
                RoomReport { room: id.to_owned(), name: None, owner, members: 0, is_locked: false, media };
            Listed { node: "cn".parse().unwrap(), room }
        };
        let rooms = ["a", "b", "c"].map(room).into();
        let page = List { rooms, left_out: 0, silent: Vec::new() }.page(Some("a"), 1);
        assert!(drawn(&page).ends_with("1 room, and 1 more: --after b"), "{}", drawn(&page));
    }
}
