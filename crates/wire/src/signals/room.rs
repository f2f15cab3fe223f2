//! `room::*`: terminals meet. A room lives at the owner of its partition; its members may be anywhere (reference
//! section 4.6).

use taoyao_types::Scope;

use super::{Need, OWN_PARTITION, Route, Row, Signal, asked, told};
use crate::Class;

pub(super) const ROWS: [Row; 11] = [
    told(Signal::RoomBroadcast, "room::broadcast", Route::Room, "A message to all other members.")
        .needs(Need::Member)
        .scope(Scope::Room),
    asked(
        Signal::RoomClientList,
        "room::client::list",
        Route::Room,
        "The states of the members, in pages: `after`, `limit`; pushed once to each who enters.",
    )
    .also_pushed()
    .needs(Need::Member)
    .scope(Scope::Room)
    .repeatable(),
    asked(
        Signal::RoomClientListId,
        "room::client::list::id",
        Route::Room,
        "The ids of one member's producers and consumers.",
    )
    .needs(Need::Member)
    .scope(Scope::Room)
    .repeatable(),
    told(Signal::RoomClose, "room::close", Route::Room, "The room ends; all members are told.")
        .also_pushed()
        .class(Class::Request)
        .needs(Need::Owner)
        .scope(Scope::Room)
        .repeatable(),
    asked(
        Signal::RoomCreate,
        "room::create",
        Route::Room,
        "A new room in the terminal's partition: `name`, `password`, `emptySeconds`. Who creates it owns it.",
    )
    .also_pushed()
    .unasked(OWN_PARTITION),
    asked(
        Signal::RoomEnter,
        "room::enter",
        Route::Room,
        "The terminal becomes a member; the answer goes to all members.",
    )
    .also_pushed()
    .scope(Scope::Room)
    .repeatable(),
    told(Signal::RoomExpel, "room::expel", Route::Room, "A member is asked to leave.")
        .needs(Need::Owner)
        .scope(Scope::Room),
    told(
        Signal::RoomInvite,
        "room::invite",
        Route::Room,
        "A terminal is asked to enter, with a pass in the place of the password.",
    )
    .needs(Need::Member)
    .scope(Scope::Room),
    told(Signal::RoomLeave, "room::leave", Route::Room, "A member leaves; the others are told.")
        .also_pushed()
        .class(Class::Request)
        .needs(Need::Member)
        .unasked("the way out is always open")
        .repeatable(),
    asked(
        Signal::RoomList,
        "room::list",
        Route::Everyone,
        "The rooms of the partitions that policy shows, in pages: `after`, `limit`.",
    )
    .class(Class::Bulk)
    .scope(Scope::See)
    .repeatable(),
    asked(Signal::RoomStatus, "room::status", Route::Room, "The state of one room.")
        .needs(Need::Member)
        .scope(Scope::Room)
        .repeatable(),
];
