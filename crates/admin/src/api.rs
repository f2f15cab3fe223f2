//! `/api/`: the questions behind the command line.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use taoyao_types::limits;

use crate::request::{AdminFailure, AdminQuery, AdminRequest};
use crate::service::AdminService;
use crate::token::Right;

/// Terminals, alarms or recordings in a page unless the request says otherwise.
const PAGE: usize = 100;

/// Lets only requests with a token through, and with the token for reading only those that change nothing.
pub(crate) async fn with_token(
    State(service): State<AdminService>,
    request: Request,
    next: Next,
) -> Response {
    let given = request.headers().get(AUTHORIZATION).and_then(|header| header.to_str().ok());
    match service.token().right(given) {
        Some(Right::Everything) => return next.run(request).await,
        Some(Right::Reading) if only_reads(&request) => return next.run(request).await,
        Some(Right::Reading) => {
            let text = format!(
                "This token only reads; the one for everything is in the file {}.",
                service.token().file()
            );
            return AdminFailure::new(403, text).as_json();
        }
        None => {}
    }
    let file = service.token().file();
    let text =
        format!("This needs the header \"Authorization: Bearer TOKEN\"; the token is in the file {file}.");
    let refusal = AdminFailure::new(401, text).as_json();
    ([(WWW_AUTHENTICATE, "Bearer")], refusal).into_response()
}

/// A trace is asked for with a body, and changes nothing.
fn only_reads(request: &Request) -> bool {
    request.method().is_safe() || request.uri().path() == "/api/trace"
}

pub(crate) async fn status(State(service): State<AdminService>) -> Response {
    answer(&service, AdminQuery::Status).await
}

pub(crate) async fn links(State(service): State<AdminService>) -> Response {
    answer(&service, AdminQuery::Links).await
}

pub(crate) async fn rooms(State(service): State<AdminService>) -> Response {
    answer(&service, AdminQuery::Rooms).await
}

pub(crate) async fn room(State(service): State<AdminService>, Path(id): Path<String>) -> Response {
    answer(&service, AdminQuery::Room { id }).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    room: Option<String>,
    since: Option<u64>,
    limit: Option<usize>,
}

pub(crate) async fn recordings(
    State(service): State<AdminService>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    match wanted {
        Ok(Query(Wanted { room, since, limit })) => {
            let limit = limit.unwrap_or(PAGE).clamp(1, limits::LIST_ENTRIES_MAX);
            let since = since.unwrap_or_default();
            answer(&service, AdminQuery::Recordings { room, since, limit }).await
        }
        Err(error) => bad(error.body_text()).as_json(),
    }
}

pub(crate) async fn recording(State(service): State<AdminService>, Path(id): Path<String>) -> Response {
    answer(&service, AdminQuery::Recording { id }).await
}

pub(crate) async fn drain(State(service): State<AdminService>) -> Response {
    answer(&service, AdminQuery::Drain).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    partition: Option<String>,
    limit: Option<usize>,
    after: Option<String>,
}

pub(crate) async fn terminals(
    State(service): State<AdminService>,
    page: Result<Query<Page>, QueryRejection>,
) -> Response {
    let query = page.map_err(|error| bad(error.body_text())).and_then(|Query(page)| read_page(page));
    match query {
        Ok(query) => answer(&service, query).await,
        Err(failure) => failure.as_json(),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Count {
    limit: Option<usize>,
}

pub(crate) async fn alarms(
    State(service): State<AdminService>,
    count: Result<Query<Count>, QueryRejection>,
) -> Response {
    match count {
        Ok(Query(Count { limit })) => {
            let limit = limit.unwrap_or(PAGE).clamp(1, limits::ALARMS_KEPT);
            answer(&service, AdminQuery::Alarms { limit }).await
        }
        Err(error) => bad(error.body_text()).as_json(),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trace {
    from: String,
    to: String,
}

pub(crate) async fn trace(
    State(service): State<AdminService>,
    body: Result<Json<Trace>, JsonRejection>,
) -> Response {
    match body {
        Ok(Json(Trace { from, to })) => answer(&service, AdminQuery::Trace { from, to }).await,
        Err(error) => bad(format!("{} Send {{\"from\": …, \"to\": …}}.", error.body_text())).as_json(),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Close {
    terminal: String,
}

pub(crate) async fn close_terminal(
    State(service): State<AdminService>,
    body: Result<Json<Close>, JsonRejection>,
) -> Response {
    match body {
        Ok(Json(Close { terminal })) => answer(&service, AdminQuery::CloseTerminal { terminal }).await,
        Err(error) => bad(format!("{} Send {{\"terminal\": …}}.", error.body_text())).as_json(),
    }
}

pub(crate) async fn unknown(uri: Uri) -> Response {
    AdminFailure::new(404, format!("There is nothing at {}.", uri.path())).as_json()
}

pub(crate) async fn wrong_method(method: Method, uri: Uri) -> Response {
    AdminFailure::new(405, format!("{} cannot be asked for with {method}.", uri.path())).as_json()
}

async fn answer(service: &AdminService, query: AdminQuery) -> Response {
    match service.ask(|reply| AdminRequest::Api { query, reply }).await {
        Ok(Ok(found)) => Json(found).into_response(),
        Ok(Err(failure)) | Err(failure) => failure.as_json(),
    }
}

fn read_page(page: Page) -> Result<AdminQuery, AdminFailure> {
    let partition = match page.partition {
        None => None,
        Some(text) => Some(
            text.parse()
                .map_err(|error| bad(format!("partition={text} is not a partition's name: {error}.")))?,
        ),
    };
    let limit = page.limit.unwrap_or(PAGE).clamp(1, limits::LIST_ENTRIES_MAX);
    Ok(AdminQuery::Terminals { partition, limit, after: page.after })
}

fn bad(message: String) -> AdminFailure {
    AdminFailure::new(400, message)
}

impl AdminFailure {
    pub(crate) fn as_json(&self) -> Response {
        (self.code(), Json(json!({ "error": self.message }))).into_response()
    }

    pub(crate) fn as_text(&self) -> Response {
        (self.code(), format!("{}\n", self.message)).into_response()
    }

    /// A status that is no failure's would make a refusal look like an answer.
    fn code(&self) -> StatusCode {
        StatusCode::from_u16(self.status)
            .ok()
            .filter(|code| code.is_client_error() || code.is_server_error())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}
