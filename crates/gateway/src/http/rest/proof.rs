//! The `Authorization` header: HTTP Basic (RFC 7617) or a bearer token (RFC 6750).

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use taoyao_auth::Credentials;
use taoyao_types::Secret;

use super::call::Proof;

/// What the request shows; `None` if it shows nothing that can be read, or more than one thing.
pub(super) fn proof(headers: &HeaderMap) -> Option<Proof> {
    let mut shown = headers.get_all(AUTHORIZATION).iter();
    let (Some(header), None) = (shown.next(), shown.next()) else { return None };
    let (scheme, value) = header.to_str().ok()?.split_once(' ')?;
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("basic") {
        return basic(value).map(Proof::Password);
    }
    scheme.eq_ignore_ascii_case("bearer").then(|| Proof::Token(Secret(value.to_owned())))
}

fn basic(value: &str) -> Option<Credentials> {
    let text = String::from_utf8(BASE64_STANDARD.decode(value).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    Some(Credentials { username: username.to_owned(), password: password.to_owned() })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn basic_is_name_and_password_and_the_password_may_have_colons() {
        let shown = shows("Basic YW5uOnBlYWNoOnBlYXI=");
        let credentials = Credentials { username: "ann".into(), password: "peach:pear".into() };
        assert_eq!(shown, Some(Proof::Password(credentials)));
    }

    #[test]
    fn a_bearer_token_is_taken_as_it_is_and_not_shown() {
        let shown = shows("bearer tao_abc");
        assert_eq!(shown, Some(Proof::Token(Secret("tao_abc".into()))));
        assert!(!format!("{shown:?}").contains("tao_abc"));
    }

    #[test]
    fn what_cannot_be_read_is_no_proof() {
        for header in ["", "Basic", "Basic %%%", "Basic YW5u", "Digest x", "tao_abc"] {
            assert_eq!(shows(header), None, "{header}");
        }
        let mut twice = HeaderMap::new();
        twice.append(AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        twice.append(AUTHORIZATION, HeaderValue::from_static("Bearer b"));
        assert_eq!(proof(&twice), None);
    }

    fn shows(header: &'static str) -> Option<Proof> {
        proof(&HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(header))]))
    }
}
