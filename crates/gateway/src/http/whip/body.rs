//! Reads the body of a request: SDP, or a fragment of it.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use taoyao_types::limits;
use taoyao_wire::terminal::Code;
use tokio::time::timeout;

use super::super::rest::Fault;

/// For a request's body to arrive.
const BODY_TIME_MAX: Duration = Duration::from_secs(5);

/// The body, if it is of this type. No form of another site's page can claim it without the browser asking first.
pub(super) async fn read(headers: &HeaderMap, body: Body, media_type: &str) -> Result<String, Fault> {
    let written = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = written.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(media_type) {
        return Err(Fault::with(Code::Unsupported, format!("send Content-Type: {media_type}")));
    }
    let bad = |why: String| Fault::with(Code::BadRequest, why);
    let late = |_| bad(format!("the body did not arrive within {} s", BODY_TIME_MAX.as_secs()));
    let bytes = timeout(BODY_TIME_MAX, to_bytes(body, limits::REST_BODY_BYTES_MAX)).await.map_err(late)?;
    let bytes = bytes.map_err(|_| bad(format!("the body has over {} bytes", limits::REST_BODY_BYTES_MAX)))?;
    String::from_utf8(bytes.into()).map_err(|_| bad("the body is no UTF-8".to_owned()))
}
