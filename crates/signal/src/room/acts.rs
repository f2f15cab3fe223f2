//! What members and operators do in a room of this node.

use taoyao_types::{AccountTag, NodeId, Now, Scope};
use taoyao_wire::link::{Failure, Message, RoomAct, RoomEvent, RoomReply, RoomRequest, RoomRights};
use taoyao_wire::terminal::{Fields, room};

use super::host::{no_membership, no_room};
use super::hosted::{Room, Said};
use crate::terminals::Terminals;

/// What may be asked before entering (reference 4.3).
const CAPABILITIES: &str = "media::router::rtp::capabilities";

/// What somebody is to a room.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    /// Owns the room, or is an operator of its partition or of one above it.
    pub(super) may_act: bool,
}

impl Standing {
    /// Who is neither a member nor an operator has nothing to ask here, and who may not join by policy (`may_join`) is told
    /// nothing of the room, not even that it is there.
    pub(super) fn of(
        room: &Room,
        origin: NodeId,
        request: &RoomRequest,
        may_join: bool,
    ) -> Result<Self, Failure> {
        let is_operator = request.is_operator && room.partition.is_within(&request.from.partition);
        let is_question = matches!(&request.act, RoomAct::Media { signal, .. } if signal == CAPABILITIES);
        let is_member = room.is_member(&request.from, request.account, origin);
        if !is_member && !is_operator && !may_join {
            return Err(no_room(&room.id));
        }
        if !is_member && !is_operator && !is_question {
            return Err(no_membership(&request.from, &request.from));
        }
        Ok(Self { may_act: is_operator || room.is_owner(&request.from, request.account) })
    }

    pub(super) fn to_act(self) -> Result<(), Failure> {
        if self.may_act { Ok(()) } else { Err(Failure::Denied { rule: "owner".to_owned() }) }
    }
}

impl Terminals {
    /// The room that a request names, and what its sender is to it.
    pub(super) fn room_for(
        &self,
        origin: NodeId,
        request: &RoomRequest,
    ) -> Result<(&Room, Standing), Failure> {
        let Some(room) = self.rooms.get(&request.room) else { return Err(no_room(&request.room)) };
        let policy = &self.config.policy;
        let may_join = policy.authorise(Scope::Room, &request.from.partition, &room.partition).is_ok();
        Ok((room, Standing::of(room, origin, request, may_join)?))
    }

    pub(super) fn serve_in_room(
        &mut self,
        now: Now,
        origin: NodeId,
        request: &RoomRequest,
    ) -> Result<RoomReply, Failure> {
        if request.act == RoomAct::Leave && request.account == AccountTag::NOBODY {
            return Ok(self.take_farewell(now, origin, request));
        }
        let (room, standing) = self.room_for(origin, request)?;
        let key = room.key;
        let from = &request.from;
        match &request.act {
            RoomAct::Members => Ok(RoomReply::Members(room.members())),
            RoomAct::Status => Ok(RoomReply::Status(room.state(), self.rights(room, standing))),
            RoomAct::Ids { client } if room.has(client) => Ok(RoomReply::Ids(room.ids_of(client))),
            RoomAct::Ids { client } => Err(no_membership(client, from)),
            RoomAct::Invite { client, message } => {
                let pass = room.password.is_some().then(|| self.pass(now, &request.room, client));
                Ok(RoomReply::Invitation(invitation(message, pass.as_deref())))
            }
            _ => {
                let news = self.change_room(now, origin, request, standing)?;
                self.publish_news(now, key, news);
                Ok(RoomReply::Done)
            }
        }
    }

    fn rights(&self, room: &Room, Standing { may_act }: Standing) -> RoomRights {
        let is_recordable = self.config.has_recorder && room.studio.is_some();
        RoomRights { may_manage: may_act, may_record: may_act && is_recordable }
    }

    /// A node says that one of its terminals is not in the room any more. It takes no right: what counts is that the member
    /// is there by that node.
    fn take_farewell(&mut self, now: Now, origin: NodeId, request: &RoomRequest) -> RoomReply {
        if let Some(room) = self.rooms.get_mut(&request.room) {
            let key = room.key;
            let said = room.leave(now.mono, &request.from, origin, request.session);
            self.publish_news(now, key, said);
        }
        RoomReply::Done
    }

    /// What others are to hear of.
    fn change_room(
        &mut self,
        now: Now,
        origin: NodeId,
        request: &RoomRequest,
        standing: Standing,
    ) -> Result<Vec<Said>, Failure> {
        let Some(room) = self.rooms.get_mut(&request.room) else { return Err(no_room(&request.room)) };
        let from = request.from.clone();
        Ok(match &request.act {
            RoomAct::Leave => room.leave(now.mono, &from, origin, request.session),
            RoomAct::Broadcast { message } => {
                room.tell_all(&RoomEvent::Told { from, to: None, message: message.clone() })
            }
            RoomAct::Expel { client, message } => {
                standing.to_act()?;
                let told = RoomEvent::Told { from, to: Some(client.clone()), message: message.clone() };
                room.tell_one(client, told).into_iter().collect()
            }
            RoomAct::Close => {
                standing.to_act()?;
                tracing::info!(room = request.room, by = %from, "room closed");
                self.rooms.close(&request.room)
            }
            _ => Vec::new(),
        })
    }
}

/// The message to the invited terminal, with a pass in the place of the password.
fn invitation(message: &Message, pass: Option<&str>) -> Message {
    let body = message.body.as_deref().unwrap_or_default();
    Message { body: Some(room::invitation(&Fields::of_text(body), pass)), ..message.clone() }
}
