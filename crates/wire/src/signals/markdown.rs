//! The signal table and the class table as Markdown, for `docs/PROTOCOL.md`.

use taoyao_types::Asks;

use super::{Need, Route, Row, SIGNALS, Sender};
use crate::Class;

/// The signal table.
pub fn signals_markdown() -> String {
    let mut text = String::from(
        "| Signal | Sent by | Needs | Class | Ends at | Answered | Idempotent | Asks | About |\n\
         |:--|:--|:--|:--|:--|:-:|:-:|:--|:--|\n",
    );
    for row in &SIGNALS {
        let sender = match row.sender {
            Sender::Terminal => "terminal",
            Sender::Node => "node",
            Sender::Both => "both",
        };
        let (need, route) = (need(row.need), route(row.route));
        let class = row.class.describe().code;
        let [answered, idempotent] = [row.answered, row.idempotent].map(|yes| if yes { "yes" } else { "" });
        let asks = match row.asks {
            Asks::Scope(scope) => format!("`{}`", scope.as_str()),
            Asks::Nothing(why) => why.to_owned(),
        };
        let Row { name, about, .. } = row;
        text.push_str(&format!(
            "| `{name}` | {sender} | {need} | {class} | {route} | {answered} | {idempotent} | {asks} | {about} |\n"
        ));
    }
    text
}

fn need(need: Need) -> &'static str {
    match need {
        Need::Nothing => "nothing",
        Need::Registered => "",
        Need::Member => "membership",
        Need::Participant => "session",
        Need::Owner => "ownership",
        Need::Operator => "`operator`",
        Need::Named => "named",
    }
}

fn route(route: Route) -> &'static str {
    match route {
        Route::Node => "own node",
        Route::Owner => "partition's owner",
        Route::Terminal => "terminal",
        Route::Room => "room",
        Route::Partition => "partition",
        Route::SessionPeer => "session peer",
        Route::Everyone => "everyone",
    }
}

/// The class table.
pub fn classes_markdown() -> String {
    let mut text = String::from(
        "| Class | Name | Delivery | Order | Deadline | Under load |\n|:--|:--|:--|:--|:--|:--|\n",
    );
    for class in Class::ALL {
        let row = class.describe();
        text.push_str(&format!(
            "| {} | {class:?} | {} | {} | {} | {} |\n",
            row.code, row.delivery, row.order, row.deadline, row.overload
        ));
    }
    text
}
