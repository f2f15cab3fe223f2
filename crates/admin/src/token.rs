//! The secrets that `/api/` asks for: one for everything, one that only reads.

use std::fmt;

use subtle::ConstantTimeEq;

/// A bearer token, and where an operator finds it.
#[derive(Clone)]
pub struct ApiToken {
    secret: String,
    file: String,
    /// For whoever looks and changes nothing.
    reader: Option<String>,
}

/// What a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    Everything,
    Reading,
}

impl ApiToken {
    /// A token that is kept in `file`; the path is shown to whoever lacks the token.
    ///
    /// # Panics
    /// If the secret is empty: that would let everybody in.
    pub fn new(secret: impl Into<String>, file: impl Into<String>) -> Self {
        let (secret, file) = (secret.into(), file.into());
        assert!(!secret.is_empty(), "an empty token would let everybody in");
        Self { secret, file, reader: None }
    }

    /// The same with a second token, which only reads.
    ///
    /// # Panics
    /// If it is empty.
    #[must_use]
    pub fn with_reader(self, secret: impl Into<String>) -> Self {
        let reader = secret.into();
        assert!(!reader.is_empty(), "an empty token would let everybody in");
        Self { reader: Some(reader), ..self }
    }

    /// What the token of an `Authorization` header opens. Takes the same time for every wrong token of its length.
    pub(crate) fn right(&self, authorization: Option<&str>) -> Option<Right> {
        let (scheme, given) = authorization?.split_once(' ')?;
        let is = |secret: &str| bool::from(secret.as_bytes().ct_eq(given.trim().as_bytes()));
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        match (is(&self.secret), self.reader.as_deref().is_some_and(is)) {
            (true, _) => Some(Right::Everything),
            (false, true) => Some(Right::Reading),
            (false, false) => None,
        }
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
        let token = ApiToken::new("s3cret", "state/admin-token").with_reader("l00k");
        assert_eq!(token.right(Some("Bearer s3cret")), Some(Right::Everything));
        assert_eq!(token.right(Some("bearer s3cret ")), Some(Right::Everything));
        assert_eq!(token.right(Some("Bearer l00k")), Some(Right::Reading));
        for wrong in [
            None,
            Some(""),
            Some("s3cret"),
            Some("Bearer"),
            Some("Bearer "),
            Some("Bearer s3cre"),
            Some("Basic s3cret"),
            Some("Basic l00k"),
        ] {
            assert_eq!(token.right(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn debug_output_hides_the_secret() {
        let shown = format!("{:?}", ApiToken::new("s3cret", "state/admin-token").with_reader("l00k"));
        assert!(shown.contains("state/admin-token"), "{shown}");
        assert!(!shown.contains("s3cret") && !shown.contains("l00k"), "{shown}");
    }
}
