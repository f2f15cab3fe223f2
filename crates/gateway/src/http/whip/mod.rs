//! WHIP and WHEP: publishing into a room and playing out of it with one HTTP request (RFC 9725; draft-ietf-wish-whep).
//!
//! | request | answer |
//! |---|---|
//! | `POST /whip/{room}` with an SDP offer | 201: the answer; the session's path, its ICE session, ICE servers |
//! | `POST /whep/{room}` with an SDP offer | the same; 409 while nobody sends anything in the room |
//! | either, if something of it cannot be carried | 422, and nothing is |
//! | `PATCH` of a session with an SDP fragment | 204 for candidates, 200 with new credentials for an ICE restart |
//! | `DELETE` of a session | 200: it has ended |
//! | `OPTIONS` of either | what may be asked, for pages of other origins as well |
//!
//! The query may say `clientId`, `name` and the room's `password`; of a player also `from`, whom to play. Who asks is
//! known as in the REST interface.
//!
//! A session is a terminal like any other, only that it lives in here ([`terminal`]) and not behind a socket: it registers,
//! enters the room, produces or consumes, and is seen, expelled and counted like all others, wherever in the mesh the room
//! is. It ends when it is deleted, when its transport or its room is closed, or with the node.

mod answer;
mod body;
mod choose;
mod ice_servers;
mod play;
mod request;
mod room;
mod session;
mod sessions;
mod signals;
mod terminal;
mod trouble;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Path, Request, State};
use axum::http::Method;
use axum::response::Response;
use axum::routing::any;

pub(crate) use self::sessions::Entrance;
use self::sessions::Sessions;
use super::{Remote, Services};

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// WHIP.
    Publish,
    /// WHEP.
    Play,
}

impl Way {
    fn path(self) -> &'static str {
        match self {
            Self::Publish => "whip",
            Self::Play => "whep",
        }
    }
}

/// The paths of both; sessions use `entrance` to the node as sockets do.
pub(super) fn routes(entrance: Entrance) -> Router<Services> {
    let sessions = Arc::new(Sessions::new(entrance));
    [Way::Publish, Way::Play].into_iter().fold(Router::new(), |router, way| {
        let endpoint = {
            let sessions = Arc::clone(&sessions);
            move |State(services): State<Services>,
                  Extension(Remote(ip)): Extension<Remote>,
                  Path(room): Path<String>,
                  request: Request| {
                let sessions = Arc::clone(&sessions);
                async move {
                    match *request.method() {
                        Method::OPTIONS => answer::options(request::ENDPOINT_METHODS),
                        _ => request::open(&sessions, &services.rest, way, ip, small(&room), request).await,
                    }
                }
            }
        };
        let resource = {
            let sessions = Arc::clone(&sessions);
            move |State(services): State<Services>,
                  Extension(Remote(ip)): Extension<Remote>,
                  Path((room, id)): Path<(String, String)>,
                  request: Request| {
                let sessions = Arc::clone(&sessions);
                async move {
                    resource(&sessions, &services, way, ip, (small(&room), small(&id)), request).await
                }
            }
        };
        let path = way.path();
        router
            .route(&format!("/{path}/{{room}}"), any(endpoint.clone()))
            .route(&format!("/{path}/{{room}}/"), any(endpoint))
            .route(&format!("/{path}/{{room}}/{{session}}"), any(resource.clone()))
            .route(&format!("/{path}/{{room}}/{{session}}/"), any(resource))
    })
}

/// An id as this node writes it. Ids are numbers in hexadecimal digits, and some programs write those large (RFC 9562, section
/// 4).
fn small(id: &str) -> String {
    id.to_ascii_lowercase()
}

async fn resource(
    sessions: &Sessions,
    services: &Services,
    way: Way,
    ip: std::net::IpAddr,
    (room, id): (String, String),
    request: Request,
) -> Response {
    match *request.method() {
        Method::OPTIONS => answer::options(request::RESOURCE_METHODS),
        _ => request::change(sessions, &services.rest, way, ip, (&room, &id), request).await,
    }
}
