//! What a terminal presents when it registers.

use std::fmt;

/// The username and password of a `client::register` (reference section 3.2); a missing field is an empty text.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub username: String,
    pub password: String,
}

/// Shows the username only: whatever prints credentials for debugging must not print the password.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_the_password() {
        let shown = format!("{:?}", Credentials { username: "ann".into(), password: "s3cret".into() });
        assert!(shown.contains("ann") && !shown.contains("s3cret"), "{shown}");
    }
}
