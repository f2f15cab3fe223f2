//! Answers that pages of any origin may read.

use axum::http::header::{
    ACCEPT, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::super::protected;

pub(super) const SDP: &str = "application/sdp";
pub(super) const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
pub(super) const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
/// Seconds for which a browser need not ask again.
const PREFLIGHT_KEPT: &str = "600";

/// What may be asked, without saying who asks: browsers ask this by themselves, without the page's credentials.
pub(super) fn options(methods: &'static str) -> Response {
    let mut response = shared(StatusCode::NO_CONTENT);
    let headers = [
        (ACCESS_CONTROL_ALLOW_METHODS, methods),
        (ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, if-match"),
        (ACCESS_CONTROL_MAX_AGE, PREFLIGHT_KEPT),
        (ACCEPT_POST, SDP),
        (ACCEPT_PATCH, FRAGMENT),
        (ACCEPT, SDP),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// An answer that any page may read and nothing may keep. A page's own credentials are all that it can bring along: with
/// this header a browser adds none of the user's.
pub(super) fn shared(answer: impl IntoResponse) -> Response {
    let mut response = protected(answer);
    let headers = [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (ACCESS_CONTROL_EXPOSE_HEADERS, "accept-patch, etag, link, location, retry-after"),
        (CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
