//! The secret that `/api/` asks for.

use std::fmt;

use subtle::ConstantTimeEq;

/// A bearer token, and where an operator finds it.
#[derive(Clone)]
pub struct ApiToken {
    secret: String,
    file: String,
}

impl ApiToken {
    /// A token that is kept in `file`; the path is shown to whoever lacks the token.
    ///
    /// # Panics
    /// If the secret is empty: that would let everybody in.
    pub fn new(secret: impl Into<String>, file: impl Into<String>) -> Self {
        let (secret, file) = (secret.into(), file.into());
        assert!(!secret.is_empty(), "an empty token would let everybody in");
        Self { secret, file }
    }

    /// Whether an `Authorization` header carries it. Takes the same time for every wrong token of its length.
    pub(crate) fn admits(&self, authorization: Option<&str>) -> bool {
        let Some((scheme, given)) = authorization.and_then(|header| header.split_once(' ')) else {
            return false;
        };
        scheme.eq_ignore_ascii_case("bearer")
            && bool::from(self.secret.as_bytes().ct_eq(given.trim().as_bytes()))
    }

    pub(crate) fn file(&self) -> &str {
        &self.file
    }
}

/// Shows where it is, not what it is.
impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiToken").field("file", &self.file).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_as_a_bearer_admits() {
        let token = ApiToken::new("s3cret", "state/admin-token");
        assert!(token.admits(Some("Bearer s3cret")));
        assert!(token.admits(Some("bearer s3cret ")));
        for wrong in [
            None,
            Some(""),
            Some("s3cret"),
            Some("Bearer"),
            Some("Bearer "),
            Some("Bearer s3cre"),
            Some("Basic s3cret"),
        ] {
            assert!(!token.admits(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn debug_output_hides_the_secret() {
        let shown = format!("{:?}", ApiToken::new("s3cret", "state/admin-token"));
        assert!(shown.contains("state/admin-token") && !shown.contains("s3cret"), "{shown}");
    }
}
