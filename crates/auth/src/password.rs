//! Hashes of passwords that are not an account's: Argon2id with the same parameters as in the user table.

use taoyao_types::Secret;

use crate::hashing::{hash, is_hash_of};

/// The hash of a password in PHC string form; `salt` must be random and fresh. None if Argon2 does not take the password
/// (more than 4 GiB). Takes about 20 ms and 19 MiB: call it where blocking is allowed.
pub fn hash_password(password: &Secret, salt: [u8; 16]) -> Option<String> {
    hash(&password.0, salt)
}

/// Whether a hash of [`hash_password`] is this password's. As slow as making it.
pub fn is_password(password: &Secret, hash: &str) -> bool {
    is_hash_of(&password.0, hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_its_passwords_only() {
        let hash = hash_password(&Secret("peach".into()), [7; 16]).unwrap();
        assert!(hash.starts_with("$argon2id$") && !hash.contains("peach"), "{hash}");
        assert!(is_password(&Secret("peach".into()), &hash));
        assert!(!is_password(&Secret("pear".into()), &hash));
        assert!(!is_password(&Secret("peach".into()), "no hash"));
    }
}
