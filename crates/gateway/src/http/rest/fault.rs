//! Why a call is not carried out, as the code table has it, and its answer (reference section 8).

use axum::Json;
use axum::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;
use serde::Serialize;
use taoyao_auth::Lacking;
use taoyao_wire::terminal::Code;

use super::call::NotLetIn;
use super::unkept;

/// A call that failed: its code and a text for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) struct Fault {
    pub(in crate::http) code: Code,
    pub(in crate::http) text: String,
}

/// What was called; every error says it.
#[derive(Debug, Clone, Serialize)]
pub(in crate::http) struct Place {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<String>,
    method: String,
}

#[derive(Serialize)]
struct Shape<'a> {
    code: &'static str,
    message: &'a str,
    body: &'a Place,
}

impl Fault {
    /// With a text that says everything.
    pub(in crate::http) fn new(code: Code, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    /// With the code's text and the reason behind it.
    pub(in crate::http) fn with(code: Code, why: impl std::fmt::Display) -> Self {
        Self { code, text: format!("{}：{why}", code.text()) }
    }

    /// The answer, with the status of its code.
    pub(in crate::http) fn answer(&self, place: &Place) -> Response {
        self.answer_as(status(self.code), place)
    }

    pub(in crate::http) fn answer_as(&self, status: StatusCode, place: &Place) -> Response {
        let shape = Shape { code: self.code.as_str(), message: &self.text, body: place };
        unkept((status, Json(shape)))
    }
}

impl From<Lacking> for Fault {
    fn from(lacking: Lacking) -> Self {
        Self::with(Code::Refused, lacking)
    }
}

impl Place {
    pub(in crate::http) fn of(method: &Method, uri: &Uri) -> Self {
        let query = uri.query().map(shown);
        Self { path: uri.path().to_owned(), query, method: method.to_string() }
    }

    /// 404 for a path that is none.
    pub(super) fn unknown(&self) -> Response {
        Fault::new(Code::Gone, Code::Gone.text()).answer(self)
    }

    /// 405 with what may be asked instead.
    pub(in crate::http) fn wrong_method(&self, allowed: &str) -> Response {
        let fault = Fault::with(Code::BadMethod, format!("use {allowed}"));
        let mut response = fault.answer(self);
        let allow = HeaderValue::from_str(allowed).expect("names of methods are ASCII");
        response.headers_mut().insert(ALLOW, allow);
        response
    }
}

/// Parameters of a query that are shown in errors. All others may be secrets, such as a room's password.
const SHOWN: [&str; 11] = [
    "after",
    "clientId",
    "clientType",
    "enabled",
    "from",
    "index",
    "limit",
    "partition",
    "room",
    "simulcast",
    "since",
];

/// A query without what may be secret: of a parameter that is not known not even its name, for that may be one's password.
fn shown(query: &str) -> String {
    let is_shown = |pair: &&str| pair.split_once('=').is_some_and(|(name, _)| SHOWN.contains(&name));
    let pairs = query.split('&').map(|pair| Some(pair).filter(is_shown).unwrap_or("…"));
    pairs.collect::<Vec<_>>().join("&")
}

/// 401 without a body and with both ways to log in, as the original's clients expect it; or 503 and when to come back, if nobody
/// has looked.
pub(in crate::http) fn not_let_in(why: NotLetIn, place: &Place) -> Response {
    match why {
        NotLetIn::Wrong => {
            let mut response = unkept(StatusCode::UNAUTHORIZED);
            let headers = response.headers_mut();
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Basic Realm=\"taoyao\""));
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"taoyao\""));
            response
        }
        NotLetIn::NotLookedAt { seconds } => {
            let why = format_args!("logins wait or are locked here; try again in {seconds} s");
            let mut response = Fault::with(Code::Overloaded, why).answer(place);
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
            response
        }
    }
}

pub(super) fn status(code: Code) -> StatusCode {
    StatusCode::from_u16(code.http_status()).expect("the code table has statuses")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_status() {
        for code in Code::ALL {
            assert!(status(code).as_u16() >= 200, "{code:?}");
        }
        assert_eq!(status(Code::Refused), StatusCode::FORBIDDEN);
    }

    #[test]
    fn whoever_is_not_let_in_hears_how_to_log_in_and_no_more() {
        let response = not_let_in(NotLetIn::Wrong, &place());
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let ways: Vec<_> = response.headers().get_all(WWW_AUTHENTICATE).iter().collect();
        assert_eq!(ways, ["Basic Realm=\"taoyao\"", "Bearer realm=\"taoyao\""]);
    }

    #[test]
    fn whoever_was_not_looked_at_hears_when_to_come_back_and_not_that_it_was_wrong() {
        let response = not_let_in(NotLetIn::NotLookedAt { seconds: 8 }, &place());
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[RETRY_AFTER], "8");
        assert!(!response.headers().contains_key(WWW_AUTHENTICATE));
    }

    #[test]
    fn no_error_shows_what_may_be_secret() {
        for (query, expected) in [
            ("clientId=cam&password=hunter2&room=r", "clientId=cam&…&room=r"),
            ("hunter2", "…"),
            ("p%61ssword=hunter2", "…"),
            ("enabled=true", "enabled=true"),
        ] {
            assert_eq!(shown(query), expected);
        }
    }

    fn place() -> Place {
        Place::of(&Method::GET, &Uri::from_static("/client/list"))
    }
}
