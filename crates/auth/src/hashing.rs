//! Argon2id over memory that is kept for the next password: each check needs 19 MiB, and giving them back each time leaves an
//! allocator with as much for every thread that ever checked one.

use std::sync::{LazyLock, Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};

/// OWASP's recommended minimum for Argon2id: 19 MiB, two passes, one lane. About 20 ms of one core.
static ARGON2ID: LazyLock<Argon2<'static>> = LazyLock::new(|| {
    let params = Params::new(19 * 1024, 2, 1, None).expect("constants within Argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
});

/// Memory that nobody uses just now: never more than as many passwords as were checked at one time. Holds no state that
/// anything depends on; what was in it is overwritten before it is read.
static SPARE: Mutex<Vec<Memory>> = Mutex::new(Vec::new());

type Memory = Vec<Block>;

/// The hash of a password in PHC string form. None if Argon2 does not take the password (more than 4 GiB).
pub(crate) fn hash(password: &str, salt: [u8; 16]) -> Option<String> {
    let mut bytes = [0; Params::DEFAULT_OUTPUT_LEN];
    fill(&ARGON2ID, password, &salt, &mut bytes)?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(ARGON2ID.params()).ok()?,
        salt: Some(Salt::new(&salt).ok()?),
        hash: Some(Output::new(&bytes).ok()?),
    };
    Some(hash.to_string())
}

/// Whether a hash in PHC string form is this password's. Compares in constant time, and refuses what is no such hash.
pub(crate) fn is_hash_of(password: &str, hash: &str) -> bool {
    let computed = PasswordHash::new(hash).ok().and_then(|hash| {
        let (salt, expected) = (hash.salt?, hash.hash?);
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
        let version = hash.version.map_or(Ok(Version::default()), Version::try_from).ok()?;
        let argon2 = Argon2::new(algorithm, version, Params::try_from(&hash).ok()?);
        let mut bytes = [0; Output::MAX_LENGTH];
        let bytes = bytes.get_mut(..expected.len())?;
        fill(&argon2, password, &salt, bytes)?;
        Some(Output::new(bytes).ok()? == expected)
    });
    computed.unwrap_or(false)
}

fn fill(argon2: &Argon2<'_>, password: &str, salt: &[u8], bytes: &mut [u8]) -> Option<()> {
    let mut memory = spare().pop().unwrap_or_default();
    let blocks = argon2.params().block_count();
    memory.resize(blocks, Block::default());
    let filled = argon2.hash_password_into_with_memory(password.as_bytes(), salt, bytes, &mut memory[..]);
    // A hash that somebody made with more memory does not set the measure.
    if blocks <= ARGON2ID.params().block_count() {
        spare().push(memory);
    }
    filled.ok()
}

fn spare() -> std::sync::MutexGuard<'static, Vec<Memory>> {
    // Taking one out or putting one in cannot be left half done.
    SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::{PasswordHasher, PasswordVerifier};

    use super::*;

    #[test]
    fn hashes_are_those_that_the_library_makes_and_takes() {
        let made = hash("peach", [7; 16]).unwrap();
        let theirs: PasswordHash = ARGON2ID.hash_password_with_salt(b"peach", &[7; 16]).unwrap();
        assert_eq!(made, theirs.to_string());
        assert!(ARGON2ID.verify_password(b"peach", made.as_str()).is_ok());
        assert!(is_hash_of("peach", &made) && !is_hash_of("pear", &made));
    }

    #[test]
    fn a_hash_of_other_parameters_is_recognised_and_one_that_is_none_is_nobodys() {
        let other = Argon2::new(Algorithm::Argon2i, Version::V0x10, Params::new(64, 3, 2, Some(24)).unwrap());
        let hash: PasswordHash = other.hash_password_with_salt(b"peach", &[9; 16]).unwrap();
        assert!(is_hash_of("peach", &hash.to_string()) && !is_hash_of("pear", &hash.to_string()));
        for none in [
            "",
            "peach",
            "$argon2id$v=19$m=64,t=1,p=1",
            "$argon2id$v=19$m=9999999999,t=1,p=1$YWFhYWFhYWE$YWFhYWFhYWE",
        ] {
            assert!(!is_hash_of("peach", none), "{none:?}");
        }
    }

    #[test]
    fn passwords_that_come_one_after_the_other_share_one_memory() {
        let made = hash("peach", [7; 16]).unwrap();
        let threads: Vec<_> = (0..12)
            .map(|_| {
                let made = made.clone();
                // Not two at a time, each on a thread of its own.
                #[expect(clippy::disallowed_methods, reason = "the crate owns no threads, its tests do")]
                std::thread::spawn(move || is_hash_of("peach", &made)).join().unwrap()
            })
            .collect();
        assert!(threads.iter().all(|matches| *matches));
        // Other tests run beside this one.
        assert!(spare().len() <= 8, "{}", spare().len());
    }
}
