//! Why a request is not carried out: as in the REST interface, with some statuses that it has no code for.

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::Response;
use taoyao_wire::terminal::Code;

use super::super::rest::{Fault, Place};
use super::answer::shared;

/// Seconds after which a player may ask again whether somebody sends.
const RETRY_SECONDS: u64 = 5;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    Fault(Fault),
    /// There is nobody who has sent anything lately.
    NothingToPlay,
    /// Something of what is offered, or of what is there to play, cannot be carried. Nothing is, then: a part that passes for
    /// all would mislead (RFC 9725, section 4.2).
    NotUnderstood(String),
    /// The session's ICE credentials are others than the request takes them for.
    OtherIce,
    /// The request does not say which ICE credentials it means.
    WhichIce,
}

impl Trouble {
    pub(super) fn answer(&self, place: &Place) -> Response {
        let (status, why) = match self {
            Self::Fault(fault) => return shared(fault.answer(place)),
            Self::NotUnderstood(why) => (StatusCode::UNPROCESSABLE_ENTITY, why.as_str()),
            Self::NothingToPlay => (
                StatusCode::CONFLICT,
                "nobody in the room has sent anything within the last two seconds; try again later",
            ),
            Self::OtherIce => {
                (StatusCode::PRECONDITION_FAILED, "the session has other ICE credentials by now")
            }
            Self::WhichIce => (
                StatusCode::PRECONDITION_REQUIRED,
                "send If-Match with the session's ETag, or * to restart ICE",
            ),
        };
        let mut response = shared(Fault::with(Code::BadRequest, why).answer_as(status, place));
        if *self == Self::NothingToPlay {
            response.headers_mut().insert(RETRY_AFTER, RETRY_SECONDS.into());
        }
        response
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
