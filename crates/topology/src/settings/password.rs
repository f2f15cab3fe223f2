//! A text that must not be seen in logs.

use std::fmt;

/// A password or credential; `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself: for comparing, and for the terminal that is meant to have it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_show_a_password() {
        assert_eq!(format!("{:?}", Password::new("hunter2".to_owned())), "Password(…)");
    }
}
