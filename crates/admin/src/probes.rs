//! `GET /healthz` and `GET /readyz`: for whoever supervises the process.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::request::AdminRequest;
use crate::service::AdminService;

/// Asks nobody: a node that waits for its parent is alive, and restarting it would not help.
pub(crate) async fn healthz() -> &'static str {
    "alive\n"
}

pub(crate) async fn readyz(State(service): State<AdminService>) -> Response {
    match service.ask(|reply| AdminRequest::Ready { reply }).await {
        Ok(missing) if missing.is_empty() => "ready\n".into_response(),
        Ok(missing) => {
            let lines: String = missing.iter().map(|line| format!("{line}\n")).collect();
            (StatusCode::SERVICE_UNAVAILABLE, lines).into_response()
        }
        Err(failure) => failure.as_text(),
    }
}
