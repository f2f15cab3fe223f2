//! `taoyao room show`: one room, its members, and the numbers of all that they send and receive.

use clap::{Args, Subcommand};
use comfy_table::Cell;
use serde_json::Value;
use taoyao_node::report::{MediaReport, RoomDetails};

use super::asked::Asked;
use super::{Whom, block_on};
use crate::cli::exit::{Exit, Failed};
use crate::cli::output::{self, STRONG, bitrate, counted, number, painted, printable};

/// Look into one room
#[derive(Debug, Args)]
pub(crate) struct RoomCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Show(Show),
}

/// Show a room's members and their streams: bit rate, loss, round trip, score, layers, key frames asked for
///
/// The nodes are asked one after the other until one has the room; its id is in `taoyao rooms`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao room show 5b1f2c34-0a0b-4c0d-8e0f-102030405060
  taoyao room show 5b1f2c34-0a0b-4c0d-8e0f-102030405060 --node sh --json | jq '.people[].consumers'")]
struct Show {
    /// The room's id
    room: String,
    #[command(flatten)]
    whom: Whom,
}

impl RoomCommand {
    pub(crate) fn run(self) -> Result<Exit, Failed> {
        let Command::Show(show) = self.command;
        show.run()
    }
}

impl Show {
    fn run(self) -> Result<Exit, Failed> {
        let room = block_on(self.find(&self.whom.load()?))??;
        if self.whom.format.json {
            output::say_json(&room)?;
        } else {
            output::say(drawn(&room))?;
        }
        Ok(Exit::Fine)
    }

    async fn find(&self, asked: &Asked) -> Result<RoomDetails, Failed> {
        let id = &self.room;
        // Anything else cannot be a room's id, nor belong into a path.
        let is_id = id.chars().all(|c| c.is_ascii_hexdigit() || c == '-') && !id.is_empty();
        if !is_id {
            let what = format!("{:?} is not a room's id; `taoyao rooms` lists them", printable(id));
            return Err(Failed::new(Exit::Usage, what));
        }
        let missing = format!("no node that was asked has the room {id}; `taoyao rooms` lists them");
        self.whom.ask_in_turn(asked, &format!("/api/rooms/{id}"), missing).await
    }
}

fn drawn(room: &RoomDetails) -> String {
    let name = room.room.name.as_deref().map_or(String::new(), |name| format!("  {}", printable(name)));
    let media = room.room.media;
    let mut text = format!(
        "{}{name}\nat {}, made by {}; in {}, out {}\n",
        painted(STRONG, &room.room.room),
        room.node,
        room.room.owner,
        bitrate(media.received_bps),
        bitrate(media.sent_bps)
    );
    let mut table =
        output::table(&["MEMBER", "", "KIND", "RATE", "LOSS", "ROUND TRIP", "SCORE", "LAYERS", "KEY FRAMES"]);
    for member in &room.people {
        let mut first = Some(format!("{} ({})", member.terminal, member.node));
        let streams = [("sends", &member.producers), ("receives", &member.consumers)];
        for (what, stream) in streams.into_iter().flat_map(|(what, of)| of.iter().map(move |of| (what, of))) {
            table.add_row(row(first.take().unwrap_or_default(), what, stream));
        }
        if let Some(silent) = first {
            table.add_row([silent, "-".to_owned()]);
        }
    }
    text += &format!("\n{}\n{}", output::drawn(table), counted(room.people.len(), "member"));
    text
}

fn row(member: String, what: &str, stream: &MediaReport) -> [Cell; 9] {
    let stats = &stream.stats;
    let sum = |name: &str| stats.iter().filter_map(|stat| stat.get(name)?.as_f64()).sum::<f64>();
    let text = |name: &str| {
        let found = stats.iter().find_map(|stat| stat.get(name));
        found.map_or("-".to_owned(), |value| value.as_str().map_or_else(|| value.to_string(), printable))
    };
    let packets = sum("packetCount") + sum("packetsLost");
    let loss = if packets > 0.0 { 100.0 * sum("packetsLost") / packets } else { 0.0 };
    let round_trip = stats.iter().find_map(|stat| stat.get("roundTripTime")).and_then(Value::as_f64);
    let layers = match (text("currentSpatialLayer"), text("currentTemporalLayer")) {
        (spatial, _) if spatial == "-" => spatial,
        (spatial, temporal) => format!("{spatial}/{temporal}"),
    };
    [
        Cell::new(member),
        Cell::new(what),
        Cell::new(text("mimeType")),
        number(bitrate(sum("bitrate") as u64)),
        number(format!("{loss:.1} %")),
        number(round_trip.map_or("-".to_owned(), |ms| format!("{ms:.0} ms"))),
        number(text("score")),
        number(layers),
        number(sum("pliCount") + sum("firCount")),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use taoyao_node::report::{MemberReport, RoomMedia, RoomReport};

    use super::*;

    #[test]
    fn a_room_shows_what_each_member_sends_and_receives() {
        let stream = |stats| MediaReport { id: "x".to_owned(), stats: vec![stats] };
        let member = |name: &str, producers, consumers| MemberReport {
            terminal: name.parse().unwrap(),
            node: "cn/east/sh".parse().unwrap(),
            transports: Vec::new(),
            producers,
            consumers,
        };
        let sent = json!({ "mimeType": "video/VP8", "bitrate": 400_000, "packetCount": 95, "packetsLost": 5, "score": 9, "pliCount": 2 });
        let room = RoomDetails {
            node: "cn/east/sh".parse().unwrap(),
            room: RoomReport {
                room: "0a".to_owned(),
                name: None,
                owner: "ann@sh.east.cn".parse().unwrap(),
                members: 2,
                is_locked: false,
                media: RoomMedia::default(),
            },
            people: vec![
                member("ann@sh.east.cn", vec![stream(sent)], vec![]),
                member("bob@bj.north.cn", vec![], vec![]),
            ],
        };
        let text = anstream::adapter::strip_str(&drawn(&room)).to_string();
        for part in [
            "ann@sh.east.cn (cn/east/sh)",
            "video/VP8",
            "400.0 kb/s",
            "5.0 %",
            "bob@bj.north.cn",
            "2 members",
        ] {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
    }
}
